//! What the database and the spool held when the node started, made whole.
//!
//! Runs before anything records, announces or uploads. Waits for the disk.

use std::collections::HashMap;
use std::sync::Arc;

use wire::NodeId;
use wire::event::{NodeEvent, OpenObject};
use wire::plan::Plan;

use crate::config::Config;
use crate::db::{Db, ledger as rows, outbox, sessions as session_rows, settings};
use crate::ledger::{Cause, Ledger, Outlook, Planned, StreamKey};
use crate::session::{Retry, Sessions};
use crate::spool::heads::Heads;
use crate::spool::repair::{Repair, gap_writes};
use crate::spool::{Layout, erase, now};
use crate::supervisor::shared::outage_end;

/// What the database and the spool held at start.
pub(super) struct Past {
    pub(super) plan: Option<Plan>,
    pub(super) ledger: Ledger,
    pub(super) sessions: Sessions,
    pub(super) covered: HashMap<StreamKey, wire::UnixMs>,
    pub(super) retries: HashMap<StreamKey, Retry>,
    pub(super) heads: Arc<Heads>,
}

/// Repairs the spool and takes up the ledger where it ended.
pub(super) fn resume(db: &Db, layout: &Layout, config: &Config, node: NodeId) -> anyhow::Result<Past> {
    let (plan, coverages) = db.transaction(|c| {
        settings::be(c, node)?;
        Ok((settings::plan(c)?, rows::coverages(c)?))
    })?;
    let mut sessions = Sessions::resume(node, db.with(session_rows::all)?);
    // Before anything is adopted or announced.
    erase::resume(db, layout, node)?;
    let entries = plan.iter().flat_map(|plan| &plan.entries);
    let planned: HashMap<StreamKey, Planned> = entries
        .map(|entry| {
            (
                StreamKey {
                    camera: entry.camera,
                    stream: entry.stream,
                },
                Planned::of(entry),
            )
        })
        .collect();
    let now = now();
    let outlooks = outlooks(plan.as_ref(), &planned, now);
    let keys: Vec<StreamKey> = coverages.iter().map(|(key, _)| *key).collect();
    let mut ledger = Ledger::resume(node, coverages, planned, now);
    let segment_ms = i64::try_from(config.record.segment().as_millis()).unwrap_or(6_000);
    let repair = Repair {
        layout,
        db,
        node,
        plan: plan.as_ref(),
        segment_ms,
        now,
    };
    repair.run(&mut ledger, &mut sessions)?.log();
    let cause = Cause::not_running(now);
    let mut covered = HashMap::new();
    let mut changes = Vec::new();
    for key in keys {
        changes.extend(ledger.outage(key, outage_end(now), &cause));
        covered.extend(ledger.end(key).map(|end| (key, end)));
    }
    let mut writes = gap_writes(&mut sessions, &changes, now);
    writes.extend(sessions.settle(&outlooks, now));
    db.transaction(|c| {
        rows::apply(c, &changes)?;
        session_rows::apply(c, &writes)?;
        rows::forget_finished_gaps(c)
    })?;
    let heads = Arc::new(Heads::default());
    for event in db.with(outbox::waiting_objects)? {
        if let NodeEvent::ObjectSealed(sealed) = event {
            let key = StreamKey {
                camera: sealed.camera,
                stream: sealed.stream,
            };
            heads.close(key, open_object(sealed));
        }
    }
    Ok(Past {
        plan,
        ledger,
        retries: sessions.retries(),
        sessions,
        covered,
        heads,
    })
}

/// The epoch and outlook of each stream of the plan.
fn outlooks(
    plan: Option<&Plan>,
    planned: &HashMap<StreamKey, Planned>,
    now: wire::UnixMs,
) -> HashMap<StreamKey, (u64, Outlook)> {
    let entries = plan.into_iter().flat_map(|plan| &plan.entries);
    entries
        .filter_map(|entry| {
            let key = StreamKey {
                camera: entry.camera,
                stream: entry.stream,
            };
            Some((key, (entry.epoch, planned.get(&key)?.outlook(now))))
        })
        .collect()
}

fn open_object(sealed: wire::event::SealedObject) -> OpenObject {
    OpenObject {
        id: sealed.id,
        epoch: sealed.epoch,
        previous: sealed.previous,
        init: sealed.init,
        tracks: sealed.tracks,
        segments: sealed.segments,
    }
}
