//! Who may not record, and when cameras were held back for it.

use diesel::prelude::*;
use wire::api::{Licensing, OrganizationState};
use wire::coverage::GapCause;
use wire::{CameraId, OrganizationId, TimeRange, UnixMs};

use super::schema::{organization, recording_hold};
use super::types::{CauseSql, Id, LicensingSql, OrganizationStateSql};
use super::{Connection, Store, StoreError};
use crate::domain::hold::OpenHold;

/// What decides whether an organization's cameras may be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingRule {
    /// The organization.
    pub organization: OrganizationId,
    /// What it may do.
    pub state: OrganizationState,
    /// Whether each camera needs a licence.
    pub needs_licences: bool,
}

/// The rule of an organization.
///
/// # Errors
/// Those of the database.
pub fn rule(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Option<RecordingRule>, StoreError> {
    let row: Option<(Id, OrganizationStateSql, LicensingSql)> = organization::table
        .find(Id::from(organization))
        .select((organization::id, organization::state, organization::licensing))
        .first(connection)
        .optional()?;
    let rule = |(id, state, licensing): (Id, OrganizationStateSql, LicensingSql)| RecordingRule {
        organization: id.into(),
        state: state.into(),
        needs_licences: licensing.0 == Licensing::Required,
    };
    Ok(row.map(rule))
}

/// Every organization, for the planner only.
///
/// # Errors
/// Those of the database.
pub fn organizations(connection: &mut Connection) -> Result<Vec<OrganizationId>, StoreError> {
    let rows: Vec<Id> = organization::table
        .order(organization::id)
        .select(organization::id)
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// An organization's holds that have not ended, for the planner only.
///
/// # Errors
/// Those of the database.
pub fn all_open(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<OpenHold>, StoreError> {
    let rows: Vec<(Id, CauseSql, i64)> = recording_hold::table
        .filter(recording_hold::organization.eq(Id::from(organization)))
        .filter(recording_hold::end_ms.is_null())
        .select((
            recording_hold::camera,
            recording_hold::cause,
            recording_hold::start_ms,
        ))
        .load(connection)?;
    let hold = |(camera, cause, start): (Id, CauseSql, i64)| OpenHold {
        camera: camera.into(),
        cause: cause.into(),
        start: UnixMs(start),
    };
    Ok(rows.into_iter().map(hold).collect())
}

/// Begins a hold. One that began at the same instant and is over goes on.
///
/// # Errors
/// Those of the database.
pub fn open(
    connection: &mut Connection,
    organization: OrganizationId,
    hold: &OpenHold,
) -> Result<(), StoreError> {
    let key = (Id::from(hold.camera), CauseSql(hold.cause), hold.start.0);
    let reopened = diesel::update(recording_hold::table.find(key))
        .set(recording_hold::end_ms.eq(None::<i64>))
        .execute(connection)?;
    if reopened == 0 {
        diesel::insert_into(recording_hold::table)
            .values((
                recording_hold::camera.eq(Id::from(hold.camera)),
                recording_hold::cause.eq(CauseSql(hold.cause)),
                recording_hold::start_ms.eq(hold.start.0),
                recording_hold::organization.eq(Id::from(organization)),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Ends a hold.
///
/// # Errors
/// Those of the database.
pub fn close(connection: &mut Connection, hold: &OpenHold, end: UnixMs) -> Result<(), StoreError> {
    let key = (Id::from(hold.camera), CauseSql(hold.cause), hold.start.0);
    diesel::update(recording_hold::table.find(key))
        .set(recording_hold::end_ms.eq(end.0))
        .execute(connection)?;
    Ok(())
}

/// When a camera was held back in `range`, by start; one that goes on ends at `now`.
///
/// # Errors
/// Those of the database.
pub fn in_range(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    range: TimeRange,
    now: UnixMs,
) -> Result<Vec<(TimeRange, GapCause)>, StoreError> {
    let rows: Vec<(CauseSql, i64, Option<i64>)> = recording_hold::table
        .filter(recording_hold::camera.eq(Id::from(camera)))
        .filter(recording_hold::organization.eq(Id::from(organization)))
        .filter(recording_hold::start_ms.lt(range.end().0))
        .order(recording_hold::start_ms)
        .select((
            recording_hold::cause,
            recording_hold::start_ms,
            recording_hold::end_ms,
        ))
        .load(connection)?;
    let holds = rows.into_iter().filter_map(|(cause, start, end)| {
        let hold = TimeRange::new(UnixMs(start), end.map_or(now, UnixMs)).ok()?;
        Some((hold.intersection(&range)?, cause.into()))
    });
    Ok(holds.collect())
}

impl Store {
    /// [`in_range`] on a reader.
    ///
    /// # Errors
    /// As [`in_range`].
    pub async fn holds_in_range(
        &self,
        organization: OrganizationId,
        camera: CameraId,
        range: TimeRange,
        now: UnixMs,
    ) -> Result<Vec<(TimeRange, GapCause)>, StoreError> {
        self.read(move |c| in_range(c, organization, camera, range, now))
            .await
    }
}
