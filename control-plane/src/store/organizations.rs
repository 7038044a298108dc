//! Organizations: the tenants.

use diesel::prelude::*;
use wire::{OrganizationId, UnixMs, UserId};

use super::schema::{audit, organization};
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

/// Notes who did what, in the transaction of the change itself.
///
/// # Errors
/// Those of the database.
pub fn note(
    connection: &mut Connection,
    organization: OrganizationId,
    user: Option<UserId>,
    action: &str,
    subject: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    diesel::insert_into(audit::table)
        .values((
            audit::id.eq(Id(*wire::ObjectId::generate().as_bytes())),
            audit::organization.eq(Id::from(organization)),
            audit::user.eq(user.map(Id::from)),
            audit::action.eq(action),
            audit::subject.eq(subject),
            audit::happened.eq(now.0),
        ))
        .execute(connection)?;
    Ok(())
}
