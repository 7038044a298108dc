//! What users may do with cameras: whole lists, so that a change is one decision.

use wire::access::Right;
use wire::api::Grants;
use wire::{UnixMs, UserId};

use super::Caller;
use super::users::{known, managed};
use crate::domain::user;
use crate::store::{grants, members};
use crate::{AppState, Error};

/// A user's grants, with the user's revision.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn get(state: &AppState, caller: &Caller, id: UserId) -> Result<(Grants, u64), Error> {
    caller.require(Right::ManageUsers)?;
    let caller = caller.clone();
    state
        .store
        .look(move |c| {
            let row = known(c, &caller, id)?;
            let items = grants::of(c, row.organization, id)?;
            Ok((Grants { items }, row.revision))
        })
        .await
}

/// Grants a user exactly these; in force from the next request on.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`] for a user, camera or group that is not the organization's,
/// [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn put(
    state: &AppState,
    caller: &Caller,
    id: UserId,
    seen: Option<u64>,
    wanted: Grants,
    now: UnixMs,
) -> Result<(Grants, u64), Error> {
    caller.require(Right::ManageUsers)?;
    user::grants(&wanted.items)?;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let mut row = managed(c, &caller, id)?;
            Error::unless_seen(seen, row.revision)?;
            match grants::all_known(c, row.organization, &wanted.items)? {
                (true, true) => {}
                (false, _) => return Err(Error::not_found("camera")),
                (true, false) => return Err(Error::not_found("group")),
            }
            let before = Grants {
                items: grants::of(c, row.organization, id)?,
            };
            grants::replace(c, row.organization, id, &wanted.items)?;
            row.revision += 1;
            members::update(c, &row)?;
            caller.note(c, "user.grant", id, (Some(&before), Some(&wanted)), now)?;
            Ok((wanted, row.revision))
        })
        .await
}
