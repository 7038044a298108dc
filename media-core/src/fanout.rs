//! Hands access units to any number of consumers, and keeps the last GOP.
//!
//! A slow consumer loses units up to the next keyframe; it never holds the recording back.

use bytes::Bytes;
use std::sync::Arc;

use crate::fmp4::{AudioTrack, VideoTrack};

/// What a decoder must know before the first unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecParams {
    /// H.264 or H.265; units are NAL units with 4-byte lengths.
    Video(VideoTrack),
    /// AAC; units are raw frames.
    Aac(AudioTrack),
    /// G.711 A-law, 8-bit samples.
    Alaw {
        /// Hertz.
        sample_rate_hz: u32,
        /// Count.
        channels: u16,
    },
    /// G.711 µ-law, 8-bit samples.
    Mulaw {
        /// Hertz.
        sample_rate_hz: u32,
        /// Count.
        channels: u16,
    },
}

impl CodecParams {
    /// Whether the units are pictures.
    #[must_use]
    pub const fn is_video(&self) -> bool {
        matches!(self, Self::Video(_))
    }
}

/// One picture or one packet of sound, with its place on the timeline of the recording.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    /// Presentation time, which is the capture time: nanoseconds since 1970 UTC.
    pub pts_ns: i64,
    /// Decode time on the same timeline.
    pub dts_ns: i64,
    /// How far the capture time may be off, nanoseconds.
    pub uncertainty_ns: i64,
    /// Decoding can start here.
    pub keyframe: bool,
    /// Time is not continuous here.
    pub discontinuity: bool,
    /// RTP packets lost right before.
    pub lost_packets: u16,
    /// The coded data.
    pub bytes: Bytes,
    /// What its decoder must know.
    pub params: Arc<CodecParams>,
}

/// The units since the last keyframe, sound included.
#[derive(Debug, Clone)]
pub struct Gop {
    /// In order; the first is a keyframe.
    pub units: Vec<AccessUnit>,
}

/// A consumer's end.
#[derive(Debug)]
pub struct Subscription {}

impl Subscription {
    /// The next unit; None when the attempt has ended. Starts with the last GOP, so at a keyframe.
    pub async fn recv(&mut self) -> Option<AccessUnit> {
        unimplemented!()
    }

    /// Units that this consumer missed because it was slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        unimplemented!()
    }
}
