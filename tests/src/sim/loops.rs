//! Pre-encoded loops: encoded once by FFmpeg as a process of its own, kept in the cache folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

use super::h26x::{self, Codec};
use super::picture;

/// What is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LoopSpec {
    /// Video codec.
    pub codec: Codec,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Frames in a second.
    pub fps: u32,
    /// Frames between keyframes.
    pub gop: u32,
    /// Kilobits in a second.
    pub bitrate_kbps: u32,
    /// B-frames between two others.
    pub b_frames: u32,
}

/// One encoded picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its NAL units, parameter sets included.
    pub nals: Vec<Bytes>,
    /// Its place in presentation order, within the loop.
    pub display: u32,
    /// Decoding can start here.
    pub keyframe: bool,
}

/// An encoded loop of whole GOPs.
#[derive(Debug)]
pub struct Loop {
    /// What it was made from.
    pub spec: LoopSpec,
    /// Pictures in decode order.
    pub pictures: Vec<Picture>,
    /// SPS and PPS, for H.265 also VPS.
    pub parameter_sets: Vec<Bytes>,
    /// How many pictures earlier than its place in presentation order a picture is sent.
    pub reorder: u32,
}

/// The cache folder: `$CLOUDCAM_CACHE/loops`, by default below `~/.cache/cloudcam`.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let home = || {
        std::env::var_os("HOME")
            .map_or_else(std::env::temp_dir, PathBuf::from)
            .join(".cache/cloudcam")
    };
    std::env::var_os("CLOUDCAM_CACHE")
        .map_or_else(home, PathBuf::from)
        .join("loops")
}

/// Encodes a loop, or takes it from the cache.
///
/// # Errors
/// When FFmpeg is missing or fails; the error names it.
pub fn load(spec: &LoopSpec) -> Result<Arc<Loop>> {
    ensure!(
        spec.gop > 0 && spec.fps > 0,
        "GOP and frames per second must be at least 1"
    );
    ensure!(
        spec.width.is_multiple_of(16) && spec.height.is_multiple_of(2),
        "the width must be a multiple of 16, the height even"
    );
    let folder = cache_folder();
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = format!(
        "v1-{:?}-{}x{}-{}fps-g{}-{}k-b{}.mp4",
        spec.codec, spec.width, spec.height, spec.fps, spec.gop, spec.bitrate_kbps, spec.b_frames
    );
    let file = folder.join(name);
    if !file.is_file() {
        encode(spec, &file)?;
    }
    read(spec, &file).map(Arc::new)
}

/// Pictures in a loop: about ten seconds of whole GOPs, few enough for the bar code.
#[must_use]
pub fn length(spec: &LoopSpec) -> u32 {
    (10 * spec.fps).div_ceil(spec.gop).max(2) * spec.gop
}

fn encode(spec: &LoopSpec, file: &Path) -> Result<()> {
    let temp = tempfile::Builder::new()
        .suffix(".mp4")
        .tempfile_in(file.parent().context("a folder")?)?;
    let size = format!("{}x{}", spec.width, spec.height);
    let (fps, gop, b) = (spec.fps.to_string(), spec.gop, spec.b_frames);
    let mut command = Command::new("ffmpeg");
    command.args([
        "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", &fps, "-i", "-",
    ]);
    match spec.codec {
        Codec::H264 => command.args(["-c:v", "libx264", "-preset", "veryfast", "-x264-params"]).arg(format!(
            "keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:bframes={b}:b-adapt=0:threads=2:sliced-threads=0"
        )),
        Codec::H265 => command.args(["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params"]).arg(
            format!("keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:bframes={b}:b-adapt=0:log-level=error:info=0"),
        ),
    };
    let rate = format!("{}k", spec.bitrate_kbps);
    command
        .args([
            "-b:v",
            &rate,
            "-maxrate",
            &rate,
            "-bufsize",
            &rate,
            "-movflags",
            "+faststart",
        ])
        .arg(temp.path());
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .context("ffmpeg cannot be started: install the package ffmpeg")?;
    let mut input = child.stdin.take().context("ffmpeg has an input")?;
    for number in 0..length(spec) {
        input.write_all(&picture::draw(spec.width, spec.height, number))?;
    }
    drop(input);
    ensure!(child.wait()?.success(), "ffmpeg could not encode {spec:?}");
    temp.persist(file)?;
    Ok(())
}

fn read(spec: &LoopSpec, file: &Path) -> Result<Loop> {
    let (format, filter) = match spec.codec {
        Codec::H264 => ("h264", "h264_mp4toannexb"),
        Codec::H265 => ("hevc", "hevc_mp4toannexb"),
    };
    let stream = output(
        Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(file)
            .args(["-c", "copy", "-bsf:v", filter, "-f", format, "-"]),
    )?;
    let units = h26x::access_units(spec.codec, h26x::nals(&stream));
    let order = presentation_order(file)?;
    ensure!(
        units.len() == order.len(),
        "{} access units, {} packets",
        units.len(),
        order.len()
    );
    let codec = spec.codec;
    let parameter_sets: Vec<Bytes> = units
        .first()
        .into_iter()
        .flatten()
        .filter(|nal| codec.is_parameter_set(nal))
        .cloned()
        .collect();
    ensure!(
        parameter_sets.len() >= 2,
        "the loop starts without parameter sets"
    );
    let reorder = order
        .iter()
        .enumerate()
        .map(|(i, display)| display.saturating_sub(i as u32))
        .max();
    let pictures = units.into_iter().zip(order).map(|(unit, display)| {
        let keyframe = unit.iter().any(|nal| codec.is_keyframe(nal));
        let mut nals = if keyframe {
            parameter_sets.clone()
        } else {
            Vec::new()
        };
        nals.extend(unit.into_iter().filter(|nal| codec.is_slice(nal)));
        Picture {
            nals,
            display,
            keyframe,
        }
    });
    Ok(Loop {
        spec: spec.clone(),
        pictures: pictures.collect(),
        parameter_sets,
        reorder: reorder.unwrap_or(0),
    })
}

/// For each packet in decode order its rank in presentation order.
fn presentation_order(file: &Path) -> Result<Vec<u32>> {
    let listing = output(
        Command::new("ffprobe")
            .args([
                "-v",
                "error",
                "-select_streams",
                "v",
                "-show_entries",
                "packet=pts",
                "-of",
                "csv=p=0",
            ])
            .arg(file),
    )?;
    let listing = String::from_utf8(listing)?;
    let pts: Vec<i64> = listing
        .lines()
        .map(|line| {
            line.trim_matches(',')
                .parse()
                .with_context(|| format!("ffprobe said {line:?}"))
        })
        .collect::<Result<_>>()?;
    let mut sorted = pts.clone();
    sorted.sort_unstable();
    pts.iter()
        .map(|pts| Ok(u32::try_from(sorted.binary_search(pts).unwrap_or_else(|at| at))?))
        .collect()
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command
        .output()
        .with_context(|| format!("{name} cannot be started: install the package ffmpeg"))?;
    ensure!(
        out.status.success(),
        "{name} failed: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(out.stdout)
}
