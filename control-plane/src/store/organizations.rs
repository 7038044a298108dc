//! Organizations: the tenants.

use diesel::prelude::*;
use wire::{OrganizationId, UnixMs};

use super::schema::organization;
use super::types::Id;
use super::{Connection, StoreError};

/// Adds an organization.
///
/// # Errors
/// Those of the database.
pub fn insert(
    connection: &mut Connection,
    id: OrganizationId,
    name: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    diesel::insert_into(organization::table)
        .values((
            organization::id.eq(Id::from(id)),
            organization::name.eq(name),
            organization::created.eq(now.0),
            organization::state_since.eq(now.0),
            organization::licensing.eq(0_i16),
        ))
        .execute(connection)?;
    Ok(())
}

/// The organization that was there first; nodes without another one belong to it.
///
/// # Errors
/// Those of the database.
pub fn first(connection: &mut Connection) -> Result<Option<OrganizationId>, StoreError> {
    let found: Option<Id> = organization::table
        .order((organization::created, organization::id))
        .select(organization::id)
        .first(connection)
        .optional()?;
    Ok(found.map(Into::into))
}

/// Whether there is such an organization.
///
/// # Errors
/// Those of the database.
pub fn exists(connection: &mut Connection, id: OrganizationId) -> Result<bool, StoreError> {
    let found: Option<Id> = organization::table
        .find(Id::from(id))
        .select(organization::id)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

/// Counts bytes of footage into what an organization has in the object store; negative ones out of it.
///
/// # Errors
/// Those of the database.
pub fn add_stored(connection: &mut Connection, id: OrganizationId, bytes: i64) -> Result<(), StoreError> {
    diesel::update(organization::table.find(Id::from(id)))
        .set(organization::stored_bytes.eq(organization::stored_bytes + bytes))
        .execute(connection)?;
    Ok(())
}
