//! The index takes nodes' events: a batch in one transaction, each in effect once.
//!
//! An event is committed, or refused for good and remembered as such; anything else is a fault of the
//! database, and the whole batch comes again.
//!
//! Footage of erased time is refused. Gaps of it are taken: they hold no footage, and the node that erased
//! its own copies explains them so.

mod limits;
mod objects;
mod recording;

use std::collections::HashMap;

use serde_json::json;
use wire::coverage::Gap;
use wire::event::NodeEvent;
use wire::{NodeId, UnixMs};

use self::objects::Objects;
use crate::domain::event::{check, tidy};
use crate::store::facts::{self, FactKind};
use crate::store::{Connection, StoreError, cameras, completeness, events, gaps, nodes};

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
    let checked: Vec<Result<&NodeEvent, String>> = batch.iter().map(checked).collect();
    let sealed = checked.iter().filter_map(|event| match event {
        Ok(NodeEvent::ObjectSealed(object)) => Some(object),
        _ => None,
    });
    let mut objects = Objects::of(connection, sealed)?;
    let mut gone = HashMap::new();
    let mut verdicts = Vec::with_capacity(batch.len());
    for (incoming, event) in batch.iter().zip(checked) {
        let verdict = match event {
            Ok(_) if is_removed(connection, &mut gone, incoming.node)? => {
                Verdict::Refused("the node was removed".to_owned())
            }
            Ok(event) => take(connection, &mut objects, event, now)?,
            Err(refusal) => Verdict::Refused(refusal),
        };
        remember(connection, incoming, &verdict, now)?;
        verdicts.push(verdict);
    }
    objects.put(connection, now)?;
    Ok(verdicts)
}

/// Whether a node was removed; `gone` keeps what was looked up for the batch.
fn is_removed(
    connection: &mut Connection,
    gone: &mut HashMap<NodeId, bool>,
    node: NodeId,
) -> Result<bool, StoreError> {
    if let Some(known) = gone.get(&node) {
        return Ok(*known);
    }
    let is_gone = nodes::key(connection, node)?.is_some_and(|key| key.removed.is_some());
    gone.insert(node, is_gone);
    Ok(is_gone)
}

fn checked(incoming: &Incoming) -> Result<&NodeEvent, String> {
    let event = incoming.event.as_ref().map_err(|reason| tidy(reason))?;
    check(event, incoming.node).map_err(|refusal| refusal.to_string())?;
    Ok(event)
}

/// Keeps a refusal for the node to ask for.
fn remember(
    connection: &mut Connection,
    incoming: &Incoming,
    verdict: &Verdict,
    now: UnixMs,
) -> Result<(), StoreError> {
    let message = match &incoming.event {
        Ok(event) => Some(event.message_id()),
        Err(_) => incoming.message.clone(),
    };
    if let (Verdict::Refused(reason), Some(message)) = (verdict, message) {
        let message: String = message.chars().take(MESSAGE_MAX).collect();
        if events::refuse(connection, incoming.node, &message, reason, now)? {
            tell_refused(connection, incoming.node, &message, reason, now)?;
        }
    }
    Ok(())
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

fn take(
    connection: &mut Connection,
    objects: &mut Objects,
    event: &NodeEvent,
    now: UnixMs,
) -> Result<Verdict, StoreError> {
    match event {
        NodeEvent::ObjectSealed(object) => objects.take(connection, object, now),
        NodeEvent::Gap(gap) => take_gap(connection, gap, now),
        NodeEvent::Recording(session) => recording::take(connection, session, now),
    }
}

fn take_gap(connection: &mut Connection, gap: &Gap, now: UnixMs) -> Result<Verdict, StoreError> {
    let Some(organization) = cameras::owner_if_assigned(connection, gap.camera, gap.node, None)? else {
        return Ok(not_assigned());
    };
    let gap = Gap {
        detail: tidy(&gap.detail),
        ..gap.clone()
    };
    completeness::touched(connection, gap.camera, gap.stream, gap.range, now)?;
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
