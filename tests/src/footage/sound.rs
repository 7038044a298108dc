//! Where the beeps are: the simulator's sound beeps at each full second of capture time.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::ffmpeg;

/// Louder than the noise of any codec at silence, softer than the beep.
const LOUD: u16 = 4_000;

/// How late each beep of an object is, in seconds; negative when early.
///
/// # Errors
/// When FFmpeg fails or warns, or there is no beep.
pub fn beep_lateness(file: &Path) -> Result<Vec<f64>> {
    let rate: u32 = ffmpeg::property(file, "a", "sample_rate")?.parse()?;
    let first = *ffmpeg::packet_times(file, "a")?
        .first()
        .context("no sound in the object")?;
    let samples = ffmpeg::samples(file, rate)?;
    let lateness: Vec<f64> = onsets(&samples, rate as usize)
        .map(|index| first + index as f64 / f64::from(rate))
        .map(|at| at - at.round())
        .collect();
    ensure!(!lateness.is_empty(), "no beep in {}", file.display());
    Ok(lateness)
}

/// The first loud sample after at least half a second of silence. What starts with the file is no onset:
/// its beginning may be cut off.
fn onsets(samples: &[i16], rate: usize) -> impl Iterator<Item = usize> {
    let mut quiet = 0;
    samples.iter().enumerate().filter_map(move |(index, sample)| {
        let loud = sample.unsigned_abs() > LOUD;
        let starts = loud && quiet >= rate / 2;
        quiet = if loud { 0 } else { quiet + 1 };
        starts.then_some(index)
    })
}
