//! The index takes nodes' events: a batch in one transaction, each in effect once.
//!
//! An event is committed, or refused for good and remembered as such; anything else is a fault of the
//! database, and the whole batch comes again.
//!
//! Footage of erased time is refused. Gaps of it are taken: they hold no footage, and the node that erased
//! its own copies explains them so.

mod limits;
pub mod lost;
mod objects;
mod recording;

use std::collections::HashMap;

use serde_json::json;
use wire::coverage::Gap;
use wire::event::NodeEvent;
use wire::{NodeId, UnixMs};

use self::objects::Objects;
use super::refusals;
use crate::domain::event::{check, tidy};
use crate::store::facts::{self, FactKind};
use crate::store::{Connection, StoreError, assigned, completeness, events, gaps, nodes};

const MESSAGE_MAX: usize = 128;

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
    // What cannot be read says why in words of its own: told as they are, each would be news.
    let told = incoming
        .event
        .as_ref()
        .err()
        .map(|_| "an event that cannot be read");
    if let (Verdict::Refused(reason), Some(message)) = (verdict, message) {
        let message: String = message.chars().take(MESSAGE_MAX).collect();
        if events::refuse(connection, incoming.node, &message, reason, now)? {
            refusals::tell(connection, incoming.node, &message, told.unwrap_or(reason), now)?;
        }
    }
    Ok(())
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
    let tenures = assigned::tenures(connection, &[gap.camera])?;
    let Some((organization, tenure)) = tenures.get(&(gap.camera, gap.node)) else {
        return Ok(not_assigned());
    };
    if let Err(refusal) = tenure.gap(gap.range, now) {
        return Ok(Verdict::Refused(refusal.to_string()));
    }
    let organization = *organization;
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
