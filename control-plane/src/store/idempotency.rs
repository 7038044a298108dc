//! What creates under an `Idempotency-Key` made, so that a repeated one makes nothing new.

use diesel::prelude::*;
use wire::UnixMs;

use super::schema::idempotency;
use super::types::Id;
use super::{Connection, StoreError};

/// Milliseconds for which a key is remembered.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Never seen by this actor.
    New,
    /// The same request made this.
    Made([u8; 16]),
    /// Another request came under it.
    Other,
}

/// Looks a key up.
///
/// # Errors
/// Those of the database.
pub fn look(
    connection: &mut Connection,
    actor: [u8; 16],
    key: &str,
    digest: &[u8; 32],
    now: UnixMs,
) -> Result<Known, StoreError> {
    let row: Option<(Vec<u8>, Id, i64)> = idempotency::table
        .find((Id(actor), key))
        .select((idempotency::digest, idempotency::resource, idempotency::created))
        .first(connection)
        .optional()?;
    Ok(match row {
        Some((_, _, created)) if created <= now.0 - KEPT_MS => Known::New,
        Some((kept, resource, _)) if kept == digest => Known::Made(resource.0),
        Some(_) => Known::Other,
        None => Known::New,
    })
}

/// Remembers what a request made, and forgets what is too old.
///
/// # Errors
/// Those of the database.
pub fn remember(
    connection: &mut Connection,
    actor: [u8; 16],
    key: &str,
    digest: &[u8; 32],
    resource: [u8; 16],
    now: UnixMs,
) -> Result<(), StoreError> {
    diesel::delete(idempotency::table)
        .filter(idempotency::created.le(now.0 - KEPT_MS))
        .execute(connection)?;
    diesel::insert_into(idempotency::table)
        .values((
            idempotency::actor.eq(Id(actor)),
            idempotency::idempotency_key.eq(key),
            idempotency::digest.eq(digest.to_vec()),
            idempotency::resource.eq(Id(resource)),
            idempotency::created.eq(now.0),
        ))
        .execute(connection)?;
    Ok(())
}
