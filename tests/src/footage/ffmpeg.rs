//! FFmpeg's opinion of footage. Any line at `-v warning` is an error.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

use crate::sim::picture::{self, BAR_HEIGHT};

/// Runs a program of FFmpeg and insists that it has nothing to say.
///
/// # Errors
/// When it fails or warns.
pub fn silent(program: &str, args: &[&str]) -> Result<Vec<u8>> {
    run(program, "warning", args)
}

/// Decodes a picture; its codec, width and height. Errors only: FFmpeg 5.1 warns of the full range that every
/// JPEG has, and of the end of small ones.
///
/// # Errors
/// When FFmpeg fails or finds an error.
pub fn picture(file: &str) -> Result<String> {
    run("ffmpeg", "error", &["-i", file, "-f", "null", "-"])?;
    let entries = [
        "-show_entries",
        "stream=codec_name,width,height",
        "-of",
        "csv=p=0",
        file,
    ];
    let said = String::from_utf8(run("ffprobe", "error", &entries)?)?;
    Ok(said.trim().to_owned())
}

fn run(program: &str, level: &str, args: &[&str]) -> Result<Vec<u8>> {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(["-v", level])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{program} cannot be started: install the package ffmpeg"))?;
    let said = String::from_utf8_lossy(&stderr);
    let shown: String = said.chars().take(2000).collect();
    ensure!(
        status.success() && said.is_empty(),
        "{program} {args:?} ended with {status} and said:\n{shown}"
    );
    Ok(stdout)
}

/// Times stay those of the footage: rounded to whole frames, as FFmpeg does by default, two pictures of a
/// camera whose clock is being followed could get the same one, and FFmpeg would warn of its own rounding.
const KEEP_TIMES: [&str; 4] = ["-fps_mode", "passthrough", "-enc_time_base", "-1"];

/// Decodes everything, as a player would.
///
/// # Errors
/// When FFmpeg fails or warns.
pub fn play(input: &str) -> Result<()> {
    let mut args = vec!["-i", input];
    args.extend(KEEP_TIMES);
    args.extend(["-f", "null", "-"]);
    silent("ffmpeg", &args).map(drop)
}

/// The number drawn into each decoded picture, in the order of presentation; none where it cannot be read.
///
/// # Errors
/// When FFmpeg fails or warns.
pub fn bar_codes(input: &str, width: usize) -> Result<Vec<Option<u32>>> {
    let filter = format!("crop={width}:{BAR_HEIGHT}:0:0,format=gray");
    let mut args = vec!["-i", input, "-map", "0:v", "-vf", &filter];
    args.extend(KEEP_TIMES);
    args.extend(["-f", "rawvideo", "-"]);
    let luma = silent("ffmpeg", &args)?;
    Ok(luma
        .chunks_exact(width * BAR_HEIGHT)
        .map(|rows| picture::read(rows, width))
        .collect())
}

/// Presentation times of a file's packets in seconds, sorted; `stream` is `v` or `a`.
///
/// # Errors
/// When FFprobe fails or warns.
pub fn packet_times(file: &Path, stream: &str) -> Result<Vec<f64>> {
    let name = file.to_string_lossy();
    let show = [
        "-select_streams",
        stream,
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
        &name,
    ];
    let listing = String::from_utf8(silent("ffprobe", &show)?)?;
    let lines = listing.lines().map(|line| line.trim_matches(','));
    let mut times: Vec<f64> = lines
        .filter(|line| !line.is_empty())
        .map(|line| line.parse().with_context(|| format!("ffprobe said {line:?}")))
        .collect::<Result<_>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// A file's sound, decoded to 16-bit mono.
///
/// # Errors
/// When FFmpeg fails or warns.
pub fn samples(file: &Path, rate_hz: u32) -> Result<Vec<i16>> {
    let (name, rate) = (file.to_string_lossy(), rate_hz.to_string());
    let raw = silent(
        "ffmpeg",
        &[
            "-i", &name, "-map", "0:a", "-ac", "1", "-ar", &rate, "-f", "s16le", "-",
        ],
    )?;
    Ok(raw
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect())
}

/// Fixed properties of a stream, such as `sample_rate`.
///
/// # Errors
/// When FFprobe fails or warns.
pub fn property(file: &Path, stream: &str, entry: &str) -> Result<String> {
    let (name, entries) = (file.to_string_lossy(), format!("stream={entry}"));
    let args = [
        "-select_streams",
        stream,
        "-show_entries",
        &entries,
        "-of",
        "csv=p=0",
        &name,
    ];
    Ok(String::from_utf8(silent("ffprobe", &args)?)?
        .trim()
        .trim_matches(',')
        .to_owned())
}
