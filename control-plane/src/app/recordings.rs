//! Looking at sessions of recording.
//!
//! A session whose node reports no more stays open and is shown as lost: what the node does is not known,
//! and it may well be recording. It ends when the node is removed, or another one has the camera
//! (`index/lost.rs`).

use std::collections::HashSet;

use wire::api::{Page, Recording, RecordingState};
use wire::{CameraId, NodeId, RecordingId, UnixMs};

use super::Caller;
use crate::domain::page::{Cursor, Part};
use crate::store::recordings::{self, Filter, RecordingRow};
use crate::store::{Connection, StoreError, nodes};
use crate::{AppState, Error};

/// What a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Of this camera, which may be deleted.
    pub camera: Option<CameraId>,
    /// Not over before this time.
    pub from: Option<UnixMs>,
    /// Whose window begins before this time.
    pub to: Option<UnixMs>,
    /// How they go.
    pub state: Option<RecordingState>,
}

/// Sessions that the caller may know of, the newest windows first.
///
/// # Errors
/// [`Error::NotFound`] for a camera that is not to be known, [`Error::Forbidden`].
pub async fn list(
    state: &AppState,
    caller: &Caller,
    asked: Asked,
    part: Part,
) -> Result<Page<Recording>, Error> {
    if asked.camera.is_none() {
        caller.require_any_camera()?;
    }
    let (caller, state) = (caller.clone(), state.clone());
    let store = state.store.clone();
    let look = move |c: &mut Connection| {
        if let Some(camera) = asked.camera {
            caller.camera_even_deleted(c, camera, None)?;
        }
        let online = online(c, &state, &caller)?;
        let filter = Filter {
            camera: asked.camera,
            from: asked.from,
            to: asked.to,
            state: asked
                .state
                .map(|wanted| (wanted, online.iter().copied().collect())),
        };
        let organization = caller.organization;
        let mut rows = recordings::list(c, organization, caller.only_granted(), &filter, &part)?;
        let next = part.cut(&mut rows, |row| Cursor {
            at: row.session.window_start.0,
            id: *row.session.id.as_bytes(),
        });
        let items = rows.into_iter().map(|row| shown(row, &online)).collect();
        Ok(Page { items, next })
    };
    store.look(look).await
}

/// One session.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(state: &AppState, caller: &Caller, id: RecordingId) -> Result<Recording, Error> {
    let (caller, state) = (caller.clone(), state.clone());
    let store = state.store.clone();
    let look = move |c: &mut Connection| {
        let missing = || Error::not_found("recording");
        let row = recordings::get(c, caller.organization, id)?.ok_or_else(missing)?;
        match caller.camera_even_deleted(c, row.session.camera, None) {
            Ok(_) => Ok(shown(row, &online(c, &state, &caller)?)),
            // Whoever may not know the camera does not know its sessions.
            Err(Error::NotFound { .. }) => Err(missing()),
            Err(error) => Err(error),
        }
    };
    store.look(look).await
}

fn online(
    connection: &mut Connection,
    state: &AppState,
    caller: &Caller,
) -> Result<HashSet<NodeId>, StoreError> {
    let rows = nodes::list(connection, caller.organization)?.into_iter();
    let ids = rows.map(|row| row.id);
    Ok(ids.filter(|id| state.nodes.online(*id).is_some()).collect())
}

fn shown(row: RecordingRow, online: &HashSet<NodeId>) -> Recording {
    let session = row.session;
    let state = if session.ended.is_some() {
        RecordingState::Ended
    } else if !online.contains(&session.node) {
        RecordingState::Lost
    } else if session.failing {
        RecordingState::Failing
    } else if session.started.is_some() {
        RecordingState::Recording
    } else {
        RecordingState::Starting
    };
    Recording {
        id: session.id,
        camera: session.camera,
        stream: session.stream,
        node: session.node,
        epoch: session.epoch,
        job: row.job,
        state,
        window_start: session.window_start,
        window_end: session.window_end,
        started: session.started,
        ended: session.ended,
        end_reason: session.end_reason,
        bytes: session.bytes,
        frames: session.frames,
        gaps: session.gaps,
        gap_ms: session.gap_ms,
        attempts: session.attempts,
        detail: session.detail,
        updated: row.updated,
    }
}
