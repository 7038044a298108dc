//! Refresh tokens, as digests only.

use diesel::prelude::*;
use wire::{UnixMs, UserId};

use super::schema::refresh_token;
use super::types::Id;
use super::{Connection, StoreError};

/// A refresh token, without the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose session it is.
    pub user: UserId,
    /// The sign-in that it descends from.
    pub family: [u8; 16],
    /// When it stops working.
    pub expires: UnixMs,
}

/// What became of a token that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Valid, and used up by this call.
    Now(RefreshRow),
    /// Used before: stolen or replayed. Its family is revoked by this call.
    Before,
    /// Not there, revoked or expired.
    Unknown,
}

/// Adds a token, and drops expired ones of the same user.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &RefreshRow, now: UnixMs) -> Result<(), StoreError> {
    diesel::delete(refresh_token::table)
        .filter(refresh_token::user.eq(Id::from(row.user)))
        .filter(refresh_token::expires.le(now.0))
        .execute(connection)?;
    diesel::insert_into(refresh_token::table)
        .values((
            refresh_token::hash.eq(row.hash.to_vec()),
            refresh_token::user.eq(Id::from(row.user)),
            refresh_token::family.eq(Id(row.family)),
            refresh_token::created.eq(now.0),
            refresh_token::expires.eq(row.expires.0),
        ))
        .execute(connection)?;
    Ok(())
}

/// Uses a token up.
///
/// # Errors
/// Those of the database.
pub fn spend(connection: &mut Connection, hash: &[u8; 32], now: UnixMs) -> Result<Spent, StoreError> {
    let found: Option<(Id, Id, i64, Option<i64>)> = refresh_token::table
        .find(hash.to_vec())
        .select((
            refresh_token::user,
            refresh_token::family,
            refresh_token::expires,
            refresh_token::used,
        ))
        .first(connection)
        .optional()?;
    let Some((user, family, expires, used)) = found else {
        return Ok(Spent::Unknown);
    };
    if used.is_some() {
        revoke(connection, family.0)?;
        return Ok(Spent::Before);
    }
    if expires <= now.0 {
        return Ok(Spent::Unknown);
    }
    diesel::update(refresh_token::table.find(hash.to_vec()))
        .set(refresh_token::used.eq(now.0))
        .execute(connection)?;
    Ok(Spent::Now(RefreshRow {
        hash: *hash,
        user: user.into(),
        family: family.0,
        expires: UnixMs(expires),
    }))
}

/// Ends every session that descends from one sign-in.
///
/// # Errors
/// Those of the database.
pub fn revoke(connection: &mut Connection, family: [u8; 16]) -> Result<(), StoreError> {
    diesel::delete(refresh_token::table)
        .filter(refresh_token::family.eq(Id(family)))
        .execute(connection)?;
    Ok(())
}
