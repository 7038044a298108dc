//! The cameras: one simulator process serves all of them. Its CPU time is not counted.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::children::{Running, wait_for};

/// A running simulator.
pub(crate) struct Cameras {
    pub(crate) process: Running,
    pub(crate) urls: Vec<String>,
}

impl Cameras {
    /// Starts `count` cameras and waits until they can be read.
    pub(crate) async fn start(args: &Args, count: usize, folder: &Path) -> Result<Self> {
        let log = folder.join("camera-sim.log");
        let stream = ["--size", "1280x720", "--fps", "15", "--bitrate", "2000"];
        let mut arguments = vec![
            "--port".to_owned(),
            "0".to_owned(),
            "--cameras".to_owned(),
            count.to_string(),
        ];
        arguments.extend(stream.map(str::to_owned));
        arguments.extend(args.sim_argument.iter().cloned());
        let mut process = Running::start("camera-sim", &args.camera_sim()?, &arguments, &log)?;
        let mut urls = None;
        // A first start encodes its loop.
        wait_for("the simulated cameras", Duration::from_secs(120), || {
            urls = announced(&log);
            urls.is_some() || process.check().is_err()
        })
        .await?;
        process
            .check()
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        let urls = urls.context("the simulator named no cameras")?;
        if urls.len() != count {
            bail!("the simulator serves {} cameras instead of {count}", urls.len());
        }
        Ok(Self { process, urls })
    }
}

/// The addresses in the simulator's `ready` line.
fn announced(log: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        serde_json::from_value(event.get("urls")?.clone()).ok()
    })
}
