//! Reads back a file that may be cut short, damaged or foreign.
//!
//! For the repair after a power cut: which chunks are whole, and what they say of time. Nothing that the file
//! says of a length is believed before the file is seen to be that long; what is held in memory is bounded by
//! constants.

mod parse;
#[cfg(test)]
mod tests;

use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::facts::Track;
use parse::{Moof, Movie};

/// Largest init that is read.
const MAX_INIT: u64 = 256 * 1024;
/// Largest `moof` that is read; a chunk of a second takes a few kilobytes.
const MAX_MOOF: u64 = 4 * 1024 * 1024;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Length of `ftyp` + `moov`; the first chunk's offset.
    pub init_len: u64,
    /// The tracks; fps is 0.
    pub tracks: Vec<Track>,
    /// Whole chunks, in order and without gaps between them; never empty.
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
    /// It does not begin like a recording: foreign, garbage, or cut inside its init.
    #[error("not a recording: {0}")]
    NotARecording(&'static str),
    /// The init is whole, but no chunk is.
    #[error("no whole chunk")]
    NoWholeChunk,
}

/// Reads the structure of a file from its beginning; of the media only the lengths of NAL units, since a power
/// cut may leave a file of the right length with zeros inside.
///
/// # Errors
/// [`ScanError`], also for files that were never ours. Damage after the first whole chunk is no error: the
/// scan ends before it.
pub fn scan<R: Read + Seek>(reader: &mut R) -> Result<Scan, ScanError> {
    let file_len = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let mut file = File {
        reader: BufReader::with_capacity(64 * 1024, reader),
        at: 0,
        len: file_len,
    };
    let movie = file.init()?;
    let init_len = file.at;
    let mut chunks: Vec<ScannedChunk> = Vec::new();
    let (mut end, mut lag) = (init_len, None);
    while let Some(chunk) = file.chunk(&movie, &mut lag)? {
        // Time never runs backwards in a file of ours.
        if chunks.last().is_some_and(|before| chunk.start_ms < before.end_ms) {
            break;
        }
        end = chunk.offset + u64::from(chunk.length);
        chunks.push(chunk);
    }
    if chunks.is_empty() {
        return Err(ScanError::NoWholeChunk);
    }
    Ok(Scan {
        init_len,
        tracks: movie.tracks,
        chunks,
        end,
        file_len,
    })
}

struct File<R: Read + Seek> {
    reader: BufReader<R>,
    at: u64,
    len: u64,
}

impl<R: Read + Seek> File<R> {
    /// Kind and length of the content of the box here, if it is whole and at most `max` long.
    fn header(&mut self, max: u64) -> Result<Option<([u8; 4], u64)>, std::io::Error> {
        if self.len - self.at < 8 {
            return Ok(None);
        }
        let mut header = [0; 8];
        self.read(&mut header)?;
        let [a, b, c, d, kind @ ..] = header;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let content = length
            .checked_sub(8)
            .filter(|content| *content <= (self.len - self.at).min(max));
        Ok(content.map(|content| (kind, content)))
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), std::io::Error> {
        self.reader.read_exact(into)?;
        self.at += into.len() as u64;
        Ok(())
    }

    /// `length` was compared with the file's length and a constant before.
    fn take(&mut self, length: u64) -> Result<Vec<u8>, std::io::Error> {
        let mut content = vec![0; length as usize];
        self.read(&mut content)?;
        Ok(content)
    }

    fn skip(&mut self, length: u64) -> Result<(), std::io::Error> {
        self.reader.seek_relative(length as i64)?;
        self.at += length;
        Ok(())
    }

    fn init(&mut self) -> Result<Movie, ScanError> {
        let Some((kind, length)) = self.header(MAX_INIT)? else {
            return Err(ScanError::NotARecording("it does not begin with a whole box"));
        };
        if kind != *b"ftyp" {
            return Err(ScanError::NotARecording("it does not begin with ftyp"));
        }
        self.skip(length)?;
        let Some((kind, length)) = self.header(MAX_INIT)? else {
            return Err(ScanError::NotARecording("its moov is not whole"));
        };
        if kind != *b"moov" {
            return Err(ScanError::NotARecording("no moov follows ftyp"));
        }
        let moov = self.take(length)?;
        Movie::parse(&moov).map_err(ScanError::NotARecording)
    }

    /// The chunk here, if it is whole and sound.
    fn chunk(
        &mut self,
        movie: &Movie,
        lag: &mut Option<i64>,
    ) -> Result<Option<ScannedChunk>, std::io::Error> {
        let offset = self.at;
        let Some((kind, length)) = self.header(MAX_MOOF)? else {
            return Ok(None);
        };
        if kind != *b"moof" {
            return Ok(None);
        }
        let content = self.take(length)?;
        let Some(moof) = Moof::parse(&content, movie) else {
            return Ok(None);
        };
        let Some((kind, length)) = self.header(u64::from(u32::MAX))? else {
            return Ok(None);
        };
        let payload = self.at;
        if kind != *b"mdat" || moof.payload_len() != length || moof.data_offset() != payload - offset {
            return Ok(None);
        }
        let end = payload + length;
        for size in &moof.video.sizes {
            if !self.nal_units(u64::from(*size))? {
                return Ok(None);
            }
        }
        self.skip(end - self.at)?;
        let Ok(length) = u32::try_from(end - offset) else {
            return Ok(None);
        };
        let lag = *lag.get_or_insert(moof.video.lag.max(0));
        Ok(moof.chunk(movie, lag, offset, length))
    }

    /// Whether a sample of this size is made of NAL units with lengths; ends behind it when it is.
    fn nal_units(&mut self, size: u64) -> Result<bool, std::io::Error> {
        let end = self.at + size;
        while self.at < end {
            if end - self.at < 5 {
                return Ok(false);
            }
            let mut length = [0; 4];
            self.read(&mut length)?;
            let length = u64::from(u32::from_be_bytes(length));
            if length == 0 || length > end - self.at {
                return Ok(false);
            }
            self.skip(length)?;
        }
        Ok(true)
    }
}
