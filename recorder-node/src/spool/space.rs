//! Frees the disk by policy: oldest stored copies first, footage that exists nowhere else last of all.
//!
//! The file goes before its row. A crash between the two leaves a row without a file, which the repair at start
//! turns into what was meant. Footage that goes unstored leaves a gap in the same transaction.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::ObjectId;
use wire::coverage::{Gap, GapCause};

use super::Layout;
use super::commit::Signals;
use super::heads::Heads;
use crate::config;
use crate::db::objects::ObjectRow;
use crate::db::{Db, DbResult, ledger, objects, outbox};

const INTERVAL: Duration = Duration::from_secs(5);
const BATCH: i64 = 16;

/// What frees the disk.
#[derive(Clone)]
pub struct Space {
    /// Where files are.
    pub layout: Layout,
    /// Their rows.
    pub db: Db,
    /// This node, for gaps.
    pub node: NodeId,
    /// The policy.
    pub policy: config::Spool,
    /// Heads name no object that has gone.
    pub heads: Arc<Heads>,
}

/// Free bytes on the file system of `path`.
///
/// # Errors
/// When it cannot be asked.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

impl Space {
    /// Frees the disk now and then, and when asked, until cancelled.
    pub async fn run(self, signals: Arc<Signals>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = signals.room.notified() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
            let space = self.clone();
            match tokio::task::spawn_blocking(move || space.tidy()).await {
                Ok(Ok(true)) => signals.outbox.notify_one(),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::error!(%error, "cannot free the disk"),
                Err(error) => tracing::error!(%error, "freeing the disk failed"),
            }
        }
    }

    /// Frees until the policy holds or nothing is left; true when a gap was written.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tidy(&self) -> DbResult<bool> {
        let mut gaps = false;
        while let Some(cause) = self.excess()? {
            let stored = self.db.with(|c| objects::oldest_stored(c, BATCH))?;
            let Some(row) = stored.first() else {
                let unstored = self.db.with(|c| objects::oldest_unstored(c, 1))?;
                let Some(row) = unstored.first() else {
                    return Ok(gaps);
                };
                self.give_up(row, cause)?;
                gaps = true;
                continue;
            };
            self.remove_stored(row)?;
        }
        Ok(gaps)
    }

    /// Why something must go now, if it must.
    fn excess(&self) -> DbResult<Option<GapCause>> {
        match free_bytes(self.layout.root()) {
            Ok(free) if free < self.policy.min_free_bytes => return Ok(Some(GapCause::Disk)),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot ask for free space"),
        }
        let Some(max) = self.policy.max_bytes else {
            return Ok(None);
        };
        let (bytes, _) = self.db.with(objects::totals)?;
        Ok((bytes > max).then_some(GapCause::Retention))
    }

    fn remove_stored(&self, row: &ObjectRow) -> DbResult<()> {
        self.unlink(row);
        self.db.transaction(|c| objects::remove(c, row.id))
    }

    fn give_up(&self, row: &ObjectRow, cause: GapCause) -> DbResult<()> {
        tracing::warn!(object = %row.id, camera = %row.camera, "footage deleted before it was stored: no room");
        self.unlink(row);
        self.heads.forget(&[row.id]);
        let detail = match cause {
            GapCause::Disk => "the disk was full and the store could not be reached",
            _ => "the spool reached its limit and the store could not be reached",
        };
        self.db
            .transaction(|c| replace_by_gap(c, row, self.node, cause, detail))
    }

    fn unlink(&self, row: &ObjectRow) {
        let path = self.layout.sealed(row.camera, row.id);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(%error, file = %path.display(), "cannot delete");
            }
            _ => {}
        }
    }
}

/// The object's row and event go, a gap of its time comes.
///
/// # Errors
/// Those of the database.
pub fn replace_by_gap(
    c: &mut diesel::SqliteConnection,
    row: &ObjectRow,
    node: NodeId,
    cause: GapCause,
    detail: &str,
) -> DbResult<()> {
    objects::remove(c, row.id)?;
    outbox::forget_subject(c, row.id)?;
    let gap = Gap {
        id: ObjectId::generate(),
        camera: row.camera,
        stream: row.stream,
        node,
        range: row.range,
        cause,
        detail: detail.to_owned(),
    };
    ledger::add_gap(c, &gap)
}
