//! Recorder nodes and the plans they were given.

use diesel::prelude::*;
use wire::plan::Plan;
use wire::{NodeId, OrganizationId, UnixMs};

use super::schema::{node, plan};
use super::types::Id;
use super::{Connection, StoreError};

/// A node that has reported at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub id: NodeId,
    /// Whose cameras it may record.
    pub organization: OrganizationId,
    /// Its name, as last reported.
    pub name: String,
}

/// Registers a node, or notes its new name; whether it is new.
///
/// # Errors
/// Those of the database.
pub fn register(
    connection: &mut Connection,
    organization: OrganizationId,
    id: NodeId,
    name: &str,
    now: UnixMs,
) -> Result<bool, StoreError> {
    let known = diesel::update(node::table.find(Id::from(id)))
        .set(node::name.eq(name))
        .execute(connection)?
        == 1;
    if !known {
        diesel::insert_into(node::table)
            .values((
                node::id.eq(Id::from(id)),
                node::organization.eq(Id::from(organization)),
                node::name.eq(name),
                node::first_seen.eq(now.0),
            ))
            .execute(connection)?;
    }
    Ok(!known)
}

/// An organization's nodes, oldest first.
///
/// # Errors
/// Those of the database.
pub fn list(connection: &mut Connection, organization: OrganizationId) -> Result<Vec<NodeRow>, StoreError> {
    let mut rows = all(connection)?;
    rows.retain(|row| row.organization == organization);
    Ok(rows)
}

/// Every organization's nodes, for the planner and the registry only.
///
/// # Errors
/// Those of the database.
pub fn all(connection: &mut Connection) -> Result<Vec<NodeRow>, StoreError> {
    let rows: Vec<(Id, Id, String)> = node::table
        .order((node::first_seen, node::id))
        .select((node::id, node::organization, node::name))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(id, organization, name)| NodeRow {
            id: id.into(),
            organization: organization.into(),
            name,
        })
        .collect())
}

/// The plans that nodes were last given.
///
/// # Errors
/// Those of the database.
pub fn plans(connection: &mut Connection) -> Result<Vec<Plan>, StoreError> {
    let bodies: Vec<String> = plan::table.select(plan::body).load(connection)?;
    bodies
        .iter()
        .map(|body| Ok(serde_json::from_str(body)?))
        .collect()
}

/// Keeps a node's new plan; its revision must be higher than the kept one's.
///
/// # Errors
/// [`StoreError::Conflict`] when it is not, and those of the database.
pub fn put_plan(connection: &mut Connection, new: &Plan) -> Result<(), StoreError> {
    let revision = new.revision.cast_signed();
    let body = serde_json::to_string(new)?;
    let kept: Option<i64> = plan::table
        .find(Id::from(new.node))
        .select(plan::revision)
        .first(connection)
        .optional()?;
    match kept {
        Some(kept) if kept >= revision => {
            return Err(StoreError::Conflict(format!("plan revision {revision}")));
        }
        Some(_) => diesel::update(plan::table.find(Id::from(new.node)))
            .set((plan::revision.eq(revision), plan::body.eq(body)))
            .execute(connection)?,
        None => diesel::insert_into(plan::table)
            .values((
                plan::node.eq(Id::from(new.node)),
                plan::revision.eq(revision),
                plan::body.eq(body),
            ))
            .execute(connection)?,
    };
    Ok(())
}
