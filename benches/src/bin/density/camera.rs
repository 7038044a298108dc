//! The cameras: one simulator process serves all of them. Its CPU time is not counted.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

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
        let mut arguments = vec![
            "--port".to_owned(),
            "0".to_owned(),
            "--cameras".to_owned(),
            count.to_string(),
        ];
        arguments.extend(args.sim_argument.iter().cloned());
        let mut process = Running::start("camera-sim", &args.camera_sim()?, &arguments, &log)?;
        let mut port = None;
        // A first start encodes its loop.
        wait_for("the simulated cameras", Duration::from_secs(120), || {
            port = announced_port(&log);
            port.is_some() || process.check().is_err()
        })
        .await?;
        process
            .check()
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        let port = port.context("the simulator named no port")?;
        let urls = (0..count)
            .map(|camera| format!("rtsp://127.0.0.1:{port}/cam/{camera}"))
            .collect();
        Ok(Self { process, urls })
    }
}

/// The port in the first JSON line that has one.
fn announced_port(log: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        u16::try_from(event.get("port")?.as_u64()?).ok()
    })
}
