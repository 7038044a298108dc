//! Cameras: create, list, read, change, delete.
//!
//! A change is committed with its audit row; then the planner is woken, which brings it to the node.

mod fields;
mod fits;
pub mod import;
mod standing;
mod usernames;

use serde_json::json;
use wire::access::{Permission, Permissions, Right};
use wire::api::{Camera, CameraPatch, NewCamera, Page};
use wire::source::{Credentials, Source};
use wire::{CameraId, UnixMs};

use super::reach::Reach;
use super::{Caller, Once, licences, moves, vault, wishes};
use crate::domain::camera::{self, InvalidCamera};
use crate::domain::page::{Cursor, Part};
use crate::store::cameras::Filter;
use crate::store::facts::FactKind;
use crate::store::{CameraRow, Connection, StoreError, cameras};
use crate::{AppState, Error};
use fits::{has_group, has_room, is_elsewhere};
use standing::{Standing, Stands};
pub use usernames::Usernames;

impl From<InvalidCamera> for Error {
    fn from(error: InvalidCamera) -> Self {
        match error.code {
            camera::INVALID_FIELD => Self::field(error.field, error.title),
            code => Self::Unprocessable {
                code,
                title: error.title,
                field: error.field,
            },
        }
    }
}

/// Adds a camera.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] for a duplicate and over
/// the quota.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewCamera,
    now: UnixMs,
) -> Result<Camera, Error> {
    caller.require(Right::ManageCameras)?;
    let row = fields::composed(state, caller, &new, now)?;
    let organization = caller.organization;
    let (shared, caller) = (state.clone(), caller.clone());
    let made = state
        .store
        .transaction(move |c| {
            if let Some(before) = once.made_before(c, &caller, now)? {
                let row = caller.camera(c, CameraId::from_bytes(before), None)?;
                return as_seen(c, &caller, row, now);
            }
            has_room(c, caller.organization)?;
            has_group(c, &row)?;
            if !new.allow_duplicate {
                is_elsewhere(c, &caller, &row)?;
            }
            cameras::insert(c, &row)?;
            wishes::follow(c, &row, now)?;
            let after = shown(&shared, row.clone())?;
            caller.note(c, "camera.create", row.id, (None::<&Camera>, Some(&after)), now)?;
            tell(c, &caller, FactKind::CameraCreated, &row, now)?;
            once.made(c, &caller, *row.id.as_bytes(), now)?;
            as_seen(c, &caller, row, now)
        })
        .await?;
    state.replan.organization(organization);
    shown_to(state, made)
}

/// The organization's cameras that the caller may know of, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: Filter,
    part: Part,
    now: UnixMs,
) -> Result<Page<Camera>, Error> {
    caller.require_any_camera()?;
    let caller = caller.clone();
    let (mut rows, reach, standing) = state
        .store
        .read(move |c| {
            let rows = cameras::list(c, caller.organization, caller.only_granted(), &filter, &part)?;
            let is_all =
                caller.only_granted().is_none() && filter == Filter::default() && part.holds_all(&rows);
            // Naming each of a thousand in every query costs more than the answers.
            let ids: Option<Vec<CameraId>> = (!is_all).then(|| rows.iter().map(|row| row.id).collect());
            let standing = Standing::read(c, caller.organization, ids.as_deref(), now)?;
            Ok((rows, Reach::of(c, &caller)?, standing))
        })
        .await?;
    let next = part.cut(&mut rows, |row| Cursor {
        at: row.created.0,
        id: *row.id.as_bytes(),
    });
    let items = rows.into_iter().map(|row| {
        let permissions = reach.on(&row);
        let stands = standing.of(&row);
        shown_to(state, (row, permissions, stands))
    });
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next,
    })
}

