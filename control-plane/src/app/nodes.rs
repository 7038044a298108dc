//! Recorder nodes: what people set of them, what they say of themselves, and how they go.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::json;
use wire::access::Right;
use wire::api::{Node, NodePatch, Page};
use wire::status::{Hardware, NodeStatus};
use wire::{NodeId, OrganizationId, UnixMs};

use super::index::lost as lost_sessions;
use super::{Caller, moves};
use crate::bus::OnlineNode;
use crate::domain::node::InvalidNode;
use crate::domain::page::{Cursor, Part};
use crate::store::facts::{self, FactKind};
use crate::store::registry::{self, Filter, NodeEntry};
use crate::store::{Connection, StoreError, assigned, nodes};
use crate::{AppState, Error};

/// Longest text of what a node says of its machine.
const TEXT_MAX: usize = 100;

impl From<InvalidNode> for Error {
    fn from(error: InvalidNode) -> Self {
        Self::field(error.field, error.title)
    }
}

/// The organization's nodes that were not removed, oldest first.
///
/// # Errors
/// [`Error::Forbidden`], and those of the database.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: Filter,
    part: Part,
) -> Result<Page<Node>, Error> {
    caller.require(Right::ReadNodes)?;
    let (organization, store, state) = (caller.organization, state.store.clone(), state.clone());
    let look = move |c: &mut Connection| {
        let mut rows = registry::list(c, organization, &filter, &part)?;
        let next = part.cut(&mut rows, |row| Cursor {
            at: row.first_seen.0,
            id: *row.id.as_bytes(),
        });
        let items = rows.into_iter().map(|row| shown(c, &state, row));
        Ok(Page {
            items: items.collect::<Result<_, StoreError>>()?,
            next,
        })
    };
    Ok(store.read(look).await?)
}

/// One node.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn get(state: &AppState, caller: &Caller, id: NodeId) -> Result<Node, Error> {
    caller.require(Right::ReadNodes)?;
    let (organization, store, state) = (caller.organization, state.store.clone(), state.clone());
    let look = move |c: &mut Connection| {
        let row = known(c, organization, id)?;
        Ok(shown(c, &state, row)?)
    };
    store.look(look).await
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: NodeId,
    seen: Option<u64>,
    patch: NodePatch,
    now: UnixMs,
) -> Result<Node, Error> {
    caller.require(Right::ManageNodes)?;
    let organization = caller.organization;
    let (caller, shared) = (caller.clone(), state.clone());
    let edit = move |c: &mut Connection| {
        let mut row = known(c, caller.organization, id)?;
        Error::unless_seen(seen, row.revision)?;
        let before = row.settings.clone();
        row.settings = before.clone().changed(patch)?;
        if row.settings != before {
            row.revision += 1;
            registry::update(c, &row)?;
            caller.note(c, "node.change", id, (Some(&before), Some(&row.settings)), now)?;
            let body = json!({"name": row.settings.name, "state": row.settings.state});
            tell(c, caller.organization, FactKind::NodeChanged, (id, &body), now)?;
        }
        Ok(shown(c, &shared, row)?)
    };
    let node = state.store.transaction(edit).await?;
    state.replan.organization(organization);
    Ok(node)
}

/// Removes a node for good: it gets no plan and no credential any more, and its key never comes back. Its
/// footage that is stored stays.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`]; without `force` [`Error::Conflict`] while
/// it has cameras, or footage that is nowhere else.
pub async fn remove(
    state: &AppState,
    caller: &Caller,
    id: NodeId,
    seen: Option<u64>,
    force: bool,
    now: UnixMs,
) -> Result<(), Error> {
    caller.require(Right::ManageNodes)?;
    let organization = caller.organization;
    let (caller, shared) = (caller.clone(), state.clone());
    let edit = move |c: &mut Connection| {
        let row = known(c, caller.organization, id)?;
        Error::unless_seen(seen, row.revision)?;
        let (cameras, last) = (assigned::count(c, id)?, shared.nodes.last(id));
        if !force && (cameras > 0 || last.is_some_and(|last| holds_footage(&last.status))) {
            return Err(Error::Conflict {
                code: "node_not_drained",
                title: format!(
                    "the node has {cameras} cameras, or footage that is not stored yet: drain it first, or \
                     remove it by force"
                ),
            });
        }
        removed(c, &row, shared.nodes.last_word(id, now), now)?;
        caller.note(c, "node.remove", id, (Some(&row.settings), None::<&Node>), now)?;
        Ok(())
    };
    state.store.transaction(edit).await?;
    state.nodes.forget(id);
    state.revoke.notify_one();
    state.replan.organization(organization);
    Ok(())
}

