//! The calendar: how much footage each quarter of an hour of a camera's UTC days has.

use diesel::prelude::*;
use wire::{CameraId, ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::objects::MAX_OBJECT_MS;
use super::schema::{camera_day, object};
use super::types::{Id, StreamSql};
use super::{Connection, Store, StoreError};

/// Quarters of an hour in a UTC day.
pub const QUARTERS: usize = 96;
/// Milliseconds in a quarter of an hour.
pub const QUARTER_MS: i64 = 15 * 60 * 1000;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// One UTC day of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraDay {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Milliseconds of footage in each quarter of an hour, of two nodes that recorded at once counted once.
    pub quarters: [u32; QUARTERS],
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = camera_day)]
struct Raw {
    camera: Id,
    stream: StreamSql,
    day: i32,
    organization: Id,
    quarters: Vec<u8>,
}

impl TryFrom<Raw> for CameraDay {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let (quarters, rest) = raw.quarters.as_chunks::<4>();
        if quarters.len() != QUARTERS || !rest.is_empty() {
            return Err(StoreError::Broken("a damaged calendar row".to_owned()));
        }
        Ok(Self {
            day: raw.day,
            quarters: std::array::from_fn(|quarter| u32::from_le_bytes(quarters[quarter])),
        })
    }
}

/// Adds the footage of a new object to the calendar: what no other object of the stream has. Not idempotent:
/// call it once for each object, after its row was written.
///
/// # Errors
/// Those of the database.
pub fn add(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    (id, footage): (ObjectId, TimeRange),
) -> Result<(), StoreError> {
    let (first, last) = (footage.start().0, footage.end().0);
    let others = touching(
        connection,
        (organization, camera, stream),
        (first, last),
        Some(id),
    )?;
    for (start, end) in without(first, last, others) {
        add_stretch(connection, organization, (camera, stream), start, end)?;
    }
    Ok(())
}

/// Times of the objects that touch `[first, last)`, but for one of them.
fn touching(
    connection: &mut Connection,
    (organization, camera, stream): (OrganizationId, CameraId, StreamKind),
    (first, last): (i64, i64),
    but: Option<ObjectId>,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let rows: Vec<(Id, i64, i64)> = object::table
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::stream.eq(StreamSql(stream)))
        .filter(object::organization.eq(Id::from(organization)))
        .filter(object::start_ms.gt(first.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(last))
        .filter(object::end_ms.gt(first))
        .select((object::id, object::start_ms, object::end_ms))
        .load(connection)?;
    let others = rows
        .into_iter()
        .filter(|(id, ..)| but.is_none_or(|but| *id != Id::from(but)));
    Ok(others.map(|(_, start, end)| (start, end)).collect())
}

/// What is left of `[first, last)` without `others`, in order.
fn without(first: i64, last: i64, mut others: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    others.sort_unstable();
    let mut left = Vec::new();
    let mut at = first;
    for (start, end) in others {
        if at < start.min(last) {
            left.push((at, start.min(last)));
        }
        at = at.max(end);
    }
    if at < last {
        left.push((at, last));
    }
    left
}

fn add_stretch(
    connection: &mut Connection,
    organization: OrganizationId,
    (camera, stream): (CameraId, StreamKind),
    mut start: i64,
    last: i64,
) -> Result<(), StoreError> {
    while start < last {
        let day = start.div_euclid(DAY_MS);
        let end = last.min((day + 1) * DAY_MS);
        let day = i32::try_from(day).map_err(|error| StoreError::Broken(error.to_string()))?;
        let mut row = one(connection, camera, stream, day)?;
        fill(&mut row, start, end);
        put(connection, organization, camera, stream, &row)?;
        start = end;
    }
    Ok(())
}

