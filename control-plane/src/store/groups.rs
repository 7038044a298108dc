//! Groups of cameras.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use wire::{GroupId, OrganizationId, UnixMs, UserId};

use super::schema::{access_grant, camera, camera_group};
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// A group of cameras.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// The group.
    pub id: GroupId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name, unique in its organization.
    pub name: String,
    /// When it was created.
    pub created: UnixMs,
    /// Grows with each change.
    pub revision: u64,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = camera_group)]
struct Raw {
    id: Id,
    organization: Id,
    name: String,
    created: i64,
    revision: i64,
}

impl From<Raw> for GroupRow {
    fn from(raw: Raw) -> Self {
        Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            name: raw.name,
            created: UnixMs(raw.created),
            revision: raw.revision.cast_unsigned(),
        }
    }
}

impl From<&GroupRow> for Raw {
    fn from(row: &GroupRow) -> Self {
        Self {
            id: row.id.into(),
            organization: row.organization.into(),
            name: row.name.clone(),
            created: row.created.0,
            revision: row.revision.cast_signed(),
        }
    }
}

/// Adds a group.
///
/// # Errors
/// [`StoreError::Conflict`] when the organization has one of this name, and those of the database.
pub fn insert(connection: &mut Connection, row: &GroupRow) -> Result<(), StoreError> {
    diesel::insert_into(camera_group::table)
        .values(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// Writes a changed group back.
///
/// # Errors
/// As [`insert`].
pub fn update(connection: &mut Connection, row: &GroupRow) -> Result<(), StoreError> {
    diesel::update(camera_group::table)
        .filter(camera_group::organization.eq(Id::from(row.organization)))
        .filter(camera_group::id.eq(Id::from(row.id)))
        .set(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// An organization's group.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: GroupId,
) -> Result<Option<GroupRow>, StoreError> {
    Ok(camera_group::table
        .filter(camera_group::organization.eq(Id::from(organization)))
        .filter(camera_group::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(Into::into))
}

/// An organization's groups, oldest first; only those on which `granted_to` has a grant, when given. One
/// more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    granted_to: Option<UserId>,
    part: &Part,
) -> Result<Vec<GroupRow>, StoreError> {
    let mut query = camera_group::table
        .filter(camera_group::organization.eq(Id::from(organization)))
        .order((camera_group::created, camera_group::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(user) = granted_to {
        let (_, groups) = super::access::granted_to(connection, organization, user)?;
        query = query.filter(camera_group::id.eq_any(groups));
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            camera_group::created
                .gt(after.at)
                .or(camera_group::created.eq(after.at).and(camera_group::id.gt(id))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Whether a user has a grant on a group.
///
/// # Errors
/// Those of the database.
pub fn is_granted(
    connection: &mut Connection,
    organization: OrganizationId,
    user: UserId,
    id: GroupId,
) -> Result<bool, StoreError> {
    let (_, groups) = super::access::granted_to(connection, organization, user)?;
    Ok(groups.contains(&Id::from(id)))
}

/// How many cameras that are not deleted each of an organization's groups has.
///
/// # Errors
/// Those of the database.
pub fn sizes(
    connection: &mut Connection,
    organization: OrganizationId,
    ids: &[GroupId],
) -> Result<HashMap<GroupId, u64>, StoreError> {
    let ids: Vec<Option<Id>> = ids.iter().map(|id| Some(Id::from(*id))).collect();
    let rows: Vec<(Option<Id>, i64)> = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::camera_group.eq_any(ids))
        .filter(camera::deleted.is_null())
        .group_by(camera::camera_group)
        .select((camera::camera_group, count_star()))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .filter_map(|(group, count)| Some((group?.into(), count.cast_unsigned())))
        .collect())
}

/// Deletes a group and the grants on it; its cameras are in none then.
///
/// # Errors
/// Those of the database.
pub fn delete(
    connection: &mut Connection,
    organization: OrganizationId,
    id: GroupId,
) -> Result<(), StoreError> {
    diesel::update(camera::table)
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::camera_group.eq(Id::from(id)))
        .set((
            camera::camera_group.eq(None::<Id>),
            camera::revision.eq(camera::revision + 1),
        ))
        .execute(connection)?;
    diesel::delete(access_grant::table)
        .filter(access_grant::organization.eq(Id::from(organization)))
        .filter(access_grant::camera_group.eq(Id::from(id)))
        .execute(connection)?;
    diesel::delete(camera_group::table)
        .filter(camera_group::organization.eq(Id::from(organization)))
        .filter(camera_group::id.eq(Id::from(id)))
        .execute(connection)?;
    Ok(())
}
