//! The server's program.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use control_plane::cli::{Arguments, run};

/// How long the end waits for threads that are stuck in a database or a disk that does not answer.
const END: Duration = Duration::from_secs(5);

fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    let code = runtime.block_on(run(arguments));
    runtime.shutdown_timeout(END);
    Ok(code)
}
