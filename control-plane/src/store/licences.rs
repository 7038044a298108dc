//! Licences and the cameras they are assigned to: one each way.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use wire::licence::{LicenceFeature, LicencePlan, LicenceState};
use wire::{CameraId, LicenceId, OrganizationId, TimeRange, UnixMs};

use super::schema::{camera, licence};
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::licence::Validity;
use crate::domain::page::Part;

/// A licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceRow {
    /// The licence.
    pub id: LicenceId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// What it permits.
    pub plan: LicencePlan,
    /// When.
    pub validity: Validity,
    /// The camera it is assigned to.
    pub camera: Option<CameraId>,
    /// When it was issued.
    pub issued: UnixMs,
    /// Grows with each change.
    pub revision: u64,
}

/// Which licences of an organization are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those in this state now.
    pub state: Option<LicenceState>,
    /// The one of this camera.
    pub camera: Option<CameraId>,
    /// Those with a camera, or those without one.
    pub assigned: Option<bool>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = licence, treat_none_as_null = true)]
struct Raw {
    id: Id,
    organization: Id,
    name: String,
    features: i16,
    retention_days: i32,
    max_width: i32,
    max_height: i32,
    max_bitrate_bps: i64,
    valid_from: i64,
    valid_to: i64,
    grace_days: i32,
    suspended: bool,
    camera: Option<Id>,
    issued: i64,
    revision: i64,
}

impl TryFrom<Raw> for LicenceRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let broken = |_| StoreError::Broken(format!("a licence with a number out of range: {:?}", raw.id));
        let plan = LicencePlan {
            features: features(raw.features),
            retention_days: raw.retention_days.try_into().map_err(broken)?,
            max_width: raw.max_width.try_into().map_err(broken)?,
            max_height: raw.max_height.try_into().map_err(broken)?,
            max_bitrate_bps: raw.max_bitrate_bps.try_into().map_err(broken)?,
        };
        let validity = Validity {
            valid: TimeRange::new(UnixMs(raw.valid_from), UnixMs(raw.valid_to))
                .map_err(|error| StoreError::Broken(error.to_string()))?,
            grace_days: raw.grace_days.try_into().map_err(broken)?,
            suspended: raw.suspended,
        };
        Ok(Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            name: raw.name,
            plan,
            validity,
            camera: raw.camera.map(Into::into),
            issued: UnixMs(raw.issued),
            revision: raw.revision.cast_unsigned(),
        })
    }
}

impl From<&LicenceRow> for Raw {
    fn from(row: &LicenceRow) -> Self {
        Self {
            id: row.id.into(),
            organization: row.organization.into(),
            name: row.name.clone(),
            features: bits(&row.plan.features),
            retention_days: row.plan.retention_days.into(),
            max_width: row.plan.max_width.into(),
            max_height: row.plan.max_height.into(),
            max_bitrate_bps: row.plan.max_bitrate_bps.into(),
            valid_from: row.validity.valid.start().0,
            valid_to: row.validity.valid.end().0,
            grace_days: row.validity.grace_days.into(),
            suspended: row.validity.suspended,
            camera: row.camera.map(Into::into),
            issued: row.issued.0,
            revision: row.revision.cast_signed(),
        }
    }
}

/// Bit 0 is the first of [`LicenceFeature::ALL`]; on disk for ever.
fn bits(features: &[LicenceFeature]) -> i16 {
    let bit = |feature: &LicenceFeature| 1 << *feature as i16;
    features.iter().fold(0, |bits, feature| bits | bit(feature))
}

fn features(bits: i16) -> Vec<LicenceFeature> {
    let all = LicenceFeature::ALL.into_iter();
    all.filter(|feature| bits & (1 << *feature as i16) != 0).collect()
}

fn rows(raws: Vec<Raw>) -> Result<Vec<LicenceRow>, StoreError> {
    raws.into_iter().map(TryInto::try_into).collect()
}

