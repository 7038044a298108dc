//! Frees the disk by policy: oldest stored copies first, footage that exists nowhere else last of all.
//!
//! The file goes before its row. A crash between the two leaves a row without a file, which the repair at start
//! turns into what was meant. Footage that goes unstored leaves a gap in the same transaction.
//!
//! What the index refused for good can never be played: it goes after a week, or when there is no room, before
//! other footage that is not stored.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::coverage::{Gap, GapCause};
use wire::{NodeId, ObjectId, UnixMs};

use super::commit::Signals;
use super::heads::Heads;
use super::{Layout, now};
use crate::config;
use crate::db::objects::ObjectRow;
use crate::db::{Db, DbError, DbResult, ledger, objects, outbox};

const INTERVAL: Duration = Duration::from_secs(5);
const BATCH: i64 = 16;
/// Long enough for people to look into why the index refused it.
const REFUSED_KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

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

    /// Frees what the policy asks for, or until nothing is left; true when a gap was written.
    ///
    /// Only as much goes as was missing at the call: some file systems report freed space late.
    ///
    /// # Errors
    /// Those of the database and of the file system.
    pub fn tidy(&self) -> DbResult<bool> {
        let mut gaps = self.drop_refused(now().plus(-REFUSED_KEPT_MS))?;
        let Some((cause, excess)) = self.excess()? else {
            return Ok(gaps);
        };
        let mut freed = 0_u64;
        while freed < excess {
            let stored = self.db.with(|c| objects::oldest_stored(c, BATCH))?;
            for row in &stored {
                if freed >= excess {
                    break;
                }
                self.unlink(row)?;
                self.db.transaction(|c| objects::remove(c, row.id))?;
                freed = freed.saturating_add(row.bytes);
            }
            if stored.is_empty() {
                let unstored = self.db.with(|c| objects::oldest_unstored(c, 1))?;
                let Some(row) = unstored.first() else {
                    return Ok(gaps);
                };
                let detail = match cause {
                    GapCause::Disk => "the disk was full and the store could not be reached",
                    _ => "the spool reached its limit and the store could not be reached",
                };
                self.give_up(row, cause, detail)?;
                freed = freed.saturating_add(row.bytes);
                gaps = true;
            }
        }
        Ok(gaps)
    }

    /// How many bytes must go now, and why, if any.
    fn excess(&self) -> DbResult<Option<(GapCause, u64)>> {
        match free_bytes(self.layout.root()) {
            Ok(free) if free < self.policy.min_free_bytes => {
                return Ok(Some((GapCause::Disk, self.policy.min_free_bytes - free)));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "cannot ask for free space"),
        }
        let Some(max) = self.policy.max_bytes else {
            return Ok(None);
        };
        let bytes = self.db.with(objects::totals)?.bytes;
        Ok((bytes > max).then_some((GapCause::Retention, bytes.saturating_sub(max))))
    }

    /// Deletes what was refused and ended before `before`; true when a gap was written.
    fn drop_refused(&self, before: UnixMs) -> DbResult<bool> {
        let refused = self.db.with(|c| objects::oldest_refused(c, before, BATCH))?;
        for row in &refused {
            self.give_up(row, GapCause::Upload, "the index refused the footage")?;
        }
        Ok(!refused.is_empty())
    }

    fn give_up(&self, row: &ObjectRow, cause: GapCause, detail: &str) -> DbResult<()> {
        tracing::warn!(object = %row.id, camera = %row.camera, "footage deleted before it was stored: {detail}");
        self.unlink(row)?;
        self.heads.forget(&[row.id]);
        self.db
            .transaction(|c| replace_by_gap(c, row, self.node, cause, detail))
    }

    /// A file that cannot be deleted ends the round: its row must not go without it.
    fn unlink(&self, row: &ObjectRow) -> DbResult<()> {
        match std::fs::remove_file(self.layout.sealed(row.camera, row.id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DbError::File(error)),
            _ => Ok(()),
        }
    }
}

/// The object's row and event go, a gap of its time comes; nothing happens when the row has gone before.
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
    if !objects::remove(c, row.id)? {
        return Ok(());
    }
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

#[cfg(test)]
mod tests {
    use wire::event::{NodeEvent, SealedObject};
    use wire::media::Init;
    use wire::{CameraId, SegmentTable, StreamKind};

