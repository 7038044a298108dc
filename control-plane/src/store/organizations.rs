//! Organizations: the tenants.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use wire::access::Role;
use wire::api::{Licensing, OrganizationState, Quotas, UserState};
use wire::{OrganizationId, UnixMs, UserId};

use super::schema::{camera, organization, user};
use super::types::{Id, LicensingSql, OrganizationStateSql, RoleSql, UserStateSql};
use super::{Connection, StoreError};
use crate::domain::organization::Life;
use crate::domain::page::Part;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationRow {
    /// The organization.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: UnixMs,
    /// Where it is in its life.
    pub life: Life,
    /// Who asked for its deletion.
    pub erase_by: Option<UserId>,
    /// How much it may have.
    pub quotas: Quotas,
    /// Bytes of footage that it has in the object store.
    pub stored_bytes: u64,
    /// Whether its cameras need licences.
    pub licensing: Licensing,
    /// Grows with each change that people make.
    pub revision: u64,
}

/// Which organizations a list has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// This one only.
    pub only: Option<OrganizationId>,
    /// Those in this state.
    pub state: Option<OrganizationState>,
    /// Those with this in their name, whatever its case.
    pub name_has: Option<String>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organization, treat_none_as_null = true)]
struct Raw {
    id: Id,
    name: String,
    created: i64,
    state: OrganizationStateSql,
    state_since: i64,
    state_before: OrganizationStateSql,
    erase_after: Option<i64>,
    erase_by: Option<Id>,
    quota_cameras: Option<i64>,
    quota_users: Option<i64>,
    quota_storage_bytes: Option<i64>,
    licensing: LicensingSql,
    revision: i64,
}

fn row((raw, stored_bytes): (Raw, i64)) -> OrganizationRow {
    let count = |quota: Option<i64>| quota.map(|quota| u32::try_from(quota).unwrap_or(u32::MAX));
    OrganizationRow {
        id: raw.id.into(),
        name: raw.name,
        created: UnixMs(raw.created),
        life: Life {
            state: raw.state.into(),
            since: UnixMs(raw.state_since),
            before: raw.state_before.into(),
            erase_after: raw.erase_after.map(UnixMs),
        },
        erase_by: raw.erase_by.map(Into::into),
        quotas: Quotas {
            cameras: count(raw.quota_cameras),
            users: count(raw.quota_users),
            storage_bytes: raw.quota_storage_bytes.map(i64::cast_unsigned),
        },
        stored_bytes: u64::try_from(stored_bytes).unwrap_or(0),
        licensing: raw.licensing.into(),
        revision: raw.revision.cast_unsigned(),
    }
}

// What is stored is counted elsewhere, so writing a row back leaves it alone.
impl From<&OrganizationRow> for Raw {
    fn from(row: &OrganizationRow) -> Self {
        Self {
            id: row.id.into(),
            name: row.name.clone(),
            created: row.created.0,
            state: row.life.state.into(),
            state_since: row.life.since.0,
            state_before: row.life.before.into(),
            erase_after: row.life.erase_after.map(|at| at.0),
            erase_by: row.erase_by.map(Into::into),
            quota_cameras: row.quotas.cameras.map(i64::from),
            quota_users: row.quotas.users.map(i64::from),
            quota_storage_bytes: row.quotas.storage_bytes.map(u64::cast_signed),
            licensing: row.licensing.into(),
            revision: row.revision.cast_signed(),
        }
    }
}

/// Adds the organization of a first start: no limits, no licences.
///
/// # Errors
/// Those of the database.
pub fn insert(
    connection: &mut Connection,
    id: OrganizationId,
    name: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    let row = OrganizationRow {
        id,
        name: name.to_owned(),
        created: now,
        life: Life::begun(now),
        erase_by: None,
        quotas: Quotas::default(),
        stored_bytes: 0,
        licensing: Licensing::None,
        revision: 1,
    };
    add(connection, &row)
}

