//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;

/// Measures CPU time and memory of one recorder node beside one `ffmpeg -c copy -f hls` per camera, on the
/// same simulated cameras, in rounds that alternate between the two. Ctrl-C stops everything it started.
#[derive(Debug, Parser)]
#[command(name = "density", version)]
pub(crate) struct Args {
    /// Numbers of cameras to measure
    #[arg(long, value_delimiter = ',', default_value = "8,32")]
    pub cameras: Vec<usize>,
    /// Rounds of each recorder and number of cameras
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Seconds measured in a round
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Seconds between the first footage of every camera and the measurement
    #[arg(long, default_value_t = 10)]
    pub warm_up: u64,
    /// Where the table is written as JSON and CSV
    #[arg(long, default_value = "target/density")]
    pub out: PathBuf,
    /// Where footage is written while it is measured (default: the system's temporary folder)
    #[arg(long)]
    pub scratch: Option<PathBuf>,
    /// The recorder node's binary (default: beside this one)
    #[arg(long)]
    pub recorder_node: Option<PathBuf>,
    /// The simulator's binary (default: beside this one)
    #[arg(long)]
    pub camera_sim: Option<PathBuf>,
    /// Further argument for the simulator; may be given again
    #[arg(long, allow_hyphen_values = true)]
    pub sim_argument: Vec<String>,
    /// The FFmpeg to compare with
    #[arg(long, default_value = "ffmpeg")]
    pub ffmpeg: PathBuf,
    /// The bus between node and bench
    #[arg(long, env = "NATS_SERVER", default_value = "nats-server")]
    pub nats_server: PathBuf,
    /// Report a spread between rounds of up to this share as usable
    #[arg(long, default_value_t = 0.15)]
    pub max_spread: f64,
}

impl Args {
    /// Refuses what cannot be measured, before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cameras.is_empty() || self.cameras.iter().any(|count| !(1..=1000).contains(count)) {
            bail!("--cameras wants numbers from 1 to 1000");
        }
        if self.rounds == 0 || self.seconds == 0 {
            bail!("--rounds and --seconds must be at least 1");
        }
        for (option, path) in [
            ("--recorder-node", self.recorder_node()?),
            ("--camera-sim", self.camera_sim()?),
        ] {
            if !path.is_file() {
                bail!(
                    "{} is not there: build it (cargo build --release) or name it with {option}",
                    path.display()
                );
            }
        }
        Ok(())
    }

    pub(crate) fn recorder_node(&self) -> Result<PathBuf> {
        sibling(self.recorder_node.as_ref(), "recorder-node")
    }

    pub(crate) fn camera_sim(&self) -> Result<PathBuf> {
        sibling(self.camera_sim.as_ref(), "camera-sim")
    }

    pub(crate) const fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn sibling(named: Option<&PathBuf>, name: &str) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.clone());
    }
    let own = std::env::current_exe().context("the path of this program")?;
    Ok(own.with_file_name(name))
}
