//! Makes the footage on this node match the plan's erasures: what they name goes, wherever it is.
//!
//! Reconciles, never instructs: a plan that comes again finds nothing left to do. An erasure is done when no
//! object of its range is sealed, growing, being uploaded or set aside; it is tried again until then. Where
//! footage is and in what order it goes is decided in `db::erasures` and `spool::erase`.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::plan::{Erasure, Plan};

use crate::db::{Db, DbError, DbResult, erasures};
use crate::spool::commit::Signals;
use crate::spool::heads::Heads;
use crate::spool::intake::WriterMessage;
use crate::spool::{Layout, erase, now};
use crate::supervisor::Roster;
use crate::upload::UnderWay;

/// What is not done is tried again after this.
const RETRY: Duration = Duration::from_secs(2);
/// Even a slow disk has taken by then what was queued for it.
const BARRIER_LIMIT: Duration = Duration::from_secs(60);
/// Footage may come in this much late: a camera's clock may lag behind ours.
const LATE_MS: i64 = 10_000;

/// The way to the writer; none while the node stops.
pub type WriterDoor = Arc<dyn Fn() -> Option<Sender<WriterMessage>> + Send + Sync>;

/// What erases.
pub struct Eraser {
    /// This node, for gaps.
    pub node: NodeId,
    /// Rows.
    pub db: Db,
    /// Files.
    pub layout: Layout,
    /// Heads name no object that has gone.
    pub heads: Arc<Heads>,
    /// Streams whose growing objects are to be cut.
    pub roster: Roster,
    /// Waits for what was closed.
    pub writer: WriterDoor,
    /// Uploads under way, to be broken off.
    pub uploads: Arc<UnderWay>,
    /// Woken when gaps were written; wakes when files are doomed.
    pub signals: Arc<Signals>,
    /// The status has news.
    pub changed: Arc<Notify>,
    /// The last connection on which the plan was read.
    pub read: watch::Receiver<u64>,
    /// The last one whose plan's erasures were carried out.
    pub caught_up: watch::Sender<u64>,
}

impl Eraser {
    /// Follows the plans until `stop`; then lets go of the writer at once.
    pub async fn run(self, mut plans: watch::Receiver<Option<Plan>>, stop: CancellationToken) {
        let mut read = self.read.clone();
        let work = async {
            let mut said = String::new();
            loop {
                // Before the plan itself: a plan read later does no harm.
                let epoch = *read.borrow_and_update();
                let planned = plans
                    .borrow_and_update()
                    .as_ref()
                    .map(|plan| plan.erasures.clone());
                let round = self.round(planned).await;
                if round.is_ok() {
                    self.caught_up.send_replace(epoch);
                }
                let wait = match round {
                    Ok(true) => Duration::MAX,
                    Ok(false) => RETRY,
                    Err(error) => {
                        let error = error.to_string();
                        if said != error {
                            tracing::error!(%error, "cannot erase footage; trying again");
                            said = error;
                        }
                        RETRY
                    }
                };
                tokio::select! {
                    changed = plans.changed() => if changed.is_err() {
                        return;
                    },
                    Ok(()) = read.changed() => {}
                    () = self.signals.erase.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Notes what is planned, if there is a plan, and erases; true when nothing is left to do.
    async fn round(&self, planned: Option<Vec<Erasure>>) -> DbResult<bool> {
        let pending = self
            .db
            .call(move |c| {
                if let Some(planned) = planned {
                    erasures::note(c, &planned)?;
                }
                erasures::pending(c)
            })
            .await?;
        self.unlink().await?;
        let mut all = true;
        for erasure in pending {
            all &= self.erase(erasure).await?;
        }
        Ok(all)
    }

    /// Erases what is there; true when nothing can come any more.
    async fn erase(&self, erasure: Erasure) -> DbResult<bool> {
        let Erasure { camera, range, .. } = erasure;
        self.roster.cut(camera, range.end());
        let settled = self.barrier().await;
        loop {
            let node = self.node;
            let taken = self.db.call(move |c| erasures::take(c, &erasure, node)).await?;
            if taken.is_empty() {
                break;
            }
            tracing::info!(%camera, erasure = %erasure.id, objects = taken.len(), "footage deleted on request");
            self.heads.forget(&taken);
            self.signals.outbox.notify_one();
            self.uploads.abort(&taken).await;
        }
        self.unlink().await?;
        let layout = self.layout.clone();
        tokio::task::spawn_blocking(move || erase::purge_set_aside(&layout, &erasure))
            .await
            .map_err(|_| DbError::Closed)?
            .map_err(DbError::File)?;
        if !settled || now().since(range.end()) < LATE_MS {
            return Ok(false);
        }
        let done = self
            .db
            .call(move |c| {
                let growing = erasures::is_growing(c, camera, range.end())?;
                if !growing {
                    erasures::finish(c, erasure.id)?;
                }
                Ok(!growing)
            })
            .await?;
        if done {
            self.changed.notify_one();
        }
        Ok(done)
    }

    async fn unlink(&self) -> DbResult<()> {
        let (db, layout) = (self.db.clone(), self.layout.clone());
        tokio::task::spawn_blocking(move || erase::unlink_doomed(&db, &layout))
            .await
            .map_err(|_| DbError::Closed)?
    }

    /// Waits until all footage that was handed to the writer is committed; false when that takes too long.
    async fn barrier(&self) -> bool {
        let (done, settled) = oneshot::channel();
        let Some(writer) = (self.writer)() else {
            return false;
        };
        if writer.send(WriterMessage::Barrier(done)).is_err() {
            return false;
        }
        drop(writer);
        matches!(tokio::time::timeout(BARRIER_LIMIT, settled).await, Ok(Ok(())))
    }
}
