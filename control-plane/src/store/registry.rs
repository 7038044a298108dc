//! What is known of nodes: what people set, what they said of themselves, whether they report.

use std::collections::HashMap;

use diesel::prelude::*;
use wire::api::NodeState;
use wire::plan::Plan;
use wire::status::Hardware;
use wire::{NodeId, OrganizationId, UnixMs};

use super::like::{has, lower};
use super::schema::{node, plan};
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::node::Settings;
use crate::domain::page::Part;

/// A node that was not removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEntry {
    /// The node.
    pub id: NodeId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What people set.
    pub settings: Settings,
    /// When it came.
    pub first_seen: UnixMs,
    /// When it got its key.
    pub enrolled: Option<UnixMs>,
    /// When it reported last, as far as that was noted.
    pub last_seen: Option<UnixMs>,
    /// Version of its recorder.
    pub version: String,
    /// Its machine.
    pub hardware: Hardware,
    /// Grows with each change of the settings.
    pub revision: u64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = node)]
struct Raw {
    id: Id,
    organization: Id,
    name: String,
    first_seen: i64,
    state: i16,
    enrolled: Option<i64>,
    last_seen: Option<i64>,
    version: String,
    hardware: Option<String>,
    labels: String,
    sites: String,
    networks: String,
    max_cameras: Option<i64>,
    uplink_bps: Option<i64>,
    revision: i64,
}

const fn number(state: NodeState) -> i16 {
    match state {
        NodeState::Active => 0,
        NodeState::Cordoned => 1,
        NodeState::Draining => 2,
    }
}

fn state(number: i16) -> Result<NodeState, StoreError> {
    let known = NodeState::ALL
        .into_iter()
        .find(|state| self::number(*state) == number);
    known.ok_or_else(|| StoreError::Broken(format!("unknown state of a node {number}")))
}

impl TryFrom<Raw> for NodeEntry {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let labels = raw.labels.split('|').filter(|label| !label.is_empty());
        Ok(Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            settings: Settings {
                name: raw.name,
                state: state(raw.state)?,
                labels: labels.map(str::to_owned).collect(),
                sites: serde_json::from_str(&raw.sites)?,
                networks: serde_json::from_str(&raw.networks)?,
                max_cameras: raw.max_cameras.and_then(|most| u32::try_from(most).ok()),
                uplink_bps: raw.uplink_bps.map(i64::cast_unsigned),
            },
            first_seen: UnixMs(raw.first_seen),
            enrolled: raw.enrolled.map(UnixMs),
            last_seen: raw.last_seen.map(UnixMs),
            version: raw.version,
            hardware: raw
                .hardware
                .as_deref()
                .map_or(Ok(Hardware::default()), serde_json::from_str)?,
            revision: raw.revision.cast_unsigned(),
        })
    }
}

/// Which nodes are meant: those that fit every part given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// A part of the name, whatever the case.
    pub q: Option<String>,
    /// What they are there for.
    pub state: Option<NodeState>,
}

