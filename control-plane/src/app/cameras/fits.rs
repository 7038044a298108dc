//! Whether a camera fits into its organization, asked in the transaction that adds or changes it.

use wire::{CameraId, OrganizationId};

use crate::Error;
use crate::app::Caller;
use crate::store::cameras::{group_exists, room, same_address};
use crate::store::{CameraRow, Connection};

/// Lets through while the organization may have another camera.
///
/// # Errors
/// [`Error::Conflict`] `quota_exceeded`.
pub(super) fn has_room(c: &mut Connection, organization: OrganizationId) -> Result<(), Error> {
    let room = room(c, organization)?;
    if room.left() > 0 {
        return Ok(());
    }
    Err(Error::Conflict {
        code: "quota_exceeded",
        title: format!(
            "the organization has {} cameras and may have no more: delete one or ask for a larger quota",
            room.used
        ),
    })
}

/// Lets through whose group is one of the organization.
///
/// # Errors
/// [`Error::Invalid`] for field `group`.
pub(super) fn has_group(c: &mut Connection, row: &CameraRow) -> Result<(), Error> {
    match row.group {
        Some(group) if !group_exists(c, row.organization, group)? => {
            Err(Error::field("group", "there is no such group"))
        }
        _ => Ok(()),
    }
}

/// Lets through whose address no other camera of the organization has.
///
/// # Errors
/// [`Error::Conflict`] `duplicate_camera`.
pub(super) fn is_elsewhere(c: &mut Connection, caller: &Caller, row: &CameraRow) -> Result<(), Error> {
    let Some(other) = same_address(c, row.organization, &row.address_key, row.id)? else {
        return Ok(());
    };
    // Its id is told to who may know of it.
    let known = !caller.permissions(c, other)?.is_empty();
    Err(Error::Conflict {
        code: "duplicate_camera",
        title: duplicate(known.then_some(other)),
    })
}

/// What the author of a duplicate is told.
pub(super) fn duplicate(other: Option<CameraId>) -> String {
    let other = other.map_or_else(|| "another camera".to_owned(), |id| format!("camera {id}"));
    format!("{other} has this address already: set allow_duplicate to have both")
}
