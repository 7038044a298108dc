//! The cameras: one simulator process serves all of them. Its CPU time is not counted.
//!
//! The simulator's own pictures are made to be counted and need a tenth of a usual bit rate. So the bench
//! encodes noisy ones and puts them where the simulator looks for its loops.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::args::Args;
use crate::case::{Case, Codec};
use benches::children::{Running, wait_for};

/// A running simulator.
pub(crate) struct Cameras {
    pub(crate) process: Running,
    pub(crate) urls: Vec<String>,
    control_port: u16,
}

impl Cameras {
    /// Starts `count` cameras and waits until they can be read. Each has a network port of its own, and its
    /// pictures come when it likes, as with real ones.
    pub(crate) async fn start(args: &Args, case: Case, count: usize, folder: &Path) -> Result<Self> {
        let log = folder.join("camera-sim.log");
        let (width, height) = case.pictures.size();
        let given = [
            ("--cameras", count.to_string()),
            ("--size", format!("{width}x{height}")),
            ("--fps", case.pictures.fps().to_string()),
            ("--gop", case.pictures.gop().to_string()),
            ("--bitrate", case.pictures.kbps().to_string()),
            (
                "--codec",
                if case.codec == Codec::H265 { "h265" } else { "h264" }.to_owned(),
            ),
            ("--audio", if case.audio { "aac" } else { "none" }.to_owned()),
            ("--line-mbps", args.line_mbps.to_string()),
        ];
        let given = given
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value]);
        let mut arguments: Vec<String> = given.collect();
        arguments.push("--spread".to_owned());
        arguments.extend(args.sim_argument.iter().cloned());
        encode_loop(&args.ffmpeg, case, folder).await?;
        let cache = [("CLOUDCAM_CACHE", folder)];
        let mut process = Running::start_with("camera-sim", &args.camera_sim()?, &arguments, &log, &cache)?;
        let mut ready = None;
        // A first start encodes its loop.
        wait_for("the simulated cameras", Duration::from_secs(120), || {
            ready = announced(&log);
            ready.is_some() || process.check().is_err()
        })
        .await?;
        process
            .check()
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        let Ready { urls, control_port } = ready.context("the simulator named no cameras")?;
        if urls.len() != count {
            bail!("the simulator serves {} cameras instead of {count}", urls.len());
        }
        Ok(Self {
            process,
            urls,
            control_port,
        })
    }

    /// Cuts a camera's connections; it can be connected to again a moment later.
    pub(crate) async fn cut(&self, camera: usize) -> Result<()> {
        self.tell(camera, "drop").await?;
        // Long enough for a picture to be due, which finds its connection cut.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.tell(camera, "none").await
    }

    async fn tell(&self, camera: usize, fault: &str) -> Result<()> {
        let stream = TcpStream::connect(("127.0.0.1", self.control_port)).await?;
        let mut stream = BufReader::new(stream);
        let ask = serde_json::json!({"fault": {"camera": camera, "fault": fault}});
        stream.write_all(format!("{ask}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        if !answer.contains("done") {
            bail!("the simulator says: {}", answer.trim());
        }
        Ok(())
    }
}

/// Ten seconds of noise at the bit rate of the case, where the simulator looks for its loop.
async fn encode_loop(ffmpeg: &Path, case: Case, cache: &Path) -> Result<()> {
    let (width, height) = case.pictures.size();
    let (fps, gop, kbps) = (case.pictures.fps(), case.pictures.gop(), case.pictures.kbps());
    let name = format!(
        "v1-{:?}-{width}x{height}-{fps}fps-g{gop}-{kbps}k-b0.mp4",
        case.codec
    );
    let file = cache.join("loops").join(name);
    if file.is_file() {
        return Ok(());
    }
    eprintln!("encoding ten seconds of {case}");
    std::fs::create_dir_all(cache.join("loops"))?;
    let common = format!("keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:bframes=0:b-adapt=0");
    let encoder = match case.codec {
        Codec::H264 => format!("-c:v libx264 -preset veryfast -x264-params {common}:sliced-threads=0"),
        Codec::H265 => {
            format!("-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params {common}:log-level=error:info=0")
        }
    };
    let rate = format!("-b:v {kbps}k -maxrate {kbps}k -bufsize {kbps}k -movflags +faststart");
    let source = format!("testsrc2=size={width}x{height}:rate={fps}");
    let frames = (fps * 10).to_string();
    let status = Command::new(ffmpeg)
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &source])
        .args(["-vf", "noise=alls=20:allf=t,format=yuv420p", "-frames:v", &frames])
        .args(encoder.split(' '))
        .args(rate.split(' '))
        .arg(&file)
        .status()
        .await
        .with_context(|| format!("starting {}", ffmpeg.display()))?;
    if !status.success() {
        bail!("{} could not encode the cameras' pictures", ffmpeg.display());
    }
    Ok(())
}

/// What the simulator says when it can be read.
#[derive(Deserialize)]
struct Ready {
    urls: Vec<String>,
    control_port: u16,
}

/// The simulator's `ready` line.
fn announced(log: &Path) -> Option<Ready> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| serde_json::from_str(line).ok())
}
