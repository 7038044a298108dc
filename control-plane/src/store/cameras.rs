//! Cameras and their assignments to nodes.

use diesel::prelude::*;
use wire::source::{Reader, Transport};
use wire::{CameraId, NodeId, OrganizationId, UnixMs, UserId};

use super::schema::{assignment, camera};
use super::types::{Id, ReaderSql, TransportSql};
use super::{Connection, Store, StoreError};
use crate::domain::page::Part;

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraRow {
    /// The camera.
    pub id: CameraId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Address without credentials.
    pub url: String,
    /// Credentials, encrypted under the master key.
    pub credentials: Option<Vec<u8>>,
    /// Grows with each change of the credentials.
    pub credentials_revision: u64,
    /// How RTP travels.
    pub transport: Transport,
    /// Which reader to use.
    pub reader: Reader,
    /// Whether sound is recorded.
    pub audio: bool,
    /// Whether it is to be recorded.
    pub recording: bool,
    /// The node it is assigned to.
    pub node: Option<NodeId>,
    /// The assignment's epoch; 0 before the first.
    pub epoch: u64,
    /// When it was created.
    pub created: UnixMs,
    /// When it was deleted; its footage stays.
    pub deleted: Option<UnixMs>,
    /// Grows with each change that people make.
    pub revision: u64,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = camera, treat_none_as_null = true)]
struct Raw {
    id: Id,
    organization: Id,
    name: String,
    url: String,
    credentials: Option<Vec<u8>>,
    credentials_revision: i64,
    transport: TransportSql,
    reader: ReaderSql,
    audio: bool,
    recording: bool,
    node: Option<Id>,
    epoch: i64,
    created: i64,
    deleted: Option<i64>,
    revision: i64,
}

impl From<Raw> for CameraRow {
    fn from(raw: Raw) -> Self {
        Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            name: raw.name,
            url: raw.url,
            credentials: raw.credentials,
            credentials_revision: raw.credentials_revision.cast_unsigned(),
            transport: raw.transport.into(),
            reader: raw.reader.into(),
            audio: raw.audio,
            recording: raw.recording,
            node: raw.node.map(Into::into),
            epoch: raw.epoch.cast_unsigned(),
            created: UnixMs(raw.created),
            deleted: raw.deleted.map(UnixMs),
            revision: raw.revision.cast_unsigned(),
        }
    }
}

impl From<&CameraRow> for Raw {
    fn from(row: &CameraRow) -> Self {
        Self {
            id: row.id.into(),
            organization: row.organization.into(),
            name: row.name.clone(),
            url: row.url.clone(),
            credentials: row.credentials.clone(),
            credentials_revision: row.credentials_revision.cast_signed(),
            transport: row.transport.into(),
            reader: row.reader.into(),
            audio: row.audio,
            recording: row.recording,
            node: row.node.map(Into::into),
            epoch: row.epoch.cast_signed(),
            created: row.created.0,
            deleted: row.deleted.map(|at| at.0),
            revision: row.revision.cast_signed(),
        }
    }
}

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

/// An organization's cameras that are not deleted, oldest first; only those on which `granted_to` has a
/// grant, when given. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    granted_to: Option<UserId>,
    part: &Part,
) -> Result<Vec<CameraRow>, StoreError> {
    let mut query = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::deleted.is_null())
        .order((camera::created, camera::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(user) = granted_to {
        let (single, groups) = super::access::granted_to(connection, organization, user)?;
        query = query.filter(
            camera::id
                .eq_any(single)
                .or(camera::camera_group.assume_not_null().eq_any(groups)),
        );
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            camera::created
                .gt(after.at)
                .or(camera::created.eq(after.at).and(camera::id.gt(id))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Every organization's cameras that are not deleted, for the planner only.
///
/// # Errors
/// Those of the database.
pub fn all(connection: &mut Connection) -> Result<Vec<CameraRow>, StoreError> {
    let rows: Vec<Raw> = camera::table
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
        .filter(camera::node.eq(Id::from(node)))
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

/// Assigns a camera to a node under a new epoch, and remembers that it was.
///
/// # Errors
/// Those of the database.
pub fn assign(
    connection: &mut Connection,
    id: CameraId,
    node: NodeId,
    epoch: u64,
    now: UnixMs,
) -> Result<(), StoreError> {
    diesel::update(camera::table.find(Id::from(id)))
        .set((
            camera::node.eq(Id::from(node)),
            camera::epoch.eq(epoch.cast_signed()),
        ))
        .execute(connection)?;
    diesel::insert_into(assignment::table)
        .values((
            assignment::camera.eq(Id::from(id)),
            assignment::epoch.eq(epoch.cast_signed()),
            assignment::node.eq(Id::from(node)),
            assignment::since.eq(now.0),
        ))
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
    epoch: Option<u64>,
) -> Result<Option<OrganizationId>, StoreError> {
    let mut query = camera::table
        .inner_join(assignment::table.on(assignment::camera.eq(camera::id)))
        .filter(camera::id.eq(Id::from(id)))
        .filter(assignment::node.eq(Id::from(node)))
        .select(camera::organization)
        .into_boxed();
    if let Some(epoch) = epoch {
        query = query.filter(assignment::epoch.eq(epoch.cast_signed()));
    }
    let owner: Option<Id> = query.first(connection).optional()?;
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
