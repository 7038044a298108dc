//! One object while it is written: appends, hashes, keeps the segment table.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use media_core::facts::Chunk;
use sha2::{Digest, Sha256};
use wire::event::{OpenObject, SealedObject};
use wire::media::Init;
use wire::{NodeId, ObjectId, Segment, SegmentTable, Track, UnixMs};

use super::intake::OpenInfo;
use crate::ledger::StreamKey;
use crate::media::wire_track;

/// The file, shared with the thread that flushes it.
#[derive(Debug)]
pub(super) struct PartFile {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// Bytes were appended since the last flush.
    pub(super) dirty: AtomicBool,
    /// A flush failed. The kernel reports that once per file, so it must be remembered: a later fsync would
    /// succeed although bytes are lost.
    pub(super) failed: AtomicBool,
}

/// An object that is being written.
pub(super) struct Part {
    pub(super) key: StreamKey,
    pub(super) id: ObjectId,
    pub(super) file: Arc<PartFile>,
    pub(super) start: UnixMs,
    pub(super) end: UnixMs,
    epoch: u64,
    previous: Option<ObjectId>,
    init: Init,
    tracks: Vec<Track>,
    hash: Sha256,
    bytes: u64,
    pub(super) frames: u64,
    segments: Vec<Segment>,
    /// First byte and time of the segment that grows.
    segment: Option<(u64, UnixMs)>,
}

/// Name of an init: equal inits are named once in a playlist.
pub(super) fn init_name(init: &[u8]) -> Init {
    let digest = Sha256::digest(init);
    Init {
        length: u32::try_from(init.len()).unwrap_or(u32::MAX),
        digest: hex::encode(&digest[..16]),
    }
}

impl Part {
    /// Makes the file and writes the init.
    pub(super) fn create(path: &Path, key: StreamKey, info: &OpenInfo) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .read(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let shared = PartFile {
            file,
            path: path.to_owned(),
            dirty: AtomicBool::new(true),
            failed: AtomicBool::new(false),
        };
        (&shared.file).write_all(&info.init)?;
        let mut hash = Sha256::new();
        hash.update(&info.init);
        Ok(Self {
            key,
            id: info.id,
            file: Arc::new(shared),
            start: info.start,
            end: info.start,
            epoch: info.epoch,
            previous: info.previous,
            init: init_name(&info.init),
            tracks: info.tracks.iter().map(wire_track).collect(),
            hash,
            bytes: info.init.len() as u64,
            frames: 0,
            segments: Vec::new(),
            segment: None,
        })
    }

    /// Appends a chunk; true when a segment became whole. On an error the file is cut back to what it was.
    pub(super) fn append(&mut self, chunk: &Chunk) -> io::Result<bool> {
        if let Err(error) = chunk.bytes.write_to(&self.file.file) {
            self.file.file.set_len(self.bytes)?;
            return Err(error);
        }
        chunk.bytes.iter().for_each(|part| self.hash.update(part));
        let start = UnixMs(chunk.start_ms);
        let whole = chunk.starts_segment && self.end_segment(start);
        self.segment.get_or_insert((self.bytes, start));
        self.bytes += chunk.bytes.len() as u64;
        self.frames += u64::from(chunk.frames);
        self.end = UnixMs(chunk.end_ms);
        self.file.dirty.store(true, Ordering::Release);
        Ok(whole)
    }

    /// Ends the segment that grows; false when there is none.
    fn end_segment(&mut self, end: UnixMs) -> bool {
        let Some((offset, start)) = self.segment.take() else {
            return false;
        };
        self.segments.push(Segment {
            offset,
            length: u32::try_from(self.bytes - offset).unwrap_or(u32::MAX),
            start,
            duration_ms: u32::try_from(end.since(start)).unwrap_or(0),
        });
        true
    }

    /// Whether it holds no footage.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.segment.is_none()
    }

    /// Its whole segments, as the head shows them.
    pub(super) fn open_object(&self) -> OpenObject {
        OpenObject {
            id: self.id,
            epoch: self.epoch,
            previous: self.previous,
            init: self.init.clone(),
            tracks: self.tracks.clone(),
            segments: SegmentTable(self.segments.clone()),
        }
    }

    /// Ends it: what the index shall know.
    pub(super) fn finish(mut self, node: NodeId) -> (SealedObject, OpenObject, Arc<PartFile>) {
        self.end_segment(self.end);
        let head = self.open_object();
        let sealed = SealedObject {
            id: self.id,
            camera: self.key.camera,
            stream: self.key.stream,
            node,
            epoch: self.epoch,
            previous: self.previous,
            start: self.start,
            end: self.end,
            bytes: self.bytes,
            sha256: hex::encode(self.hash.finalize()),
            init: self.init,
            tracks: self.tracks,
            segments: SegmentTable(self.segments),
        };
        (sealed, head, self.file)
    }
}
