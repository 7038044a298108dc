//! Erasures on the disk: deletes the files of objects whose rows are gone, and copies set aside.
//!
//! A file's name is durable as gone before its note goes: after a power cut the start finds either the note, or
//! no file. Which objects are erased is decided in `db::erasures`. Everything here may block.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::UNIX_EPOCH;

use wire::plan::Erasure;
use wire::{CameraId, NodeId, ObjectId, TimeRange, UnixMs};

use super::{Layout, sync_dir};
use crate::db::{Db, DbError, DbResult, erasures};

/// A file that was set aside may hold footage from this much around its times: clocks are estimates.
const MARGIN_MS: i64 = 60_000;

/// At start, before anything is adopted, announced or uploaded: goes on with what was interrupted.
///
/// # Errors
/// Those of the database and of the file system.
pub fn resume(db: &Db, layout: &Layout, node: NodeId) -> DbResult<()> {
    for erasure in db.with(erasures::pending)? {
        while !db.transaction(|c| erasures::take(c, &erasure, node))?.is_empty() {}
    }
    unlink_doomed(db, layout)
}

/// Deletes all files that are noted as doomed, then forgets the notes.
///
/// # Errors
/// Those of the database, and the first of the file system: what could not be deleted stays noted.
pub fn unlink_doomed(db: &Db, layout: &Layout) -> DbResult<()> {
    loop {
        let doomed = db.with(erasures::doomed)?;
        if doomed.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        let mut gone: Vec<(CameraId, ObjectId)> = Vec::with_capacity(doomed.len());
        for (camera, object) in doomed {
            let sealed = remove(&layout.sealed(camera, object));
            match sealed.and_then(|()| remove(&layout.part(camera, object))) {
                Ok(()) => gone.push((camera, object)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let cameras: BTreeSet<CameraId> = gone.iter().map(|(camera, _)| *camera).collect();
        for camera in cameras {
            match sync_dir(&layout.camera(camera)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(DbError::File(error)),
                _ => {}
            }
        }
        let ids: Vec<ObjectId> = gone.into_iter().map(|(_, object)| object).collect();
        db.transaction(|c| erasures::forget_doomed(c, &ids))?;
        if let Some(error) = failed {
            return Err(DbError::File(error));
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Deletes what was set aside of the camera and may be of the range: such a file is of no use, and no index
/// knows when its footage is from.
///
/// # Errors
/// Those of the file system.
pub fn purge_set_aside(layout: &Layout, erasure: &Erasure) -> io::Result<()> {
    let folder = layout.quarantine();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some((camera, object)) = name.to_str().and_then(parse) else {
            continue;
        };
        let touches = |written| {
            let (from, to) = (made(object).plus(-MARGIN_MS), UnixMs(written).plus(MARGIN_MS));
            TimeRange::new(from, to).is_ok_and(|held| held.intersection(&erasure.range).is_some())
        };
        if camera == erasure.camera && touches(written_ms(&entry.metadata()?)) {
            remove(&entry.path())?;
            tracing::info!(file = %entry.path().display(), "deleted on request");
        }
    }
    sync_dir(&folder)
}

/// `<camera>-<object>.<kind>`, as [`Layout::set_aside`] names files.
fn parse(name: &str) -> Option<(CameraId, ObjectId)> {
    let object = name.get(36..)?.strip_prefix('-')?.get(..36)?;
    Some((name.get(..36)?.parse().ok()?, object.parse().ok()?))
}

/// When the object's id was made, which is when it was opened (RFC 9562 §5.7).
fn made(object: ObjectId) -> UnixMs {
    let [a, b, c, d, e, f, ..] = *object.as_bytes();
    UnixMs(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

fn written_ms(metadata: &std::fs::Metadata) -> i64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(i64::MAX / 2, |d| {
        i64::try_from(d.as_millis()).unwrap_or(i64::MAX / 2)
    })
}
