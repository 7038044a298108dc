//! Overrides: what people said of a camera's recording, for a time.

use diesel::prelude::*;
use wire::{CameraId, OrganizationId, OverrideId, TimeRange, UnixMs, UserId};

use super::schema::recording_override;
use super::types::{Id, OverrideKindSql};
use super::{Connection, StoreError};
use crate::domain::page::Part;
use crate::domain::plan::{OverrideKind, PlanOverride};

/// An override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideRow {
    /// Which one.
    pub id: OverrideId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The camera.
    pub camera: CameraId,
    /// What it does.
    pub kind: OverrideKind,
    /// First instant.
    pub start: UnixMs,
    /// First instant after; none until it is cancelled.
    pub end: Option<UnixMs>,
    /// Why, in words.
    pub reason: String,
    /// When it was made.
    pub created: UnixMs,
    /// Who made it; none for a machine, and when the person was erased.
    pub created_by: Option<UserId>,
    /// When it was cancelled, if that came before its end.
    pub cancelled: Option<UnixMs>,
}

impl OverrideRow {
    /// The same for the planner.
    #[must_use]
    pub fn planned(&self) -> PlanOverride {
        let ends = [self.end, self.cancelled];
        PlanOverride {
            id: self.id,
            kind: self.kind,
            start: self.start,
            end: ends.into_iter().flatten().min(),
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = recording_override)]
struct Raw {
    id: Id,
    organization: Id,
    camera: Id,
    kind: OverrideKindSql,
    start_ms: i64,
    end_ms: Option<i64>,
    reason: String,
    created: i64,
    created_by: Option<Id>,
    cancelled: Option<i64>,
}

impl From<Raw> for OverrideRow {
    fn from(raw: Raw) -> Self {
        Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            camera: raw.camera.into(),
            kind: raw.kind.into(),
            start: UnixMs(raw.start_ms),
            end: raw.end_ms.map(UnixMs),
            reason: raw.reason,
            created: UnixMs(raw.created),
            created_by: raw.created_by.map(Into::into),
            cancelled: raw.cancelled.map(UnixMs),
        }
    }
}

/// Adds one.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &OverrideRow) -> Result<(), StoreError> {
    let raw = Raw {
        id: row.id.into(),
        organization: row.organization.into(),
        camera: row.camera.into(),
        kind: row.kind.into(),
        start_ms: row.start.0,
        end_ms: row.end.map(|end| end.0),
        reason: row.reason.clone(),
        created: row.created.0,
        created_by: row.created_by.map(Into::into),
        cancelled: row.cancelled.map(|at| at.0),
    };
    diesel::insert_into(recording_override::table)
        .values(raw)
        .execute(connection)?;
    Ok(())
}

/// An organization's override.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: OverrideId,
) -> Result<Option<OverrideRow>, StoreError> {
    Ok(recording_override::table
        .filter(recording_override::organization.eq(Id::from(organization)))
        .filter(recording_override::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(Into::into))
}

/// A camera's overrides, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    part: &Part,
) -> Result<Vec<OverrideRow>, StoreError> {
    let mut query = recording_override::table
        .filter(recording_override::organization.eq(Id::from(organization)))
        .filter(recording_override::camera.eq(Id::from(camera)))
        .order((recording_override::created, recording_override::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(after) = part.after {
        let id = Id(after.id);
        let at = recording_override::created.eq(after.at);
        let later = recording_override::created.gt(after.at);
        query = query.filter(later.or(at.and(recording_override::id.gt(id))));
    }
    let raws: Vec<Raw> = query.load(connection)?;
    Ok(raws.into_iter().map(Into::into).collect())
}

/// The overrides of an organization that are not over, oldest first; those of `cameras` only, when given.
///
/// # Errors
/// Those of the database.
pub fn standing(
    connection: &mut Connection,
    organization: OrganizationId,
    cameras: Option<&[CameraId]>,
    now: UnixMs,
) -> Result<Vec<OverrideRow>, StoreError> {
    let mut query = recording_override::table
        .filter(recording_override::organization.eq(Id::from(organization)))
        .filter(recording_override::cancelled.is_null())
        .filter(
            recording_override::end_ms
                .is_null()
                .or(recording_override::end_ms.assume_not_null().gt(now.0)),
        )
        .order((recording_override::created, recording_override::id))
        .select(Raw::as_select())
        .into_boxed();
    if let Some(cameras) = cameras {
        let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
        query = query.filter(recording_override::camera.eq_any(cameras));
    }
    let raws: Vec<Raw> = query.load(connection)?;
    Ok(raws.into_iter().map(Into::into).collect())
}

/// The overrides of a camera that touch `range`, oldest first, over or not.
///
/// # Errors
/// Those of the database.
pub fn in_range(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    range: TimeRange,
) -> Result<Vec<PlanOverride>, StoreError> {
    let raws: Vec<Raw> = recording_override::table
        .filter(recording_override::camera.eq(Id::from(camera)))
        .filter(recording_override::organization.eq(Id::from(organization)))
        .filter(recording_override::start_ms.lt(range.end().0))
        .filter(
            recording_override::end_ms
                .is_null()
                .or(recording_override::end_ms.assume_not_null().gt(range.start().0)),
        )
        .order((recording_override::created, recording_override::id))
        .select(Raw::as_select())
        .load(connection)?;
    Ok(raws
        .into_iter()
        .map(|raw| OverrideRow::from(raw).planned())
        .collect())
}

/// Ends one before its time.
///
/// # Errors
/// Those of the database.
pub fn cancel(
    connection: &mut Connection,
    organization: OrganizationId,
    id: OverrideId,
    now: UnixMs,
) -> Result<(), StoreError> {
    diesel::update(recording_override::table)
        .filter(recording_override::organization.eq(Id::from(organization)))
        .filter(recording_override::id.eq(Id::from(id)))
        .filter(recording_override::cancelled.is_null())
        .set(recording_override::cancelled.eq(now.0))
        .execute(connection)?;
    Ok(())
}
