//! Groups of cameras, and which cameras are in them.

use player::api::{all, change, change_camera, delete_seen, post};
use wire::api::{Camera, CameraPatch, Group, GroupPatch, NewGroup};
use wire::{CameraId, GroupId};

use super::Result;

/// Where they are listed.
pub(crate) const GROUPS: &str = "/api/v1/groups";

/// All groups.
pub(crate) async fn groups() -> Result<Vec<Group>> {
    all(GROUPS).await
}

/// Adds a group.
pub(crate) async fn add_group(name: String) -> Result<Group> {
    post(GROUPS, &NewGroup { name }).await
}

/// Gives a group another name.
pub(crate) async fn rename_group(group: &Group, name: String) -> Result<Group> {
    let patch = GroupPatch { name: Some(name) };
    change(&format!("{GROUPS}/{}", group.id), &patch, group.revision).await
}

/// Deletes a group, and what was granted on it.
pub(crate) async fn delete_group(group: &Group) -> Result<()> {
    delete_seen(&format!("{GROUPS}/{}", group.id), group.revision).await
}

/// Puts cameras in a group, or takes them out of the one they are in.
pub(crate) async fn move_cameras(moves: Vec<(CameraId, Option<GroupId>)>) -> Result<Vec<Camera>> {
    let mut moved = Vec::new();
    for (id, group) in moves {
        let patch = CameraPatch {
            group: Some(group),
            ..CameraPatch::default()
        };
        moved.push(change_camera(id, &patch).await?);
    }
    Ok(moved)
}
