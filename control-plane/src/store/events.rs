//! Messages of nodes that the index refused for good.

use diesel::prelude::*;
use wire::{NodeId, UnixMs};

use super::schema::refused;
use super::types::Id;
use super::{Connection, StoreError};

/// Remembers that `message` will never be taken from `node`; whether that is new.
///
/// # Errors
/// Those of the database.
pub fn refuse(
    connection: &mut Connection,
    node: NodeId,
    message: &str,
    reason: &str,
    now: UnixMs,
) -> Result<bool, StoreError> {
    let key = (Id::from(node), message);
    let known: Option<i64> = refused::table
        .find(key)
        .select(refused::refused_at)
        .first(connection)
        .optional()?;
    if known.is_none() {
        diesel::insert_into(refused::table)
            .values((
                refused::message.eq(message),
                refused::node.eq(Id::from(node)),
                refused::reason.eq(reason),
                refused::refused_at.eq(now.0),
            ))
            .execute(connection)?;
    }
    Ok(known.is_none())
}

/// Which of a node's `messages` were refused, and why.
///
/// # Errors
/// Those of the database.
pub fn refused_among(
    connection: &mut Connection,
    node: NodeId,
    messages: &[String],
) -> Result<Vec<(String, String)>, StoreError> {
    Ok(refused::table
        .filter(refused::node.eq(Id::from(node)))
        .filter(refused::message.eq_any(messages))
        .select((refused::message, refused::reason))
        .load(connection)?)
}