/// What the removal of a node is in the database; its key is revoked on the bus by who finds it here.
fn removed(
    connection: &mut Connection,
    row: &NodeEntry,
    last: Option<UnixMs>,
    now: UnixMs,
) -> Result<(), StoreError> {
    registry::remove(connection, row.id, now)?;
    moves::end_all(connection, row.organization, row.id, now)?;
    lost_sessions::of_node(connection, row.id, last, now)?;
    // It stops recording, if it still hears of it.
    registry::empty_plan(connection, row.id)?;
    let body = json!({"name": row.settings.name});
    tell(
        connection,
        row.organization,
        FactKind::NodeRemoved,
        (row.id, &body),
        now,
    )
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

/// Takes nodes' words, each a node's newest; whether one reports that did not. Who reports is known at once.
/// What is new of nodes and their machines is noted in one transaction; most words say nothing new, and nothing
/// is written. Nodes that are not enrolled are left out.
///
/// # Errors
/// Those of the database: what was not noted then is with the node's next word.
pub async fn heard(state: &AppState, statuses: Vec<NodeStatus>, now: UnixMs) -> Result<bool, StoreError> {
    let at = Instant::now();
    let asked: Vec<NodeId> = statuses
        .iter()
        .filter(|status| !state.nodes.is_noted(status))
        .map(|status| status.node)
        .collect();
    let noted = if asked.is_empty() {
        HashMap::new()
    } else {
        let ids = asked.clone();
        state.store.read(move |c| registry::machines(c, &ids)).await?
    };
    let (mut same, mut new, mut came) = (Vec::new(), Vec::new(), false);
    for status in statuses {
        let id = status.node;
        if asked.contains(&id) {
            let machine = (true, short(&status.version), tidy(&status.hardware));
            match noted.get(&id) {
                Some(before) if *before == machine => same.push(id),
                Some(_) => new.push((id, machine)),
                None => {
                    tracing::warn!(node = %id, "a node that is not enrolled reported");
                    continue;
                }
            }
        }
        if state.nodes.put(status, at) {
            tracing::info!(node = %id, "node online");
            came = true;
        }
    }
    if !new.is_empty() {
        same.extend(new.iter().map(|(id, _)| *id));
        state.store.write(move |c| note(c, &new, now)).await?;
    }
    state.nodes.noted(&same);
    Ok(came)
}

fn note(
    connection: &mut Connection,
    nodes: &[(NodeId, (bool, String, Hardware))],
    now: UnixMs,
) -> Result<(), StoreError> {
    for (id, (_, version, hardware)) in nodes {
        registry::heard(connection, *id, version, hardware, now)?;
        if let Some(organization) = registry::set_online(connection, *id, true)? {
            let body = json!({"version": version});
            tell(connection, organization, FactKind::NodeOnline, (*id, &body), now)?;
        }
    }
    Ok(())
}

/// Notes in the task's transaction that nodes report no more, each with its last word's time as far as that
/// is known.
///
/// # Errors
/// Those of the database.
pub fn lost(
    connection: &mut Connection,
    nodes: &[(NodeId, Option<UnixMs>)],
    now: UnixMs,
) -> Result<(), StoreError> {
    for (id, last) in nodes {
        let Some(organization) = registry::set_online(connection, *id, false)? else {
            continue;
        };
        if let Some(last) = last {
            registry::seen(connection, &[*id], *last)?;
        }
        let body = json!({"last_seen": last});
        tell(connection, organization, FactKind::NodeOffline, (*id, &body), now)?;
    }
    Ok(())
}

fn tell(
    connection: &mut Connection,
    organization: OrganizationId,
    kind: FactKind,
    (node, body): (NodeId, &serde_json::Value),
    now: UnixMs,
) -> Result<(), StoreError> {
    facts::add(connection, organization, kind, None, Some(node), body, now)
}

/// Whether a node has something that nobody else has.
const fn holds_footage(status: &NodeStatus) -> bool {
    status.upload_backlog > 0 || status.outbox_backlog > 0
}

fn known(connection: &mut Connection, organization: OrganizationId, id: NodeId) -> Result<NodeEntry, Error> {
    registry::get(connection, organization, id)?.ok_or(Error::not_found("node"))
}

fn shown(connection: &mut Connection, state: &AppState, row: NodeEntry) -> Result<Node, StoreError> {
    let cameras = assigned::count(connection, row.id)?;
    let last: Option<OnlineNode> = state.nodes.last(row.id);
    let age = last
        .as_ref()
        .map(|last| Instant::now().saturating_duration_since(last.heard));
    let status = last.map(|last| NodeStatus::clone(&last.status));
    let settings = row.settings;
    Ok(Node {
        id: row.id,
        name: settings.name,
        state: settings.state,
        online: state.nodes.online(row.id).is_some(),
        labels: settings.labels,
        sites: settings.sites,
        networks: settings.networks,
        max_cameras: settings.max_cameras,
        uplink_bps: settings.uplink_bps,
        cameras,
        drained: cameras == 0 && status.as_ref().is_some_and(|status| !holds_footage(status)),
        first_seen: row.first_seen,
        enrolled: row.enrolled,
        last_seen: row.last_seen,
        version: row.version,
        hardware: row.hardware,
        revision: row.revision,
        status_age_ms: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        status,
    })
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

fn tidy(hardware: &Hardware) -> Hardware {
    Hardware {
        architecture: short(&hardware.architecture),
        system: short(&hardware.system),
        gstreamer: short(&hardware.gstreamer),
        ..hardware.clone()
    }
}