/// An organization's nodes, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    filter: &Filter,
    part: &Part,
) -> Result<Vec<NodeEntry>, StoreError> {
    let mut query = node::table
        .filter(node::organization.eq(Id::from(organization)))
        .filter(node::removed.is_null())
        .order((node::first_seen, node::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(q) = &filter.q {
        query = query.filter(lower(node::name).like(has(q)).escape('\\'));
    }
    if let Some(state) = filter.state {
        query = query.filter(node::state.eq(number(state)));
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            node::first_seen
                .gt(after.at)
                .or(node::first_seen.eq(after.at).and(node::id.gt(id))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// An organization's node that was not removed.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: NodeId,
) -> Result<Option<NodeEntry>, StoreError> {
    let raw: Option<Raw> = node::table
        .filter(node::organization.eq(Id::from(organization)))
        .filter(node::id.eq(Id::from(id)))
        .filter(node::removed.is_null())
        .select(Raw::as_select())
        .first(connection)
        .optional()?;
    raw.map(TryInto::try_into).transpose()
}

/// Writes changed settings and the revision back.
///
/// # Errors
/// Those of the database.
pub fn update(connection: &mut Connection, entry: &NodeEntry) -> Result<(), StoreError> {
    let settings = &entry.settings;
    let labels = match settings.labels.as_slice() {
        [] => String::new(),
        labels => format!("|{}|", labels.join("|")),
    };
    diesel::update(node::table)
        .filter(node::organization.eq(Id::from(entry.organization)))
        .filter(node::id.eq(Id::from(entry.id)))
        .set((
            node::name.eq(&settings.name),
            node::state.eq(number(settings.state)),
            node::labels.eq(labels),
            node::sites.eq(serde_json::to_string(&settings.sites)?),
            node::networks.eq(serde_json::to_string(&settings.networks)?),
            node::max_cameras.eq(settings.max_cameras.map(i64::from)),
            node::uplink_bps.eq(settings.uplink_bps.map(u64::cast_signed)),
            node::revision.eq(entry.revision.cast_signed()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes a node: its row stays, because its footage does.
///
/// # Errors
/// Those of the database.
pub fn remove(connection: &mut Connection, id: NodeId, now: UnixMs) -> Result<(), StoreError> {
    diesel::update(node::table.find(Id::from(id)))
        .set((node::removed.eq(now.0), node::online.eq(false)))
        .execute(connection)?;
    Ok(())
}

/// Leaves a node's plan with nothing in it, as a new revision.
///
/// # Errors
/// Those of the database.
pub fn empty_plan(connection: &mut Connection, id: NodeId) -> Result<(), StoreError> {
    let body: Option<String> = plan::table
        .find(Id::from(id))
        .select(plan::body)
        .first(connection)
        .optional()?;
    let Some(body) = body else {
        return Ok(());
    };
    let mut kept: Plan = serde_json::from_str(&body)?;
    kept.revision = kept.revision.saturating_add(1);
    kept.entries.clear();
    kept.erasures.clear();
    super::nodes::put_plan(connection, &kept)
}

/// Of each of these nodes that was not removed: whether it reports, its version, its machine, as noted.
///
/// # Errors
/// Those of the database.
pub fn machines(
    connection: &mut Connection,
    ids: &[NodeId],
) -> Result<HashMap<NodeId, (bool, String, Hardware)>, StoreError> {
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let rows: Vec<(Id, bool, String, Option<String>)> = node::table
        .filter(node::id.eq_any(ids))
        .filter(node::removed.is_null())
        .select((node::id, node::online, node::version, node::hardware))
        .load(connection)?;
    let machine = |(id, online, version, hardware): (Id, bool, String, Option<String>)| {
        let hardware = hardware
            .as_deref()
            .map_or(Ok(Hardware::default()), serde_json::from_str)?;
        Ok((id.into(), (online, version, hardware)))
    };
    rows.into_iter().map(machine).collect()
}

/// Notes a node's machine, and that it reported.
///
/// # Errors
/// Those of the database.
pub fn heard(
    connection: &mut Connection,
    id: NodeId,
    version: &str,
    hardware: &Hardware,
    now: UnixMs,
) -> Result<(), StoreError> {
    diesel::update(node::table.find(Id::from(id)))
        .set((
            node::version.eq(version),
            node::hardware.eq(serde_json::to_string(hardware)?),
            node::last_seen.eq(now.0),
        ))
        .execute(connection)?;
    Ok(())
}

/// Notes when nodes reported last.
///
/// # Errors
/// Those of the database.
pub fn seen(connection: &mut Connection, ids: &[NodeId], at: UnixMs) -> Result<(), StoreError> {
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    diesel::update(node::table.filter(node::id.eq_any(ids)))
        .set(node::last_seen.eq(at.0))
        .execute(connection)?;
    Ok(())
}

/// When a node was seen last, as far as that was noted; of removed ones, too.
///
/// # Errors
/// Those of the database.
pub fn last_seen(connection: &mut Connection, id: NodeId) -> Result<Option<UnixMs>, StoreError> {
    let seen: Option<Option<i64>> = node::table
        .find(Id::from(id))
        .select(node::last_seen)
        .first(connection)
        .optional()?;
    Ok(seen.flatten().map(UnixMs))
}

/// Notes whether a node reports; its organization when that is new.
///
/// # Errors
/// Those of the database.
pub fn set_online(
    connection: &mut Connection,
    id: NodeId,
    online: bool,
) -> Result<Option<OrganizationId>, StoreError> {
    let changed = diesel::update(node::table)
        .filter(node::id.eq(Id::from(id)))
        .filter(node::removed.is_null())
        .filter(node::online.ne(online))
        .set(node::online.eq(online))
        .execute(connection)?;
    if changed == 0 {
        return Ok(None);
    }
    super::nodes::owner(connection, id)
}

/// Nodes of which it was told that they report.
///
/// # Errors
/// Those of the database.
pub fn online(connection: &mut Connection) -> Result<Vec<NodeId>, StoreError> {
    let ids: Vec<Id> = node::table
        .filter(node::online.eq(true))
        .select(node::id)
        .load(connection)?;
    Ok(ids.into_iter().map(Into::into).collect())
}
