//! Reads back a file that may be cut short, damaged or foreign.

use std::io::{Read, Seek};

use crate::facts::Track;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Length of `ftyp` + `moov`; the first chunk's offset.
    pub init_len: u64,
    /// The tracks; fps is 0.
    pub tracks: Vec<Track>,
    /// Whole chunks, in order and without gaps between them.
    pub chunks: Vec<ScannedChunk>,
    /// First byte after the last whole chunk; the file is to be truncated here.
    pub end: u64,
    /// The file's length.
    pub file_len: u64,
}

/// One `moof` + `mdat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannedChunk {
    /// Of its `moof`.
    pub offset: u64,
    /// Of `moof` + `mdat`.
    pub length: u32,
    /// Capture time of its first picture, milliseconds since 1970 UTC.
    pub start_ms: i64,
    /// Capture time of the end of its last picture.
    pub end_ms: i64,
    /// Pictures inside.
    pub frames: u32,
    /// It starts with a random access point.
    pub random_access: bool,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Reading failed.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// It does not begin like a fragmented MP4 of ours: foreign, garbage, or cut inside its init.
    #[error("not a recording: {0}")]
    NotARecording(&'static str),
    /// The init is whole, but no chunk is.
    #[error("no whole chunk")]
    NoWholeChunk,
}

/// Reads the structure of a file from its beginning; never the media itself. Memory is bounded whatever the
/// file says.
///
/// # Errors
/// [`ScanError`], also for files that were never ours. Damage after the first whole chunk is no error: the
/// scan ends before it.
pub fn scan<R: Read + Seek>(reader: &mut R) -> Result<Scan, ScanError> {
    let _ = reader;
    unimplemented!()
}
