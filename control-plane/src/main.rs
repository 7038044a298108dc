//! The server's program.

use std::process::ExitCode;

use clap::Parser;
use control_plane::cli::{Arguments, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await
}
