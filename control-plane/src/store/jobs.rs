//! Recording jobs: rules that say when cameras are recorded.

use diesel::prelude::*;
use wire::schedule::{Schedule, StreamChoice};
use wire::{CameraId, JobId, OrganizationId, UnixMs};

use super::schema::{camera, recording_job};
use super::types::{Id, StreamsSql};
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// A recording job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// The job.
    pub id: JobId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The camera it rules.
    pub camera: CameraId,
    /// Its name.
    pub name: String,
    /// When it records.
    pub schedule: Schedule,
    /// Its own time zone; the camera's without one.
    pub time_zone: Option<String>,
    /// What it records.
    pub streams: StreamChoice,
    /// Whether it counts.
    pub enabled: bool,
    /// Seconds of footage from before a window that are kept when it opens.
    pub pre_roll_s: u32,
    /// Attempts without footage after which people are told.
    pub alert_after: u32,
    /// Longest pause between two attempts at a camera that refuses.
    pub longest_pause_s: u32,
    /// When it was made.
    pub created: UnixMs,
    /// Grows with each change.
    pub revision: u64,
}

/// A job whose row cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The job.
    pub job: JobId,
    /// The camera it should rule.
    pub camera: CameraId,
    /// What is wrong with it.
    pub error: StoreError,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = recording_job, treat_none_as_null = true)]
struct Raw {
    id: Id,
    organization: Id,
    camera: Id,
    name: String,
    schedule: String,
    time_zone: Option<String>,
    streams: StreamsSql,
    enabled: bool,
    created: i64,
    revision: i64,
    pre_roll_s: i32,
    alert_after: i32,
    longest_pause_s: i32,
}

impl TryFrom<Raw> for JobRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            camera: raw.camera.into(),
            name: raw.name,
            schedule: serde_json::from_str(&raw.schedule)?,
            time_zone: raw.time_zone,
            streams: raw.streams.into(),
            enabled: raw.enabled,
            pre_roll_s: raw.pre_roll_s.cast_unsigned(),
            alert_after: raw.alert_after.cast_unsigned(),
            longest_pause_s: raw.longest_pause_s.cast_unsigned(),
            created: UnixMs(raw.created),
            revision: raw.revision.cast_unsigned(),
        })
    }
}

impl TryFrom<&JobRow> for Raw {
    type Error = StoreError;

    fn try_from(row: &JobRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            organization: row.organization.into(),
            camera: row.camera.into(),
            name: row.name.clone(),
            schedule: serde_json::to_string(&row.schedule)?,
            time_zone: row.time_zone.clone(),
            streams: row.streams.into(),
            enabled: row.enabled,
            pre_roll_s: row.pre_roll_s.cast_signed(),
            alert_after: row.alert_after.cast_signed(),
            longest_pause_s: row.longest_pause_s.cast_signed(),
            created: row.created.0,
            revision: row.revision.cast_signed(),
        })
    }
}

/// Adds a job.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &JobRow) -> Result<(), StoreError> {
    diesel::insert_into(recording_job::table)
        .values(Raw::try_from(row)?)
        .execute(connection)?;
    Ok(())
}

/// An organization's job.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: JobId,
) -> Result<Option<JobRow>, StoreError> {
    recording_job::table
        .filter(recording_job::organization.eq(Id::from(organization)))
        .filter(recording_job::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(TryInto::try_into)
        .transpose()
}

/// A camera's jobs, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    part: &Part,
) -> Result<Vec<JobRow>, StoreError> {
    let mut query = recording_job::table
        .filter(recording_job::organization.eq(Id::from(organization)))
        .filter(recording_job::camera.eq(Id::from(camera)))
        .order((recording_job::created, recording_job::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(after) = part.after {
        let id = Id(after.id);
        let at = recording_job::created.eq(after.at);
        let later = recording_job::created.gt(after.at);
        query = query.filter(later.or(at.and(recording_job::id.gt(id))));
    }
    let raws: Vec<Raw> = query.load(connection)?;
    raws.into_iter().map(TryInto::try_into).collect()
}

/// The enabled jobs of an organization, oldest first; those of `cameras` only, when given. Rows that cannot
/// be read are counted apart: one must not keep all others from being planned and shown.
///
/// # Errors
/// Those of the database.
pub fn enabled(
    connection: &mut Connection,
    organization: OrganizationId,
    cameras: Option<&[CameraId]>,
) -> Result<(Vec<JobRow>, Vec<Unreadable>), StoreError> {
    let mut query = recording_job::table
        .filter(recording_job::organization.eq(Id::from(organization)))
        .filter(recording_job::enabled.eq(true))
        .order((recording_job::created, recording_job::id))
        .select(Raw::as_select())
        .into_boxed();
    if let Some(cameras) = cameras {
        let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
        query = query.filter(recording_job::camera.eq_any(cameras));
    }
    let raws: Vec<Raw> = query.load(connection)?;
    let (mut rows, mut unreadable) = (Vec::with_capacity(raws.len()), Vec::new());
    for raw in raws {
        let (job, camera) = (raw.id.into(), raw.camera.into());
        match JobRow::try_from(raw) {
            Ok(row) => rows.push(row),
            Err(error) => unreadable.push(Unreadable { job, camera, error }),
        }
    }
    Ok((rows, unreadable))
}

/// How many jobs a camera has.
///
/// # Errors
/// Those of the database.
pub fn count(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
) -> Result<u64, StoreError> {
    let count: i64 = recording_job::table
        .filter(recording_job::organization.eq(Id::from(organization)))
        .filter(recording_job::camera.eq(Id::from(camera)))
        .count()
        .get_result(connection)?;
    Ok(count.cast_unsigned())
}

/// Writes a changed job back.
///
/// # Errors
/// Those of the database.
pub fn update(connection: &mut Connection, row: &JobRow) -> Result<(), StoreError> {
    diesel::update(recording_job::table)
        .filter(recording_job::organization.eq(Id::from(row.organization)))
        .filter(recording_job::id.eq(Id::from(row.id)))
        .set(Raw::try_from(row)?)
        .execute(connection)?;
    Ok(())
}

/// Deletes a job.
///
/// # Errors
/// Those of the database.
pub fn delete(
    connection: &mut Connection,
    organization: OrganizationId,
    id: JobId,
) -> Result<(), StoreError> {
    diesel::delete(recording_job::table)
        .filter(recording_job::organization.eq(Id::from(organization)))
        .filter(recording_job::id.eq(Id::from(id)))
        .execute(connection)?;
    Ok(())
}

/// The time zone of an organization's camera.
///
/// # Errors
/// Those of the database.
pub fn camera_zone(
    connection: &mut Connection,
    organization: OrganizationId,
    id: CameraId,
) -> Result<Option<String>, StoreError> {
    Ok(camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::id.eq(Id::from(id)))
        .select(camera::time_zone)
        .first(connection)
        .optional()?)
}
