//! An AAC track's codec parameters (ISO/IEC 14496-3).

use bytes::Bytes;

use super::CodecError;
use crate::facts;

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
        let _ = config;
        unimplemented!()
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
