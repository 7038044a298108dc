//! One-time links: digests of their tokens only.

use diesel::prelude::*;
use wire::{UnixMs, UserId};

use super::schema::one_time_token;
use super::types::{Id, TokenPurpose, TokenPurposeSql};
use super::{Connection, StoreError};

/// A token, without the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneTimeRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// What it lets its bearer do.
    pub purpose: TokenPurpose,
    /// When it was made.
    pub created: UnixMs,
    /// When it stops working.
    pub expires: UnixMs,
}

/// Adds a token, in the place of every other one of its user.
///
/// # Errors
/// Those of the database.
pub fn replace(connection: &mut Connection, row: &OneTimeRow) -> Result<(), StoreError> {
    remove_all(connection, row.user)?;
    diesel::insert_into(one_time_token::table)
        .values((
            one_time_token::hash.eq(row.hash.to_vec()),
            one_time_token::user.eq(Id::from(row.user)),
            one_time_token::purpose.eq(TokenPurposeSql(row.purpose)),
            one_time_token::created.eq(row.created.0),
            one_time_token::expires.eq(row.expires.0),
        ))
        .execute(connection)?;
    Ok(())
}

/// The token with this digest, unless it is expired.
///
/// # Errors
/// Those of the database.
pub fn find(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: UnixMs,
) -> Result<Option<OneTimeRow>, StoreError> {
    let found: Option<(Id, TokenPurposeSql, i64, i64)> = one_time_token::table
        .find(hash.to_vec())
        .filter(one_time_token::expires.gt(now.0))
        .select((
            one_time_token::user,
            one_time_token::purpose,
            one_time_token::created,
            one_time_token::expires,
        ))
        .first(connection)
        .optional()?;
    Ok(found.map(|(user, purpose, created, expires)| OneTimeRow {
        hash: *hash,
        user: user.into(),
        purpose: purpose.into(),
        created: UnixMs(created),
        expires: UnixMs(expires),
    }))
}

/// The tokens of a user: purpose, made, expires.
///
/// # Errors
/// Those of the database.
pub fn of(
    connection: &mut Connection,
    user: UserId,
) -> Result<Vec<(TokenPurpose, UnixMs, UnixMs)>, StoreError> {
    let rows: Vec<(TokenPurposeSql, i64, i64)> = one_time_token::table
        .filter(one_time_token::user.eq(Id::from(user)))
        .order(one_time_token::created)
        .select((
            one_time_token::purpose,
            one_time_token::created,
            one_time_token::expires,
        ))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(purpose, created, expires)| (purpose.into(), UnixMs(created), UnixMs(expires)))
        .collect())
}

/// Removes every token of a user: its links work no more.
///
/// # Errors
/// Those of the database.
pub fn remove_all(connection: &mut Connection, user: UserId) -> Result<(), StoreError> {
    diesel::delete(one_time_token::table)
        .filter(one_time_token::user.eq(Id::from(user)))
        .execute(connection)?;
    Ok(())
}