    use super::*;

    fn sealed(space: &Space, camera: CameraId, minute: i64) -> SealedObject {
        let object = SealedObject {
            id: ObjectId::generate(),
            camera,
            stream: StreamKind::Main,
            node: space.node,
            epoch: 1,
            previous: None,
            start: UnixMs(1_769_846_400_000 + minute * 60_000),
            end: UnixMs(1_769_846_460_000 + minute * 60_000),
            bytes: 1_000,
            sha256: String::new(),
            init: Init {
                length: 1,
                digest: String::new(),
            },
            tracks: Vec::new(),
            segments: SegmentTable::default(),
        };
        std::fs::create_dir_all(space.layout.camera(camera)).unwrap();
        std::fs::write(space.layout.sealed(camera, object.id), [0; 1_000]).unwrap();
        space.db.transaction(|c| objects::add(c, &object)).unwrap();
        object
    }

    #[test]
    fn stored_copies_go_first_and_the_rest_leaves_gaps() {
        let dir = tempfile::tempdir().unwrap();
        let mut space = Space {
            layout: Layout::create(dir.path()).unwrap(),
            db: Db::open(dir.path()).unwrap(),
            node: NodeId::generate(),
            policy: config::Spool {
                max_bytes: Some(4_000),
                min_free_bytes: 0,
            },
            heads: Arc::new(Heads::default()),
        };
        let camera = CameraId::generate();
        let made: Vec<SealedObject> = (0..6).map(|minute| sealed(&space, camera, minute)).collect();
        let there = |space: &Space| -> Vec<bool> {
            made.iter()
                .map(|o| space.layout.sealed(camera, o.id).exists())
                .collect()
        };
        // The two newest are stored: they go although older ones are there.
        for object in &made[4..] {
            space
                .db
                .transaction(|c| objects::mark_stored(c, object.id))
                .unwrap();
        }
        assert!(!space.tidy().unwrap());
        assert_eq!(there(&space), [true, true, true, true, false, false]);
        space.policy.max_bytes = Some(2_500);
        assert!(space.tidy().unwrap());
        assert_eq!(there(&space), [false, false, true, true, false, false]);
        let due = space.db.with(|c| outbox::due(c, UnixMs(0), 100)).unwrap();
        let gaps: Vec<Gap> = due
            .iter()
            .filter_map(|row| match serde_json::from_str(&row.payload).unwrap() {
                NodeEvent::Gap(gap) => Some(gap),
                _ => None,
            })
            .collect();
        let ranges: Vec<_> = gaps.iter().map(|gap| (gap.range.start(), gap.cause)).collect();
        assert_eq!(
            ranges,
            [
                (made[0].start, GapCause::Retention),
                (made[1].start, GapCause::Retention)
            ]
        );
    }

    #[test]
    fn refused_footage_goes_after_a_week_or_before_what_may_still_be_stored() {
        let dir = tempfile::tempdir().unwrap();
        let mut space = Space {
            layout: Layout::create(dir.path()).unwrap(),
            db: Db::open(dir.path()).unwrap(),
            node: NodeId::generate(),
            policy: config::Spool {
                max_bytes: None,
                min_free_bytes: 0,
            },
            heads: Arc::new(Heads::default()),
        };
        let camera = CameraId::generate();
        // Minutes since the footage of the other test; a week has passed since the first one.
        let today = (now().0 - 1_769_846_400_000) / 60_000;
        let made = [0, 1, today - 10, today - 5].map(|minute| sealed(&space, camera, minute));
        for refused in [&made[0], &made[3]] {
            let message = refused.id.to_string();
            space.db.transaction(|c| outbox::refuse(c, &message)).unwrap();
        }
        let there = |space: &Space| {
            made.each_ref()
                .map(|o| space.layout.sealed(camera, o.id).exists())
        };
        assert!(space.tidy().unwrap(), "a gap takes its place");
        assert_eq!(there(&space), [false, true, true, true]);
        assert!(!space.tidy().unwrap());
        space.policy.max_bytes = Some(2_000);
        assert!(space.tidy().unwrap());
        assert_eq!(there(&space), [false, true, true, false]);
    }
}
