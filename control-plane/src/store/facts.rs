//! Facts for people and programs: one row each, in the transaction of what happened.
//!
//! One transaction writes at a time, so that the numbers have the order of the commits and no reader ever
//! sees one before those below it.

use std::cell::Cell;

use diesel::dsl::{max, min};
use diesel::prelude::*;
use serde::Serialize;
use wire::api::Event;
use wire::{CameraId, NodeId, OrganizationId, UnixMs};

use super::schema::event;
use super::types::Id;
use super::{Connection, StoreError};

pub use wire::api::EventKind as FactKind;

/// Rows of one statement.
const AT_ONCE: usize = 500;
/// Most rows that one call forgets.
const FORGOTTEN_AT_ONCE: i64 = 50_000;

thread_local! {
    /// Whether facts were added on this thread since the last look; a transaction stays on its thread.
    static ADDED: Cell<bool> = const { Cell::new(false) };
}

/// Tells a fact. `body` is what clients get as `data`: a JSON object without secrets.
///
/// # Errors
/// Those of the database.
pub fn add(
    connection: &mut Connection,
    organization: OrganizationId,
    kind: FactKind,
    camera: Option<CameraId>,
    node: Option<NodeId>,
    body: &impl Serialize,
    now: UnixMs,
) -> Result<(), StoreError> {
    let seq = newest(connection)?.saturating_add(1);
    diesel::insert_into(event::table)
        .values((
            event::seq.eq(seq.cast_signed()),
            event::organization.eq(Id::from(organization)),
            event::happened.eq(now.0),
            event::kind.eq(kind.as_str()),
            event::camera.eq(camera.map(Id::from)),
            event::node.eq(node.map(Id::from)),
            event::body.eq(serde_json::to_string(body)?),
        ))
        .execute(connection)?;
    ADDED.set(true);
    Ok(())
}

/// Tells many facts of one kind about cameras, some of which are about a node, too, as [`add`].
///
/// # Errors
/// Those of the database.
pub fn add_all(
    connection: &mut Connection,
    organization: OrganizationId,
    kind: FactKind,
    facts: &[(CameraId, Option<NodeId>, serde_json::Value)],
    now: UnixMs,
) -> Result<(), StoreError> {
    let first = newest(connection)?.saturating_add(1);
    let numbered: Vec<_> = (first..).zip(facts).collect();
    for some in numbered.chunks(AT_ONCE) {
        let row = |(seq, (camera, node, body)): &(u64, &(CameraId, Option<NodeId>, serde_json::Value))| {
            (
                event::seq.eq(seq.cast_signed()),
                event::organization.eq(Id::from(organization)),
                event::happened.eq(now.0),
                event::kind.eq(kind.as_str()),
                event::camera.eq(Id::from(*camera)),
                event::node.eq(node.map(Id::from)),
                event::body.eq(body.to_string()),
            )
        };
        let rows: Vec<_> = some.iter().map(row).collect();
        let insert = diesel::insert_into(event::table).values(rows);
        match connection {
            Connection::Sqlite(c) => insert.execute(c)?,
            Connection::Postgres(c) => insert.execute(c)?,
        };
        ADDED.set(true);
    }
    Ok(())
}

/// Whether facts were added on this thread since it was asked last.
pub(super) fn take_added() -> bool {
    ADDED.take()
}

/// The number of the newest fact of all organizations; 0 before the first.
///
/// # Errors
/// Those of the database.
pub fn newest(connection: &mut Connection) -> Result<u64, StoreError> {
    let seq: Option<i64> = event::table.select(max(event::seq)).first(connection)?;
    Ok(seq.unwrap_or(0).cast_unsigned())
}

/// The numbers of the oldest fact that is kept and of the newest one; 1 and 0 without any.
///
/// # Errors
/// Those of the database.
pub fn bounds(connection: &mut Connection) -> Result<(u64, u64), StoreError> {
    let oldest: Option<i64> = event::table.select(min(event::seq)).first(connection)?;
    Ok((oldest.unwrap_or(1).cast_unsigned(), newest(connection)?))
}

/// An organization's facts after a number, oldest first; how far that looked, too. Kinds that nobody knows
/// any more are left out.
///
/// # Errors
/// Those of the database.
pub fn after(
    connection: &mut Connection,
    organization: OrganizationId,
    seq: u64,
    limit: u32,
) -> Result<(Vec<Event>, Option<u64>), StoreError> {
    type Raw = (i64, i64, String, Option<Id>, Option<Id>, String);
    let rows: Vec<Raw> = event::table
        .filter(event::organization.eq(Id::from(organization)))
        .filter(event::seq.gt(seq.cast_signed()))
        .order(event::seq)
        .limit(i64::from(limit))
        .select((
            event::seq,
            event::happened,
            event::kind,
            event::camera,
            event::node,
            event::body,
        ))
        .load(connection)?;
    let last = rows.last().map(|row| row.0.cast_unsigned());
    let mut facts = Vec::with_capacity(rows.len());
    for (id, happened, kind, camera, node, body) in rows {
        if let Some(kind) = FactKind::from_name(&kind) {
            facts.push(Event {
                id: id.cast_unsigned(),
                happened: UnixMs(happened),
                kind,
                camera: camera.map(Into::into),
                node: node.map(Into::into),
                data: serde_json::from_str(&body)?,
            });
        }
    }
    Ok((facts, last))
}

/// The newest facts of one kind about a node, newest first, among the organization's last `among`.
///
/// # Errors
/// Those of the database.
pub fn latest(
    connection: &mut Connection,
    organization: OrganizationId,
    (kind, about): (FactKind, NodeId),
    since: UnixMs,
    among: u32,
) -> Result<Vec<serde_json::Value>, StoreError> {
    let rows: Vec<(String, Option<Id>, i64, String)> = event::table
        .filter(event::organization.eq(Id::from(organization)))
        .order(event::seq.desc())
        .limit(i64::from(among))
        .select((event::kind, event::node, event::happened, event::body))
        .load(connection)?;
    rows.into_iter()
        .filter(|(name, node, happened, _)| {
            name == kind.as_str() && *node == Some(about.into()) && *happened >= since.0
        })
        .map(|(.., body)| Ok(serde_json::from_str(&body)?))
        .collect()
}

/// Forgets facts from before `before`, but never the newest, whose number the next one follows; how many.
///
/// # Errors
/// Those of the database.
pub fn forget(connection: &mut Connection, before: UnixMs) -> Result<usize, StoreError> {
    let (oldest, newest) = bounds(connection)?;
    let until = newest
        .cast_signed()
        .min(oldest.cast_signed().saturating_add(FORGOTTEN_AT_ONCE));
    Ok(diesel::delete(event::table)
        .filter(event::seq.lt(until))
        .filter(event::happened.lt(before.0))
        .execute(connection)?)
}
