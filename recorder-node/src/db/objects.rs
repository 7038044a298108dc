//! Rows of sealed objects: one for each `.mp4` in the spool.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use wire::event::{NodeEvent, SealedObject};
use wire::{CameraId, ObjectId, StreamKind, TimeRange, UnixMs};

use super::outbox::{self, INDEXED, REFUSED, SEALED, STORED};
use super::schema::object;
use super::{DbError, DbResult, camera_id, object_id, stream_code, stream_kind};

/// What the spool knows of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its id.
    pub id: ObjectId,
    /// Whose.
    pub camera: CameraId,
    /// Which stream.
    pub stream: StreamKind,
    /// When.
    pub range: TimeRange,
    /// File size.
    pub bytes: u64,
    /// [`SEALED`], [`INDEXED`], [`STORED`] or [`outbox::REFUSED`].
    pub state: i16,
}

type Raw = (Vec<u8>, Vec<u8>, i16, i64, i64, i64, i16);

fn read((id, camera, stream, start, end, bytes, state): Raw) -> DbResult<ObjectRow> {
    Ok(ObjectRow {
        id: object_id(&id)?,
        camera: camera_id(&camera)?,
        stream: stream_kind(stream)?,
        range: TimeRange::new(UnixMs(start), UnixMs(end)).map_err(|_| DbError::Damaged("an empty object"))?,
        bytes: bytes.cast_unsigned(),
        state,
    })
}

/// Adds a sealed object and its event.
///
/// # Errors
/// Those of the database.
pub fn add(c: &mut SqliteConnection, sealed: &SealedObject) -> DbResult<()> {
    diesel::replace_into(object::table)
        .values((
            object::id.eq(sealed.id.as_bytes().as_slice()),
            object::camera.eq(sealed.camera.as_bytes().as_slice()),
            object::stream.eq(stream_code(sealed.stream)),
            object::start_ms.eq(sealed.start.0),
            object::end_ms.eq(sealed.end.0),
            object::bytes.eq(sealed.bytes.cast_signed()),
            object::state.eq(SEALED),
        ))
        .execute(c)?;
    outbox::add(c, &NodeEvent::ObjectSealed(sealed.clone()))
}

/// One object.
///
/// # Errors
/// Those of the database.
pub fn find(c: &mut SqliteConnection, id: ObjectId) -> DbResult<Option<ObjectRow>> {
    let row: Option<Raw> = object::table.find(id.as_bytes().as_slice()).first(c).optional()?;
    row.map(read).transpose()
}

/// All objects, oldest first.
///
/// # Errors
/// Those of the database.
pub fn all(c: &mut SqliteConnection) -> DbResult<Vec<ObjectRow>> {
    let rows: Vec<Raw> = object::table.order(object::start_ms).load(c)?;
    rows.into_iter().map(read).collect()
}

/// The oldest objects that the index has and the store has not, leaving out `busy`.
///
/// # Errors
/// Those of the database.
pub fn to_upload(c: &mut SqliteConnection, busy: &[ObjectId], limit: i64) -> DbResult<Vec<ObjectRow>> {
    let busy: Vec<&[u8]> = busy.iter().map(|id| id.as_bytes().as_slice()).collect();
    let rows: Vec<Raw> = object::table
        .filter(object::state.eq(INDEXED).and(object::id.ne_all(busy)))
        .order(object::start_ms)
        .limit(limit)
        .load(c)?;
    rows.into_iter().map(read).collect()
}

/// The store has it, verified.
///
/// # Errors
/// Those of the database.
pub fn mark_stored(c: &mut SqliteConnection, id: ObjectId) -> DbResult<()> {
    diesel::update(object::table.find(id.as_bytes().as_slice()))
        .set(object::state.eq(STORED))
        .execute(c)?;
    Ok(())
}

/// The index does not know it, or not any more.
///
/// # Errors
/// Those of the database.
pub fn mark_refused(c: &mut SqliteConnection, id: ObjectId) -> DbResult<()> {
    diesel::update(object::table.find(id.as_bytes().as_slice()))
        .set(object::state.eq(REFUSED))
        .execute(c)?;
    Ok(())
}

/// What the index refused for good and what ended before `before`; oldest first.
///
/// # Errors
/// Those of the database.
pub fn oldest_refused(c: &mut SqliteConnection, before: UnixMs, limit: i64) -> DbResult<Vec<ObjectRow>> {
    let rows: Vec<Raw> = object::table
        .filter(object::state.eq(REFUSED).and(object::end_ms.lt(before.0)))
        .order(object::start_ms)
        .limit(limit)
        .load(c)?;
    rows.into_iter().map(read).collect()
}

/// What may go first: the oldest stored objects.
///
/// # Errors
/// Those of the database.
pub fn oldest_stored(c: &mut SqliteConnection, limit: i64) -> DbResult<Vec<ObjectRow>> {
    let rows: Vec<Raw> = object::table
        .filter(object::state.eq(STORED))
        .order(object::start_ms)
        .limit(limit)
        .load(c)?;
    rows.into_iter().map(read).collect()
}

/// What goes last of all: the oldest objects that exist nowhere else; those that nobody can ever play first.
///
/// # Errors
/// Those of the database.
pub fn oldest_unstored(c: &mut SqliteConnection, limit: i64) -> DbResult<Vec<ObjectRow>> {
    let rows: Vec<Raw> = object::table
        .filter(object::state.ne(STORED))
        .order((object::state.eq(REFUSED).desc(), object::start_ms))
        .limit(limit)
        .load(c)?;
    rows.into_iter().map(read).collect()
}

/// Forgets an object; false when it was forgotten before.
///
/// # Errors
/// Those of the database.
pub fn remove(c: &mut SqliteConnection, id: ObjectId) -> DbResult<bool> {
    let gone = diesel::delete(object::table.find(id.as_bytes().as_slice())).execute(c)?;
    Ok(gone > 0)
}

/// Objects of a camera, on all its streams, that touch a range; oldest first.
///
/// # Errors
/// Those of the database.
pub fn touching(
    c: &mut SqliteConnection,
    camera: CameraId,
    range: TimeRange,
    limit: i64,
) -> DbResult<Vec<ObjectRow>> {
    let rows: Vec<Raw> = object::table
        .filter(
            object::camera
                .eq(camera.as_bytes().as_slice())
                .and(object::start_ms.lt(range.end().0))
                .and(object::end_ms.gt(range.start().0)),
        )
        .order(object::start_ms)
        .limit(limit)
        .load(c)?;
    rows.into_iter().map(read).collect()
}

/// What is in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Bytes of all objects.
    pub bytes: u64,
    /// Objects that are not stored yet.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
}

/// What is in the spool.
///
/// # Errors
/// Those of the database.
pub fn totals(c: &mut SqliteConnection) -> DbResult<Totals> {
    #[derive(QueryableByName)]
    struct Sums {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        total: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        waiting: i64,
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        waiting_bytes: i64,
    }
    let sums: Sums = diesel::sql_query(
        "SELECT COALESCE(SUM(bytes), 0) AS total, COALESCE(SUM(state < ?), 0) AS waiting, \
         COALESCE(SUM(CASE WHEN state < ? THEN bytes ELSE 0 END), 0) AS waiting_bytes FROM object",
    )
    .bind::<diesel::sql_types::SmallInt, _>(STORED)
    .bind::<diesel::sql_types::SmallInt, _>(STORED)
    .get_result(c)?;
    Ok(Totals {
        bytes: sums.total.cast_unsigned(),
        waiting: sums.waiting.cast_unsigned(),
        waiting_bytes: sums.waiting_bytes.cast_unsigned(),
    })
}
