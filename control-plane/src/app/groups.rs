//! Groups of cameras: what grants can be given on, many cameras at a time.

use wire::access::Right;
use wire::api::{Group, GroupPatch, NewGroup, Page};
use wire::{GroupId, UnixMs};

use super::caller::forbidden;
use super::{Caller, Once};
use crate::domain::camera;
use crate::domain::page::{Cursor, Part};
use crate::store::groups::{self, GroupRow};
use crate::store::{Connection, StoreError};
use crate::{AppState, Error};

/// Rights of which one lets a caller see every group.
const SEEING: [Right; 5] = [
    Right::ViewLive,
    Right::ViewFootage,
    Right::Export,
    Right::ManageCameras,
    Right::ManageUsers,
];

/// The organization's groups that the caller may know of, oldest first.
///
/// # Errors
/// [`Error::Forbidden`], and those of the database.
pub async fn list(state: &AppState, caller: &Caller, part: Part) -> Result<Page<Group>, Error> {
    sees_groups(caller)?;
    let caller = caller.clone();
    let look = move |c: &mut Connection| {
        let mut rows = groups::list(c, caller.organization, caller.only_granted(), &part)?;
        let next = part.cut(&mut rows, |row| Cursor {
            at: row.created.0,
            id: *row.id.as_bytes(),
        });
        let ids: Vec<GroupId> = rows.iter().map(|row| row.id).collect();
        let sizes = groups::sizes(c, caller.organization, &ids)?;
        let items = rows.into_iter().map(|row| {
            let size = sizes.get(&row.id).copied().unwrap_or_default();
            shown(row, size)
        });
        Ok(Page {
            items: items.collect(),
            next,
        })
    };
    Ok(state.store.read(look).await?)
}

/// One group.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not to be known.
pub async fn get(state: &AppState, caller: &Caller, id: GroupId) -> Result<Group, Error> {
    let caller = caller.clone();
    let look = move |c: &mut Connection| {
        let row = known(c, &caller, id)?;
        Ok(sized(c, row)?)
    };
    state.store.look(look).await
}

/// Adds a group.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] when the name is taken.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewGroup,
    now: UnixMs,
) -> Result<Group, Error> {
    caller.require(Right::ManageCameras)?;
    let row = GroupRow {
        id: GroupId::generate(),
        organization: caller.organization,
        name: camera::name(&new.name)?,
        created: now,
        revision: 1,
    };
    let caller = caller.clone();
    let make = move |c: &mut Connection| {
        if let Some(before) = once.made_before(c, &caller, now)? {
            let row = known(c, &caller, GroupId::from_bytes(before))?;
            return Ok(sized(c, row)?);
        }
        groups::insert(c, &row).map_err(taken)?;
        once.made(c, &caller, *row.id.as_bytes(), now)?;
        let made = shown(row, 0);
        caller.note(c, "group.create", made.id, (None::<&Group>, Some(&made)), now)?;
        Ok(made)
    };
    state.store.transaction(make).await
}

/// Changes the fields given.
///
/// # Errors
/// As [`create`], [`Error::NotFound`] and [`Error::Stale`].
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: GroupId,
    seen: Option<u64>,
    patch: GroupPatch,
    now: UnixMs,
) -> Result<Group, Error> {
    let name = patch.name.as_deref().map(camera::name).transpose()?;
    let caller = caller.clone();
    let change = move |c: &mut Connection| {
        let mut row = known(c, &caller, id)?;
        caller.require(Right::ManageCameras)?;
        Error::unless_seen(seen, row.revision)?;
        let before = sized(c, row.clone())?;
        row.name = name.unwrap_or(row.name);
        row.revision += 1;
        groups::update(c, &row).map_err(taken)?;
        let after = shown(row, before.cameras);
        caller.note(c, "group.change", id, (Some(&before), Some(&after)), now)?;
        Ok(after)
    };
    state.store.transaction(change).await
}

/// Deletes a group and the grants on it; its cameras are in none then.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`].
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    id: GroupId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<(), Error> {
    let caller = caller.clone();
    let delete = move |c: &mut Connection| {
        let row = known(c, &caller, id)?;
        caller.require(Right::ManageCameras)?;
        Error::unless_seen(seen, row.revision)?;
        let before = sized(c, row)?;
        groups::delete(c, caller.organization, id)?;
        caller.note(c, "group.delete", id, (Some(&before), None::<&Group>), now)?;
        Ok(())
    };
    state.store.transaction(delete).await
}

fn sees_groups(caller: &Caller) -> Result<(), Error> {
    let sees = SEEING.into_iter().any(|right| caller.rights.has(right));
    if sees || caller.only_granted().is_some() {
        Ok(())
    } else {
        Err(forbidden())
    }
}

/// A group that the caller may know of.
fn known(connection: &mut Connection, caller: &Caller, id: GroupId) -> Result<GroupRow, Error> {
    sees_groups(caller)?;
    let row = groups::get(connection, caller.organization, id)?.ok_or(Error::not_found("group"))?;
    match caller.only_granted() {
        Some(user) if !groups::is_granted(connection, caller.organization, user, id)? => {
            Err(Error::not_found("group"))
        }
        _ => Ok(row),
    }
}

fn taken(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(_) => Error::Conflict {
            code: "name_taken",
            title: "another group of the organization has this name".to_owned(),
        },
        other => other.into(),
    }
}

fn sized(connection: &mut Connection, row: GroupRow) -> Result<Group, StoreError> {
    let sizes = groups::sizes(connection, row.organization, &[row.id])?;
    let size = sizes.get(&row.id).copied().unwrap_or_default();
    Ok(shown(row, size))
}

fn shown(row: GroupRow, cameras: u64) -> Group {
    Group {
        id: row.id,
        name: row.name,
        cameras,
        created: row.created,
        revision: row.revision,
    }
}
