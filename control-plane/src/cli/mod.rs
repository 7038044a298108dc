//! The command line: one file for each command. Only this module prints.
//!
//! A command parses its own arguments, does one thing and ends; what it does is in `app` and `store`.

mod check;
mod create_admin;
mod database;
mod enrolment_token;
mod import_users;
mod init;
mod migrate;
mod nats_config;
mod new_password;
mod openapi;
mod reset_password;
mod rotate_keys;
mod serve;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::store::{Connection, Target};

/// The CloudCam server: cameras, plans, the index of footage, playlists and the web interface.
#[derive(Debug, Parser)]
#[command(name = "control-plane", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How log lines look, on standard error.
    #[arg(long, value_enum, default_value = "human", global = true)]
    log: Log,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    NatsConfig(nats_config::NatsConfig),
    Serve(serve::Serve),
    Check(check::Check),
    Migrate(migrate::Migrate),
    Database(database::Database),
    CreateAdmin(create_admin::CreateAdmin),
    EnrolmentToken(enrolment_token::MakeEnrolmentToken),
    ResetPassword(reset_password::ResetPassword),
    ImportUsers(import_users::ImportUsers),
    RotateKeys(rotate_keys::RotateKeys),
    Openapi(openapi::Openapi),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    Human,
    Json,
}

/// The configuration that most commands need.
#[derive(Debug, Args)]
struct ConfigFile {
    /// Configuration file (TOML); CLOUDCAM_CONTROL__… variables override it.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl ConfigFile {
    fn load(&self) -> anyhow::Result<Config> {
        Config::load(&self.config)
    }
}

/// The database, by a connection of this command's own; its schema must be up to date.
fn connect(config: &Config) -> anyhow::Result<Connection> {
    let target = Target::parse(&config.database_url())?;
    if !target.pending()?.is_empty() {
        bail!(
            "{} is not up to date: run `control-plane migrate` first",
            target.shown()
        );
    }
    Ok(target.connect()?)
}

/// Does what the command line asks. Exit codes: 0 done, 1 failed, 2 asked wrongly.
pub async fn run(arguments: Arguments) -> ExitCode {
    start_log(arguments.log);
    let outcome = match arguments.command {
        Command::Init(command) => command.run(),
        Command::NatsConfig(command) => command.run(),
        Command::Serve(command) => command.run().await,
        Command::Check(command) => command.run().await,
        Command::Migrate(command) => command.run().await,
        Command::Database(command) => command.run().await,
        Command::CreateAdmin(command) => command.run().await,
        Command::EnrolmentToken(command) => command.run().await,
        Command::ResetPassword(command) => command.run().await,
        Command::ImportUsers(command) => command.run().await,
        Command::RotateKeys(command) => command.run().await,
        Command::Openapi(command) => command.run(),
    };
    outcome.unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        ExitCode::FAILURE
    })
}

/// Prints a line on standard output. A reader that has gone away is no fault of ours.
fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn start_log(log: Log) {
    let quiet = "info,actix_server=warn,async_nats=warn";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let lines = tracing_subscriber::fmt()
        // What cannot be logged must not end a thread: the log may be on the disk that is full.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log {
        Log::Human => lines.init(),
        Log::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
}
