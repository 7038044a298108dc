//! The `recorder-node` command: parses arguments, sets up logs, hands over to the library.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use recorder_node::{app, check, config::Config, enrol};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// So many lines of the log may wait for whoever reads them; more are dropped. Room for all of them is taken at
/// once, and the library's default takes 4 MB.
const LOG_LINES: usize = 4096;

/// Records cameras by the control plane's plan, keeps the footage until it is stored, and reports gaps.
#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// Form of the log lines on standard error.
    #[arg(long, value_enum, default_value_t = LogForm::Human, global = true)]
    log: LogForm,
}

#[derive(Subcommand)]
enum Command {
    /// Join a control plane with a one-time token. The node makes its private key itself and keeps it in the
    /// data folder.
    Enrol {
        /// The node's TOML file; CLOUDCAM_NODE__… variables override it.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Address of the control plane.
        #[arg(long, value_name = "https://HOST")]
        server: String,
        /// The token from the panel or from `control-plane enrolment-token`.
        #[arg(
            long,
            value_name = "TOKEN",
            env = "CLOUDCAM_ENROLMENT_TOKEN",
            hide_env_values = true
        )]
        token: String,
    },
    /// Record until SIGTERM or SIGINT.
    Run {
        /// The node's TOML file; CLOUDCAM_NODE__… variables override it.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Try everything the node needs and say how to mend what is wrong. Exit code 1 when something fails.
    Check {
        /// The node's TOML file; CLOUDCAM_NODE__… variables override it.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum LogForm {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let quiet = matches!(args.command, Command::Check { .. });
    let _logs = start_logs(args.log, if quiet { "error" } else { "info" });
    // Two TLS providers are compiled into nobody; without this one, TLS clients cannot be made.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = match args.command {
        Command::Run { config } => Config::load(&config).and_then(app::run),
        Command::Enrol {
            config,
            server,
            token,
        } => Config::load(&config).and_then(|config| join(&config, &server, &token)),
        Command::Check { config } => return check::main(&config),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn join(config: &Config, server: &str, token: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let identity = runtime.block_on(enrol::enrol(config, server, token))?;
    let bus = identity.access.urls.join(", ");
    tracing::info!(node = %identity.node, server = identity.server, bus, "joined; start the node with `run`");
    Ok(())
}

/// Logs go to standard error until the guard goes, by a thread of their own: it may be a file on the disk that is
/// full or hangs, and neither may stop a recording.
fn start_logs(form: LogForm, level: &str) -> WorkerGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LOG_LINES)
        .finish(std::io::stderr());
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},async_nats=warn,retina=warn,hyper=warn")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match form {
        LogForm::Human => builder.init(),
        LogForm::Json => builder.json().init(),
    }
    guard
}
