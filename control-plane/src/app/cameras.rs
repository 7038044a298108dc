//! Cameras: create, list, read, change, delete.
//!
//! A change is committed with its audit row; then the planner is woken, which brings it to the node.

use wire::access::{Permission, Right};
use wire::api::{Camera, CameraPatch, NewCamera, Page};
use wire::source::{Credentials, Source};
use wire::{CameraId, UnixMs};

use super::{Caller, Once, licences, vault};
use crate::domain::camera::{self, InvalidCamera};
use crate::domain::page::{Cursor, Part};
use crate::store::{CameraRow, cameras, windows};
use crate::{AppState, Error};

impl From<InvalidCamera> for Error {
    fn from(error: InvalidCamera) -> Self {
        Self::field(error.field, error.title)
    }
}

/// Adds a camera.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewCamera,
    now: UnixMs,
) -> Result<Camera, Error> {
    caller.require(Right::ManageCameras)?;
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
        revision: 1,
    };
    let (shared, caller) = (state.clone(), caller.clone());
    let made = state
        .store
        .transaction(move |c| {
            if let Some(before) = once.made_before(c, &caller, now)? {
                return caller.camera(c, CameraId::from_bytes(before), None);
            }
            cameras::insert(c, &row)?;
            windows::follow(c, &row, now)?;
            let after = shown(&shared, row.clone())?;
            caller.note(c, "camera.create", id, (None::<&Camera>, Some(&after)), now)?;
            once.made(c, &caller, *id.as_bytes(), now)?;
            Ok(row)
        })
        .await?;
    state.replan.notify_one();
    shown(state, made)
}

/// The organization's cameras that the caller may know of, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(state: &AppState, caller: &Caller, part: Part) -> Result<Page<Camera>, Error> {
    let caller = caller.clone();
    let mut rows = state
        .store
        .read(move |c| cameras::list(c, caller.organization, caller.only_granted(), &part))
        .await?;
    let next = part.cut(&mut rows, |row| Cursor {
        at: row.created.0,
        id: *row.id.as_bytes(),
    });
    let items = rows.into_iter().map(|row| shown(state, row));
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next,
    })
}

/// One camera.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not the caller's.
pub async fn get(state: &AppState, caller: &Caller, id: CameraId) -> Result<Camera, Error> {
    shown(state, row(state, caller, id, None).await?)
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] with the field.
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: CameraId,
    seen: Option<u64>,
    patch: CameraPatch,
    now: UnixMs,
) -> Result<Camera, Error> {
    let (shared, caller) = (state.clone(), caller.clone());
    let changed = state
        .store
        .transaction(move |c| {
            let mut row = caller.camera(c, id, Some(Permission::Manage))?;
            Error::unless_seen(seen, row.revision)?;
            let before = shown(&shared, row.clone())?;
            change(&shared, &mut row, patch)?;
            row.revision += 1;
            cameras::update(c, &row)?;
            windows::follow(c, &row, now)?;
            let after = shown(&shared, row.clone())?;
            caller.note(c, "camera.change", id, (Some(&before), Some(&after)), now)?;
            Ok(row)
        })
        .await?;
    state.replan.notify_one();
    shown(state, changed)
}

/// Deletes a camera; its footage stays.
///
/// # Errors
/// [`Error::NotFound`] when it is not there, not the caller's, or deleted.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    id: CameraId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<(), Error> {
    let (shared, caller) = (state.clone(), caller.clone());
    state
        .store
        .transaction(move |c| {
            let mut row = caller.camera(c, id, Some(Permission::Manage))?;
            caller.require(Right::ManageCameras)?;
            Error::unless_seen(seen, row.revision)?;
            let before = shown(&shared, row.clone())?;
            row.deleted = Some(now);
            row.revision += 1;
            // What is not needed any more is not kept.
            row.credentials = None;
            cameras::update(c, &row)?;
            windows::follow(c, &row, now)?;
            licences::release(c, &caller, id, now)?;
            caller.note(c, "camera.delete", id, (Some(&before), None::<&Camera>), now)?;
            Ok(())
        })
        .await?;
    state.replan.notify_one();
    Ok(())
}

/// A camera's row, for other use cases.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not to be known, [`Error::Forbidden`].
pub(super) async fn row(
    state: &AppState,
    caller: &Caller,
    id: CameraId,
    permission: Option<Permission>,
) -> Result<CameraRow, Error> {
    let caller = caller.clone();
    state.store.look(move |c| caller.camera(c, id, permission)).await
}

/// A camera's credentials in the clear.
///
/// # Errors
/// [`Error::Internal`] when they cannot be decrypted.
pub(super) fn credentials(state: &AppState, row: &CameraRow) -> Result<Option<Credentials>, Error> {
    let open = |sealed: &Vec<u8>| vault::open(&state.secrets, row.id, sealed);
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
        .map(|credentials| vault::seal(&state.secrets, id, credentials))
        .transpose()
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
        revision: row.revision,
    })
}
