//! Snapshots: the newest keyframe of a camera that is recorded now, made by its node.
//!
//! Nothing is kept here; what is shown is at most a few seconds old.

use bytes::Bytes;
use wire::CameraId;
use wire::access::Permission;
use wire::bus::{ReplyCode, SnapshotReply, SnapshotRequest};

use super::Caller;
use super::caller::forbidden;
use crate::bus::BusError;
use crate::domain::event::tidy;
use crate::{AppState, Error};

/// A JPEG of what the camera sees, and when and how large it is. For who may watch it live or its footage.
///
/// # Errors
/// [`Error::NotFound`] of the camera, and of the snapshot when the camera is not recorded now;
/// [`Error::Unavailable`] when its node is offline or has no picture yet.
pub async fn snapshot(
    state: &AppState,
    caller: &Caller,
    id: CameraId,
    max_width: u32,
) -> Result<(SnapshotReply, Bytes), Error> {
    let looker = caller.clone();
    let row = state
        .store
        .look(move |c| {
            let row = looker.camera(c, id, None)?;
            let held = looker.permissions(c, id)?;
            let may_see = [Permission::ViewLive, Permission::ViewFootage];
            if may_see.into_iter().any(|permission| held.has(permission)) {
                Ok(row)
            } else {
                Err(forbidden())
            }
        })
        .await?;
    let node = row.node.ok_or(Error::not_found("snapshot"))?;
    let request = SnapshotRequest {
        camera: id,
        max_width,
    };
    state
        .bus
        .snapshot(node, request)
        .await
        .map_err(|error| match error {
            BusError::Refused(reply) if reply.code == ReplyCode::NotFound => Error::not_found("snapshot"),
            BusError::Refused(reply) => Error::Unavailable {
                code: "snapshot_unavailable",
                title: tidy(&reply.detail),
                source: None,
            },
            other => other.into(),
        })
}
