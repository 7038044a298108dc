//! H.265 parameter sets.
use super::{CodecError, VideoTrack};
pub(super) fn track(_vps: &[u8], _sps: &[u8], _pps: &[u8]) -> Result<VideoTrack, CodecError> { unimplemented!() }
pub(super) fn from_hvcc(_hvcc: &[u8]) -> Result<VideoTrack, CodecError> { unimplemented!() }
