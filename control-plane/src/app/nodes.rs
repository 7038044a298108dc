//! Recorder nodes: registered by their first word, listed with their last one.

use wire::access::Right;
use wire::api::Node;
use wire::status::NodeStatus;
use wire::{NodeId, UnixMs};

use super::Caller;
use crate::store::{StoreError, nodes, organizations};
use crate::{AppState, Error};

/// The organization's nodes, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(state: &AppState, caller: &Caller) -> Result<Vec<Node>, Error> {
    caller.require(Right::ReadNodes)?;
    let organization = caller.organization;
    let rows = state.store.read(move |c| nodes::list(c, organization)).await?;
    let shown = rows.into_iter().map(|row| {
        let status = state.nodes.online(row.id);
        Node {
            id: row.id,
            name: row.name,
            online: status.is_some(),
            status: status.map(|status| NodeStatus::clone(&status)),
        }
    });
    Ok(shown.collect())
}

/// Online nodes of the caller's organization.
///
/// # Errors
/// Those of the database.
pub async fn online(state: &AppState, caller: &Caller) -> Result<Vec<NodeId>, Error> {
    let organization = caller.organization;
    let rows = state.store.read(move |c| nodes::list(c, organization)).await?;
    let ids = rows.into_iter().map(|row| row.id);
    Ok(ids.filter(|id| state.nodes.online(*id).is_some()).collect())
}

/// Registers a node that reported for the first time; it belongs to the first organization.
///
/// # Errors
/// Those of the database.
pub async fn register(state: &AppState, id: NodeId, name: String, now: UnixMs) -> Result<(), StoreError> {
    let shown = name.clone();
    let new = state
        .store
        .write(move |c| {
            let Some(organization) = organizations::first(c)? else {
                return Ok(false);
            };
            nodes::register(c, organization, id, &name, now)
        })
        .await?;
    if new {
        tracing::info!(node = %id, name = shown, "a new node");
    }
    Ok(())
}
