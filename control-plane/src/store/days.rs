//! The calendar: how much footage each quarter of an hour of a camera's UTC days has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::prelude::*;
use diesel::upsert::excluded;
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

/// The footage of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footage {
    /// The object.
    pub id: ObjectId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// From when to when.
    pub range: TimeRange,
}

type Stream = (Id, StreamKind);
/// A day of a stream: its row's key.
type Key = (Id, StreamKind, i32);

/// Adds the footage of new objects to the calendar: what no other object of their streams has. Not idempotent:
/// call it once for each object, after the rows were written.
///
/// # Errors
/// Those of the database.
pub fn add_all(connection: &mut Connection, footage: &[Footage]) -> Result<(), StoreError> {
    let mut footage = footage.to_vec();
    footage.sort_by_key(|one| one.range.start());
    // Of one time, so that the others that may touch them are few.
    for near in footage.chunk_by(|one, next| next.range.start().since(one.range.start()) <= MAX_OBJECT_MS) {
        add_near(connection, near)?;
    }
    Ok(())
}

fn add_near(connection: &mut Connection, footage: &[Footage]) -> Result<(), StoreError> {
    let mut others = others(connection, footage)?;
    let mut parts: BTreeMap<Key, (OrganizationId, Vec<(i64, i64)>)> = BTreeMap::new();
    for one in footage {
        let stream = (Id::from(one.camera), one.stream);
        let others = others.entry(stream).or_default();
        let (first, last) = (one.range.start().0, one.range.end().0);
        for (start, end) in without(first, last, others.clone()) {
            for (day, start, end) in by_day(start, end)? {
                let key = (stream.0, stream.1, day);
                let (_, parts) = parts.entry(key).or_insert((one.organization, Vec::new()));
                parts.push((start, end));
            }
        }
        others.push((first, last));
    }
    let keys: Vec<Key> = parts.keys().copied().collect();
    let mut known = known(connection, &keys)?;
    let rows = parts.into_iter().map(|(key, (owner, parts))| {
        let mut row = known.remove(&key).unwrap_or(CameraDay {
            day: key.2,
            quarters: [0; QUARTERS],
        });
        for (start, end) in parts {
            fill(&mut row, start, end);
        }
        raw(owner, (key.0, key.1), &row)
    });
    put_all(connection, rows.collect())
}

/// A stretch in its days.
fn by_day(mut start: i64, last: i64) -> Result<Vec<(i32, i64, i64)>, StoreError> {
    let mut parts = Vec::new();
    while start < last {
        let day = start.div_euclid(DAY_MS);
        let end = last.min((day + 1) * DAY_MS);
        let day = i32::try_from(day).map_err(|error| StoreError::Broken(error.to_string()))?;
        parts.push((day, start, end));
        start = end;
    }
    Ok(parts)
}

/// Times of the objects that may touch `footage`, but for its own.
fn others(
    connection: &mut Connection,
    footage: &[Footage],
) -> Result<HashMap<Stream, Vec<(i64, i64)>>, StoreError> {
    let first = footage.iter().map(|one| one.range.start().0).min().unwrap_or(0);
    let last = footage.iter().map(|one| one.range.end().0).max().unwrap_or(0);
    let own: HashSet<Id> = footage.iter().map(|one| one.id.into()).collect();
    let cameras: BTreeSet<Id> = footage.iter().map(|one| one.camera.into()).collect();
    let rows: Vec<(Id, Id, StreamSql, i64, i64)> = object::table
        .filter(object::camera.eq_any(cameras))
        .filter(object::start_ms.gt(first.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(last))
        .filter(object::end_ms.gt(first))
        .select((
            object::id,
            object::camera,
            object::stream,
            object::start_ms,
            object::end_ms,
        ))
        .load(connection)?;
    let mut others: HashMap<Stream, Vec<(i64, i64)>> = HashMap::new();
    for (id, camera, stream, start, end) in rows {
        if !own.contains(&id) {
            others.entry((camera, stream.0)).or_default().push((start, end));
        }
    }
    Ok(others)
}

/// Those of these days that the calendar has.
fn known(connection: &mut Connection, keys: &[Key]) -> Result<HashMap<Key, CameraDay>, StoreError> {
    let cameras: BTreeSet<Id> = keys.iter().map(|key| key.0).collect();
    let days: BTreeSet<i32> = keys.iter().map(|key| key.2).collect();
    let rows: Vec<Raw> = camera_day::table
        .filter(camera_day::camera.eq_any(cameras))
        .filter(camera_day::day.eq_any(days))
        .select(Raw::as_select())
        .load(connection)?;
    rows.into_iter()
        .map(|row| Ok(((row.camera, row.stream.0, row.day), row.try_into()?)))
        .collect()
}

/// Puts each row in the place of the one that is there, or adds it.
fn put_all(connection: &mut Connection, rows: Vec<Raw>) -> Result<(), StoreError> {
    let key = (camera_day::camera, camera_day::stream, camera_day::day);
    let quarters = camera_day::quarters.eq(excluded(camera_day::quarters));
    let insert = diesel::insert_into(camera_day::table);
    match connection {
        Connection::Postgres(c) => {
            let insert = insert.values(rows);
            insert.on_conflict(key).do_update().set(quarters).execute(c)?;
        }
        // diesel has no such statement of many rows for SQLite, where each costs next to nothing.
        Connection::Sqlite(c) => {
            for row in rows {
                let insert = insert.values(row);
                insert.on_conflict(key).do_update().set(quarters).execute(c)?;
            }
        }
    }
    Ok(())
}

/// Times of the objects that touch `[first, last)`.
fn touching(
    connection: &mut Connection,
    (organization, camera, stream): (OrganizationId, CameraId, StreamKind),
    (first, last): (i64, i64),
) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(object::table
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::stream.eq(StreamSql(stream)))
        .filter(object::organization.eq(Id::from(organization)))
        .filter(object::start_ms.gt(first.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(last))
        .filter(object::end_ms.gt(first))
        .select((object::start_ms, object::end_ms))
        .load(connection)?)
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
    let mut left = touching(connection, (organization, camera, stream), (first, last))?;
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
    put_all(connection, vec![raw(organization, (camera.into(), stream), &row)])
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

fn raw(organization: OrganizationId, (camera, stream): Stream, row: &CameraDay) -> Raw {
    Raw {
        camera,
        stream: stream.into(),
        day: row.day,
        organization: organization.into(),
        quarters: row.quarters.iter().flat_map(|ms| ms.to_le_bytes()).collect(),
    }
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
