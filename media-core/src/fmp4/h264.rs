//! H.264 parameter sets.
use super::{CodecError, VideoTrack};
pub(super) fn track(_sps: &[u8], _pps: &[u8]) -> Result<VideoTrack, CodecError> { unimplemented!() }
pub(super) fn from_avcc(_avcc: &[u8]) -> Result<VideoTrack, CodecError> { unimplemented!() }
