//! Watches: what nodes last said, kept in memory.

use std::collections::BTreeMap;

use anyhow::Context;
use async_nats::jetstream;
use async_nats::jetstream::kv::{Entry, Operation};
use futures::StreamExt;
use wire::bus::{HEAD_BUCKET, NODE_BUCKET, PLAN_BUCKET, head_key};
use wire::event::Head;
use wire::status::NodeStatus;
use wire::{ErasureId, NodeId};

use super::setup;
use crate::AppState;
use crate::app::erasures::reported;
use crate::app::nodes::heard;
use crate::app::open_heads::OpenHeads;
use crate::app::refusals::{Refusals, Refused};
use crate::domain::event::tidy;
use crate::state::now;

/// Most words of nodes that are taken at once.
const BATCH: usize = 1_000;

/// Follows nodes' status until something fails.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn nodes(state: AppState, jetstream: jetstream::Context) -> anyhow::Result<()> {
    let bucket = setup::bucket(&jetstream, NODE_BUCKET, state.config.bus.replicas)
        .await
        .context("the bucket of nodes")?;
    // Nodes look for their plans before there are any.
    setup::bucket(&jetstream, PLAN_BUCKET, state.config.bus.replicas)
        .await
        .context("the bucket of plans")?;
    let watch = bucket.watch_with_history(">").await?;
    // After a loss, plans may have to be put again.
    state.replan.notify_here();
    // However long the database takes, the next look is at what all nodes say by then.
    let (mut entries, mut refusals) = (watch.ready_chunks(BATCH), Refusals::default());
    while let Some(entries) = entries.next().await {
        let (mut statuses, mut refused) = (BTreeMap::new(), Vec::new());
        for entry in entries {
            match status_of(&entry?) {
                Ok(status) => statuses.extend(status.map(|status| (status.node, status))),
                Err(one) => refused.extend(one),
            }
        }
        report(&state, statuses.into_values().collect()).await?;
        refusals.tell(&state, refused, now()).await;
    }
    Ok(())
}

/// A node's status under its own key; none when the key only went.
fn status_of(entry: &Entry) -> Result<Option<NodeStatus>, Option<Refused>> {
    if entry.operation != Operation::Put {
        return Ok(None);
    }
    let mut status: NodeStatus =
        serde_json::from_slice(&entry.value).map_err(|_| refused(entry, "a status that cannot be read"))?;
    if status.node.to_string() != entry.key {
        return Err(refused(entry, "a status under another node's key"));
    }
    status.name = tidy(&status.name);
    Ok(Some(status))
}

async fn report(state: &AppState, statuses: Vec<NodeStatus>) -> anyhow::Result<()> {
    let erased: Vec<(NodeId, Vec<ErasureId>)> = statuses
        .iter()
        .filter(|status| !status.erased.is_empty())
        .map(|status| (status.node, status.erased.clone()))
        .collect();
    if heard(state, statuses, now()).await? {
        state.replan.nodes_here();
    }
    for (node, erased) in erased {
        reported(state, node, &erased, now()).await?;
    }
    Ok(())
}

/// Follows open heads until something fails.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn heads(state: AppState, jetstream: jetstream::Context) -> anyhow::Result<()> {
    let bucket = setup::bucket(&jetstream, HEAD_BUCKET, state.config.bus.replicas)
        .await
        .context("the bucket of heads")?;
    let mut entries = bucket.watch_with_history(">").await?.ready_chunks(BATCH);
    let (mut open, mut refusals) = (OpenHeads::default(), Refusals::default());
    while let Some(entries) = entries.next().await {
        let (mut heads, mut refused) = (Vec::new(), Vec::new());
        for entry in entries {
            match head_of(entry?) {
                Ok(head) => heads.extend(head),
                Err(one) => refused.extend(one),
            }
        }
        refused.extend(open.take(&state, heads, now()).await?);
        refusals.tell(&state, refused, now()).await;
    }
    Ok(())
}

/// A head under its own key; none when the key only went.
fn head_of(entry: Entry) -> Result<Option<(String, Head)>, Option<Refused>> {
    if entry.operation != Operation::Put {
        return Ok(None);
    }
    let head: Head =
        serde_json::from_slice(&entry.value).map_err(|_| refused(&entry, "a head that cannot be read"))?;
    if head_key(head.node, head.camera, head.stream) != entry.key {
        return Err(refused(&entry, "a head under another node's or stream's key"));
    }
    Ok(Some((entry.key, head)))
}

/// A refusal of what came under a key. The bus vouches for the node in it; without one, nobody is to be told.
fn refused(entry: &Entry, reason: &'static str) -> Option<Refused> {
    let node = entry.key.split('.').next().and_then(|node| node.parse().ok());
    if node.is_none() {
        tracing::warn!(key = entry.key, reason, "refused what nobody says");
    }
    Some(Refused {
        node: node?,
        key: entry.key.clone(),
        reason,
    })
}
