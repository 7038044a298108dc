//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use crate::case::{Case, Codec, Pictures};

/// Measures what recording costs: one recorder node beside one `ffmpeg -c copy -f hls` per camera, on the same
/// simulated cameras, in rounds that alternate between the recorders. Ctrl-C stops everything it started.
#[derive(Debug, Parser)]
#[command(name = "density", version)]
pub(crate) struct Args {
    /// Numbers of cameras to measure
    #[arg(long, value_delimiter = ',', default_value = "8,32")]
    pub cameras: Vec<usize>,
    /// What the cameras send
    #[arg(long, value_enum, value_delimiter = ',', default_value = "720p15-2m")]
    pub pictures: Vec<Pictures>,
    /// How it is encoded
    #[arg(long, value_enum, value_delimiter = ',', default_value = "h264")]
    pub codecs: Vec<Codec>,
    /// Let the cameras send sound, too, and record it
    #[arg(long)]
    pub audio: bool,
    /// One camera of so many is watched as Motion JPEG, such as 8
    #[arg(long, value_name = "CAMERAS", value_parser = clap::value_parser!(u64).range(1..))]
    pub watch_every: Option<u64>,
    /// Who takes part; all others are compared with the last one
    #[arg(long, value_enum, value_delimiter = ',', default_value = "node,ffmpeg")]
    pub recorders: Vec<Which>,
    /// Another recorder, one process a camera: NAME=PROGRAM ARGUMENT…, with {url} and {folder}, where it puts
    /// its files; may be given again
    #[arg(long, value_name = "NAME=COMMAND")]
    pub other: Vec<Other>,
    /// Rounds of each recorder and number of cameras
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Seconds measured in a round
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Seconds between the first footage of every camera and the measurement
    #[arg(long, default_value_t = 10)]
    pub warm_up: u64,
    /// Where table and plot are written
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
    /// Megabits a second of each camera's network port: packets leave one by one
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub line_mbps: u32,
    /// Further argument for the simulator; may be given again
    #[arg(long, allow_hyphen_values = true)]
    pub sim_argument: Vec<String>,
    /// The FFmpeg to compare with; it also makes the cameras' pictures, and its ffprobe counts what was recorded
    #[arg(long, default_value = "ffmpeg")]
    pub ffmpeg: PathBuf,
    /// The bus between node and bench
    #[arg(long, env = "NATS_SERVER", default_value = "nats-server")]
    pub nats_server: PathBuf,
    /// Compare nothing: let the node alone record and upload for so many minutes, and say whether its memory grows
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub soak: Option<u64>,
    /// With --soak: so often each camera's connection breaks
    #[arg(long, default_value_t = 200)]
    pub reconnects: u64,
    /// Report a spread between rounds of up to this share as usable
    #[arg(long, default_value_t = 0.15)]
    pub max_spread: f64,
    /// Say what would be measured and how long it takes, and start nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A camera must be back and recorded for a while before it breaks again.
const SHORTEST_BREAK_S: u64 = 15;

/// A recorder that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// The recorder node, everything on
    Node,
    /// The same with GStreamer's rtspsrc instead of Retina
    NodeRtspsrc,
    /// One `ffmpeg -c copy -f hls` a camera
    Ffmpeg,
}

/// A recorder that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    /// As in the table.
    pub name: String,
    /// Program and arguments.
    pub words: Vec<String>,
}

impl FromStr for Other {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or("expected NAME=COMMAND")?;
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if name.is_empty() || words.is_empty() {
            return Err("expected NAME=COMMAND".to_owned());
        }
        for needed in ["{url}", "{folder}"] {
            if !words.iter().any(|word| word.contains(needed)) {
                return Err(format!("the command does not name {needed}"));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            words,
        })
    }
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
        if let Some(minutes) = self.soak {
            if self.cameras.len() != 1 || self.cases().len() != 1 {
                bail!("--soak wants one number of cameras and one kind of stream, such as --cameras 32");
            }
            if self.reconnects * SHORTEST_BREAK_S > minutes * 60 {
                bail!(
                    "{} breaks do not fit into {minutes} minutes: one in {SHORTEST_BREAK_S} s at most",
                    self.reconnects
                );
            }
        }
        let mut known = Vec::new();
        for which in &self.recorders {
            if known.contains(which) {
                bail!("--recorders names one twice");
            }
            known.push(*which);
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

    /// What is measured, one after the other.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let of = |pictures: &Pictures| {
            let case = |codec: &Codec| Case {
                pictures: *pictures,
                codec: *codec,
                audio: self.audio,
                watch_every: self.watch_every.and_then(|every| usize::try_from(every).ok()),
            };
            self.codecs.iter().map(case).collect::<Vec<_>>()
        };
        self.pictures.iter().flat_map(of).collect()
    }

    /// About how long all of it takes: the rounds, and starting and counting around them.
    pub(crate) fn length(&self) -> Duration {
        const AROUND_S: u64 = 12;
        let recorders = self.recorders.len() + self.other.len();
        let rounds = self.cases().len() * self.cameras.len() * self.rounds * recorders;
        Duration::from_secs(rounds as u64 * (self.warm_up + self.seconds + AROUND_S))
    }

    pub(crate) fn recorder_node(&self) -> Result<PathBuf> {
        sibling(self.recorder_node.as_ref(), "recorder-node")
    }

    pub(crate) fn camera_sim(&self) -> Result<PathBuf> {
        sibling(self.camera_sim.as_ref(), "camera-sim")
    }

    /// The ffprobe that came with FFmpeg.
    pub(crate) fn ffprobe(&self) -> PathBuf {
        self.ffmpeg.with_file_name("ffprobe")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_recorder_names_where_to_read_and_to_write() {
        let other: Other = "gst=gst-record {url} --into {folder}/x.mp4".parse().unwrap();
        assert_eq!((other.name.as_str(), other.words.len()), ("gst", 4));
        for (bad, why) in [
            ("gst", "NAME=COMMAND"),
            ("=run {url} {folder}", "NAME=COMMAND"),
            ("gst=run {url}", "{folder}"),
            ("gst=run {folder}", "{url}"),
        ] {
            assert!(bad.parse::<Other>().unwrap_err().contains(why), "{bad}");
        }
    }

    #[test]
    fn a_soak_has_room_for_its_breaks() {
        let check = |words: &[&str]| {
            let args = Args::parse_from(
                [
                    &["density", "--recorder-node", "/bin/sh", "--camera-sim", "/bin/sh"],
                    words,
                ]
                .concat(),
            );
            args.check().map_err(|error| error.to_string())
        };
        assert_eq!(check(&["--cameras", "32", "--soak", "60"]), Ok(()));
        assert!(
            check(&["--cameras", "32", "--soak", "30"])
                .unwrap_err()
                .contains("do not fit")
        );
        assert!(
            check(&["--soak", "60"])
                .unwrap_err()
                .contains("one number of cameras")
        );
    }

    #[test]
    fn every_case_is_measured() {
        let args = Args::parse_from([
            "density",
            "--pictures",
            "720p15-2m,4k15-8m",
            "--codecs",
            "h264,h265",
        ]);
        let names: Vec<String> = args.cases().iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["720p15-2m h264", "720p15-2m h265", "4k15-8m h264", "4k15-8m h265"]
        );
        assert_eq!(args.length().as_secs(), 4 * 2 * 3 * 2 * 82);
    }
}
