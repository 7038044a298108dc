//! When cameras were to be recorded.

use diesel::prelude::*;
use wire::{CameraId, OrganizationId, TimeRange, UnixMs};

use super::schema::recording_window;
use super::types::Id;
use super::{CameraRow, Connection, Store, StoreError};

/// The main stream, as the column keeps it.
const MAIN: i16 = 0;
/// Rows of one statement.
const AT_ONCE: usize = 500;

/// Brings a camera's windows in line with its row, in the transaction that changes it: one is open
/// exactly while the camera is to be recorded.
///
/// # Errors
/// Those of the database.
pub fn follow(connection: &mut Connection, row: &CameraRow, now: UnixMs) -> Result<(), StoreError> {
    let open: Option<i64> = recording_window::table
        .filter(recording_window::camera.eq(Id::from(row.id)))
        .filter(recording_window::stream.eq(MAIN))
        .filter(recording_window::end_ms.is_null())
        .select(recording_window::start_ms)
        .first(connection)
        .optional()?;
    match (open, row.recording && row.deleted.is_none()) {
        (None, true) => {
            // Switched off and on within a millisecond: the window was never closed in effect.
            let reopened = diesel::update(recording_window::table.find((Id::from(row.id), MAIN, now.0)))
                .set(recording_window::end_ms.eq(None::<i64>))
                .execute(connection)?;
            if reopened == 0 {
                diesel::insert_into(recording_window::table)
                    .values((
                        recording_window::camera.eq(Id::from(row.id)),
                        recording_window::stream.eq(MAIN),
                        recording_window::organization.eq(Id::from(row.organization)),
                        recording_window::start_ms.eq(now.0),
                    ))
                    .execute(connection)?;
            }
        }
        (Some(start), false) => {
            diesel::update(recording_window::table.find((Id::from(row.id), MAIN, start)))
                .set(recording_window::end_ms.eq(now.0.max(start)))
                .execute(connection)?;
        }
        _ => {}
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
