//! An AAC track's codec parameters: the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).

use bytes::Bytes;

use super::CodecError;
use super::bits::Bits;
use crate::facts;

const RATES_HZ: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/// Everything that the init says of sound. Two tracks are equal when their inits are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioTrack {
    pub(super) object_type: u8,
    pub(super) sample_rate_hz: u32,
    pub(super) channels: u16,
    pub(super) config: Bytes,
}

impl AudioTrack {
    /// From an AudioSpecificConfig: retina's `extra_data`, GStreamer's `codec_data`.
    ///
    /// # Errors
    /// [`CodecError`] for one that cannot be read.
    pub fn aac(config: &[u8]) -> Result<Self, CodecError> {
        let mut bits = Bits::new(config, "AudioSpecificConfig");
        if config.len() > 64 {
            return Err(CodecError::Invalid("AudioSpecificConfig"));
        }
        let object_type = match bits.u(5)? {
            31 => 32 + bits.u(6)?,
            object_type => object_type,
        };
        if !matches!(object_type, 1..=5 | 29) {
            return Err(CodecError::Unsupported("kind of AAC"));
        }
        let sample_rate_hz = match bits.u(4)? {
            15 => bits.u(24)?,
            index => RATES_HZ.get(index as usize).copied().unwrap_or(0),
        };
        let channels = match bits.u(4)? {
            count @ 1..=6 => count as u16,
            7 => 8,
            _ => return Err(CodecError::Unsupported("AAC channel layout")),
        };
        if !(7_000..=192_000).contains(&sample_rate_hz) {
            return Err(CodecError::Invalid("AAC sample rate"));
        }
        Ok(Self {
            object_type: object_type as u8,
            sample_rate_hz,
            channels,
            config: Bytes::copy_from_slice(config),
        })
    }

    /// The AudioSpecificConfig, as in GStreamer's `codec_data`.
    #[must_use]
    pub fn config(&self) -> &Bytes {
        &self.config
    }

    /// RFC 6381 codec string, such as `mp4a.40.2`.
    #[must_use]
    pub fn rfc6381(&self) -> String {
        format!("mp4a.40.{}", self.object_type)
    }

    /// Hertz; the track's timescale.
    #[must_use]
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Count.
    #[must_use]
    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Nominal duration of one frame of 1024 samples.
    #[must_use]
    pub fn frame_ns(&self) -> i64 {
        1024 * 1_000_000_000 / i64::from(self.sample_rate_hz.max(1))
    }

    /// As a fact about a recording.
    #[must_use]
    pub fn fact(&self) -> facts::Track {
        facts::Track::Audio {
            codec: self.rfc6381(),
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cameras_send() {
        let lc = AudioTrack::aac(&[0x11, 0x90]).unwrap();
        assert_eq!(
            (lc.sample_rate_hz(), lc.channels(), lc.rfc6381().as_str()),
            (48_000, 2, "mp4a.40.2")
        );
        let mono = AudioTrack::aac(&[0x15, 0x88]).unwrap();
        assert_eq!((mono.sample_rate_hz(), mono.channels()), (8_000, 1));
    }

    #[test]
    fn refuses_the_rest() {
        for bad in [
            &[][..],
            &[0x11],
            &[0xff, 0xff],
            &[0x17, 0x80, 0, 0, 0, 0],
            &[0x11, 0x80],
        ] {
            assert!(AudioTrack::aac(bad).is_err(), "{bad:x?}");
        }
    }
}
