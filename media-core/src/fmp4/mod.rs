//! Fragmented MP4 (ISO/IEC 14496-12): the init, the chunks, and reading back what was written.
//!
//! One video track (`avc1` or `hvc1`, timescale 90,000) and at most one AAC track (timescale: its sample
//! rate). `tfdt` counts from 1970-01-01 UTC. The same codec parameters always give the same init: no creation
//! times, no edit lists, nothing that depends on a session. This module touches no clock, no file system and
//! no GStreamer.

mod aac;
mod bits;
mod boxes;
mod fragment;
mod h264;
mod h265;
mod init;
pub mod nal;
pub mod scan;
#[cfg(test)]
mod tests;
mod video;

pub use aac::AudioTrack;
pub use fragment::{Fragment, FragmentBuilder, Sample};
pub use init::init;
pub use video::{VideoCodec, VideoTrack};

/// Ticks of the video track in a second.
pub const VIDEO_TIMESCALE: u32 = 90_000;

/// Codec parameters that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not what the standard says; names the part.
    #[error("invalid {0}")]
    Invalid(&'static str),
    /// Well formed, but not recordable; names the part.
    #[error("unsupported {0}")]
    Unsupported(&'static str),
}

/// Nanoseconds as ticks of `timescale`, rounded down. Each time is converted on its own, so that no error
/// adds up.
#[must_use]
pub fn ticks(ns: i64, timescale: u32) -> i64 {
    (i128::from(ns) * i128::from(timescale)).div_euclid(1_000_000_000) as i64
}

/// Ticks of `timescale` as milliseconds, rounded down; 0 for a timescale of 0.
#[must_use]
pub fn ticks_to_ms(ticks: i64, timescale: u32) -> i64 {
    if timescale == 0 {
        return 0;
    }
    (i128::from(ticks) * 1000).div_euclid(i128::from(timescale)) as i64
}
