//! What each UTC day of each stream amounts to, and what is read to compute it.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use wire::coverage::GapCause;
use wire::{CameraId, OrganizationId, SegmentTable, StreamKind, TimeRange, UnixMs, UserId};

use super::days::DAY_MS;
use super::objects::MAX_OBJECT_MS;
use super::recordings::granted;
use super::schema::{completeness, object, recording_window};
use super::types::{Id, StreamSql};
use super::{Connection, StoreError};
use crate::domain::completeness::Figures;

/// A UTC day of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayOf {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// Days since 1970-01-01.
    pub day: i32,
}

impl DayOf {
    /// Its time.
    #[must_use]
    pub fn range(&self) -> Option<TimeRange> {
        let start = i64::from(self.day).saturating_mul(DAY_MS);
        TimeRange::new(UnixMs(start), UnixMs(start).plus(DAY_MS)).ok()
    }
}

/// The UTC day of an instant.
#[must_use]
pub fn day_of(at: UnixMs) -> i32 {
    i32::try_from(at.0.div_euclid(DAY_MS)).unwrap_or(0)
}

/// Every stream's days from `first` to `last` in which it was to be recorded.
///
/// # Errors
/// Those of the database.
pub fn planned(connection: &mut Connection, first: i32, last: i32) -> Result<Vec<DayOf>, StoreError> {
    let (from, to) = (i64::from(first) * DAY_MS, (i64::from(last) + 1) * DAY_MS);
    let over = recording_window::end_ms.assume_not_null();
    let rows: Vec<(Id, StreamSql, i64, Option<i64>, Id)> = recording_window::table
        .filter(recording_window::start_ms.lt(to))
        .filter(recording_window::end_ms.is_null().or(over.gt(from)))
        .select((
            recording_window::camera,
            recording_window::stream,
            recording_window::start_ms,
            recording_window::end_ms,
            recording_window::organization,
        ))
        .load(connection)?;
    let mut days = Vec::new();
    for (camera, stream, start, end, organization) in rows {
        let begins = day_of(UnixMs(start)).max(first);
        let ends = end.map_or(last, |end| day_of(UnixMs(end - 1)).min(last));
        days.extend((begins..=ends).map(|day| DayOf {
            organization: organization.into(),
            camera: camera.into(),
            stream: stream.into(),
            day,
        }));
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// Days that are to be computed again.
///
/// # Errors
/// Those of the database.
pub fn stale(connection: &mut Connection, limit: i64) -> Result<Vec<DayOf>, StoreError> {
    let rows: Vec<(Id, Id, StreamSql, i32)> = completeness::table
        .filter(completeness::computed.eq(0))
        .order(completeness::day)
        .limit(limit)
        .select((
            completeness::organization,
            completeness::camera,
            completeness::stream,
            completeness::day,
        ))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(organization, camera, stream, day)| DayOf {
            organization: organization.into(),
            camera: camera.into(),
            stream: stream.into(),
            day,
        })
        .collect())
}

/// When days from `first` on were computed.
///
/// # Errors
/// Those of the database.
pub fn computed(
    connection: &mut Connection,
    first: i32,
) -> Result<HashMap<(CameraId, StreamKind, i32), UnixMs>, StoreError> {
    let rows: Vec<(Id, StreamSql, i32, i64)> = completeness::table
        .filter(completeness::day.ge(first))
        .select((
            completeness::camera,
            completeness::stream,
            completeness::day,
            completeness::computed,
        ))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(camera, stream, day, at)| ((camera.into(), stream.into(), day), UnixMs(at)))
        .collect())
}

/// Something came late: the days that `range` touches, before the one of `now`, are computed again.
///
/// # Errors
/// Those of the database.
pub fn touched(
    connection: &mut Connection,
    camera: CameraId,
    stream: StreamKind,
    range: TimeRange,
    now: UnixMs,
) -> Result<(), StoreError> {
    let (first, last) = (day_of(range.start()), day_of(range.end()));
    if first >= day_of(now) {
        return Ok(());
    }
    diesel::update(completeness::table)
        .filter(completeness::camera.eq(Id::from(camera)))
        .filter(completeness::stream.eq(StreamSql(stream)))
        .filter(completeness::day.between(first, last))
        .set(completeness::computed.eq(0))
        .execute(connection)?;
    Ok(())
}

/// When a stream was to be recorded in `range`, by start; a window that goes on ends at `now`.
///
/// # Errors
/// Those of the database.
pub fn windows(
    connection: &mut Connection,
    (organization, camera, stream): (OrganizationId, CameraId, StreamKind),
    range: TimeRange,
    now: UnixMs,
) -> Result<Vec<TimeRange>, StoreError> {
    let over = recording_window::end_ms.assume_not_null();
    let rows: Vec<(i64, Option<i64>)> = recording_window::table
        .filter(recording_window::camera.eq(Id::from(camera)))
        .filter(recording_window::stream.eq(StreamSql(stream)))
        .filter(recording_window::organization.eq(Id::from(organization)))
        .filter(recording_window::start_ms.lt(range.end().0))
        .filter(recording_window::end_ms.is_null().or(over.gt(range.start().0)))
        .order(recording_window::start_ms)
        .select((recording_window::start_ms, recording_window::end_ms))
        .load(connection)?;
    let window =
        |(start, end): (i64, Option<i64>)| TimeRange::new(UnixMs(start), end.map_or(now, UnixMs)).ok();
    Ok(rows.into_iter().filter_map(window).collect())
}

