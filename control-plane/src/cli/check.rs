//! `check`: what serving needs, each with a verdict and how to mend it. Changes nothing.

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use tokio::sync::watch;

use super::{ConfigFile, tell};
use crate::bus;
use crate::config::Config;
use crate::store::Target;

/// How long the bus may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at everything that serving needs, changes nothing, and says how to mend what fails.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all is well, 1 serving would fail, 2 the configuration is wrong.\n\n\
                        Example:\n  control-plane check --config /etc/cloudcam/control.toml"
)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = match self.config.load() {
            Ok(config) => config,
            Err(error) => {
                tell(&format!("failed  configuration: {error:#}"));
                return Ok(ExitCode::from(2));
            }
        };
        let mut failed = false;
        let mut say = |what: &str, verdict: anyhow::Result<String>| match verdict {
            Ok(detail) => tell(&format!("ok      {what}: {detail}")),
            Err(error) => {
                failed = true;
                tell(&format!("failed  {what}: {error:#}"));
            }
        };
        say("configuration", Ok(self.config.config.display().to_string()));
        say("data folder", data_dir(&config));
        say("database", database(&config));
        say("address", address(&config));
        say("bus", bus(&config).await);
        Ok(if failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn data_dir(config: &Config) -> anyhow::Result<String> {
    let dir = &config.data_dir;
    let existing = dir
        .ancestors()
        .find(|folder| folder.is_dir())
        .with_context(|| format!("{} cannot be created: no parent folder", dir.display()))?;
    rustix::fs::access(
        existing,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    )
    .with_context(|| format!("{} is not writable: make it this user's", existing.display()))?;
    let space = rustix::fs::statvfs(existing)?;
    let free_mib = space.f_bavail.saturating_mul(space.f_frsize) >> 20;
    if free_mib < 100 {
        bail!("{} has {free_mib} MiB free: make room", existing.display());
    }
    Ok(format!("{}, {free_mib} MiB free", dir.display()))
}

fn database(config: &Config) -> anyhow::Result<String> {
    let target = Target::parse(&config.database_url())?;
    if let Target::Sqlite(path) = &target {
        if !path.exists() {
            return Ok(format!("{} will be created", path.display()));
        }
        rustix::fs::access(path, rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK)
            .with_context(|| format!("{} is not writable: make it this user's", path.display()))?;
    }
    let pending = target.pending()?;
    Ok(match pending.as_slice() {
        [] => format!("{}, up to date", target.shown()),
        some => format!(
            "{}, {} migrations to apply at the next start",
            target.shown(),
            some.len()
        ),
    })
}

fn address(config: &Config) -> anyhow::Result<String> {
    let bind = config.http.bind;
    TcpListener::bind(bind)
        .with_context(|| format!("cannot listen on {bind}: free the port or set http.bind to another"))?;
    Ok(bind.to_string())
}

async fn bus(config: &Config) -> anyhow::Result<String> {
    let client = tokio::time::timeout(PATIENCE, bus::connect(&config.bus, watch::Sender::default()))
        .await
        .context("no answer within 5 s: start nats-server or mend bus.url")?
        .map_err(anyhow::Error::msg)?;
    async_nats::jetstream::new(client.clone())
        .query_account()
        .await
        .context("the bus has no JetStream: start nats-server with -js")?;
    Ok(format!(
        "nats-server {} with JetStream",
        client.server_info().version
    ))
}
