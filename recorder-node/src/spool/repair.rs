//! At start: finds what a crash or a power cut left behind, and makes it whole.
//!
//! | found | done |
//! |---|---|
//! | `.part` with whole chunks | cut after the last whole one, sealed |
//! | `.part` that is empty or has no whole chunk yet | deleted |
//! | `.part` that is no recording | set aside in `quarantine/` |
//! | `.mp4` without a row | checked and given its row; set aside when it is no recording |
//! | footage inside a noted erasure that has no row | deleted, a gap of cause `operator` |
//! | row without a file | stored: forgotten; otherwise a gap of cause `upload` |
//! | file of another length than its row says | as a row without a file; the file is set aside |
//! | anything else | left alone and reported |
//!
//! Runs before anything records, so nothing else touches the spool.

mod file;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use wire::coverage::GapCause;
use wire::plan::Plan;
use wire::{CameraId, NodeId, ObjectId, StreamKind, TimeRange, UnixMs};

use super::space::replace_by_gap;
use super::{Layout, erase};
use crate::db::ledger::OpenRow;
use crate::db::objects::{self, ObjectRow};
use crate::db::{Db, DbError, erasures, ledger as rows, outbox, sessions as session_rows};
use crate::ledger::{Cause, Change, Ledger, StreamKey};
use crate::session::{self, Sessions};
use file::{Found, Rebuilt};

/// What the repair did; every item is worth a line in the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects that were cut short and sealed.
    pub sealed: Vec<ObjectId>,
    /// Sealed files that had no row.
    pub adopted: Vec<ObjectId>,
    /// Files whose footage is erased.
    pub erased: Vec<ObjectId>,
    /// Rows whose file was gone or damaged before it was stored.
    pub lost: Vec<ObjectId>,
    /// Files without footage that were deleted.
    pub deleted: Vec<PathBuf>,
    /// Files set aside.
    pub quarantined: Vec<PathBuf>,
    /// Files that are not ours.
    pub foreign: Vec<PathBuf>,
}

/// Why the repair could not run; the node must not record then.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The spool cannot be read or written.
    #[error("the spool cannot be repaired: {0}")]
    Io(#[from] io::Error),
    /// The database failed.
    #[error("the spool cannot be repaired: {0}")]
    Db(#[from] DbError),
}

/// What the repair works with.
pub struct Repair<'a> {
    /// Where files are.
    pub layout: &'a Layout,
    /// Their rows.
    pub db: &'a Db,
    /// This node.
    pub node: NodeId,
    /// The last plan, for files whose opening was not noted.
    pub plan: Option<&'a Plan>,
    /// Target of a segment, milliseconds.
    pub segment_ms: i64,
    /// Now.
    pub now: UnixMs,
}

