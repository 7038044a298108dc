//! The server's command line.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use control_plane::check;
use control_plane::config::Config;
use control_plane::server::Server;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The CloudCam server: cameras, plans, the index of footage, playlists and the web interface.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How log lines look, on standard error.
    #[arg(long, value_enum, default_value = "human", global = true)]
    log: Log,
}

#[derive(Subcommand)]
enum Command {
    /// Runs until SIGTERM or SIGINT.
    Serve {
        /// Configuration file (TOML); CLOUDCAM_CONTROL__… variables override it.
        #[arg(long)]
        config: PathBuf,
    },
    /// Looks at everything that serving needs, changes nothing, and says how to mend what fails.
    Check {
        /// Configuration file (TOML); CLOUDCAM_CONTROL__… variables override it.
        #[arg(long)]
        config: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Log {
    Human,
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(arguments.log);
    let outcome = match arguments.command {
        Command::Serve { config } => serve(config).await,
        Command::Check { config } => check::run(&config).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(path: PathBuf) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::start(Config::load(&path)?).await?;
    tracing::info!(address = %server.address, url = %server.state.public_url, "ready");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.stop().await?;
    tracing::info!("stopped");
    Ok(())
}

fn start_log(log: Log) {
    let quiet = "info,actix_server=warn,async_nats=warn";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log {
        Log::Human => lines.init(),
        Log::Json => lines.json().flatten_event(true).init(),
    }
}
