//! One's own account: password and sessions.

use wire::api::{ChangePassword, Page, UserSession};
use wire::{SessionId, UnixMs, UserId};

use super::Caller;
use super::lockout::{count, unless_locked};
use super::sign_in::PASSWORD_MAX;
use crate::domain::page::{Cursor, Part};
use crate::domain::password;
use crate::store::sessions::{self, SessionRow};
use crate::store::users::{self, UserRow};
use crate::store::{Connection, one_time};
use crate::{AppState, Error};

/// Changes one's own password. Every other session ends.
///
/// # Errors
/// [`Error::Forbidden`] when `current` is wrong, [`Error::Locked`] after too many such failures,
/// [`Error::Invalid`] when the new one does not do, [`Error::Conflict`] when somebody changed it
/// meanwhile.
pub async fn change_password(
    state: &AppState,
    caller: &Caller,
    body: ChangePassword,
    now: UnixMs,
) -> Result<(), Error> {
    let (id, session) = caller.person()?;
    let user = proven(state, caller, ("current", body.current), now).await?;
    password::check(&body.new, &user.login).map_err(|error| Error::field("new", error.to_string()))?;
    let hash = state.passwords.hash(body.new).await?;
    let caller = caller.at_home();
    state
        .store
        .transaction(move |c| {
            if !users::rehash(c, id, &user.password_hash, &hash)? {
                return Err(Error::Conflict {
                    code: "password_changed",
                    title: "the password was changed meanwhile: sign in again".to_owned(),
                });
            }
            sessions::revoke_others(c, id, Some(session))?;
            one_time::remove_all(c, id)?;
            Ok(caller.note(c, "user.password", id, NOTHING, now)?)
        })
        .await
}

/// The person's living sessions, oldest first.
///
/// # Errors
/// [`Error::Forbidden`] for a machine.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    part: Part,
    now: UnixMs,
) -> Result<Page<UserSession>, Error> {
    let (id, session) = caller.person()?;
    let page = state
        .store
        .look(move |c| sessions_of(c, id, part, Some(session), now))
        .await?;
    Ok(page)
}

/// Ends one of the person's sessions.
///
/// # Errors
/// [`Error::NotFound`] when it is over or another's.
pub async fn end(state: &AppState, caller: &Caller, session: SessionId, now: UnixMs) -> Result<(), Error> {
    let (id, _) = caller.person()?;
    let caller = caller.at_home();
    state
        .store
        .transaction(move |c| {
            if !sessions::is_of(c, session, id)? {
                return Err(Error::not_found("session"));
            }
            sessions::revoke(c, session)?;
            Ok(caller.note(c, "user.session_end", id, NOTHING, now)?)
        })
        .await
}

/// Ends every session of the person but the one that asks.
///
/// # Errors
/// [`Error::Forbidden`] for a machine.
pub async fn end_others(state: &AppState, caller: &Caller, now: UnixMs) -> Result<(), Error> {
    let (id, session) = caller.person()?;
    let caller = caller.at_home();
    state
        .store
        .transaction(move |c| {
            if sessions::revoke_others(c, id, Some(session))? > 0 {
                caller.note(c, "user.sessions_end", id, NOTHING, now)?;
            }
            Ok(())
        })
        .await
}

/// For audit rows without values.
pub(super) const NOTHING: (Option<&()>, Option<&()>) = (None, None);

/// A page of a person's sessions; `current` marks one of them.
pub(super) fn sessions_of(
    connection: &mut Connection,
    user: UserId,
    part: Part,
    current: Option<SessionId>,
    now: UnixMs,
) -> Result<Page<UserSession>, Error> {
    let mut rows = sessions::list(connection, user, &part, now)?;
    let next = part.cut(&mut rows, |row: &SessionRow| Cursor {
        at: row.created.0,
        id: *row.id.as_bytes(),
    });
    let items = rows.into_iter().map(|row| UserSession {
        current: Some(row.id) == current,
        id: row.id,
        created: row.created,
        last_used: row.last_used,
        expires: row.expires,
        address: row.address,
        agent: row.agent,
    });
    Ok(Page {
        items: items.collect(),
        next,
    })
}

/// The caller, who has just shown their own password in a field. A stolen session does not know it, and
/// guesses are counted as those of signing in are.
///
/// # Errors
/// [`Error::Forbidden`] when it is wrong, [`Error::Locked`], [`Error::TooMany`].
pub(super) async fn proven(
    state: &AppState,
    caller: &Caller,
    (field, password): (&'static str, String),
    now: UnixMs,
) -> Result<UserRow, Error> {
    if password.is_empty() || password.len() > PASSWORD_MAX {
        return Err(Error::field(field, "a password has 1 to 1024 bytes"));
    }
    let (id, _) = caller.person()?;
    let user = state
        .store
        .look(move |c| {
            let user = users::by_id(c, id)?.ok_or(Error::not_found("user"))?;
            unless_locked(c, &user.login, now)?;
            Ok(user)
        })
        .await?;
    state.limiter.login(caller.address, &user.login)?;
    let hash = Some(user.password_hash.clone());
    if state.passwords.verify(hash, password).await?.matches {
        return Ok(user);
    }
    let origin = caller.origin();
    state
        .store
        .write(move |c| count(c, &user.login, Some(&user), &origin, now))
        .await?;
    Err(Error::Forbidden {
        code: "wrong_password",
        title: "this is not your password",
    })
}
