//! The cameras: one simulator process serves all of them. Its CPU time is not counted.
//!
//! The simulator's own pictures are made to be counted and need a tenth of a usual bit rate. So the bench
//! encodes noisy ones and puts them where the simulator looks for its loops.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use tokio::process::Command;

use crate::args::Args;
use benches::children::{Running, wait_for};

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
        encode_loop(&args.ffmpeg, folder).await?;
        let cache = [("CLOUDCAM_CACHE", folder)];
        let mut process = Running::start_with("camera-sim", &args.camera_sim()?, &arguments, &log, &cache)?;
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

/// Ten seconds of 720p at 15 pictures and 2 Mbit a second, a keyframe every two seconds.
async fn encode_loop(ffmpeg: &Path, cache: &Path) -> Result<()> {
    let file = cache
        .join("loops")
        .join("v1-H264-1280x720-15fps-g30-2000k-b0.mp4");
    if file.is_file() {
        return Ok(());
    }
    std::fs::create_dir_all(cache.join("loops"))?;
    let encoder = "keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=0:b-adapt=0:sliced-threads=0";
    let status = Command::new(ffmpeg)
        .args([
            "-nostdin",
            "-v",
            "error",
            "-y",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=1280x720:rate=15",
        ])
        .args([
            "-vf",
            "noise=alls=20:allf=t,format=yuv420p",
            "-frames:v",
            "150",
            "-c:v",
            "libx264",
        ])
        .args(["-preset", "veryfast", "-x264-params", encoder])
        .args([
            "-b:v",
            "2000k",
            "-maxrate",
            "2000k",
            "-bufsize",
            "2000k",
            "-movflags",
            "+faststart",
        ])
        .arg(&file)
        .status()
        .await
        .with_context(|| format!("starting {}", ffmpeg.display()))?;
    if !status.success() {
        bail!("{} could not encode the cameras' pictures", ffmpeg.display());
    }
    Ok(())
}

/// The addresses in the simulator's `ready` line.
fn announced(log: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        serde_json::from_value(event.get("urls")?.clone()).ok()
    })
}
