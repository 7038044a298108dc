//! Sound that tells the time: a beep of a tenth of a second at each full second of capture time.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;

/// Sound of a simulated camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Audio {
    /// No sound.
    None,
    /// AAC-LC, 16 kHz, mono (RFC 3640).
    Aac,
    /// G.711 µ-law, 8 kHz (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
}

/// Samples in a G.711 packet: 20 ms.
pub const G711_PACKET: u64 = 160;
/// Samples in an AAC frame.
pub const AAC_FRAME: u64 = 1024;
/// Length of the AAC loop: 8 s, a whole number of frames and of beeps.
const AAC_LOOP: usize = 125;

impl Audio {
    /// Samples in a second; the RTP clock.
    #[must_use]
    pub const fn rate_hz(self) -> u32 {
        match self {
            Self::Aac => 16_000,
            _ => 8_000,
        }
    }

    /// Samples in one packet.
    #[must_use]
    pub const fn packet_samples(self) -> u64 {
        match self {
            Self::Aac => AAC_FRAME,
            _ => G711_PACKET,
        }
    }
}

/// The sample at `index` of capture time, counted from a full second.
fn sample(index: u64, rate: u64) -> i16 {
    let within = index % rate;
    if within * 10 < rate {
        let phase = within as f64 / rate as f64 * 1000.0 * std::f64::consts::TAU;
        (phase.sin() * 12_000.0) as i16
    } else {
        0
    }
}

/// One 20 ms packet whose first sample is number `first`.
#[must_use]
pub fn g711(audio: Audio, first: u64) -> Bytes {
    let encode = if audio == Audio::Pcma { alaw } else { ulaw };
    (first..first + G711_PACKET)
        .map(|index| encode(sample(index, 8_000)))
        .collect()
}

fn ulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs().min(32_635) + 132) as u32;
    let exponent = 24 - (magnitude | 0x80).leading_zeros().min(24);
    let exponent = exponent.min(7) as u8;
    let mantissa = (magnitude >> (exponent + 3) & 0x0f) as u8;
    !(sign | exponent << 4 | mantissa)
}

fn alaw(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs().min(32_767) >> 4) as u32;
    let code = if magnitude < 16 {
        magnitude as u8
    } else {
        let exponent = 28 - magnitude.leading_zeros();
        ((exponent << 4) | (magnitude >> (exponent - 1) & 0x0f)) as u8
    };
    (sign | code) ^ 0x55
}

/// The AAC loop: frame `i` holds the samples that end the beep pattern's period at `i` frames, so that frame
/// `n` of an endless stream is `frames[n % len]`.
///
/// # Errors
/// When FFmpeg is missing or fails.
pub fn aac_loop(folder: &Path) -> Result<Vec<Bytes>> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join("v1-aac-16k.adts");
    if !file.is_file() {
        let raw = tempfile::NamedTempFile::new_in(folder)?;
        let samples = (0..16_000 * 24).flat_map(|index| sample(index, 16_000).to_le_bytes());
        std::fs::write(raw.path(), samples.collect::<Vec<u8>>())?;
        let temp = tempfile::NamedTempFile::new_in(folder)?;
        let out = Command::new("ffmpeg")
            .args([
                "-v", "error", "-y", "-f", "s16le", "-ar", "16000", "-ac", "1", "-i",
            ])
            .arg(raw.path())
            .args(["-c:a", "aac", "-b:a", "48k", "-f", "adts"])
            .arg(temp.path())
            .output()
            .context("ffmpeg cannot be started: install the package ffmpeg")?;
        ensure!(
            out.status.success(),
            "ffmpeg: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        temp.persist(&file)?;
    }
    let frames = adts_frames(&std::fs::read(&file)?);
    // The encoder delays by one frame: frame j holds the samples from (j - 1) × 1024 on.
    let skip = AAC_LOOP + 1;
    ensure!(
        frames.len() >= skip + AAC_LOOP,
        "the AAC loop has only {} frames",
        frames.len()
    );
    Ok(frames[skip..skip + AAC_LOOP].to_vec())
}

fn adts_frames(stream: &[u8]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    let mut rest = stream;
    while let [0xff, second, _, a, b, c, ..] = *rest {
        let length = usize::from(a & 3) << 11 | usize::from(b) << 3 | usize::from(c >> 5);
        let header = if second & 1 == 1 { 7 } else { 9 };
        if length <= header || length > rest.len() {
            break;
        }
        frames.push(Bytes::copy_from_slice(&rest[header..length]));
        rest = &rest[length..];
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_the_code_of_zero() {
        assert_eq!(ulaw(0), 0xff);
        assert_eq!(alaw(0), 0xd5);
        assert_eq!(ulaw(32_767), 0x80);
        assert_eq!(alaw(32_767), 0xaa);
        assert_eq!(ulaw(-32_768), 0x00);
    }
}
