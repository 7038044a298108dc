//! Which camera a licence is assigned to: one camera a licence, one licence a camera.
//!
//! Each change reads and writes in one transaction, and writers run one after the other: of two that want
//! the same licence or the same camera, the second sees what the first did.

use wire::api::{Licence, TransferLicence};
use wire::{CameraId, LicenceId, UnixMs};

use super::{change, licences, note};
use crate::app::Caller;
use crate::store::Connection;
use crate::{AppState, Error};

/// Assigns a licence to a camera that has none. To the camera it has already: nothing changes.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] when licence or camera
/// is taken.
pub async fn assign(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    camera: CameraId,
    now: UnixMs,
) -> Result<Licence, Error> {
    let shared = caller.clone();
    change(state, caller, id, seen, ("licence.assign", now), move |c, row| {
        shared.camera(c, camera, None)?;
        if row.camera == Some(camera) {
            return Ok(());
        }
        if row.camera.is_some() {
            return Err(conflict(
                "licence_assigned",
                "this licence has a camera: transfer it, or take it from that camera first",
            ));
        }
        row.camera = Some(free(c, &shared, camera)?);
        Ok(())
    })
    .await
}

/// Takes a licence from its camera. Without one nothing changes.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`].
pub async fn unassign(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<Licence, Error> {
    change(state, caller, id, seen, ("licence.unassign", now), |_, row| {
        row.camera = None;
        Ok(())
    })
    .await
}

/// Moves a licence from one camera to another.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] when it is not at the
/// first camera, or the second one has a licence.
pub async fn transfer(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    transfer: TransferLicence,
    now: UnixMs,
) -> Result<Licence, Error> {
    let shared = caller.clone();
    change(
        state,
        caller,
        id,
        seen,
        ("licence.transfer", now),
        move |c, row| {
            shared.camera(c, transfer.to, None)?;
            if row.camera != Some(transfer.from) {
                return Err(conflict(
                    "licence_elsewhere",
                    "this licence is not at the camera that it is to be taken from: read it again",
                ));
            }
            if transfer.from != transfer.to {
                row.camera = Some(free(c, &shared, transfer.to)?);
            }
            Ok(())
        },
    )
    .await
}

/// Takes the licence from a camera that is deleted, in the transaction that deletes it.
///
/// # Errors
/// Those of the database.
pub fn release(
    connection: &mut Connection,
    caller: &Caller,
    camera: CameraId,
    now: UnixMs,
) -> Result<(), Error> {
    let Some(before) = licences::of_camera(connection, caller.organization, camera)? else {
        return Ok(());
    };
    let mut after = before.clone();
    after.camera = None;
    after.revision += 1;
    licences::update(connection, &after)?;
    note(
        connection,
        caller,
        "licence.unassign",
        (Some(&before), Some(&after)),
        now,
    )
}

/// The camera, when no licence is assigned to it.
fn free(connection: &mut Connection, caller: &Caller, camera: CameraId) -> Result<CameraId, Error> {
    match licences::of_camera(connection, caller.organization, camera)? {
        None => Ok(camera),
        Some(_) => Err(conflict(
            "camera_licensed",
            "this camera has a licence: take that one away first",
        )),
    }
}

fn conflict(code: &'static str, title: &str) -> Error {
    Error::Conflict {
        code,
        title: title.to_owned(),
    }
}
