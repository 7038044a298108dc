//! The init: `ftyp` and `moov`.

use bytes::Bytes;

use super::{AudioTrack, VideoTrack};

/// `ftyp` + `moov` of a file with these tracks; the same bytes for the same tracks.
#[must_use]
pub fn init(video: &VideoTrack, audio: Option<&AudioTrack>) -> Bytes {
    let _ = (video, audio);
    unimplemented!()
}
