//! Reads one file of the spool back: what it holds, as the index shall know it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use media_core::fmp4::scan::{Scan, ScanError, ScannedChunk, scan};
use sha2::{Digest, Sha256};
use wire::event::SealedObject;
use wire::{NodeId, ObjectId, Segment, SegmentTable, TimeRange, UnixMs};

use crate::db::ledger::OpenRow;
use crate::media::wire_track;
use crate::spool::part::init_name;

/// A file without a whole chunk may be deleted up to this size: not even the first chunk had been written.
const FIRST_CHUNK_MAX: u64 = 8 * 1024 * 1024;
/// As in the cut: mapped time breathes by milliseconds.
const TOLERANCE_MS: i64 = 100;
const START_TOLERANCE_MS: i64 = 1_000;

/// What a file turned out to be.
pub(super) enum Found {
    /// Footage.
    Footage(Box<Rebuilt>),
    /// Ours, but stopped before its first chunk.
    Empty,
    /// No recording.
    Garbage,
}

/// An object read back from its file.
pub(super) struct Rebuilt {
    pub(super) path: PathBuf,
    pub(super) range: TimeRange,
    pub(super) sealed: SealedObject,
    /// Pictures inside.
    pub(super) frames: u64,
    /// Nothing follows the last whole chunk.
    pub(super) whole: bool,
}

/// Reads a file; fails only when the disk does.
pub(super) fn rebuild(
    path: &Path,
    id: ObjectId,
    (row, start): (OpenRow, Option<UnixMs>),
    node: NodeId,
    segment_ms: i64,
) -> io::Result<Found> {
    let mut file = BufReader::new(File::open(path)?);
    let length = file.get_ref().metadata()?.len();
    let scan = match scan(&mut file) {
        Ok(scan) => scan,
        Err(ScanError::Io(error)) => return Err(error),
        Err(_) if length == 0 => return Ok(Found::Empty),
        Err(ScanError::NoWholeChunk) if length <= FIRST_CHUNK_MAX => return Ok(Found::Empty),
        Err(_) => return Ok(Found::Garbage),
    };
    let (Some(first), Some(last)) = (scan.chunks.first(), scan.chunks.last()) else {
        return Ok(Found::Empty);
    };
    // With B-frames a file tells its first picture's time only roughly; the ledger has the exact one.
    let start = start.filter(|start| start.since(UnixMs(first.start_ms)).abs() < START_TOLERANCE_MS);
    let start = start.unwrap_or(UnixMs(first.start_ms));
    let Ok(range) = TimeRange::new(start, UnixMs(last.end_ms)) else {
        return Ok(Found::Garbage);
    };
    if range.start().checked().is_err() || range.end().checked().is_err() {
        return Ok(Found::Garbage);
    }
    let segments = segments(&scan.chunks, start, segment_ms);
    let (sha256, init) = digests(&mut file, &scan)?;
    let sealed = SealedObject {
        id,
        camera: row.key.camera,
        stream: row.key.stream,
        node,
        epoch: row.epoch,
        previous: row.previous,
        start: range.start(),
        end: range.end(),
        bytes: scan.end,
        sha256,
        init: init_name(&init),
        tracks: tracks(&scan, range),
        segments,
    };
    let whole = scan.end == scan.file_len;
    let frames = scan.chunks.iter().map(|chunk| u64::from(chunk.frames)).sum();
    Ok(Found::Footage(Box::new(Rebuilt {
        path: path.to_owned(),
        range,
        sealed,
        frames,
        whole,
    })))
}

/// The tracks, with the frames per second that are in the file.
fn tracks(scan: &Scan, range: TimeRange) -> Vec<wire::Track> {
    let frames: u64 = scan.chunks.iter().map(|chunk| u64::from(chunk.frames)).sum();
    let measured = (frames as f64 * 10_000.0 / range.duration_ms() as f64).round() / 10.0;
    let mut tracks: Vec<wire::Track> = scan.tracks.iter().map(wire_track).collect();
    for track in &mut tracks {
        if let wire::Track::Video { fps, .. } = track {
            *fps = measured as f32;
        }
    }
    tracks
}

/// Digest of the footage, and the init.
fn digests(file: &mut BufReader<File>, scan: &Scan) -> io::Result<(String, Vec<u8>)> {
    file.seek(SeekFrom::Start(0))?;
    let mut init = vec![0; usize::try_from(scan.init_len).map_err(io::Error::other)?];
    file.read_exact(&mut init)?;
    let mut hash = Sha256::new();
    hash.update(&init);
    let mut rest = file.take(scan.end - scan.init_len);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = rest.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    Ok((hex::encode(hash.finalize()), init))
}

/// Segments by the rule of the cut: a new one at the first keyframe at or after the target.
fn segments(chunks: &[ScannedChunk], first: UnixMs, target_ms: i64) -> SegmentTable {
    let mut segments: Vec<Segment> = Vec::new();
    for chunk in chunks {
        let start = if segments.is_empty() {
            first
        } else {
            UnixMs(chunk.start_ms)
        };
        let end = UnixMs(chunk.end_ms);
        match segments.last_mut() {
            Some(last) if !(chunk.random_access && start.since(last.start) >= target_ms - TOLERANCE_MS) => {
                last.length = last.length.saturating_add(chunk.length);
                last.duration_ms = u32::try_from(end.since(last.start)).unwrap_or(0);
            }
            last => {
                if let Some(last) = last {
                    last.duration_ms = u32::try_from(start.since(last.start)).unwrap_or(0);
                }
                let duration_ms = u32::try_from(end.since(start)).unwrap_or(0);
                segments.push(Segment {
                    offset: chunk.offset,
                    length: chunk.length,
                    start,
                    duration_ms,
                });
            }
        }
    }
    SegmentTable(segments)
}

/// Cuts the file after its last whole chunk and brings it to the disk.
pub(super) fn cut_and_sync(path: &Path, length: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.len() != length {
        file.set_len(length)?;
    }
    file.sync_all()
}
