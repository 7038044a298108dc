//! A video track's codec parameters.

use bytes::Bytes;

use super::CodecError;
use crate::facts;

/// Which codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// H.264, stored as `avc1`.
    H264,
    /// H.265, stored as `hvc1`.
    H265,
}

/// Everything that the init says of pictures. Two tracks are equal when their inits are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoTrack {
    pub(super) codec: VideoCodec,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rfc6381: String,
    pub(super) reorder_depth: Option<u8>,
    pub(super) frame_interval_ns: Option<i64>,
    /// Content of `avcC` or `hvcC`.
    pub(super) configuration: Bytes,
}

impl VideoTrack {
    /// From NAL units without start codes or lengths: each SPS and PPS. Samples must use 4-byte lengths.
    ///
    /// # Errors
    /// [`CodecError`] for parameters that cannot be read.
    pub fn h264(sps: &[u8], pps: &[u8]) -> Result<Self, CodecError> {
        super::h264::track(sps, pps)
    }

    /// From the content of an `avcC` box: retina's `extra_data`, GStreamer's `codec_data`. 4-byte lengths only.
    ///
    /// # Errors
    /// [`CodecError`] for parameters that cannot be read.
    pub fn from_avcc(avcc: &[u8]) -> Result<Self, CodecError> {
        super::h264::from_avcc(avcc)
    }

    /// From NAL units without start codes or lengths. Samples must use 4-byte lengths.
    ///
    /// # Errors
    /// [`CodecError`] for parameters that cannot be read.
    pub fn h265(vps: &[u8], sps: &[u8], pps: &[u8]) -> Result<Self, CodecError> {
        super::h265::track(vps, sps, pps)
    }

    /// From the content of an `hvcC` box: retina's `extra_data`, GStreamer's `codec_data`. 4-byte lengths only.
    ///
    /// # Errors
    /// [`CodecError`] for parameters that cannot be read.
    pub fn from_hvcc(hvcc: &[u8]) -> Result<Self, CodecError> {
        super::h265::from_hvcc(hvcc)
    }

    /// Which codec.
    #[must_use]
    pub fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// RFC 6381 codec string, such as `avc1.64001f` (ISO/IEC 14496-15 annex E).
    #[must_use]
    pub fn rfc6381(&self) -> &str {
        &self.rfc6381
    }

    /// Content of its `avcC` or `hvcC` box, as in GStreamer's `codec_data`.
    #[must_use]
    pub fn configuration(&self) -> &Bytes {
        &self.configuration
    }

    /// Width and height in pixels, cropped.
    #[must_use]
    pub fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// For [`TrackSpec`](crate::clock::TrackSpec): 0 without B-frames, None when the parameters do not say.
    #[must_use]
    pub fn reorder_depth(&self) -> Option<u8> {
        self.reorder_depth
    }

    /// As the parameters declare it; cameras lie.
    #[must_use]
    pub fn frame_interval_ns(&self) -> Option<i64> {
        self.frame_interval_ns
    }

    /// Whether an access unit (NAL units with 4-byte lengths) is a point at which decoding can start; see
    /// [`nal`](super::nal).
    #[must_use]
    pub fn is_random_access(&self, unit: &[u8]) -> bool {
        super::nal::is_random_access(self.codec, unit)
    }

    /// As a fact about a recording.
    #[must_use]
    pub fn fact(&self, fps: f32) -> facts::Track {
        facts::Track::Video {
            codec: self.rfc6381.clone(),
            width: self.width,
            height: self.height,
            fps,
        }
    }
}
