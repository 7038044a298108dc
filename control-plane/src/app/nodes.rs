//! Recorder nodes: listed with their last word.

use wire::NodeId;
use wire::access::Right;
use wire::api::Node;
use wire::status::NodeStatus;

use super::Caller;
use crate::store::{StoreError, nodes};
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

/// Whether a node enrolled and was not removed since.
///
/// # Errors
/// Those of the database.
pub async fn is_enrolled(state: &AppState, id: NodeId) -> Result<bool, StoreError> {
    let key = state.store.read(move |c| nodes::key(c, id)).await?;
    Ok(key.is_some_and(|key| key.removed.is_none()))
}
