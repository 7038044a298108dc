//! Where the beeps are: the simulator's sound beeps at each full second of capture time.

use std::path::Path;

use anyhow::{Result, ensure};

use super::ffmpeg;
use crate::sim::sound::AAC_FRAME;

/// Louder than the noise of any codec at silence, softer than the beep.
const LOUD: u16 = 4_000;

/// How late each beep of an object is, in seconds; negative when early. An object of less than a second may have
/// none.
///
/// # Errors
/// When FFmpeg fails or warns.
pub fn beep_lateness(file: &Path) -> Result<Vec<f64>> {
    let rate: u32 = ffmpeg::property(file, "a", "sample_rate")?.parse()?;
    let times = ffmpeg::packet_times(file, "a")?;
    let samples = ffmpeg::samples(file, rate)?;
    ensure!(
        samples.len() == times.len() * AAC_FRAME as usize,
        "the sound has holes in {}",
        file.display()
    );
    let lateness = onsets(&samples, rate as usize)
        .map(|index| {
            let (packet, within) = (index / AAC_FRAME as usize, index % AAC_FRAME as usize);
            times[packet] + within as f64 / f64::from(rate)
        })
        .map(|at| at - at.round());
    Ok(lateness.collect())
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
