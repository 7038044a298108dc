//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::ours::Task;

/// Measures what live pictures of one camera cost in the recorder's media library beside FFmpeg, on the same
/// simulated camera, in rounds that alternate between the two. Ctrl-C stops everything it started. Exit code 1
/// means that a target was missed or something failed.
#[derive(Debug, Parser)]
#[command(name = "pictures", version)]
pub(crate) struct Args {
    /// Rounds of each side
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Seconds measured in a round
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Seconds between the first picture and the measurement
    #[arg(long, default_value_t = 3)]
    pub warm_up: u64,
    /// Single pictures in a round
    #[arg(long, default_value_t = 30)]
    pub thumbnails: u32,
    /// Only the measurements whose name contains this
    #[arg(long)]
    pub only: Option<String>,
    /// Where the figures are written as JSON
    #[arg(long, default_value = "target/pictures")]
    pub out: PathBuf,
    /// The simulator's binary (default: beside this one)
    #[arg(long)]
    pub camera_sim: Option<PathBuf>,
    /// The FFmpeg to compare with
    #[arg(long, default_value = "ffmpeg")]
    pub ffmpeg: PathBuf,
    /// Quality of FFmpeg's pictures; 3 gives files as large as ours
    #[arg(long, default_value_t = 3)]
    pub ffmpeg_quality: u32,
    /// Report a spread between rounds of up to this share as usable
    #[arg(long, default_value_t = 0.15)]
    pub max_spread: f64,
    /// What this program starts itself as
    #[command(subcommand)]
    pub role: Option<Role>,
}

/// Our side is measured in a process of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Records a camera and makes pictures of it
    #[command(hide = true)]
    Ours {
        /// The camera
        #[arg(long)]
        url: url::Url,
        /// What it does
        #[command(flatten)]
        task: Task,
    },
}

impl Args {
    /// Refuses what cannot be measured, before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        if self.rounds == 0 || self.seconds == 0 || self.thumbnails == 0 {
            bail!("--rounds, --seconds and --thumbnails must be at least 1");
        }
        let simulator = self.camera_sim()?;
        if !simulator.is_file() {
            bail!(
                "{} is not there: build it (cargo build --release -p tests --bins) or name it with --camera-sim",
                simulator.display()
            );
        }
        Ok(())
    }

    pub(crate) fn camera_sim(&self) -> Result<PathBuf> {
        if let Some(path) = &self.camera_sim {
            return Ok(path.clone());
        }
        let own = std::env::current_exe().context("the path of this program")?;
        Ok(own.with_file_name("camera-sim"))
    }

    pub(crate) const fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