/// One camera.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not the caller's.
pub async fn get(state: &AppState, caller: &Caller, id: CameraId, now: UnixMs) -> Result<Camera, Error> {
    let caller = caller.clone();
    let found = state.store.look(move |c| {
        let row = caller.camera(c, id, None)?;
        as_seen(c, &caller, row, now)
    });
    shown_to(state, found.await?)
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] with the field, [`Error::Conflict`] for a duplicate.
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: CameraId,
    seen: Option<u64>,
    patch: CameraPatch,
    now: UnixMs,
) -> Result<Camera, Error> {
    let organization = caller.organization;
    let (shared, caller) = (state.clone(), caller.clone());
    let changed = state
        .store
        .transaction(move |c| {
            let mut row = caller.camera(c, id, Some(Permission::Manage))?;
            Error::unless_seen(seen, row.revision)?;
            let before = shown(&shared, row.clone())?;
            let (key, group) = (row.address_key.clone(), row.group);
            let allow_duplicate = patch.allow_duplicate;
            let is_secret_new = fields::change(&shared, &mut row, patch)?;
            if row.group != group {
                // Who was granted the group sees the camera from now on.
                caller.require(Right::ManageCameras)?;
                has_group(c, &row)?;
            }
            if row.address_key != key && !allow_duplicate {
                is_elsewhere(c, &caller, &row)?;
            }
            row.revision += 1;
            cameras::update(c, &row)?;
            wishes::follow(c, &row, now)?;
            let after = noted(&shown(&shared, row.clone())?, is_secret_new)?;
            caller.note(c, "camera.change", id, (Some(&before), Some(&after)), now)?;
            tell(c, &caller, FactKind::CameraChanged, &row, now)?;
            as_seen(c, &caller, row, now)
        })
        .await?;
    state.replan.organization(organization);
    shown_to(state, changed)
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
    let organization = caller.organization;
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
            wishes::follow(c, &row, now)?;
            moves::end(c, caller.organization, id, now)?;
            licences::release(c, &caller, id, now)?;
            caller.note(c, "camera.delete", id, (Some(&before), None::<&Camera>), now)?;
            tell(c, &caller, FactKind::CameraDeleted, &row, now)?;
            Ok(())
        })
        .await?;
    state.replan.organization(organization);
    Ok(())
}

/// What the audit log says that a camera is now: that its password is another one, and never which.
fn noted(camera: &Camera, is_secret_new: bool) -> Result<serde_json::Value, StoreError> {
    let mut after = serde_json::to_value(camera)?;
    if let (true, Some(fields)) = (is_secret_new, after.as_object_mut()) {
        fields.insert("password".to_owned(), json!("changed"));
    }
    Ok(after)
}

/// Tells of a camera.
fn tell(
    connection: &mut Connection,
    caller: &Caller,
    kind: FactKind,
    row: &CameraRow,
    now: UnixMs,
) -> Result<(), StoreError> {
    caller.tell(connection, kind, Some(row.id), &told(row), now)
}

fn told(row: &CameraRow) -> serde_json::Value {
    json!({"name": row.name, "recording": row.recording, "revision": row.revision})
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

fn shown(state: &AppState, row: CameraRow) -> Result<Camera, Error> {
    let username = state.usernames.of(&state.secrets, &row)?;
    Ok(Camera {
        id: row.id,
        username,
        state: row.node.and_then(|node| state.nodes.camera_state(node, row.id)),
        name: row.name,
        url: row.url,
        sub_url: row.sub_url,
        site: row.site,
        tags: row.tags,
        group: row.group,
        time_zone: row.time_zone,
        transport: row.transport,
        reader: row.reader,
        audio: row.audio,
        recording: row.recording,
        copies: row.copies,
        node_labels: row.node_labels,
        segment_s: row.segment_s,
        object_s: row.object_s,
        notes: row.notes,
        node: row.node,
        node_online: None,
        created: row.created,
        revision: row.revision,
        permissions: Permissions::NONE,
        planned: None,
        r#override: None,
        licence_exceeded: Vec::new(),
    })
}

/// A camera, what may be done with it, and how it stands.
type Seen = (CameraRow, Permissions, Stands);

/// A camera as the API shows it to who may do this with it.
fn shown_to(state: &AppState, (row, permissions, stands): Seen) -> Result<Camera, Error> {
    Ok(Camera {
        node_online: row.node.map(|node| state.nodes.online(node).is_some()),
        permissions,
        planned: Some(stands.planned),
        r#override: stands.said,
        licence_exceeded: stands.exceeded,
        ..shown(state, row)?
    })
}

fn as_seen(connection: &mut Connection, caller: &Caller, row: CameraRow, now: UnixMs) -> Result<Seen, Error> {
    let permissions = Reach::of(connection, caller)?.on(&row);
    let standing = Standing::read(connection, caller.organization, Some(&[row.id]), now)?;
    let stands = standing.of(&row);
    Ok((row, permissions, stands))
}