/// The segments of a stream's objects that touch `range`, as far as they are indexed.
///
/// # Errors
/// Those of the database.
pub fn runs(
    connection: &mut Connection,
    (organization, camera, stream): (OrganizationId, CameraId, StreamKind),
    range: TimeRange,
) -> Result<Vec<TimeRange>, StoreError> {
    let packed: Vec<Vec<u8>> = object::table
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::stream.eq(StreamSql(stream)))
        .filter(object::organization.eq(Id::from(organization)))
        .filter(object::start_ms.gt(range.start().0.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(range.end().0))
        .filter(object::end_ms.gt(range.start().0))
        .order((object::start_ms, object::id))
        .select(object::segments)
        .load(connection)?;
    let mut runs: Vec<TimeRange> = Vec::new();
    for table in packed {
        for segment in SegmentTable::unpack(&table)?.0 {
            let Ok(next) = TimeRange::new(segment.start, segment.end()) else {
                continue;
            };
            // Most continue the one before: kept as one.
            match runs.pop() {
                Some(last) if last.end() == next.start() => {
                    runs.push(TimeRange::new(last.start(), next.end()).unwrap_or(last));
                }
                last => runs.extend(last.into_iter().chain([next])),
            }
        }
    }
    Ok(runs)
}

/// How much unknown time of a day people were told of, in milliseconds.
///
/// # Errors
/// Those of the database.
pub fn alerted(connection: &mut Connection, of: &DayOf) -> Result<u64, StoreError> {
    let kept: Option<i64> = completeness::table
        .find((Id::from(of.camera), StreamSql(of.stream), of.day))
        .select(completeness::alerted_ms)
        .first(connection)
        .optional()?;
    Ok(kept.unwrap_or(0).cast_unsigned())
}

/// Keeps the figures of a day; `computed` is 0 when it has to be looked at again.
///
/// # Errors
/// Those of the database.
pub fn put(
    connection: &mut Connection,
    of: &DayOf,
    figures: &Figures,
    alerted_ms: u64,
    computed: UnixMs,
) -> Result<(), StoreError> {
    let values = (
        completeness::planned_ms.eq(figures.planned_ms.cast_signed()),
        completeness::footage_ms.eq(figures.footage_ms.cast_signed()),
        completeness::unknown_ms.eq(figures.unknown_ms.cast_signed()),
        completeness::causes.eq(serde_json::to_string(&figures.causes)?),
        completeness::computed.eq(computed.0),
        completeness::alerted_ms.eq(alerted_ms.cast_signed()),
    );
    let key = (Id::from(of.camera), StreamSql(of.stream), of.day);
    let known = diesel::update(completeness::table.find(key))
        .set(values.clone())
        .execute(connection)?;
    if known == 0 {
        diesel::insert_into(completeness::table)
            .values((
                completeness::camera.eq(Id::from(of.camera)),
                completeness::stream.eq(StreamSql(of.stream)),
                completeness::day.eq(of.day),
                completeness::organization.eq(Id::from(of.organization)),
                values,
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// The sums of an organization's days from `first` to `last`: of one camera, when given, and only of those
/// on which `granted_to` has a grant, when given.
///
/// # Errors
/// Those of the database.
pub fn sums(
    connection: &mut Connection,
    organization: OrganizationId,
    granted_to: Option<UserId>,
    camera: Option<CameraId>,
    (first, last): (i32, i32),
) -> Result<BTreeMap<i32, Figures>, StoreError> {
    let mut query = completeness::table
        .filter(completeness::organization.eq(Id::from(organization)))
        .filter(completeness::day.between(first, last))
        .select((
            completeness::day,
            completeness::planned_ms,
            completeness::footage_ms,
            completeness::unknown_ms,
            completeness::causes,
        ))
        .into_boxed();
    if let Some(user) = granted_to {
        let cameras = granted(connection, organization, user)?;
        query = query.filter(completeness::camera.eq_any(cameras));
    }
    if let Some(camera) = camera {
        query = query.filter(completeness::camera.eq(Id::from(camera)));
    }
    let rows: Vec<(i32, i64, i64, i64, String)> = query.load(connection)?;
    let mut days: BTreeMap<i32, Figures> = BTreeMap::new();
    for (day, planned, footage, unknown, causes) in rows {
        let causes: BTreeMap<GapCause, u64> = serde_json::from_str(&causes)?;
        days.entry(day).or_default().add(&Figures {
            planned_ms: planned.cast_unsigned(),
            footage_ms: footage.cast_unsigned(),
            unknown_ms: unknown.cast_unsigned(),
            causes,
        });
    }
    Ok(days)
}
