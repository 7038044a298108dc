//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use benches::database::Kind;
use clap::Parser;
use tempfile::TempDir;

/// Measures how many recorder nodes one control plane carries: light clients of a real nats-server and a real
/// control plane that say what nodes with so many cameras say. Ctrl-C stops everything it started. Exit code
/// 1 means that the target was missed or something failed.
#[derive(Debug, Parser)]
#[command(name = "fleet", version)]
pub(crate) struct Args {
    /// Sizes of the fleet, one after the other
    #[arg(long, value_delimiter = ',', default_values_t = [100, 300, 1000])]
    pub nodes: Vec<u32>,
    /// Cameras of each node
    #[arg(long, default_value_t = 32)]
    pub cameras: u32,
    /// Databases to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Kind::Postgres])]
    pub databases: Vec<Kind>,
    /// Seconds of the measurement with objects and status alone, which has the target
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Changes of cameras a second in the measurement of how fast plans arrive
    #[arg(long, default_value_t = 4)]
    pub edits: u32,
    /// Two small fleets for a few seconds: shows that the bench works, measures nothing
    #[arg(long)]
    pub smoke: bool,
    /// Cores that the control plane may take
    #[arg(long, default_value_t = 1.0)]
    pub target_cores: f64,
    /// Milliseconds in which 99 of 100 events are to be in the index
    #[arg(long, default_value_t = 5000.0)]
    pub target_lag_ms: f64,
    /// Where the figures are written as JSON
    #[arg(long, default_value = "target/fleet")]
    pub out: PathBuf,
    /// Where bus and databases are while it runs (default: the system's temporary folder)
    #[arg(long)]
    pub scratch: Option<PathBuf>,
    /// The control plane's binary (default: beside this one)
    #[arg(long)]
    pub control_plane: Option<PathBuf>,
    /// The bus
    #[arg(long, env = "NATS_SERVER", default_value = "nats-server")]
    pub nats_server: PathBuf,
}

impl Args {
    /// Refuses what cannot be measured, before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        if self.nodes.is_empty() || self.databases.is_empty() {
            bail!("--nodes and --databases must not be empty");
        }
        if self.nodes.iter().any(|nodes| !(1..=10_000).contains(nodes)) || !(1..=64).contains(&self.cameras) {
            bail!("--nodes wants 1 to 10000, --cameras 1 to 64");
        }
        if self.seconds == 0 || self.edits == 0 {
            bail!("--seconds and --edits must be at least 1");
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

    /// The sizes, the smallest first.
    pub(crate) fn sizes(&self) -> Vec<u32> {
        let mut sizes = if self.smoke {
            vec![2, 5]
        } else {
            self.nodes.clone()
        };
        sizes.sort_unstable();
        sizes
    }

    /// How long objects and status alone are measured; other measurements take half of it.
    pub(crate) const fn measured(&self) -> Duration {
        Duration::from_secs(if self.smoke { 8 } else { self.seconds })
    }
}