/// Adds a licence.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &LicenceRow) -> Result<(), StoreError> {
    diesel::insert_into(licence::table)
        .values(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// An organization's licence.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: LicenceId,
) -> Result<Option<LicenceRow>, StoreError> {
    licence::table
        .filter(licence::organization.eq(Id::from(organization)))
        .filter(licence::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(TryInto::try_into)
        .transpose()
}

/// The licence that a camera of an organization has.
///
/// # Errors
/// Those of the database.
pub fn of_camera(
    connection: &mut Connection,
    organization: OrganizationId,
    id: CameraId,
) -> Result<Option<LicenceRow>, StoreError> {
    licence::table
        .filter(licence::organization.eq(Id::from(organization)))
        .filter(licence::camera.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(TryInto::try_into)
        .transpose()
}

/// An organization's licences, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    filter: &Filter,
    part: &Part,
    now: UnixMs,
) -> Result<Vec<LicenceRow>, StoreError> {
    let mut query = licence::table
        .filter(licence::organization.eq(Id::from(organization)))
        .order((licence::issued, licence::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(camera) = filter.camera {
        query = query.filter(licence::camera.eq(Id::from(camera)));
    }
    query = match filter.assigned {
        Some(true) => query.filter(licence::camera.is_not_null()),
        Some(false) => query.filter(licence::camera.is_null()),
        None => query,
    };
    if let Some(state) = filter.state {
        // As `Validity::state` says it.
        let lapsed = sql::<Bool>("(valid_to + grace_days * CAST(86400000 AS BIGINT) <= ")
            .bind::<BigInt, _>(now.0)
            .sql(")");
        query = match state {
            LicenceState::Expired => query.filter(lapsed),
            _ => query.filter(diesel::dsl::not(lapsed)),
        };
        let in_force = licence::suspended.eq(false);
        query = match state {
            LicenceState::Expired => query,
            LicenceState::Suspended => query.filter(licence::suspended.eq(true)),
            LicenceState::Pending => query.filter(in_force).filter(licence::valid_from.gt(now.0)),
            LicenceState::Active => query
                .filter(in_force)
                .filter(licence::valid_from.le(now.0))
                .filter(licence::valid_to.gt(now.0)),
            LicenceState::Grace => query.filter(in_force).filter(licence::valid_to.le(now.0)),
        };
    }
    if let Some(after) = part.after {
        let id = Id(after.id);
        let later = licence::issued.gt(after.at);
        query = query.filter(later.or(licence::issued.eq(after.at).and(licence::id.gt(id))));
    }
    rows(query.load(connection)?)
}

/// The `count` licences that were issued together, `first` the first of them.
///
/// # Errors
/// Those of the database.
pub fn issued_with(
    connection: &mut Connection,
    organization: OrganizationId,
    first: LicenceId,
    count: u16,
) -> Result<Vec<LicenceRow>, StoreError> {
    rows(
        licence::table
            .filter(licence::organization.eq(Id::from(organization)))
            .filter(licence::id.ge(Id::from(first)))
            .order(licence::id)
            .limit(count.into())
            .select(Raw::as_select())
            .load(connection)?,
    )
}

/// Every licence of an organization, in any order.
///
/// # Errors
/// Those of the database.
pub fn all_of(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<LicenceRow>, StoreError> {
    let query = licence::table.filter(licence::organization.eq(Id::from(organization)));
    rows(query.select(Raw::as_select()).load(connection)?)
}

/// An organization's assigned licences; those of `cameras` only, when given.
///
/// # Errors
/// Those of the database.
pub fn assigned(
    connection: &mut Connection,
    organization: OrganizationId,
    cameras: Option<&[CameraId]>,
) -> Result<Vec<LicenceRow>, StoreError> {
    let mut query = licence::table
        .filter(licence::organization.eq(Id::from(organization)))
        .filter(licence::camera.is_not_null())
        .into_boxed();
    if let Some(cameras) = cameras {
        let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
        query = query.filter(licence::camera.assume_not_null().eq_any(cameras));
    }
    rows(query.select(Raw::as_select()).load(connection)?)
}

/// Writes a changed licence back.
///
/// # Errors
/// [`StoreError::Conflict`] when its camera has another licence, and those of the database.
pub fn update(connection: &mut Connection, row: &LicenceRow) -> Result<(), StoreError> {
    diesel::update(licence::table)
        .filter(licence::organization.eq(Id::from(row.organization)))
        .filter(licence::id.eq(Id::from(row.id)))
        .set(Raw::from(row))
        .execute(connection)?;
    Ok(())
}

/// How many cameras of an organization are not deleted, and how many of those have no licence.
///
/// # Errors
/// Those of the database.
pub fn cameras(connection: &mut Connection, organization: OrganizationId) -> Result<(u64, u64), StoreError> {
    let there = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::deleted.is_null());
    let all: i64 = there.count().get_result(connection)?;
    let with: i64 = licence::table
        .inner_join(camera::table.on(licence::camera.eq(camera::id.nullable())))
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::deleted.is_null())
        .count()
        .get_result(connection)?;
    Ok((all.cast_unsigned(), (all - with).max(0).cast_unsigned()))
}
