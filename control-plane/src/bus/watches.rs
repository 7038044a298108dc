//! Watches: what nodes last said, kept in memory.

use std::collections::{BTreeMap, HashSet};

use anyhow::Context;
use async_nats::jetstream;
use async_nats::jetstream::kv::{Entry, Operation};
use futures::StreamExt;
use wire::bus::{HEAD_BUCKET, NODE_BUCKET, PLAN_BUCKET, head_key};
use wire::event::Head;
use wire::status::NodeStatus;
use wire::{CameraId, ErasureId, NodeId};

use super::setup;
use crate::AppState;
use crate::app::erasures::reported;
use crate::app::nodes::heard;
use crate::domain::event::{check_head, tidy};
use crate::state::now;
use crate::store::cameras::owner_if_assigned;

/// Most words of nodes that are taken at once.
const BATCH: usize = 1_000;

/// Follows nodes' status until something fails.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn nodes(state: AppState, jetstream: jetstream::Context) -> anyhow::Result<()> {
    let bucket = setup::bucket(&jetstream, NODE_BUCKET)
        .await
        .context("the bucket of nodes")?;
    // Nodes look for their plans before there are any.
    setup::bucket(&jetstream, PLAN_BUCKET)
        .await
        .context("the bucket of plans")?;
    let watch = bucket.watch_with_history(">").await?;
    // After a loss, plans may have to be put again.
    state.replan.notify_here();
    // However long the database takes, the next look is at what all nodes say by then.
    let mut entries = watch.ready_chunks(BATCH);
    while let Some(entries) = entries.next().await {
        let mut statuses = BTreeMap::new();
        for entry in entries {
            if let Some(status) = status_of(&entry?) {
                statuses.insert(status.node, status);
            }
        }
        report(&state, statuses.into_values().collect()).await?;
    }
    Ok(())
}

/// A node's status, when it can be read and is under its own key.
fn status_of(entry: &Entry) -> Option<NodeStatus> {
    if entry.operation != Operation::Put {
        return None;
    }
    match serde_json::from_slice::<NodeStatus>(&entry.value) {
        Ok(mut status) if status.node.to_string() == entry.key => {
            status.name = tidy(&status.name);
            return Some(status);
        }
        Ok(_) => tracing::warn!(key = entry.key, "a node reported under another node's key"),
        Err(error) => tracing::warn!(key = entry.key, %error, "a node's status cannot be read"),
    }
    None
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
    let bucket = setup::bucket(&jetstream, HEAD_BUCKET)
        .await
        .context("the bucket of heads")?;
    let mut watch = bucket.watch_with_history(">").await?;
    let mut known = HashSet::new();
    while let Some(entry) = watch.next().await {
        take_head(&state, &mut known, &entry?).await?;
    }
    Ok(())
}

/// Takes a head if it is about a camera that was ever its node's: playlists will ask that node.
async fn take_head(
    state: &AppState,
    known: &mut HashSet<(CameraId, NodeId)>,
    entry: &Entry,
) -> anyhow::Result<()> {
    if entry.operation != Operation::Put {
        return Ok(());
    }
    let head: Head = match serde_json::from_slice(&entry.value) {
        Ok(head) => head,
        Err(error) => {
            tracing::warn!(key = entry.key, %error, "a head cannot be read");
            return Ok(());
        }
    };
    let pair = (head.camera, head.node);
    if head_key(head.node, head.camera, head.stream) != entry.key {
        tracing::warn!(key = entry.key, "a head under another node's or stream's key");
    } else if let Err(refusal) = check_head(&head) {
        tracing::warn!(key = entry.key, %refusal, "a head that cannot be true");
    } else if known.contains(&pair) || is_assigned(state, pair).await? {
        known.insert(pair);
        state.heads.put(head);
    } else {
        tracing::warn!(key = entry.key, node = %pair.1, "a head of a camera that is not the node's");
    }
    Ok(())
}

async fn is_assigned(state: &AppState, (camera, node): (CameraId, NodeId)) -> anyhow::Result<bool> {
    let owner = state
        .store
        .read(move |c| owner_if_assigned(c, camera, node, None))
        .await?;
    Ok(owner.is_some())
}