/// Computes a day anew from the objects that are left; a day without any goes.
///
/// # Errors
/// Those of the database.
pub fn recompute(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    day: i64,
) -> Result<(), StoreError> {
    let (first, last) = (
        day.saturating_mul(DAY_MS),
        day.saturating_add(1).saturating_mul(DAY_MS),
    );
    let mut left = touching(connection, (organization, camera, stream), (first, last), None)?;
    let day = i32::try_from(day).map_err(|error| StoreError::Broken(error.to_string()))?;
    if left.is_empty() {
        diesel::delete(camera_day::table.find((Id::from(camera), StreamSql(stream), day)))
            .execute(connection)?;
        return Ok(());
    }
    let mut row = CameraDay {
        day,
        quarters: [0; QUARTERS],
    };
    left.sort_unstable();
    let mut at = first;
    for (start, end) in left {
        fill(&mut row, start.max(at), end.min(last));
        at = at.max(end);
    }
    put(connection, organization, camera, stream, &row)
}

/// Adds `[start, end)`, which lies within the day, to its quarters.
fn fill(row: &mut CameraDay, mut start: i64, end: i64) {
    while start < end {
        let quarter = start.rem_euclid(DAY_MS) / QUARTER_MS;
        let next = end.min((start.div_euclid(QUARTER_MS) + 1) * QUARTER_MS);
        if let Some(slot) = usize::try_from(quarter)
            .ok()
            .and_then(|q| row.quarters.get_mut(q))
        {
            *slot = slot.saturating_add(u32::try_from(next - start).unwrap_or(u32::MAX));
        }
        start = next;
    }
}

fn one(
    connection: &mut Connection,
    camera: CameraId,
    stream: StreamKind,
    day: i32,
) -> Result<CameraDay, StoreError> {
    let raw = camera_day::table
        .find((Id::from(camera), StreamSql(stream), day))
        .select(Raw::as_select())
        .first(connection)
        .optional()?;
    raw.map_or_else(
        || {
            Ok(CameraDay {
                day,
                quarters: [0; QUARTERS],
            })
        },
        TryInto::try_into,
    )
}

fn put(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    row: &CameraDay,
) -> Result<(), StoreError> {
    let quarters: Vec<u8> = row.quarters.iter().flat_map(|ms| ms.to_le_bytes()).collect();
    let known = diesel::update(camera_day::table.find((Id::from(camera), StreamSql(stream), row.day)))
        .set(camera_day::quarters.eq(&quarters))
        .execute(connection)?;
    if known == 0 {
        diesel::insert_into(camera_day::table)
            .values(Raw {
                camera: camera.into(),
                stream: stream.into(),
                day: row.day,
                organization: organization.into(),
                quarters,
            })
            .execute(connection)?;
    }
    Ok(())
}

/// The days of a stream that touch `range`, in order.
///
/// # Errors
/// Those of the database.
pub fn in_range(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    range: TimeRange,
) -> Result<Vec<CameraDay>, StoreError> {
    let day = |at: UnixMs| i32::try_from(at.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX);
    camera_day::table
        .filter(camera_day::camera.eq(Id::from(camera)))
        .filter(camera_day::stream.eq(StreamSql(stream)))
        .filter(camera_day::organization.eq(Id::from(organization)))
        .filter(camera_day::day.ge(day(range.start())))
        .filter(camera_day::day.le(day(range.end())))
        .order(camera_day::day)
        .select(Raw::as_select())
        .load(connection)?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

impl Store {
    /// [`in_range`] on a reader.
    ///
    /// # Errors
    /// As [`in_range`].
    pub async fn days_in_range(
        &self,
        organization: OrganizationId,
        camera: CameraId,
        stream: StreamKind,
        range: TimeRange,
    ) -> Result<Vec<CameraDay>, StoreError> {
        self.read(move |c| in_range(c, organization, camera, stream, range))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_is_not_counted_again() {
        assert_eq!(without(0, 100, vec![]), [(0, 100)]);
        assert_eq!(
            without(0, 100, vec![(50, 70), (-10, 20), (60, 80)]),
            [(20, 50), (80, 100)]
        );
        assert_eq!(without(0, 100, vec![(90, 200)]), [(0, 90)]);
        assert!(without(0, 100, vec![(0, 60), (60, 100)]).is_empty());
    }
}
