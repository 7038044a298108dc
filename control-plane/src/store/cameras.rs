//! Cameras and their assignments to nodes.

mod list;
mod room;
mod row;

use diesel::prelude::*;
use wire::{CameraId, GroupId, NodeId, OrganizationId};

use super::schema::{assignment, camera};
use super::types::Id;
use super::{Connection, Store, StoreError};
use row::Raw;

pub use list::{Filter, list};
pub use room::{Room, fill_in, group_exists, groups, room, same_address, taken_addresses};
pub use row::CameraRow;
pub(super) use row::split;

/// Rows of one statement.
const AT_ONCE: usize = 500;

/// Adds a camera.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &CameraRow) -> Result<(), StoreError> {
    diesel::insert_into(camera::table)
        .values(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// Adds many cameras.
///
/// # Errors
/// Those of the database.
pub fn insert_all(connection: &mut Connection, rows: &[CameraRow]) -> Result<(), StoreError> {
    for rows in rows.chunks(AT_ONCE) {
        let rows: Vec<Raw> = rows.iter().map(Raw::from).collect();
        let insert = diesel::insert_into(camera::table).values(rows);
        match connection {
            Connection::Sqlite(c) => insert.execute(c)?,
            Connection::Postgres(c) => insert.execute(c)?,
        };
    }
    Ok(())
}

/// An organization's camera that is not deleted.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: CameraId,
) -> Result<Option<CameraRow>, StoreError> {
    Ok(get_even_deleted(connection, organization, id)?.filter(|row| row.deleted.is_none()))
}

/// An organization's camera, deleted ones included: their footage is still there.
///
/// # Errors
/// Those of the database.
pub fn get_even_deleted(
    connection: &mut Connection,
    organization: OrganizationId,
    id: CameraId,
) -> Result<Option<CameraRow>, StoreError> {
    Ok(camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(Into::into))
}

/// The groups of an organization's cameras among `ids`, deleted ones included.
///
/// # Errors
/// Those of the database.
pub fn grouped(
    connection: &mut Connection,
    organization: OrganizationId,
    ids: &[CameraId],
) -> Result<Vec<(CameraId, Option<GroupId>)>, StoreError> {
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let rows: Vec<(Id, Option<Id>)> = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::id.eq_any(ids))
        .select((camera::id, camera::camera_group))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(camera, group)| (camera.into(), group.map(Into::into)))
        .collect())
}

/// An organization's cameras that are not deleted, for the planner only.
///
/// # Errors
/// Those of the database.
pub fn all(connection: &mut Connection, organization: OrganizationId) -> Result<Vec<CameraRow>, StoreError> {
    let rows: Vec<Raw> = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::deleted.is_null())
        .order(camera::id)
        .select(Raw::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A camera that is assigned to `node` now and not deleted.
///
/// # Errors
/// Those of the database.
pub fn of_node(
    connection: &mut Connection,
    node: NodeId,
    id: CameraId,
) -> Result<Option<CameraRow>, StoreError> {
    Ok(camera::table
        .inner_join(assignment::table.on(assignment::camera.eq(camera::id)))
        .filter(assignment::node.eq(Id::from(node)))
        .filter(assignment::ended.is_null())
        .filter(camera::id.eq(Id::from(id)))
        .filter(camera::deleted.is_null())
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(Into::into))
}

/// Writes a changed camera back; identity, owner and creation never change.
///
/// # Errors
/// Those of the database.
pub fn update(connection: &mut Connection, row: &CameraRow) -> Result<(), StoreError> {
    diesel::update(camera::table)
        .filter(camera::organization.eq(Id::from(row.organization)))
        .filter(camera::id.eq(Id::from(row.id)))
        .set(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// The owner of a camera that was ever assigned to `node` under `epoch`, deleted or not; none otherwise.
///
/// # Errors
/// Those of the database.
pub fn owner_if_assigned(
    connection: &mut Connection,
    id: CameraId,
    node: NodeId,
    epoch: u64,
) -> Result<Option<OrganizationId>, StoreError> {
    let owner: Option<Id> = camera::table
        .inner_join(assignment::table.on(assignment::camera.eq(camera::id)))
        .filter(camera::id.eq(Id::from(id)))
        .filter(assignment::node.eq(Id::from(node)))
        .filter(assignment::epoch.eq(epoch.cast_signed()))
        .select(camera::organization)
        .first(connection)
        .optional()?;
    Ok(owner.map(Into::into))
}

impl Store {
    /// [`get`] on a reader.
    ///
    /// # Errors
    /// As [`get`].
    pub async fn camera(
        &self,
        organization: OrganizationId,
        id: CameraId,
    ) -> Result<Option<CameraRow>, StoreError> {
        self.read(move |c| get(c, organization, id)).await
    }

    /// [`get_even_deleted`] on a reader.
    ///
    /// # Errors
    /// As [`get_even_deleted`].
    pub async fn camera_even_deleted(
        &self,
        organization: OrganizationId,
        id: CameraId,
    ) -> Result<Option<CameraRow>, StoreError> {
        self.read(move |c| get_even_deleted(c, organization, id)).await
    }
}
