//! Users: list, read, change. How they come is in `invitations`, how they go in `person`.

use wire::access::{Right, Role};
use wire::api::{Page, User, UserPatch, UserState};
use wire::{UnixMs, UserId};

use super::{Actor, Caller};
use crate::domain::page::{Cursor, Part};
use crate::domain::user::{self, InvalidUser};
use crate::store::members::{self, Filter, MemberRow};
use crate::store::{Connection, one_time, sessions};
use crate::{AppState, Error};

impl From<InvalidUser> for Error {
    fn from(error: InvalidUser) -> Self {
        Self::field(error.field, error.title)
    }
}

/// The organization's users, oldest first.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: Filter,
    part: Part,
) -> Result<Page<User>, Error> {
    caller.require(Right::ManageUsers)?;
    let organization = caller.organization;
    let mut rows = state
        .store
        .read(move |c| members::list(c, organization, &filter, &part))
        .await?;
    let next = part.cut(&mut rows, |row| Cursor {
        at: row.created.0,
        id: *row.id.as_bytes(),
    });
    Ok(Page {
        items: rows.iter().map(shown).collect(),
        next,
    })
}

/// One user.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`] for another organization's.
pub async fn get(state: &AppState, caller: &Caller, id: UserId) -> Result<User, Error> {
    caller.require(Right::ManageUsers)?;
    let caller = caller.clone();
    let row = state.store.look(move |c| known(c, &caller, id)).await?;
    Ok(shown(&row))
}

/// Changes the fields given. Disabling ends every session and link of the user at once.
///
/// # Errors
/// [`Error::Forbidden`] for a role above one's own, [`Error::Conflict`] when nobody would be left to run
/// the organization or the platform, [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn change(
    state: &AppState,
    caller: &Caller,
    id: UserId,
    seen: Option<u64>,
    patch: UserPatch,
    now: UnixMs,
) -> Result<User, Error> {
    caller.require(Right::ManageUsers)?;
    let name = patch.name.as_deref().map(user::name).transpose()?;
    if patch.state == Some(UserState::Invited) {
        return Err(Error::field("state", "a user is made active or disabled"));
    }
    let caller = caller.clone();
    let changed = state
        .store
        .transaction(move |c| {
            let before = managed(c, &caller, id)?;
            Error::unless_seen(seen, before.revision)?;
            let mut row = before.clone();
            row.name = name.unwrap_or(row.name);
            row.role = patch.role.unwrap_or(row.role);
            row.state = match patch.state {
                Some(UserState::Active) if !row.has_password => UserState::Invited,
                Some(wanted) => wanted,
                None => row.state,
            };
            row.revision += 1;
            if (row.role, row.state) != (before.role, before.state) {
                unless_own(&caller, id)?;
                unless_last(c, &before, Some((row.role, row.state)))?;
            }
            if row.role != before.role {
                may_give(&caller, row.role)?;
            }
            members::update(c, &row)?;
            if row.state == UserState::Disabled {
                sessions::revoke_all(c, id)?;
                one_time::remove_all(c, id)?;
            }
            caller.note(
                c,
                "user.change",
                id,
                (Some(&shown(&before)), Some(&shown(&row))),
                now,
            )?;
            Ok(row)
        })
        .await?;
    Ok(shown(&changed))
}

/// As the API shows a user.
pub(super) fn shown(row: &MemberRow) -> User {
    User {
        id: row.id,
        login: row.login.clone(),
        name: row.name.clone(),
        role: row.role,
        state: row.state,
        totp: row.totp,
        created: row.created,
        last_sign_in: row.last_sign_in,
        revision: row.revision,
    }
}

/// A user of the organization acted in.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) fn known(connection: &mut Connection, caller: &Caller, id: UserId) -> Result<MemberRow, Error> {
    members::get(connection, caller.organization, id)?.ok_or(Error::not_found("user"))
}

/// A user whom the caller may change: nobody above.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub(super) fn managed(connection: &mut Connection, caller: &Caller, id: UserId) -> Result<MemberRow, Error> {
    let row = known(connection, caller, id)?;
    if user::may_manage(caller.role, caller.rights, row.role) {
        Ok(row)
    } else {
        Err(above())
    }
}

/// Lets through who may give `role` to somebody of the organization acted in.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) fn may_give(caller: &Caller, role: Role) -> Result<(), Error> {
    if !user::may_manage(caller.role, caller.rights, role) {
        return Err(above());
    }
    // Who runs the platform stands under no tenant's administrators.
    if role == Role::SuperAdmin && caller.organization != caller.home {
        return Err(Error::Forbidden {
            code: "role_not_here",
            title: "who runs the platform belongs to the platform's own organization",
        });
    }
    Ok(())
}

/// Refuses what would lock oneself out.
///
/// # Errors
/// [`Error::Conflict`].
pub(super) fn unless_own(caller: &Caller, id: UserId) -> Result<(), Error> {
    match caller.actor {
        Actor::User { id: own, .. } if own == id => Err(Error::Conflict {
            code: "own_account",
            title: "nobody does this to oneself: another administrator can".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Refuses to leave the organization or the platform to nobody: `after` is what the user will be, none
/// when the user goes.
///
/// # Errors
/// [`Error::Conflict`].
pub(super) fn unless_last(
    connection: &mut Connection,
    before: &MemberRow,
    after: Option<(Role, UserState)>,
) -> Result<(), Error> {
    let owns = |(role, state)| state == UserState::Active && role == Role::SuperAdmin;
    let was = (before.role, before.state);
    if owns(was) && !after.is_some_and(owns) && !members::has_other_owner(connection, before.id)? {
        return Err(Error::Conflict {
            code: "last_super_admin",
            title: "nobody else runs the platform: make another one first".to_owned(),
        });
    }
    let runs = |(role, state)| user::administers(role, state);
    if runs(was)
        && !after.is_some_and(runs)
        && !members::has_other_admin(connection, before.organization, before.id)?
    {
        return Err(Error::Conflict {
            code: "last_admin",
            title: "nobody else runs the organization: make another administrator first".to_owned(),
        });
    }
    Ok(())
}

const fn above() -> Error {
    Error::Forbidden {
        code: "role_above_own",
        title: "that role is above your own",
    }
}
