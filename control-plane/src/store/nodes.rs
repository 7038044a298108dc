//! Recorder nodes and the plans they were given.

use diesel::prelude::*;
use wire::plan::Plan;
use wire::{NodeId, OrganizationId, UnixMs};

use super::schema::{node, plan};
use super::types::Id;
use super::{Connection, StoreError, erased_nodes};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub id: NodeId,
    /// Whose cameras it may record.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
}

/// What proves that a node is the one that enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeKey {
    /// Whose node it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// The public half of its key; none for a node that recorded before nodes had keys.
    pub public_key: Option<String>,
    /// When it was removed.
    pub removed: Option<UnixMs>,
    /// When the challenge was made with which it last proved its key.
    pub proved: Option<UnixMs>,
}

type RawKey = (Id, String, Option<String>, Option<i64>, Option<i64>);

/// A node's key, removed ones included.
///
/// # Errors
/// Those of the database.
pub fn key(connection: &mut Connection, id: NodeId) -> Result<Option<NodeKey>, StoreError> {
    let found: Option<RawKey> = node::table
        .find(Id::from(id))
        .select((
            node::organization,
            node::name,
            node::public_key,
            node::removed,
            node::proved,
        ))
        .first(connection)
        .optional()?;
    Ok(
        found.map(|(organization, name, public_key, removed, proved)| NodeKey {
            organization: organization.into(),
            name,
            public_key,
            removed: removed.map(UnixMs),
            proved: proved.map(UnixMs),
        }),
    )
}

/// Whether any node has or had this public key: removed and erased ones count.
///
/// # Errors
/// Those of the database.
pub fn has_key(connection: &mut Connection, public_key: &str) -> Result<bool, StoreError> {
    let found = node::table.filter(node::public_key.eq(public_key));
    let is_known: bool = diesel::select(diesel::dsl::exists(found)).get_result(connection)?;
    Ok(is_known || erased_nodes::has_key(connection, public_key)?)
}

/// A node that joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    /// Its id.
    pub id: NodeId,
    /// Whose cameras it may record.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// The public half of its key.
    pub public_key: String,
    /// Version of the recorder.
    pub version: String,
}

/// Adds a node, or gives a key to one that had none.
///
/// # Errors
/// [`StoreError::Conflict`] when another node has the key, and those of the database.
pub fn enrol(connection: &mut Connection, new: &NewNode, now: UnixMs) -> Result<(), StoreError> {
    let key = || {
        (
            node::name.eq(&new.name),
            node::public_key.eq(&new.public_key),
            node::enrolled.eq(now.0),
            node::version.eq(&new.version),
        )
    };
    let known = diesel::update(node::table.find(Id::from(new.id)))
        .set(key())
        .execute(connection)?
        == 1;
    if !known {
        diesel::insert_into(node::table)
            .values((
                node::id.eq(Id::from(new.id)),
                node::organization.eq(Id::from(new.organization)),
                node::first_seen.eq(now.0),
                key(),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Notes the challenge with which a node proved its key.
///
/// # Errors
/// Those of the database.
pub fn proved(connection: &mut Connection, id: NodeId, challenge: UnixMs) -> Result<(), StoreError> {
    diesel::update(node::table.find(Id::from(id)))
        .set(node::proved.eq(challenge.0))
        .execute(connection)?;
    Ok(())
}

/// Public keys of nodes that were removed, or erased with their organization, after an instant.
///
/// # Errors
/// Those of the database.
pub fn removed_keys(connection: &mut Connection, after: UnixMs) -> Result<Vec<(String, UnixMs)>, StoreError> {
    let rows: Vec<(Option<String>, Option<i64>)> = node::table
        .filter(node::removed.gt(after.0))
        .filter(node::public_key.is_not_null())
        .order(node::public_key)
        .select((node::public_key, node::removed))
        .load(connection)?;
    let removed = rows
        .into_iter()
        .filter_map(|(key, removed)| Some((key?, UnixMs(removed?))));
    let mut keys: Vec<_> = removed.collect();
    keys.extend(erased_nodes::keys(connection, after)?);
    Ok(keys)
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

/// Whose node it is.
///
/// # Errors
/// Those of the database.
pub fn owner(connection: &mut Connection, id: NodeId) -> Result<Option<OrganizationId>, StoreError> {
    let owner: Option<Id> = node::table
        .find(Id::from(id))
        .select(node::organization)
        .first(connection)
        .optional()?;
    Ok(owner.map(Into::into))
}

/// Every organization's nodes that were not removed, for the planner and the registry only.
///
/// # Errors
/// Those of the database.
pub fn all(connection: &mut Connection) -> Result<Vec<NodeRow>, StoreError> {
    let rows: Vec<(Id, Id, String)> = node::table
        .filter(node::removed.is_null())
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

/// The plans that an organization's nodes were last given.
///
/// # Errors
/// Those of the database.
pub fn plans(connection: &mut Connection, organization: OrganizationId) -> Result<Vec<Plan>, StoreError> {
    let bodies: Vec<String> = plan::table
        .inner_join(node::table.on(node::id.eq(plan::node)))
        .filter(node::organization.eq(Id::from(organization)))
        .select(plan::body)
        .load(connection)?;
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
