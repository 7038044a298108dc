//! `serve`: runs the server until it is told to stop.

use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::ConfigFile;
use crate::server::Server;

/// Runs until SIGTERM or SIGINT.
///
/// Brings the database's schema up to date first. The message bus may be away: it is waited for.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  control-plane serve --config /etc/cloudcam/control.toml")]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = Server::start(self.config.load()?).await?;
        tracing::info!(address = %server.address, url = %server.state.public_url, "ready");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        server.stop().await?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
