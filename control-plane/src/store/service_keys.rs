//! Service keys: digests of their secrets only. Who calls with one is asked in `access`.

use diesel::prelude::*;
use wire::access::{Right, Rights};
use wire::{OrganizationId, ServiceKeyId, UnixMs, UserId};

use super::schema::service_key;
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// A service key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKeyRow {
    /// The key.
    pub id: ServiceKeyId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Rights,
    /// The last characters of the secret.
    pub hint: String,
    /// When it was made.
    pub created: UnixMs,
    /// Who made it, if a person did.
    pub created_by: Option<UserId>,
    /// When it stops working.
    pub expires: Option<UnixMs>,
    /// When it was last used.
    pub last_used: Option<UnixMs>,
    /// Grows with each change that people make.
    pub revision: u64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = service_key)]
struct Raw {
    id: Id,
    organization: Id,
    name: String,
    scopes: String,
    hint: String,
    created: i64,
    created_by: Option<Id>,
    expires: Option<i64>,
    last_used: Option<i64>,
    revision: i64,
}

fn row(raw: Raw) -> Result<ServiceKeyRow, StoreError> {
    Ok(ServiceKeyRow {
        id: raw.id.into(),
        organization: raw.organization.into(),
        name: raw.name,
        scopes: serde_json::from_str::<Vec<Right>>(&raw.scopes)?.into(),
        hint: raw.hint,
        created: UnixMs(raw.created),
        created_by: raw.created_by.map(Into::into),
        expires: raw.expires.map(UnixMs),
        last_used: raw.last_used.map(UnixMs),
        revision: raw.revision.cast_unsigned(),
    })
}

/// Adds a key; `hash` is the SHA-256 of its secret.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, new: &ServiceKeyRow, hash: &[u8; 32]) -> Result<(), StoreError> {
    diesel::insert_into(service_key::table)
        .values((
            service_key::id.eq(Id::from(new.id)),
            service_key::organization.eq(Id::from(new.organization)),
            service_key::name.eq(&new.name),
            service_key::hash.eq(hash.to_vec()),
            service_key::hint.eq(&new.hint),
            service_key::scopes.eq(serde_json::to_string(&new.scopes)?),
            service_key::created.eq(new.created.0),
            service_key::created_by.eq(new.created_by.map(Id::from)),
            service_key::expires.eq(new.expires.map(|at| at.0)),
            service_key::revision.eq(new.revision.cast_signed()),
        ))
        .execute(connection)?;
    Ok(())
}

/// An organization's key.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: ServiceKeyId,
) -> Result<Option<ServiceKeyRow>, StoreError> {
    service_key::table
        .filter(service_key::organization.eq(Id::from(organization)))
        .filter(service_key::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(row)
        .transpose()
}

/// An organization's keys, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    part: &Part,
) -> Result<Vec<ServiceKeyRow>, StoreError> {
    let mut query = service_key::table
        .filter(service_key::organization.eq(Id::from(organization)))
        .order((service_key::created, service_key::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(after) = part.after {
        query = query.filter(
            service_key::created.gt(after.at).or(service_key::created
                .eq(after.at)
                .and(service_key::id.gt(Id(after.id)))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    rows.into_iter().map(row).collect()
}

/// Writes name, end and revision back.
///
/// # Errors
/// Those of the database.
pub fn update(connection: &mut Connection, row: &ServiceKeyRow) -> Result<(), StoreError> {
    diesel::update(service_key::table)
        .filter(service_key::organization.eq(Id::from(row.organization)))
        .filter(service_key::id.eq(Id::from(row.id)))
        .set((
            service_key::name.eq(&row.name),
            service_key::expires.eq(row.expires.map(|at| at.0)),
            service_key::revision.eq(row.revision.cast_signed()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Removes a key: it works no more.
///
/// # Errors
/// Those of the database.
pub fn remove(
    connection: &mut Connection,
    organization: OrganizationId,
    id: ServiceKeyId,
) -> Result<(), StoreError> {
    diesel::delete(service_key::table)
        .filter(service_key::organization.eq(Id::from(organization)))
        .filter(service_key::id.eq(Id::from(id)))
        .execute(connection)?;
    Ok(())
}
