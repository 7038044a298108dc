//! What administrators do about others' access: unlock, remove a lost second factor, end sessions.

use wire::access::Right;
use wire::api::{Page, UserSession};
use wire::{UnixMs, UserId};

use super::account::{NOTHING, sessions_of};
use super::{Actor, Caller, users};
use crate::domain::page::Part;
use crate::store::members::MemberRow;
use crate::store::{Connection, factors, failures, sessions};
use crate::{AppState, Error};

/// Lets somebody who failed too often sign in again.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn unlock(state: &AppState, caller: &Caller, id: UserId, now: UnixMs) -> Result<(), Error> {
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let user = managed(c, &caller, id)?;
            if failures::clear(c, &user.login)? {
                caller.note(c, "user.unlock", id, NOTHING, now)?;
            }
            Ok(())
        })
        .await
}

/// Removes a second factor whose owner lost it.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn remove_factor(state: &AppState, caller: &Caller, id: UserId, now: UnixMs) -> Result<(), Error> {
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            managed(c, &caller, id)?;
            if factors::get(c, id)?.is_some() {
                factors::remove(c, id)?;
                caller.note(c, "user.totp_off", id, NOTHING, now)?;
            }
            Ok(())
        })
        .await
}

/// A person's living sessions, oldest first.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn sessions(
    state: &AppState,
    caller: &Caller,
    id: UserId,
    part: Part,
    now: UnixMs,
) -> Result<Page<UserSession>, Error> {
    let caller = caller.clone();
    let current = match caller.actor {
        Actor::User { session, .. } => Some(session),
        Actor::ServiceKey { .. } => None,
    };
    state
        .store
        .look(move |c| {
            managed(c, &caller, id)?;
            sessions_of(c, id, part, current, now)
        })
        .await
}

/// Ends every session of a person.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn end_sessions(state: &AppState, caller: &Caller, id: UserId, now: UnixMs) -> Result<(), Error> {
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            managed(c, &caller, id)?;
            if sessions::revoke_all(c, id)? > 0 {
                caller.note(c, "user.sessions_end", id, NOTHING, now)?;
            }
            Ok(())
        })
        .await
}

/// A user whom the caller may change.
fn managed(connection: &mut Connection, caller: &Caller, id: UserId) -> Result<MemberRow, Error> {
    caller.require(Right::ManageUsers)?;
    users::managed(connection, caller, id)
}
