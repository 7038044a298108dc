//! What a camera has footage of: the ledger of a range and the calendar of days.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use wire::api::{Coverage, Days};
use wire::coverage::{Gap, GapCause};
use wire::{CameraId, NodeId, ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::Caller;
use super::footage::heads;
use super::playback::{footage, watched};
use crate::domain::coverage::{QUARTER_MS, calendar, coverage, due};
use crate::domain::plan::paused;
use crate::store::days::QUARTERS;
use crate::store::{CameraRow, Connection, StoreError, completeness, gaps, holds, overrides};
use crate::{AppState, Error};

/// Longest range of a ledger, in milliseconds: a local day has up to 25 hours.
pub const MAX_RANGE_MS: i64 = 25 * 60 * 60 * 1000;
/// Most days of a calendar.
const MAX_DAYS: i32 = 400;

/// The ledger of a range.
///
/// # Errors
/// `NotFound` for a foreign camera, and those of the database.
pub async fn ledger(
    state: &AppState,
    caller: &Caller,
    (camera, stream): (CameraId, StreamKind),
    range: TimeRange,
    now: UnixMs,
) -> Result<Coverage, Error> {
    let row = watched(state, caller, camera).await?;
    let key = (caller.organization, camera, stream);
    let look = move |c: &mut Connection| {
        let windows = completeness::windows(c, key, range, now)?;
        let mut gaps = gaps::in_range(c, key.0, camera, stream, range)?;
        gaps.extend(explained(c, key, &windows, range, now)?);
        Ok((windows, gaps))
    };
    let (windows, gaps) = state.store.read(look).await?;
    let footage = footage(state, &row, stream, range).await?.all();
    let runs = footage.iter().flat_map(|object| object.ranges());
    Ok(Coverage {
        stretches: coverage(range, runs, &gaps, &due(&windows, now)),
    })
}

/// Gaps for the time in which a stream was to be recorded and was not allowed to be, or was paused.
///
/// # Errors
/// Those of the database.
pub(super) fn explained(
    connection: &mut Connection,
    (organization, camera, stream): (OrganizationId, CameraId, StreamKind),
    windows: &[TimeRange],
    range: TimeRange,
    now: UnixMs,
) -> Result<Vec<Gap>, StoreError> {
    let mut told: Vec<(TimeRange, GapCause, &str)> = Vec::new();
    for (hold, cause) in holds::in_range(connection, organization, camera, range, now)? {
        let detail = match cause {
            GapCause::Unlicensed => "no licence permits recording this camera",
            _ => "the organization is suspended",
        };
        told.push((hold, cause, detail));
    }
    for pause in paused(&overrides::in_range(connection, organization, camera, range)?) {
        // One that goes on is known up to now.
        let known = TimeRange::new(pause.start(), pause.end().min(now));
        if let Some(pause) = known.ok().and_then(|pause| pause.intersection(&range)) {
            told.push((pause, GapCause::Operator, "recording was paused"));
        }
    }
    let planned = told.iter().flat_map(|(time, cause, detail)| {
        let parts = windows.iter().filter_map(|window| window.intersection(time));
        parts.map(|part| (part, *cause, *detail))
    });
    let gap = |(range, cause, detail): (TimeRange, GapCause, &str)| Gap {
        // Nobody reported it: it is nobody's object, and no node's.
        id: ObjectId::from_bytes([0; 16]),
        camera,
        stream,
        node: NodeId::from_bytes([0; 16]),
        range,
        cause,
        detail: detail.to_owned(),
    };
    Ok(planned.map(gap).collect())
}

/// The days of `[from, to)` with footage, in a time zone.
///
/// # Errors
/// `NotFound` for a foreign camera, `Invalid` for a bad range or zone.
pub async fn days(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    (from, to): (Date, Date),
    zone: &str,
) -> Result<Days, Error> {
    let row = watched(state, caller, camera).await?;
    let invalid = |code, field, title: &str| Error::Invalid {
        code,
        title: title.to_owned(),
        field: Some(field),
    };
    let zone = TimeZone::get(zone).map_err(|_| {
        invalid(
            "unknown_time_zone",
            "tz",
            "unknown time zone, expected one such as Europe/Berlin",
        )
    })?;
    if from >= to {
        return Err(invalid(
            "empty_range",
            "to",
            "the range ends at or before its start",
        ));
    }
    if (to - from).get_days() > MAX_DAYS {
        return Err(invalid(
            "range_too_long",
            "to",
            "the range is longer than 400 days",
        ));
    }
    let instant = |date: Date| {
        let zoned = date
            .to_zoned(zone.clone())
            .map(|zoned| zoned.timestamp().as_millisecond());
        zoned.map(UnixMs).map_err(|error| Error::Internal(error.into()))
    };
    let range =
        TimeRange::new(instant(from)?, instant(to)?).map_err(|error| Error::Internal(error.into()))?;
    let quarters = quarters(state, &row, range).await?;
    let days = calendar(from, to, &zone, |quarter| {
        quarters.get(&quarter).copied().unwrap_or(0)
    });
    Ok(Days { days })
}

/// Milliseconds of footage by quarter of an hour since 1970, heads included.
async fn quarters(
    state: &AppState,
    camera: &CameraRow,
    range: TimeRange,
) -> Result<HashMap<i64, u64>, Error> {
    let stream = StreamKind::Main;
    // The head first, see `footage`.
    let heads = heads(state, camera.id, stream);
    let rows = state
        .store
        .days_in_range(camera.organization, camera.id, stream, range)
        .await?;
    let mut quarters = HashMap::new();
    for row in rows {
        let first = i64::from(row.day).saturating_mul(QUARTERS as i64);
        let numbered = (first..).zip(row.quarters).filter(|(_, ms)| *ms > 0);
        quarters.extend(numbered.map(|(quarter, ms)| (quarter, u64::from(ms))));
    }
    let segments = || {
        heads
            .iter()
            .flat_map(|head| &head.objects)
            .flat_map(|object| &object.segments.0)
    };
    let (start, end) = (
        segments().map(|s| s.start).min(),
        segments().map(|s| s.end()).max(),
    );
    if let (Some(start), Some(end)) = (start, end)
        && let Ok(span) = TimeRange::new(start, end)
    {
        let open = footage(state, camera, stream, span).await?.open;
        for run in open.iter().flat_map(|object| object.ranges()) {
            // A segment counts where it starts; it is far shorter than a quarter.
            let quarter = run.start().0.div_euclid(QUARTER_MS);
            *quarters.entry(quarter).or_default() += run.duration_ms().unsigned_abs();
        }
    }
    Ok(quarters)
}
