//! Sign-ins and their refresh tokens, as digests only.

use diesel::prelude::*;
use wire::{SessionId, UnixMs, UserId};

use super::schema::{refresh_token, session};
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// A refresh token, without the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose session it is.
    pub user: UserId,
    /// The sign-in that it descends from.
    pub session: SessionId,
    /// When it stops working.
    pub expires: UnixMs,
}

/// What became of a token that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Valid, and used up by this call.
    Now(RefreshRow),
    /// Used before: stolen or replayed. Its session is revoked by this call.
    Before(RefreshRow),
    /// Not there, revoked or expired.
    Unknown,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The sign-in.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// When.
    pub created: UnixMs,
    /// When it was last renewed.
    pub last_used: UnixMs,
    /// When it ends unless it is renewed.
    pub expires: UnixMs,
    /// Network address that it was last renewed from.
    pub address: String,
    /// What the browser calls itself, cut short.
    pub agent: String,
}

/// Begins a session, or renews it.
///
/// # Errors
/// Those of the database.
pub fn touch(connection: &mut Connection, row: &SessionRow) -> Result<(), StoreError> {
    let renewed = diesel::update(session::table.find(Id::from(row.id)))
        .set((
            session::last_used.eq(row.last_used.0),
            session::expires.eq(row.expires.0),
            session::address.eq(&row.address),
            session::agent.eq(&row.agent),
        ))
        .execute(connection)?;
    if renewed == 0 {
        diesel::insert_into(session::table)
            .values((
                session::id.eq(Id::from(row.id)),
                session::user.eq(Id::from(row.user)),
                session::created.eq(row.created.0),
                session::last_used.eq(row.last_used.0),
                session::expires.eq(row.expires.0),
                session::address.eq(&row.address),
                session::agent.eq(&row.agent),
            ))
            .execute(connection)?;
    }
    Ok(())
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
    diesel::delete(session::table)
        .filter(session::user.eq(Id::from(row.user)))
        .filter(session::expires.le(now.0))
        .execute(connection)?;
    diesel::insert_into(refresh_token::table)
        .values((
            refresh_token::hash.eq(row.hash.to_vec()),
            refresh_token::user.eq(Id::from(row.user)),
            refresh_token::family.eq(Id::from(row.session)),
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
    let row = RefreshRow {
        hash: *hash,
        user: user.into(),
        session: family.into(),
        expires: UnixMs(expires),
    };
    if used.is_some() {
        revoke(connection, row.session)?;
        return Ok(Spent::Before(row));
    }
    if expires <= now.0 {
        return Ok(Spent::Unknown);
    }
    diesel::update(refresh_token::table.find(hash.to_vec()))
        .set(refresh_token::used.eq(now.0))
        .execute(connection)?;
    Ok(Spent::Now(row))
}

/// Ends a session: its refresh tokens and its access tokens stop working.
///
/// # Errors
/// Those of the database.
pub fn revoke(connection: &mut Connection, id: SessionId) -> Result<(), StoreError> {
    diesel::delete(refresh_token::table)
        .filter(refresh_token::family.eq(Id::from(id)))
        .execute(connection)?;
    diesel::delete(session::table.find(Id::from(id))).execute(connection)?;
    Ok(())
}

/// A person's living sessions, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    user: UserId,
    part: &Part,
    now: UnixMs,
) -> Result<Vec<SessionRow>, StoreError> {
    type Raw = (Id, i64, i64, i64, String, String);
    let mut query = session::table
        .filter(session::user.eq(Id::from(user)))
        .filter(session::expires.gt(now.0))
        .order((session::created, session::id))
        .limit(part.fetch())
        .select((
            session::id,
            session::created,
            session::last_used,
            session::expires,
            session::address,
            session::agent,
        ))
        .into_boxed();
    if let Some(after) = part.after {
        query = query.filter(
            session::created
                .gt(after.at)
                .or(session::created.eq(after.at).and(session::id.gt(Id(after.id)))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    let row = |(id, created, last_used, expires, address, agent): Raw| SessionRow {
        id: id.into(),
        user,
        created: UnixMs(created),
        last_used: UnixMs(last_used),
        expires: UnixMs(expires),
        address,
        agent,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Whether a session is this person's.
///
/// # Errors
/// Those of the database.
pub fn is_of(connection: &mut Connection, id: SessionId, user: UserId) -> Result<bool, StoreError> {
    let owner: Option<Id> = session::table
        .find(Id::from(id))
        .select(session::user)
        .first(connection)
        .optional()?;
    Ok(owner == Some(user.into()))
}

/// Ends a person's sessions, all but one when `keep` is given; how many.
///
/// # Errors
/// Those of the database.
pub fn revoke_others(
    connection: &mut Connection,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<usize, StoreError> {
    // No session has an id of zeros: those are of version 7.
    let keep = keep.map_or(Id([0; 16]), Id::from);
    diesel::delete(refresh_token::table)
        .filter(refresh_token::user.eq(Id::from(user)))
        .filter(refresh_token::family.ne(keep))
        .execute(connection)?;
    let ended = diesel::delete(session::table)
        .filter(session::user.eq(Id::from(user)))
        .filter(session::id.ne(keep))
        .execute(connection)?;
    Ok(ended)
}

/// Ends every session of a user; how many.
///
/// # Errors
/// Those of the database.
pub fn revoke_all(connection: &mut Connection, user: UserId) -> Result<usize, StoreError> {
    revoke_others(connection, user, None)
}
