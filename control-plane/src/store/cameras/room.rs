//! What a new camera must get along with: the quota, the groups, and the cameras that are there.

use std::collections::HashMap;

use diesel::prelude::*;
use wire::{CameraId, GroupId, OrganizationId};

use super::super::schema::{camera, camera_group, organization};
use super::super::types::Id;
use super::super::{Connection, StoreError};
use super::row::{CameraRow, Raw, searched};
use crate::domain::camera::address_key;

/// How many cameras an organization has and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Cameras that are not deleted.
    pub used: u64,
    /// As many as there may be; none without a limit.
    pub quota: Option<u64>,
}

impl Room {
    /// How many more there may be.
    #[must_use]
    pub fn left(self) -> u64 {
        self.quota
            .map_or(u64::MAX, |quota| quota.saturating_sub(self.used))
    }
}

/// An organization's room for cameras.
///
/// # Errors
/// Those of the database.
pub fn room(connection: &mut Connection, owner: OrganizationId) -> Result<Room, StoreError> {
    let quota: Option<Option<i64>> = organization::table
        .find(Id::from(owner))
        .select(organization::quota_cameras)
        .first(connection)
        .optional()?;
    let used: i64 = camera::table
        .filter(camera::organization.eq(Id::from(owner)))
        .filter(camera::deleted.is_null())
        .count()
        .get_result(connection)?;
    Ok(Room {
        used: used.cast_unsigned(),
        quota: quota
            .flatten()
            .map(|quota| u64::try_from(quota).unwrap_or_default()),
    })
}

/// Another camera of the organization at the address, if there is one.
///
/// # Errors
/// Those of the database.
pub fn same_address(
    connection: &mut Connection,
    owner: OrganizationId,
    key: &str,
    except: CameraId,
) -> Result<Option<CameraId>, StoreError> {
    let found: Option<Id> = camera::table
        .filter(camera::organization.eq(Id::from(owner)))
        .filter(camera::address_key.eq(key))
        .filter(camera::deleted.is_null())
        .filter(camera::id.ne(Id::from(except)))
        .order((camera::created, camera::id))
        .select(camera::id)
        .first(connection)
        .optional()?;
    Ok(found.map(Into::into))
}

/// Every address of the organization's cameras, and one camera at each.
///
/// # Errors
/// Those of the database.
pub fn taken_addresses(
    connection: &mut Connection,
    owner: OrganizationId,
) -> Result<HashMap<String, CameraId>, StoreError> {
    let rows: Vec<(String, Id)> = camera::table
        .filter(camera::organization.eq(Id::from(owner)))
        .filter(camera::deleted.is_null())
        .select((camera::address_key, camera::id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(key, id)| (key, id.into())).collect())
}

/// Whether the organization has such a group.
///
/// # Errors
/// Those of the database.
pub fn group_exists(
    connection: &mut Connection,
    owner: OrganizationId,
    group: GroupId,
) -> Result<bool, StoreError> {
    let found: Option<Id> = camera_group::table
        .filter(camera_group::organization.eq(Id::from(owner)))
        .filter(camera_group::id.eq(Id::from(group)))
        .select(camera_group::id)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

/// The organization's groups by their names.
///
/// # Errors
/// Those of the database.
pub fn groups(
    connection: &mut Connection,
    owner: OrganizationId,
) -> Result<HashMap<String, GroupId>, StoreError> {
    let rows: Vec<(String, Id)> = camera_group::table
        .filter(camera_group::organization.eq(Id::from(owner)))
        .select((camera_group::name, camera_group::id))
        .load(connection)?;
    Ok(rows.into_iter().map(|(name, id)| (name, id.into())).collect())
}

/// Computes what cameras of an older version do not have yet; how many there were.
///
/// # Errors
/// Those of the database.
pub fn fill_in(connection: &mut Connection) -> Result<usize, StoreError> {
    let rows: Vec<Raw> = camera::table
        .filter(camera::address_key.eq(""))
        .select(Raw::as_select())
        .load(connection)?;
    let count = rows.len();
    for row in rows.into_iter().map(CameraRow::from) {
        diesel::update(camera::table.find(Id::from(row.id)))
            .set((
                camera::address_key.eq(address_key(&row.url)),
                camera::search.eq(searched(&row)),
            ))
            .execute(connection)?;
    }
    Ok(count)
}
