//! From what the API is told to what is kept.

use std::collections::BTreeSet;

use wire::api::{CameraPatch, NewCamera};
use wire::source::Credentials;
use wire::{CameraId, UnixMs};

use super::credentials;
use crate::app::{Caller, vault};
use crate::domain::camera::{self, Checked, InvalidCamera, address_key};
use crate::store::CameraRow;
use crate::{AppState, Error};

/// The row of a new camera of the caller's organization.
///
/// # Errors
/// [`Error::Invalid`] with the first field that does not do.
pub(super) fn composed(
    state: &AppState,
    caller: &Caller,
    new: &NewCamera,
    now: UnixMs,
) -> Result<CameraRow, Error> {
    match camera::check(new, state.config.cameras.allow_loopback) {
        Ok(checked) => row(state, caller, new, checked, now),
        Err(wrong) => Err(wrong.into_iter().next().map_or_else(
            || Error::invalid("invalid_body", "the camera is not as expected"),
            Error::from,
        )),
    }
}

/// The row of a new camera that was checked.
///
/// # Errors
/// [`Error::Internal`] when its credentials cannot be encrypted.
pub(super) fn row(
    state: &AppState,
    caller: &Caller,
    new: &NewCamera,
    checked: Checked,
    now: UnixMs,
) -> Result<CameraRow, Error> {
    let id = CameraId::generate();
    Ok(CameraRow {
        id,
        organization: caller.organization,
        address_key: address_key(&checked.url),
        name: checked.name,
        url: checked.url,
        sub_url: checked.sub_url,
        credentials: sealed(state, id, checked.credentials.as_ref())?,
        credentials_revision: 1,
        site: checked.site,
        tags: checked.tags,
        group: new.group,
        time_zone: checked.time_zone,
        notes: checked.notes,
        segment_s: new.segment_s,
        object_s: new.object_s,
        transport: new.transport,
        reader: new.reader,
        audio: new.audio,
        recording: new.recording,
        copies: new.copies,
        node_labels: checked.node_labels,
        node: None,
        epoch: 0,
        created: now,
        deleted: None,
        revision: 1,
    })
}

/// Changes the fields given; whether the password is another one.
///
/// # Errors
/// [`Error::Invalid`] with the field, [`Error::Unprocessable`] where the saved password must not go.
pub(super) fn change(state: &AppState, row: &mut CameraRow, patch: CameraPatch) -> Result<bool, Error> {
    if let Some(name) = &patch.name {
        row.name = camera::name(name)?;
    }
    if let Some(site) = &patch.site {
        row.site = camera::site(site.as_deref().unwrap_or_default())?;
    }
    if let Some(tags) = &patch.tags {
        row.tags = camera::tags(tags.as_deref().unwrap_or_default())?;
    }
    if let Some(zone) = &patch.time_zone {
        row.time_zone = camera::time_zone(zone)?;
    }
    if let Some(notes) = &patch.notes {
        row.notes = camera::notes(notes.as_deref().unwrap_or_default())?;
    }
    row.group = patch.group.unwrap_or(row.group);
    row.segment_s = patch.segment_s.unwrap_or(row.segment_s);
    row.object_s = patch.object_s.unwrap_or(row.object_s);
    camera::lengths(row.segment_s, row.object_s)?;
    row.transport = patch.transport.unwrap_or(row.transport);
    row.reader = patch.reader.unwrap_or(row.reader);
    row.audio = patch.audio.unwrap_or(row.audio);
    row.recording = patch.recording.unwrap_or(row.recording);
    row.copies = camera::copies(patch.copies.unwrap_or(row.copies))?;
    if let Some(labels) = &patch.node_labels {
        row.node_labels = camera::node_labels(labels.as_deref().unwrap_or_default())?;
    }
    change_addresses(state, row, patch)
}

fn change_addresses(state: &AppState, row: &mut CameraRow, patch: CameraPatch) -> Result<bool, Error> {
    let loopback = state.config.cameras.allow_loopback;
    let before = credentials(state, row)?;
    let known = origins(row);
    let mut after = before.clone();
    let mut is_told = patch.password.is_some();
    if let Some(url) = &patch.url {
        let address = camera::address(url, loopback)?;
        row.address_key = address_key(&address.url);
        row.url = address.url;
        is_told |= address.credentials.is_some();
        after = address.credentials.or(after);
    }
    after = merged(after, patch.username, patch.password)?;
    if let Some(sub) = &patch.sub_url {
        row.sub_url = match camera::filled(sub.as_deref()) {
            None => None,
            Some(sub) => {
                is_told |= camera::address(sub, loopback).is_ok_and(|sub| sub.credentials.is_some());
                let (url, opens) = camera::sub_address(sub, loopback, after)?;
                after = opens;
                Some(url)
            }
        };
    }
    // Whoever may change an address may not learn the password by having it sent to a host of their own.
    if before.is_some() && after.is_some() && !is_told && !origins(row).is_subset(&known) {
        return Err(Error::Unprocessable {
            code: "credentials_required",
            title:
                "the saved password is for the address before: enter it again for this one, or remove the \
                    user name"
                    .to_owned(),
            field: "password",
        });
    }
    if after != before {
        row.credentials = sealed(state, row.id, after.as_ref())?;
        row.credentials_revision += 1;
    }
    let password = |credentials: Option<Credentials>| credentials.map(|known| known.password);
    Ok(password(after) != password(before))
}

/// Who is asked with the camera's credentials.
fn origins(row: &CameraRow) -> BTreeSet<String> {
    let urls = std::iter::once(&row.url).chain(&row.sub_url);
    urls.map(|url| camera::origin(url)).collect()
}

/// The credentials after a patch: each field given replaces its half, an empty user name both.
fn merged(
    before: Option<Credentials>,
    username: Option<Option<String>>,
    password: Option<String>,
) -> Result<Option<Credentials>, InvalidCamera> {
    let username = username.map(Option::unwrap_or_default);
    if username.as_deref() == Some("") && password.as_deref().is_none_or(str::is_empty) {
        return Ok(None);
    }
    let (old_username, old_password) = before.map(|c| (c.username, c.password)).unzip();
    camera::credentials(username.or(old_username), password.or(old_password))
}

fn sealed(
    state: &AppState,
    id: CameraId,
    credentials: Option<&Credentials>,
) -> Result<Option<Vec<u8>>, Error> {
    credentials
        .map(|credentials| vault::seal(&state.secrets, id, credentials))
        .transpose()
}
