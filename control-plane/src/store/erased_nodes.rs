//! What is left of the nodes of erased organizations: their ids and keys, so that the bus and the server go on
//! refusing them. Nothing here tells whose they were.

use diesel::prelude::*;
use wire::{NodeId, UnixMs};

use super::schema::erased_node;
use super::types::Id;
use super::{Connection, StoreError};

/// Keeps a node's key when its row goes; `removed` is since when it must not work.
///
/// # Errors
/// Those of the database.
pub fn insert(
    connection: &mut Connection,
    id: NodeId,
    public_key: &str,
    removed: UnixMs,
) -> Result<(), StoreError> {
    diesel::insert_into(erased_node::table)
        .values((
            erased_node::id.eq(Id::from(id)),
            erased_node::public_key.eq(public_key),
            erased_node::removed.eq(removed.0),
        ))
        .execute(connection)?;
    Ok(())
}

/// The key that an erased node had.
///
/// # Errors
/// Those of the database.
pub fn key(connection: &mut Connection, id: NodeId) -> Result<Option<String>, StoreError> {
    Ok(erased_node::table
        .find(Id::from(id))
        .select(erased_node::public_key)
        .first(connection)
        .optional()?)
}

/// Whether an erased node had this key.
///
/// # Errors
/// Those of the database.
pub fn has_key(connection: &mut Connection, public_key: &str) -> Result<bool, StoreError> {
    let found = erased_node::table.filter(erased_node::public_key.eq(public_key));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(connection)?)
}

/// Keys that must not work since an instant after `after`.
///
/// # Errors
/// Those of the database.
pub fn keys(connection: &mut Connection, after: UnixMs) -> Result<Vec<(String, UnixMs)>, StoreError> {
    let rows: Vec<(String, i64)> = erased_node::table
        .filter(erased_node::removed.gt(after.0))
        .order(erased_node::public_key)
        .select((erased_node::public_key, erased_node::removed))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(key, removed)| (key, UnixMs(removed)))
        .collect())
}
