//! `openapi`: the description of the API, for generators of clients.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::http;

/// Prints the OpenAPI 3.1 document of the API.
///
/// A running server has the same under /api/v1/openapi.json, and to browse under /api/docs/.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  control-plane openapi --output cloudcam.json")]
pub(super) struct Openapi {
    /// Write it to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Openapi {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let text = http::openapi::json()?;
        match self.output {
            Some(path) => {
                std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => super::tell(text.trim_end()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
