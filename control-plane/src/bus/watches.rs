//! Watches: what nodes last said, kept in memory.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::Context;
use async_nats::jetstream;
use async_nats::jetstream::kv::{Entry, Operation};
use futures::StreamExt;
use wire::bus::{HEAD_BUCKET, NODE_BUCKET, PLAN_BUCKET, head_key};
use wire::event::Head;
use wire::status::NodeStatus;
use wire::{CameraId, NodeId};

use super::setup;
use crate::AppState;
use crate::app::erasures::reported;
use crate::app::nodes::{heard, is_enrolled};
use crate::domain::event::{check_head, tidy};
use crate::state::now;
use crate::store::cameras::owner_if_assigned;

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
    let mut watch = bucket.watch_with_history(">").await?;
    // After a loss, plans may have to be put again.
    state.replan.notify_here();
    while let Some(entry) = watch.next().await {
        let entry = entry?;
        if entry.operation != Operation::Put {
            continue;
        }
        match serde_json::from_slice::<NodeStatus>(&entry.value) {
            Ok(status) if status.node.to_string() == entry.key => report(&state, status).await?,
            Ok(_) => tracing::warn!(key = entry.key, "a node reported under another node's key"),
            Err(error) => tracing::warn!(key = entry.key, %error, "a node's status cannot be read"),
        }
    }
    Ok(())
}

async fn report(state: &AppState, mut status: NodeStatus) -> anyhow::Result<()> {
    status.name = tidy(&status.name);
    let node = status.node;
    if state.nodes.online(node).is_none() && !is_enrolled(state, node).await? {
        tracing::warn!(%node, "a node that is not enrolled reported");
        return Ok(());
    }
    heard(state, &status, now()).await?;
    reported(state, node, &status.erased, now()).await?;
    if state.nodes.put(status, Instant::now()) {
        tracing::info!(%node, "node online");
        state.replan.nodes_here();
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
