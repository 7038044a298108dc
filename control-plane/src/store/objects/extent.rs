//! Objects as far as an erasure looks at them, and their end.

use diesel::prelude::*;
use wire::{CameraId, ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::super::schema::object;
use super::super::types::{Id, ObjectState, StateSql, StreamSql};
use super::super::{Connection, StoreError};
use super::MAX_OBJECT_MS;

/// Named, so that the primary key is used.
const STREAMS: [StreamSql; 2] = [StreamSql(StreamKind::Main), StreamSql(StreamKind::Sub)];

/// An object without what playing it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The object.
    pub id: ObjectId,
    /// Which stream.
    pub stream: StreamKind,
    /// Its time.
    pub range: TimeRange,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Whether the object store holds it.
    pub is_stored: bool,
}

/// The objects of all of a camera's streams that touch `range`, by start.
///
/// # Errors
/// Those of the database.
pub fn extents(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    range: TimeRange,
) -> Result<Vec<Extent>, StoreError> {
    let rows: Vec<(Id, StreamSql, i64, i64, i64, StateSql)> = object::table
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::stream.eq_any(STREAMS))
        .filter(object::organization.eq(Id::from(organization)))
        .filter(object::start_ms.gt(range.start().0.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(range.end().0))
        .filter(object::end_ms.gt(range.start().0))
        .order((object::start_ms, object::id))
        .select((
            object::id,
            object::stream,
            object::start_ms,
            object::end_ms,
            object::bytes,
            object::state,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, stream, start, end, bytes, state)| {
            let range = TimeRange::new(UnixMs(start), UnixMs(end));
            Ok(Extent {
                id: id.into(),
                stream: stream.into(),
                range: range.map_err(|error| StoreError::Broken(error.to_string()))?,
                bytes: bytes.cast_unsigned(),
                is_stored: state.0 == ObjectState::Stored,
            })
        })
        .collect()
}

/// Takes the objects of all of a camera's streams that touch `range` out of the index; how many.
///
/// # Errors
/// Those of the database.
pub fn take_out(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    range: TimeRange,
) -> Result<usize, StoreError> {
    Ok(diesel::delete(object::table)
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::stream.eq_any(STREAMS))
        .filter(object::organization.eq(Id::from(organization)))
        .filter(object::start_ms.gt(range.start().0.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(range.end().0))
        .filter(object::end_ms.gt(range.start().0))
        .execute(connection)?)
}