/// Adds an organization.
///
/// # Errors
/// Those of the database.
pub fn add(connection: &mut Connection, row: &OrganizationRow) -> Result<(), StoreError> {
    diesel::insert_into(organization::table)
        .values(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// Writes a changed organization back; what it has stored is not touched.
///
/// # Errors
/// Those of the database.
pub fn update(connection: &mut Connection, row: &OrganizationRow) -> Result<(), StoreError> {
    diesel::update(organization::table.find(Id::from(row.id)))
        .set(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// One organization.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Connection, id: OrganizationId) -> Result<Option<OrganizationRow>, StoreError> {
    let found: Option<(Raw, i64)> = organization::table
        .find(Id::from(id))
        .select((Raw::as_select(), organization::stored_bytes))
        .first(connection)
        .optional()?;
    Ok(found.map(row))
}

/// Organizations, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    filter: &Filter,
    part: &Part,
) -> Result<Vec<OrganizationRow>, StoreError> {
    let mut query = organization::table
        .order((organization::created, organization::id))
        .limit(part.fetch())
        .select((Raw::as_select(), organization::stored_bytes))
        .into_boxed();
    if let Some(id) = filter.only {
        query = query.filter(organization::id.eq(Id::from(id)));
    }
    if let Some(state) = filter.state {
        query = query.filter(organization::state.eq(OrganizationStateSql(state)));
    }
    if let Some(text) = &filter.name_has {
        let pattern = super::like::has(text);
        query = query.filter(super::like::lower(organization::name).like(pattern).escape('\\'));
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            organization::created
                .gt(after.at)
                .or(organization::created.eq(after.at).and(organization::id.gt(id))),
        );
    }
    let rows: Vec<(Raw, i64)> = query.load(connection)?;
    Ok(rows.into_iter().map(row).collect())
}

/// How many cameras and users each of these organizations has, as quotas count them.
///
/// # Errors
/// Those of the database.
pub fn counts(
    connection: &mut Connection,
    ids: &[OrganizationId],
) -> Result<HashMap<OrganizationId, (u64, u64)>, StoreError> {
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let cameras: Vec<(Id, i64)> = camera::table
        .filter(camera::organization.eq_any(&ids))
        .filter(camera::deleted.is_null())
        .group_by(camera::organization)
        .select((camera::organization, count_star()))
        .load(connection)?;
    let users: Vec<(Id, i64)> = user::table
        .filter(user::organization.eq_any(&ids))
        .group_by(user::organization)
        .select((user::organization, count_star()))
        .load(connection)?;
    let mut counts: HashMap<OrganizationId, (u64, u64)> = HashMap::new();
    for (id, count) in cameras {
        counts.entry(id.into()).or_default().0 = count.cast_unsigned();
    }
    for (id, count) in users {
        counts.entry(id.into()).or_default().1 = count.cast_unsigned();
    }
    Ok(counts)
}

/// Organizations whose grace period is over.
///
/// # Errors
/// Those of the database.
pub fn due(connection: &mut Connection, now: UnixMs) -> Result<Vec<OrganizationId>, StoreError> {
    let found: Vec<Id> = organization::table
        .filter(organization::state.eq(OrganizationStateSql(OrganizationState::Deleting)))
        .filter(organization::erase_after.le(now.0))
        .order(organization::erase_after)
        .select(organization::id)
        .load(connection)?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// An organization other than `but`, not being deleted, in which somebody runs the platform; that of
/// `preferred` when it is one.
///
/// # Errors
/// Those of the database.
pub fn of_owner(
    connection: &mut Connection,
    but: OrganizationId,
    preferred: Option<UserId>,
) -> Result<Option<OrganizationId>, StoreError> {
    let owners: Vec<(Id, Id)> = user::table
        .inner_join(organization::table)
        .filter(organization::id.ne(Id::from(but)))
        .filter(organization::state.ne(OrganizationStateSql(OrganizationState::Deleting)))
        .filter(user::role.eq(RoleSql(Role::SuperAdmin)))
        .filter(user::state.eq(UserStateSql(UserState::Active)))
        .order((user::created, user::id))
        .select((user::id, organization::id))
        .load(connection)?;
    let wanted = owners.iter().find(|(id, _)| Some((*id).into()) == preferred);
    Ok(wanted.or(owners.first()).map(|(_, home)| (*home).into()))
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

/// The organizations of exactly this name, oldest first.
///
/// # Errors
/// Those of the database.
pub fn named(connection: &mut Connection, name: &str) -> Result<Vec<OrganizationId>, StoreError> {
    let found: Vec<Id> = organization::table
        .filter(organization::name.eq(name))
        .order((organization::created, organization::id))
        .select(organization::id)
        .load(connection)?;
    Ok(found.into_iter().map(Into::into).collect())
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

/// Whether an organization is being deleted: nobody signs in to it. One that is gone counts as such.
///
/// # Errors
/// Those of the database.
pub fn is_closed(connection: &mut Connection, id: OrganizationId) -> Result<bool, StoreError> {
    let state: Option<OrganizationStateSql> = organization::table
        .find(Id::from(id))
        .select(organization::state)
        .first(connection)
        .optional()?;
    Ok(state.is_none_or(|state| state.0 == OrganizationState::Deleting))
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
