//! The index takes nodes' events: a batch in one transaction, each in effect once.
//!
//! An event is committed, or refused for good and remembered as such; anything else is a fault of the
//! database, and the whole batch comes again.
//!
//! Footage of erased time is refused. Gaps of it are taken: they hold no footage, and the node that erased
//! its own copies explains them so.

mod recording;

use serde_json::json;
use wire::coverage::Gap;
use wire::event::{NodeEvent, SealedObject};
use wire::{NodeId, TimeRange, UnixMs};

use super::erasures::entomb;
use crate::domain::event::{check, digest, tidy};
use crate::store::facts::{self, FactKind};
use crate::store::{
    Connection, ObjectRow, ObjectState, StoreError, cameras, days, erasures, events, gaps, nodes, objects,
};

const MESSAGE_MAX: usize = 128;
/// How long the same reason of the same node is not told again, in milliseconds.
const QUIET_MS: i64 = 60_000;
/// Facts that are looked at for it.
const LOOKED_AT: u32 = 200;

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The node whose subject it came under.
    pub node: NodeId,
    /// Its `Nats-Msg-Id`.
    pub message: Option<String>,
    /// The event, or why it cannot be read.
    pub event: Result<NodeEvent, String>,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the index.
    Committed,
    /// It never will be.
    Refused(String),
}

/// Takes a batch within the caller's transaction.
///
/// # Errors
/// Those of the database: nothing of the batch is committed then.
pub fn apply(
    connection: &mut Connection,
    batch: &[Incoming],
    now: UnixMs,
) -> Result<Vec<Verdict>, StoreError> {
    batch
        .iter()
        .map(|incoming| one(connection, incoming, now))
        .collect()
}

fn one(connection: &mut Connection, incoming: &Incoming, now: UnixMs) -> Result<Verdict, StoreError> {
    let (message, verdict) = match &incoming.event {
        Ok(event) => {
            let verdict = match check(event, incoming.node) {
                Ok(()) => take(connection, event, now)?,
                Err(refusal) => Verdict::Refused(refusal.to_string()),
            };
            (Some(event.message_id()), verdict)
        }
        Err(reason) => (incoming.message.clone(), Verdict::Refused(tidy(reason))),
    };
    if let (Verdict::Refused(reason), Some(message)) = (&verdict, message) {
        let message: String = message.chars().take(MESSAGE_MAX).collect();
        if events::refuse(connection, incoming.node, &message, reason, now)? {
            tell_refused(connection, incoming.node, &message, reason, now)?;
        }
    }
    Ok(verdict)
}

/// Tells that a node says what is not so, or not its own: once in a while, whatever it sends.
fn tell_refused(
    connection: &mut Connection,
    node: NodeId,
    message: &str,
    reason: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    let Some(organization) = nodes::owner(connection, node)? else {
        return Ok(());
    };
    let about = (FactKind::NodeRefused, node);
    let recent = facts::latest(connection, organization, about, now.plus(-QUIET_MS), LOOKED_AT)?;
    if recent.iter().any(|before| before["reason"] == reason) {
        return Ok(());
    }
    let body = json!({"message": message, "reason": reason});
    facts::add(
        connection,
        organization,
        FactKind::NodeRefused,
        None,
        Some(node),
        &body,
        now,
    )
}

fn take(connection: &mut Connection, event: &NodeEvent, now: UnixMs) -> Result<Verdict, StoreError> {
    match event {
        NodeEvent::ObjectSealed(object) => take_object(connection, object, now),
        NodeEvent::Gap(gap) => take_gap(connection, gap, now),
        NodeEvent::Recording(session) => recording::take(connection, session, now),
    }
}

fn take_object(
    connection: &mut Connection,
    object: &SealedObject,
    now: UnixMs,
) -> Result<Verdict, StoreError> {
    let owner = cameras::owner_if_assigned(connection, object.camera, object.node, Some(object.epoch))?;
    let (Some(organization), Some(sha256)) = (owner, digest(&object.sha256)) else {
        return Ok(not_assigned());
    };
    let row = ObjectRow {
        id: object.id,
        organization,
        camera: object.camera,
        stream: object.stream,
        node: object.node,
        epoch: object.epoch,
        previous: object.previous,
        start: object.start,
        end: object.end,
        bytes: object.bytes,
        sha256,
        init: object.init.clone(),
        tracks: object.tracks.clone(),
        segments: object.segments.clone(),
        state: ObjectState::Sealed,
    };
    if let Ok(range) = TimeRange::new(row.start, row.end)
        && let Some((_, reason)) = erasures::touching(connection, row.camera, range)?
            .into_iter()
            .next()
    {
        entomb(
            connection,
            organization,
            (row.camera, row.stream),
            &[range],
            &reason,
            now,
        )?;
        return Ok(Verdict::Refused("footage of this time was erased".to_owned()));
    }
    if objects::insert(connection, &row, now)? {
        if let Ok(footage) = TimeRange::new(row.start, row.end) {
            let added = (row.id, footage);
            days::add(connection, organization, row.camera, row.stream, added)?;
        }
        return Ok(Verdict::Committed);
    }
    let present = objects::by_id(connection, Some(organization), row.id)?;
    let same = present.is_some_and(|present| {
        (present.node, present.camera, present.sha256) == (row.node, row.camera, row.sha256)
    });
    Ok(if same {
        Verdict::Committed
    } else {
        Verdict::Refused("another object has this id".to_owned())
    })
}

fn take_gap(connection: &mut Connection, gap: &Gap, now: UnixMs) -> Result<Verdict, StoreError> {
    let Some(organization) = cameras::owner_if_assigned(connection, gap.camera, gap.node, None)? else {
        return Ok(not_assigned());
    };
    let gap = Gap {
        detail: tidy(&gap.detail),
        ..gap.clone()
    };
    if gaps::upsert(connection, organization, &gap)? {
        let body = json!({
            "gap": gap.id, "stream": gap.stream, "start": gap.range.start(), "cause": gap.cause,
            "detail": gap.detail,
        });
        let (camera, node) = (Some(gap.camera), Some(gap.node));
        facts::add(
            connection,
            organization,
            FactKind::GapOpened,
            camera,
            node,
            &body,
            now,
        )?;
    }
    let ends = gaps::ends(connection, gap.node, &[gap.id])?;
    Ok(if ends.is_empty() {
        Verdict::Refused("another node's gap has this id".to_owned())
    } else {
        Verdict::Committed
    })
}

fn not_assigned() -> Verdict {
    Verdict::Refused("the camera was never assigned to this node under this epoch".to_owned())
}
