//! What a caller may do with each of many cameras, from one look at the grants.

use std::collections::HashMap;

use wire::access::{Permission, Permissions};
use wire::{CameraId, GroupId};

use super::Caller;
use crate::store::{CameraRow, Connection, StoreError, grants};

/// A caller's permissions, ready for many cameras of the organization acted in.
pub(super) struct Reach {
    everywhere: Permissions,
    cameras: HashMap<CameraId, Permissions>,
    groups: HashMap<GroupId, Permissions>,
}

impl Reach {
    /// Of this caller, now.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn of(connection: &mut Connection, caller: &Caller) -> Result<Self, StoreError> {
        let mut reach = Self {
            everywhere: Permission::ALL
                .into_iter()
                .filter(|permission| caller.rights.has(permission.right()))
                .collect(),
            cameras: HashMap::new(),
            groups: HashMap::new(),
        };
        if let Some(user) = caller.only_granted() {
            for grant in grants::of(connection, caller.organization, user)? {
                if let Some(camera) = grant.camera {
                    add(reach.cameras.entry(camera).or_default(), grant.permissions);
                }
                if let Some(group) = grant.group {
                    add(reach.groups.entry(group).or_default(), grant.permissions);
                }
            }
        }
        Ok(reach)
    }

    /// What may be done with one camera.
    pub(super) fn on(&self, row: &CameraRow) -> Permissions {
        self.on_camera(row.id, row.group)
    }

    /// What may be done with a camera of which only this is known.
    pub(super) fn on_camera(&self, camera: CameraId, group: Option<GroupId>) -> Permissions {
        let direct = self.cameras.get(&camera).copied().unwrap_or_default();
        let group = group.and_then(|group| self.groups.get(&group).copied());
        self.everywhere.and(direct).and(group.unwrap_or_default())
    }
}

fn add(permissions: &mut Permissions, more: Permissions) {
    *permissions = permissions.and(more);
}
