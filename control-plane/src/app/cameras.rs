//! Cameras: create, list, read, change, delete.
//!
//! A change is committed with its audit row; then the planner is woken, which brings it to the node.

use wire::api::{Camera, CameraPatch, NewCamera};
use wire::source::{Credentials, Source};
use wire::{CameraId, UnixMs};

use super::{Caller, vault};
use crate::domain::camera::{self, InvalidCamera};
use crate::store::{CameraRow, cameras, organizations, windows};
use crate::{AppState, Error};

impl From<InvalidCamera> for Error {
    fn from(error: InvalidCamera) -> Self {
        Self::field(error.field, error.title)
    }
}

/// Adds a camera.
///
/// # Errors
/// [`Error::Invalid`] with the field.
pub async fn create(state: &AppState, caller: Caller, new: NewCamera, now: UnixMs) -> Result<Camera, Error> {
    let (source, credentials) = checked(state, &new.url, new.username, new.password)?;
    let id = CameraId::generate();
    let row = CameraRow {
        id,
        organization: caller.organization,
        name: camera::name(&new.name)?,
        url: source,
        credentials: seal(state, id, credentials.as_ref())?,
        credentials_revision: 1,
        transport: new.transport,
        reader: new.reader,
        audio: new.audio,
        recording: new.recording,
        node: None,
        epoch: 0,
        created: now,
        deleted: None,
    };
    let kept = row.clone();
    state
        .store
        .write(move |c| {
            cameras::insert(c, &kept)?;
            windows::follow(c, &kept, now)?;
            note(c, caller, "camera.create", id, now)
        })
        .await?;
    state.replan.notify_one();
    shown(state, row)
}

/// The organization's cameras, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(state: &AppState, caller: Caller) -> Result<Vec<Camera>, Error> {
    let rows = state
        .store
        .read(move |c| cameras::list(c, caller.organization))
        .await?;
    rows.into_iter().map(|row| shown(state, row)).collect()
}

/// One camera.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not the caller's.
pub async fn get(state: &AppState, caller: Caller, id: CameraId) -> Result<Camera, Error> {
    shown(state, row(state, caller, id).await?)
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] with the field.
pub async fn patch(
    state: &AppState,
    caller: Caller,
    id: CameraId,
    patch: CameraPatch,
    now: UnixMs,
) -> Result<Camera, Error> {
    let shared = state.clone();
    let changed = state
        .store
        .write(move |c| {
            let Some(mut row) = cameras::get(c, caller.organization, id)? else {
                return Ok(Err(Error::not_found("camera")));
            };
            if let Err(error) = change(&shared, &mut row, patch) {
                return Ok(Err(error));
            }
            cameras::update(c, &row)?;
            windows::follow(c, &row, now)?;
            note(c, caller, "camera.change", id, now)?;
            Ok(Ok(row))
        })
        .await??;
    state.replan.notify_one();
    shown(state, changed)
}

/// Deletes a camera; its footage stays.
///
/// # Errors
/// [`Error::NotFound`] when it is not there, not the caller's, or deleted.
pub async fn delete(state: &AppState, caller: Caller, id: CameraId, now: UnixMs) -> Result<(), Error> {
    let deleted = state
        .store
        .write(move |c| {
            let Some(mut row) = cameras::get(c, caller.organization, id)? else {
                return Ok(false);
            };
            row.deleted = Some(now);
            // What is not needed any more is not kept.
            row.credentials = None;
            cameras::update(c, &row)?;
            windows::follow(c, &row, now)?;
            note(c, caller, "camera.delete", id, now)?;
            Ok(true)
        })
        .await?;
    if !deleted {
        return Err(Error::not_found("camera"));
    }
    state.replan.notify_one();
    Ok(())
}

/// A camera's row, for other use cases.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not the caller's.
pub(super) async fn row(state: &AppState, caller: Caller, id: CameraId) -> Result<CameraRow, Error> {
    state
        .store
        .camera(caller.organization, id)
        .await?
        .ok_or(Error::not_found("camera"))
}

/// A camera's credentials in the clear.
///
/// # Errors
/// [`Error::Internal`] when they cannot be decrypted.
pub(super) fn credentials(state: &AppState, row: &CameraRow) -> Result<Option<Credentials>, Error> {
    let open = |sealed: &Vec<u8>| vault::open(&state.secrets.master, row.id, sealed);
    row.credentials.as_ref().map(open).transpose()
}

/// What plans and probes say of where a camera is.
#[must_use]
pub fn source(row: &CameraRow) -> Source {
    Source {
        url: row.url.clone(),
        transport: row.transport,
        reader: row.reader,
        audio: row.audio,
    }
}

/// Checks an address and credentials; those in fields win over those inside the address.
///
/// # Errors
/// [`Error::Invalid`] with the field.
pub(super) fn checked(
    state: &AppState,
    url: &str,
    username: Option<String>,
    password: Option<String>,
) -> Result<(String, Option<Credentials>), Error> {
    let address = camera::address(url, state.config.cameras.allow_loopback)?;
    let given = camera::credentials(username, password)?;
    Ok((address.url, given.or(address.credentials)))
}

fn change(state: &AppState, row: &mut CameraRow, patch: CameraPatch) -> Result<(), Error> {
    if let Some(name) = patch.name {
        row.name = camera::name(&name)?;
    }
    let before = credentials(state, row)?;
    let mut after = before.clone();
    if let Some(url) = patch.url {
        let address = camera::address(&url, state.config.cameras.allow_loopback)?;
        row.url = address.url;
        after = address.credentials.or(after);
    }
    after = merged(after, patch.username, patch.password)?;
    if after != before {
        row.credentials = seal(state, row.id, after.as_ref())?;
        row.credentials_revision += 1;
    }
    row.transport = patch.transport.unwrap_or(row.transport);
    row.reader = patch.reader.unwrap_or(row.reader);
    row.audio = patch.audio.unwrap_or(row.audio);
    row.recording = patch.recording.unwrap_or(row.recording);
    Ok(())
}

/// The credentials after a patch: each field given replaces its half, an empty user name both.
fn merged(
    before: Option<Credentials>,
    username: Option<String>,
    password: Option<String>,
) -> Result<Option<Credentials>, InvalidCamera> {
    if username.as_deref() == Some("") && password.as_deref().is_none_or(str::is_empty) {
        return Ok(None);
    }
    let (old_username, old_password) = before.map(|c| (c.username, c.password)).unzip();
    camera::credentials(username.or(old_username), password.or(old_password))
}

fn seal(state: &AppState, id: CameraId, credentials: Option<&Credentials>) -> Result<Option<Vec<u8>>, Error> {
    credentials
        .map(|credentials| vault::seal(&state.secrets.master, id, credentials))
        .transpose()
}

fn note(
    connection: &mut crate::store::Connection,
    caller: Caller,
    action: &str,
    id: CameraId,
    now: UnixMs,
) -> Result<(), crate::store::StoreError> {
    organizations::note(
        connection,
        caller.organization,
        Some(caller.user),
        action,
        &id.to_string(),
        now,
    )
}

fn shown(state: &AppState, row: CameraRow) -> Result<Camera, Error> {
    let username = credentials(state, &row)?.map(|credentials| credentials.username);
    Ok(Camera {
        id: row.id,
        username,
        state: row.node.and_then(|node| state.nodes.camera_state(node, row.id)),
        name: row.name,
        url: row.url,
        transport: row.transport,
        reader: row.reader,
        audio: row.audio,
        recording: row.recording,
        node: row.node,
        created: row.created,
    })
}
