//! Who records which camera, and what the planner must know of nodes.

use std::collections::HashMap;

use diesel::prelude::*;
use wire::{CameraId, NodeId, OrganizationId, UnixMs};

use super::cameras::split;
use super::schema::{assignment, camera, node};
use super::types::{Id, NodeStateSql};
use super::{Connection, StoreError};
use crate::domain::assign::{Held, Network, Node, NodeState, Presence, Step};

/// An assignment, over or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentRow {
    /// Who records, under which epoch, since when.
    pub held: Held,
    /// Until when; none while it goes on.
    pub ended: Option<UnixMs>,
    /// Why there, as a sentence; empty when nobody noted it.
    pub reason: String,
}

/// The open assignments of an organization's cameras, by epoch; deleted cameras' too.
///
/// # Errors
/// Those of the database.
pub fn open(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<HashMap<CameraId, Vec<Held>>, StoreError> {
    let rows: Vec<(Id, Id, i64, i64)> = assignment::table
        .inner_join(camera::table.on(camera::id.eq(assignment::camera)))
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(assignment::ended.is_null())
        .order(assignment::epoch)
        .select((
            assignment::camera,
            assignment::node,
            assignment::epoch,
            assignment::since,
        ))
        .load(connection)?;
    let mut open: HashMap<CameraId, Vec<Held>> = HashMap::new();
    for (camera, node, epoch, since) in rows {
        open.entry(camera.into())
            .or_default()
            .push(held(node, epoch, since));
    }
    Ok(open)
}

fn held(node: Id, epoch: i64, since: i64) -> Held {
    Held {
        node: node.into(),
        epoch: epoch.cast_unsigned(),
        since: UnixMs(since),
    }
}

/// A camera's open assignments, oldest first.
///
/// # Errors
/// Those of the database.
pub fn of_camera(connection: &mut Connection, id: CameraId) -> Result<Vec<AssignmentRow>, StoreError> {
    let rows: Vec<(Id, i64, i64, Option<i64>, String)> = assignment::table
        .filter(assignment::camera.eq(Id::from(id)))
        .filter(assignment::ended.is_null())
        .order(assignment::epoch)
        .select((
            assignment::node,
            assignment::epoch,
            assignment::since,
            assignment::ended,
            assignment::reason,
        ))
        .load(connection)?;
    let row = |(node, epoch, since, ended, reason): (Id, i64, i64, Option<i64>, String)| AssignmentRow {
        held: held(node, epoch, since),
        ended: ended.map(UnixMs),
        reason,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Takes a step.
///
/// # Errors
/// Those of the database.
pub fn take(connection: &mut Connection, step: &Step, now: UnixMs) -> Result<(), StoreError> {
    match step {
        Step::Open {
            camera,
            node,
            epoch,
            reason,
        } => {
            diesel::insert_into(assignment::table)
                .values((
                    assignment::camera.eq(Id::from(*camera)),
                    assignment::epoch.eq(epoch.cast_signed()),
                    assignment::node.eq(Id::from(*node)),
                    assignment::since.eq(now.0),
                    assignment::reason.eq(reason),
                ))
                .execute(connection)?;
        }
        Step::Close { camera, epoch, .. } => {
            diesel::update(assignment::table.find((Id::from(*camera), epoch.cast_signed())))
                .set(assignment::ended.eq(now.0))
                .execute(connection)?;
        }
    }
    Ok(())
}

/// Notes a camera's newest node and epoch on its row.
///
/// # Errors
/// Those of the database.
pub fn note(
    connection: &mut Connection,
    id: CameraId,
    newest: Option<NodeId>,
    epoch: u64,
) -> Result<(), StoreError> {
    diesel::update(camera::table.find(Id::from(id)))
        .set((
            camera::node.eq(newest.map(Id::from)),
            camera::epoch.eq(epoch.cast_signed()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Assigns a camera to a node under a new epoch, without more ado.
///
/// # Errors
/// Those of the database.
pub fn assign(
    connection: &mut Connection,
    camera: CameraId,
    node: NodeId,
    epoch: u64,
    now: UnixMs,
) -> Result<(), StoreError> {
    let reason = String::new();
    let open = Step::Open {
        camera,
        node,
        epoch,
        reason,
    };
    take(connection, &open, now)?;
    note(connection, camera, Some(node), epoch)
}

/// Ends what a camera has.
///
/// # Errors
/// Those of the database.
pub fn end(connection: &mut Connection, id: CameraId, now: UnixMs) -> Result<(), StoreError> {
    diesel::update(assignment::table)
        .filter(assignment::camera.eq(Id::from(id)))
        .filter(assignment::ended.is_null())
        .set(assignment::ended.eq(now.0))
        .execute(connection)?;
    Ok(())
}

/// Whether a node has a camera now.
///
/// # Errors
/// Those of the database.
pub fn has(connection: &mut Connection, node: NodeId, id: CameraId) -> Result<bool, StoreError> {
    let found: Option<i64> = assignment::table
        .filter(assignment::camera.eq(Id::from(id)))
        .filter(assignment::node.eq(Id::from(node)))
        .filter(assignment::ended.is_null())
        .select(assignment::epoch)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = node)]
struct RawNode {
    id: Id,
    organization: Id,
    name: String,
    state: NodeStateSql,
    removed: Option<i64>,
    labels: String,
    sites: String,
    networks: String,
    max_cameras: Option<i64>,
    uplink_bps: Option<i64>,
}

impl TryFrom<RawNode> for Node {
    type Error = StoreError;

    fn try_from(raw: RawNode) -> Result<Self, StoreError> {
        let networks: Vec<String> = serde_json::from_str(&raw.networks)?;
        let networks: Result<Vec<Network>, _> = networks.iter().map(|network| network.parse()).collect();
        Ok(Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            name: raw.name,
            state: NodeState::from(raw.state),
            is_removed: raw.removed.is_some(),
            presence: Presence::Away,
            sites: serde_json::from_str(&raw.sites)?,
            networks: networks.map_err(|error| StoreError::Broken(error.to_string()))?,
            labels: split(&raw.labels),
            max_cameras: raw.max_cameras.map(|most| most.max(0).cast_unsigned()),
            uplink_bps: raw.uplink_bps.map(i64::cast_unsigned),
            tight: None,
        })
    }
}

/// Nodes with what decides about their cameras, removed ones included, oldest first; those of one
/// organization, when given. Whether they report, and what, is for the caller to say.
///
/// # Errors
/// Those of the database.
pub fn nodes(
    connection: &mut Connection,
    organization: Option<OrganizationId>,
) -> Result<Vec<Node>, StoreError> {
    let mut query = node::table
        .order((node::first_seen, node::id))
        .select(RawNode::as_select())
        .into_boxed();
    if let Some(organization) = organization {
        query = query.filter(node::organization.eq(Id::from(organization)));
    }
    let raws: Vec<RawNode> = query.load(connection)?;
    raws.into_iter().map(TryInto::try_into).collect()
}