impl Repair<'_> {
    /// Repairs, and brings `ledger` and `sessions` to the end of what was found.
    ///
    /// # Errors
    /// [`RepairError`]; calling it again continues.
    pub fn run(&self, ledger: &mut Ledger, sessions: &mut Sessions) -> Result<Report, RepairError> {
        let mut report = Report::default();
        let known: HashMap<ObjectId, ObjectRow> = self
            .db
            .with(objects::all)?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let mut present = HashSet::new();
        let mut rebuilt = Vec::new();
        for (camera, folder) in self.cameras(&mut report)? {
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                self.file(camera, &path, &known, &mut present, &mut rebuilt, &mut report)?;
            }
        }
        self.rows_without_files(&known, &present, &mut report)?;
        rebuilt.sort_by_key(|(found, _)| found.range.start());
        for (found, was_part) in rebuilt {
            self.seal((ledger, sessions), &found, was_part, &mut report)?;
        }
        self.db.transaction(rows::clear_open)?;
        erase::unlink_doomed(self.db, self.layout)?;
        Ok(report)
    }

    fn cameras(&self, report: &mut Report) -> io::Result<Vec<(CameraId, PathBuf)>> {
        let mut cameras = Vec::new();
        for entry in std::fs::read_dir(self.layout.root())? {
            let path = entry?.path();
            if path == self.layout.quarantine() {
                continue;
            }
            let camera = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.parse().ok());
            match camera.filter(|_| path.is_dir() && !path.is_symlink()) {
                Some(camera) => cameras.push((camera, path)),
                None => report.foreign.push(path),
            }
        }
        Ok(cameras)
    }

    fn file(
        &self,
        camera: CameraId,
        path: &Path,
        known: &HashMap<ObjectId, ObjectRow>,
        present: &mut HashSet<ObjectId>,
        rebuilt: &mut Vec<(Rebuilt, bool)>,
        report: &mut Report,
    ) -> Result<(), RepairError> {
        let Some((id, is_part)) = object_of(path) else {
            report.foreign.push(path.to_owned());
            return Ok(());
        };
        if !is_part && let Some(row) = known.get(&id) {
            if row.camera == camera && std::fs::metadata(path)?.len() == row.bytes {
                present.insert(id);
            } else {
                report.quarantined.push(self.layout.set_aside(path)?);
            }
            return Ok(());
        }
        let row = self
            .db
            .with(|c| rows::find_open(c, id))?
            .filter(|row| row.key.camera == camera);
        let known = row.is_some();
        let row = row.unwrap_or_else(|| self.guess(camera));
        let start = known.then_some(row.start);
        match file::rebuild(path, id, (row, start), self.node, self.segment_ms)? {
            Found::Footage(found) if is_part || found.whole => rebuilt.push((*found, is_part)),
            Found::Empty if is_part => {
                std::fs::remove_file(path)?;
                report.deleted.push(path.to_owned());
            }
            _ => report.quarantined.push(self.layout.set_aside(path)?),
        }
        Ok(())
    }

    /// Stream and epoch of an object whose opening was not noted: those of the camera's first planned stream.
    fn guess(&self, camera: CameraId) -> OpenRow {
        let mut entries = self.plan.iter().flat_map(|plan| &plan.entries);
        let entry = entries.find(|entry| entry.camera == camera);
        let stream = entry.map_or(StreamKind::Main, |entry| entry.stream);
        let key = StreamKey { camera, stream };
        OpenRow {
            key,
            epoch: entry.map_or(0, |e| e.epoch),
            start: UnixMs::default(),
            previous: None,
        }
    }

    fn rows_without_files(
        &self,
        known: &HashMap<ObjectId, ObjectRow>,
        present: &HashSet<ObjectId>,
        report: &mut Report,
    ) -> Result<(), RepairError> {
        for row in known.values().filter(|row| !present.contains(&row.id)) {
            if row.state == outbox::STORED {
                self.db.transaction(|c| objects::remove(c, row.id).map(drop))?;
                continue;
            }
            let detail = "the footage was lost from the recorder's disk before it was stored";
            self.db
                .transaction(|c| replace_by_gap(c, row, self.node, GapCause::Upload, detail))?;
            report.lost.push(row.id);
        }
        Ok(())
    }

    /// The order of `seal`, for one object.
    fn seal(
        &self,
        (ledger, sessions): (&mut Ledger, &mut Sessions),
        found: &Rebuilt,
        was_part: bool,
        report: &mut Report,
    ) -> Result<(), RepairError> {
        let sealed = &found.sealed;
        let key = StreamKey {
            camera: sealed.camera,
            stream: sealed.stream,
        };
        if was_part {
            file::cut_and_sync(&found.path, sealed.bytes)?;
            std::fs::rename(&found.path, self.layout.sealed(sealed.camera, sealed.id))?;
        }
        super::sync_dir(&self.layout.camera(sealed.camera))?;
        let mut changes = ledger.opened(key, sealed.start, &Cause::not_running(self.now));
        let range = TimeRange::new(sealed.start, sealed.end).map_err(io::Error::other)?;
        changes.extend(ledger.sealed(key, sealed.id, range));
        let mut writes = gap_writes(sessions, &changes, self.now);
        writes.extend(sessions.footage(key, sealed.epoch, sealed.start, self.now));
        writes.extend(sessions.sealed(sealed, found.frames, self.now));
        let erased = self.db.transaction(|c| {
            rows::apply(c, &changes)?;
            session_rows::apply(c, &writes)?;
            erasures::add_unless_erased(c, sealed)
        })?;
        if erased {
            &mut report.erased
        } else if was_part {
            &mut report.sealed
        } else {
            &mut report.adopted
        }
        .push(sealed.id);
        Ok(())
    }
}

/// What gaps mean for sessions.
pub fn gap_writes(sessions: &mut Sessions, changes: &[Change], now: UnixMs) -> Vec<session::Write> {
    let gaps = changes.iter().filter_map(|change| match change {
        Change::Gap(gap) => Some(gap),
        _ => None,
    });
    gaps.flat_map(|gap| sessions.gap(gap, now)).collect()
}

/// The object that a file name names, and whether it is a `.part`.
fn object_of(path: &Path) -> Option<(ObjectId, bool)> {
    if path.is_symlink() || !path.is_file() {
        return None;
    }
    let id = path.file_stem()?.to_str()?.parse().ok()?;
    match path.extension()?.to_str()? {
        "part" => Some((id, true)),
        "mp4" => Some((id, false)),
        _ => None,
    }
}

impl Report {
    /// Says it in the log.
    pub fn log(&self) {
        for id in &self.sealed {
            tracing::warn!(object = %id, "an object was cut short by a stop; sealed up to its last whole chunk");
        }
        for id in &self.adopted {
            tracing::warn!(object = %id, "a sealed file had no row; taken in");
        }
        for id in &self.erased {
            tracing::info!(object = %id, "found and deleted on request");
        }
        for id in &self.lost {
            tracing::error!(object = %id, "an object is gone from the disk before it was stored");
        }
        for path in &self.deleted {
            tracing::info!(file = %path.display(), "without footage; deleted");
        }
        for path in &self.quarantined {
            tracing::error!(file = %path.display(), "no recording; set aside");
        }
        for path in &self.foreign {
            tracing::warn!(file = %path.display(), "not ours; left alone");
        }
    }
}
