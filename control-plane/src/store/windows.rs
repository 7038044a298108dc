//! When cameras were to be recorded.

use std::collections::HashMap;

use diesel::prelude::*;
use wire::{CameraId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::schema::recording_window;
use super::types::{Id, StreamSql};
use super::{CameraRow, Connection, Store, StoreError};
use crate::domain::plan::{Change, Expected};

/// The main stream, as the column keeps it.
const MAIN: i16 = 0;
/// Rows of one statement.
const AT_ONCE: usize = 500;

/// Kept windows that are not over, by camera and stream.
pub type NotOver = HashMap<(CameraId, StreamKind), Vec<Expected>>;

/// The windows of an organization that are not over at `now`, by start; those of one camera, when given.
///
/// # Errors
/// Those of the database.
pub fn not_over(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: Option<CameraId>,
    now: UnixMs,
) -> Result<NotOver, StoreError> {
    type Row = (Id, StreamSql, i64, Option<i64>, Option<Id>);
    let windows = || {
        let query = recording_window::table
            .filter(recording_window::organization.eq(Id::from(organization)))
            .select((
                recording_window::camera,
                recording_window::stream,
                recording_window::start_ms,
                recording_window::end_ms,
                recording_window::job,
            ))
            .into_boxed();
        match camera {
            Some(camera) => query.filter(recording_window::camera.eq(Id::from(camera))),
            None => query,
        }
    };
    // In two queries: SQLite reads all that ever were for a condition with an OR.
    let mut rows: Vec<Row> = windows()
        .filter(recording_window::end_ms.is_null())
        .load(connection)?;
    let ends_later = recording_window::end_ms.assume_not_null().gt(now.0);
    rows.extend(windows().filter(ends_later).load::<Row>(connection)?);
    rows.sort_unstable_by_key(|(_, _, start, ..)| *start);
    let mut found = NotOver::new();
    for (camera, stream, start, end, job) in rows {
        found
            .entry((camera.into(), stream.into()))
            .or_default()
            .push(Expected {
                start: UnixMs(start),
                end: end.map(UnixMs),
                job: job.map(Into::into),
            });
    }
    Ok(found)
}

/// Changes one window of a stream.
///
/// # Errors
/// Those of the database.
pub fn change(
    connection: &mut Connection,
    organization: OrganizationId,
    (camera, stream): (CameraId, StreamKind),
    change: Change,
) -> Result<(), StoreError> {
    let stream = StreamSql(stream);
    match change {
        Change::Remove(start) => {
            diesel::delete(recording_window::table.find((Id::from(camera), stream, start.0)))
                .execute(connection)?;
        }
        Change::Put(window) => {
            let job = window.job.map(Id::from);
            let key = (Id::from(camera), stream, window.start.0);
            let end = window.end.map(|end| end.0);
            let known = diesel::update(recording_window::table.find(key))
                .set((recording_window::end_ms.eq(end), recording_window::job.eq(job)))
                .execute(connection)?;
            if known == 0 {
                diesel::insert_into(recording_window::table)
                    .values((
                        recording_window::camera.eq(Id::from(camera)),
                        recording_window::stream.eq(stream),
                        recording_window::start_ms.eq(window.start.0),
                        recording_window::end_ms.eq(end),
                        recording_window::organization.eq(Id::from(organization)),
                        recording_window::job.eq(job),
                    ))
                    .execute(connection)?;
            }
        }
    }
    Ok(())
}

/// Opens the windows of new cameras that are to be recorded.
///
/// # Errors
/// Those of the database.
pub fn open_all(connection: &mut Connection, rows: &[CameraRow], now: UnixMs) -> Result<(), StoreError> {
    let recorded: Vec<&CameraRow> = rows.iter().filter(|row| row.recording).collect();
    for rows in recorded.chunks(AT_ONCE) {
        let window = |row: &&CameraRow| {
            (
                recording_window::camera.eq(Id::from(row.id)),
                recording_window::stream.eq(MAIN),
                recording_window::organization.eq(Id::from(row.organization)),
                recording_window::start_ms.eq(now.0),
            )
        };
        let windows: Vec<_> = rows.iter().map(window).collect();
        let insert = diesel::insert_into(recording_window::table).values(windows);
        match connection {
            Connection::Sqlite(c) => insert.execute(c)?,
            Connection::Postgres(c) => insert.execute(c)?,
        };
    }
    Ok(())
}

/// The windows of a camera that touch `range`, by start; an open one ends at `now`.
///
/// # Errors
/// Those of the database.
pub fn in_range(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    range: TimeRange,
    now: UnixMs,
) -> Result<Vec<TimeRange>, StoreError> {
    let rows: Vec<(i64, Option<i64>)> = recording_window::table
        .filter(recording_window::camera.eq(Id::from(camera)))
        .filter(recording_window::stream.eq(MAIN))
        .filter(recording_window::organization.eq(Id::from(organization)))
        .filter(recording_window::start_ms.lt(range.end().0))
        .order(recording_window::start_ms)
        .select((recording_window::start_ms, recording_window::end_ms))
        .load(connection)?;
    let windows = rows
        .into_iter()
        .filter_map(|(start, end)| TimeRange::new(UnixMs(start), end.map_or(now, UnixMs)).ok());
    Ok(windows.filter(|window| window.end() > range.start()).collect())
}

impl Store {
    /// [`in_range`] on a reader.
    ///
    /// # Errors
    /// As [`in_range`].
    pub async fn windows_in_range(
        &self,
        organization: OrganizationId,
        camera: CameraId,
        range: TimeRange,
        now: UnixMs,
    ) -> Result<Vec<TimeRange>, StoreError> {
        self.read(move |c| in_range(c, organization, camera, range, now))
            .await
    }
}
