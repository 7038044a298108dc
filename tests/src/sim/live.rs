//! Cameras for people to look at: FFmpeg, as a process of its own, encodes a picture with a running clock.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::broadcast;

use super::camera::now_us;
use super::h26x::{self, Codec};

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct LivePicture {
    /// Its NAL units with parameter sets.
    pub nals: Vec<Bytes>,
    /// Its number.
    pub frame: u64,
    /// When it came out of the encoder, microseconds since 1970.
    pub capture_us: u64,
    /// Decoding can start here.
    pub keyframe: bool,
}

/// A running encoder.
pub struct Live {
    /// Frames in a second.
    pub fps: u32,
    /// SPS and PPS.
    pub parameter_sets: Vec<Bytes>,
    pictures: broadcast::Sender<LivePicture>,
    _encoder: Child,
}

impl Live {
    /// Starts an encoder and waits for its first picture.
    ///
    /// # Errors
    /// When FFmpeg is missing or ends at once.
    pub async fn start(label: &str, fps: u32) -> Result<Arc<Self>> {
        let mut encoder = command(label, fps)
            .spawn()
            .context("ffmpeg cannot be started: install the package ffmpeg")?;
        let mut output = encoder.stdout.take().context("ffmpeg has an output")?;
        let mut buffer = BytesMut::with_capacity(1 << 20);
        let parameter_sets = loop {
            anyhow::ensure!(
                output.read_buf(&mut buffer).await? > 0,
                "ffmpeg ended: it needs drawtext and libx264"
            );
            let units = h26x::access_units(Codec::H264, h26x::nals(&buffer));
            if units.len() > 1 {
                break units[0]
                    .iter()
                    .filter(|nal| Codec::H264.is_parameter_set(nal))
                    .cloned()
                    .collect();
            }
        };
        let pictures = broadcast::Sender::new(64);
        tokio::spawn(read(output, buffer, pictures.clone()));
        Ok(Arc::new(Self {
            fps,
            parameter_sets,
            pictures,
            _encoder: encoder,
        }))
    }

    /// The pictures from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<LivePicture> {
        self.pictures.subscribe()
    }
}

fn command(label: &str, fps: u32) -> Command {
    let text = "fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8";
    let filter = format!(
        "drawtext=text='{label}':x=24:y=24:fontsize=28:{text},\
         drawtext=text='%{{localtime\\:%Y-%m-%d %H\\\\\\:%M\\\\\\:%S}}':x=24:y=h-60:fontsize=36:{text}"
    );
    let source = format!("testsrc2=size=640x360:rate={fps}");
    let gop = (fps * 2).to_string();
    let mut command = Command::new("ffmpeg");
    command
        .args([
            "-v", "error", "-re", "-f", "lavfi", "-i", &source, "-vf", &filter, "-pix_fmt", "yuv420p",
        ])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-g",
            &gop,
            "-b:v",
            "800k",
        ])
        .args([
            "-x264-params",
            "scenecut=0:aud=1:sliced-threads=0",
            "-threads",
            "1",
            "-f",
            "h264",
            "-flush_packets",
            "1",
            "pipe:1",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Splits the encoder's output at access unit delimiters.
async fn read(
    mut output: tokio::process::ChildStdout,
    mut buffer: BytesMut,
    pictures: broadcast::Sender<LivePicture>,
) {
    let mut frame = 0;
    let mut scanned = 0;
    loop {
        while let Some(end) = next_delimiter(&buffer, scanned) {
            let unit = buffer.split_to(end);
            scanned = 0;
            let nals: Vec<Bytes> = h26x::nals(&unit)
                .into_iter()
                .filter(|nal| Codec::H264.nal_type(nal) != 9)
                .collect();
            let keyframe = nals.iter().any(|nal| Codec::H264.is_keyframe(nal));
            let _ = pictures.send(LivePicture {
                nals,
                frame,
                capture_us: now_us(),
                keyframe,
            });
            frame += 1;
        }
        scanned = buffer.len().saturating_sub(8);
        match output.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Where the second access unit begins.
fn next_delimiter(buffer: &[u8], from: usize) -> Option<usize> {
    let start = from.max(5);
    let found = buffer
        .get(start..)?
        .windows(5)
        .position(|window| window == [0, 0, 0, 1, 9])?;
    Some(start + found)
}
