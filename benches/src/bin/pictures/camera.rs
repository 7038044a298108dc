//! The camera: one simulator process serves it. Its CPU time is not counted.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use benches::children::{Running, wait_for};
use tokio::process::Command;

use crate::args::Args;

/// A running simulator.
pub(crate) struct Camera {
    pub(crate) process: Running,
    pub(crate) url: String,
}

impl Camera {
    /// Starts a camera with 15 noisy pictures a second in 720p, 2 Mbit/s, a keyframe every two seconds.
    pub(crate) async fn start(args: &Args, folder: &Path) -> Result<Self> {
        encode_loop(&args.ffmpeg, folder).await?;
        let log = folder.join("camera-sim.log");
        let arguments = ["--size", "1280x720", "--fps", "15", "--bitrate", "2000"].map(str::to_owned);
        let cache = [("CLOUDCAM_CACHE", folder)];
        let mut process = Running::start_with("camera-sim", &args.camera_sim()?, &arguments, &log, &cache)?;
        let mut url = None;
        wait_for("the simulated camera", Duration::from_secs(60), || {
            url = announced(&log);
            url.is_some() || process.check().is_err()
        })
        .await?;
        process
            .check()
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        let url = url.context("the simulator named no camera")?;
        Ok(Self { process, url })
    }
}

/// Ten seconds, where the simulator looks for its loops: its own pictures need a tenth of a usual bit rate.
async fn encode_loop(ffmpeg: &Path, cache: &Path) -> Result<()> {
    let folder = cache.join("loops");
    std::fs::create_dir_all(&folder)?;
    let encoder = "keyint=30:min-keyint=30:scenecut=0:open-gop=0:bframes=0:b-adapt=0:sliced-threads=0";
    let pictures = "testsrc2=size=1280x720:rate=15,noise=alls=20:allf=t,format=yuv420p";
    let status = Command::new(ffmpeg)
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", pictures])
        .args(["-frames:v", "150", "-c:v", "libx264", "-preset", "veryfast"])
        .args(["-x264-params", encoder, "-b:v", "2000k", "-maxrate", "2000k"])
        .args(["-bufsize", "2000k", "-movflags", "+faststart"])
        .arg(folder.join("v1-H264-1280x720-15fps-g30-2000k-b0.mp4"))
        .status()
        .await
        .with_context(|| format!("starting {}", ffmpeg.display()))?;
    if !status.success() {
        bail!("{} could not encode the camera's pictures", ffmpeg.display());
    }
    Ok(())
}

/// The address in the simulator's `ready` line.
fn announced(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(event.get("urls")?.get(0)?.as_str()?.to_owned())
    })
}
