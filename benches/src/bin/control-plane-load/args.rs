//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use benches::database::Kind;
use clap::Parser;
use tempfile::TempDir;

/// Measures sign-in, lists of cameras and changes of cameras over HTTP, on SQLite and on PostgreSQL, in
/// rounds that alternate between the two. Ctrl-C stops everything it started. Exit code 1 means that the
/// target was missed or something failed.
#[derive(Debug, Parser)]
#[command(name = "control-plane-load", version)]
pub(crate) struct Args {
    /// Databases to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Sqlite, Kind::Postgres])]
    pub databases: Vec<Kind>,
    /// Rounds of each database
    #[arg(long, default_value_t = 2)]
    pub rounds: usize,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Lists of cameras asked for a second, whether the ones before were answered or not
    #[arg(long, default_value_t = 50)]
    pub rate: u32,
    /// Sign-ins in a round
    #[arg(long, default_value_t = 200)]
    pub logins: usize,
    /// Organizations, each with an administrator
    #[arg(long, default_value_t = 1000)]
    pub organizations: u32,
    /// Cameras of all organizations
    #[arg(long, default_value_t = 10_000)]
    pub cameras: u32,
    /// Cameras of the organization that is asked for, all on one page
    #[arg(long, default_value_t = 1000)]
    pub page: u32,
    /// Rows of the audit log
    #[arg(long, default_value_t = 1_000_000)]
    pub audit: u32,
    /// A few seconds with little data: shows that the bench works, measures nothing
    #[arg(long)]
    pub smoke: bool,
    /// Milliseconds in which 99 of 100 lists are to be answered
    #[arg(long, default_value_t = 20.0)]
    pub target_ms: f64,
    /// Where the figures are written as JSON
    #[arg(long, default_value = "target/control-plane-load")]
    pub out: PathBuf,
    /// Where the databases are while it runs (default: the system's temporary folder)
    #[arg(long)]
    pub scratch: Option<PathBuf>,
    /// The control plane's binary (default: beside this one)
    #[arg(long)]
    pub control_plane: Option<PathBuf>,
    /// The bus of the control plane
    #[arg(long, env = "NATS_SERVER", default_value = "nats-server")]
    pub nats_server: PathBuf,
}

impl Args {
    /// Refuses what cannot be measured, before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        if !(1..=1000).contains(&self.page) || self.page > self.cameras {
            bail!("--page wants 1 to 1000, and not more than --cameras");
        }
        if self.organizations < 2 || self.databases.is_empty() {
            bail!("--organizations must be at least 2, and --databases not empty");
        }
        if self.rounds == 0 || self.seconds == 0 || self.rate == 0 || self.logins == 0 {
            bail!("--rounds, --seconds, --rate and --logins must be at least 1");
        }
        let server = self.control_plane()?;
        if !server.is_file() {
            bail!(
                "{} is not there: build it (cargo build --release) or name it with --control-plane",
                server.display()
            );
        }
        Ok(())
    }

    pub(crate) fn control_plane(&self) -> Result<PathBuf> {
        if let Some(path) = &self.control_plane {
            return Ok(path.clone());
        }
        let own = std::env::current_exe().context("the path of this program")?;
        Ok(own.with_file_name("control-plane"))
    }

    pub(crate) fn scratch(&self) -> Result<TempDir> {
        match &self.scratch {
            Some(folder) => {
                tempfile::tempdir_in(folder).with_context(|| format!("a folder in {}", folder.display()))
            }
            None => Ok(tempfile::tempdir()?),
        }
    }

    /// How long one measurement takes.
    pub(crate) const fn measured(&self) -> Duration {
        Duration::from_secs(if self.smoke { 2 } else { self.seconds })
    }

    /// Sign-ins of one round.
    pub(crate) fn logins(&self) -> usize {
        if self.smoke { 10 } else { self.logins }
    }

    /// Organizations, cameras, cameras of the first organization, audit rows.
    pub(crate) fn amounts(&self) -> (u32, u32, u32, u32) {
        let all = (self.organizations, self.cameras, self.page, self.audit);
        if self.smoke {
            (all.0.min(20), all.1.min(200), all.2.min(50), all.3.min(2000))
        } else {
            all
        }
    }
}
