//! What the node says of itself: every five seconds, and at once when a stream's state changes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::bus::NODE_BUCKET;
use wire::plan::Plan;
use wire::status::NodeStatus;
use wire::{NodeId, UnixMs};

use super::Link;
use crate::db::{Db, erasures, objects, outbox};
use crate::machine::{Machine, kib_of};
use crate::spool::{Layout, now, space};
use crate::supervisor::Roster;

const INTERVAL: Duration = Duration::from_secs(5);
/// At most two a second.
const SHORTEST: Duration = Duration::from_millis(500);

/// Where the figures come from.
pub struct Reporter {
    /// This node.
    pub node: NodeId,
    /// As the panel names it.
    pub name: String,
    /// When the process started.
    pub started: UnixMs,
    /// Counts.
    pub db: Db,
    /// Free space.
    pub layout: Layout,
    /// The machine.
    pub machine: Machine,
    /// Streams.
    pub roster: Roster,
    /// The plan that is followed.
    pub plan: watch::Receiver<Option<Plan>>,
    /// A stream's state changed.
    pub changed: Arc<Notify>,
}

impl Reporter {
    /// Publishes until `stop`.
    pub async fn run(self, link: Link, stop: CancellationToken) {
        let mut epochs = link.epochs();
        loop {
            let at = Instant::now();
            if let Err(error) = self.publish(&link).await {
                tracing::debug!(%error, "status not published");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
                _ = epochs.changed() => {}
                () = self.changed.notified() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(at + SHORTEST) => {}
            }
        }
    }

    async fn publish(&self, link: &Link) -> Result<(), String> {
        let status = self.status().await.map_err(|error| error.to_string())?;
        let json = serde_json::to_vec(&status).map_err(|error| error.to_string())?;
        link.put(NODE_BUCKET, &self.node.to_string(), json).await
    }

    async fn status(&self) -> Result<NodeStatus, crate::db::DbError> {
        let usage = self.machine.usage();
        let (totals, outbox_backlog, mut erased) = self
            .db
            .call(|c| Ok((objects::totals(c)?, outbox::backlog(c)?, erasures::done(c)?)))
            .await?;
        let (revision, planned) = match &*self.plan.borrow() {
            Some(plan) => (Some(plan.revision), plan.erasures.clone()),
            None => (None, Vec::new()),
        };
        erased.retain(|id| planned.iter().any(|erasure| erasure.id == *id));
        Ok(NodeStatus {
            node: self.node,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: now(),
            started: self.started,
            plan_revision: revision,
            memory_bytes: memory_bytes(),
            disk_free_bytes: space::free_bytes(self.layout.root()).unwrap_or(0),
            spool_bytes: totals.bytes,
            upload_backlog: totals.waiting,
            outbox_backlog,
            streams: self.roster.statuses(),
            erased,
            hardware: self.machine.hardware(),
            cpu_permille: usage.cpu_permille,
            upload_bytes_per_s: usage.upload_bytes_per_s,
            upload_backlog_bytes: totals.waiting_bytes,
        })
    }
}

/// Resident memory of this process.
fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    kib_of(&status, "VmRSS:") * 1024
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_read() {
        assert!(super::memory_bytes() > 1024 * 1024);
    }
}
