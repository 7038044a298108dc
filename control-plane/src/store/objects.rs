//! The index: one row per sealed object.

mod extent;

use diesel::prelude::*;
use wire::media::Init;
use wire::{CameraId, NodeId, ObjectId, OrganizationId, SegmentTable, StreamKind, TimeRange, Track, UnixMs};

use super::schema::object;
use super::types::{Id, ObjectState, StateSql, StreamSql};
use super::{Connection, Store, StoreError};

pub use extent::{Extent, extents, take_out};

/// Longest object that the index takes, in milliseconds. Ranges are found through the primary key by
/// start time, so this bounds how far back a query looks.
pub const MAX_OBJECT_MS: i64 = crate::domain::event::MAX_OBJECT_MS;

/// An object of the index.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectRow {
    /// The object.
    pub id: ObjectId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The node that recorded it, and has it until it is stored.
    pub node: NodeId,
    /// The assignment's epoch; the higher one wins where two overlap.
    pub epoch: u64,
    /// The object whose last picture this one's first follows without a break.
    pub previous: Option<ObjectId>,
    /// Capture time of the first picture.
    pub start: UnixMs,
    /// Capture time of the end of the last picture.
    pub end: UnixMs,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Its initialization section.
    pub init: Init,
    /// Its tracks.
    pub tracks: Vec<Track>,
    /// Its segments.
    pub segments: SegmentTable,
    /// Where its bytes are.
    pub state: ObjectState,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = object)]
struct Raw {
    id: Id,
    organization: Id,
    camera: Id,
    stream: StreamSql,
    node: Id,
    epoch: i64,
    previous: Option<Id>,
    start_ms: i64,
    end_ms: i64,
    bytes: i64,
    sha256: Vec<u8>,
    init_length: i32,
    init_digest: String,
    tracks: String,
    segments: Vec<u8>,
    state: StateSql,
    indexed: i64,
}

impl TryFrom<Raw> for ObjectRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            camera: raw.camera.into(),
            stream: raw.stream.into(),
            node: raw.node.into(),
            epoch: raw.epoch.cast_unsigned(),
            previous: raw.previous.map(Into::into),
            start: UnixMs(raw.start_ms),
            end: UnixMs(raw.end_ms),
            bytes: raw.bytes.cast_unsigned(),
            sha256: raw
                .sha256
                .try_into()
                .map_err(|_| StoreError::Broken("a digest without 32 bytes".to_owned()))?,
            init: Init {
                length: raw.init_length.cast_unsigned(),
                digest: raw.init_digest,
            },
            tracks: serde_json::from_str(&raw.tracks)?,
            segments: SegmentTable::unpack(&raw.segments)?,
            state: raw.state.into(),
        })
    }
}

impl Raw {
    fn of(row: &ObjectRow, now: UnixMs) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.into(),
            organization: row.organization.into(),
            camera: row.camera.into(),
            stream: row.stream.into(),
            node: row.node.into(),
            epoch: row.epoch.cast_signed(),
            previous: row.previous.map(Into::into),
            start_ms: row.start.0,
            end_ms: row.end.0,
            bytes: row.bytes.cast_signed(),
            sha256: row.sha256.to_vec(),
            init_length: row.init.length.cast_signed(),
            init_digest: row.init.digest.clone(),
            tracks: serde_json::to_string(&row.tracks)?,
            segments: row.segments.pack(),
            state: row.state.into(),
            indexed: now.0,
        })
    }
}

/// Rows of one statement: SQLite takes 32,766 values.
const AT_ONCE: usize = 1_000;

/// Inserts objects, none of which may be there.
///
/// # Errors
/// [`StoreError::Conflict`] when one is, and those of the database.
pub fn insert_all(connection: &mut Connection, rows: &[ObjectRow], now: UnixMs) -> Result<(), StoreError> {
    for rows in rows.chunks(AT_ONCE) {
        let rows: Vec<Raw> = rows
            .iter()
            .map(|row| Raw::of(row, now))
            .collect::<Result<_, _>>()?;
        let insert = diesel::insert_into(object::table).values(rows);
        match connection {
            Connection::Sqlite(c) => insert.execute(c)?,
            Connection::Postgres(c) => insert.execute(c)?,
        };
    }
    Ok(())
}

/// What an object of the index is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The object.
    pub id: ObjectId,
    /// The node that recorded it.
    pub node: NodeId,
    /// The camera.
    pub camera: CameraId,
    /// SHA-256 of the file.
    pub sha256: Vec<u8>,
}

/// Those among `ids` that the index has, whoever's they are.
///
/// # Errors
/// Those of the database.
pub fn identities(connection: &mut Connection, ids: &[ObjectId]) -> Result<Vec<Identity>, StoreError> {
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let found: Vec<(Id, Id, Id, Vec<u8>)> = object::table
        .filter(object::id.eq_any(ids))
        .select((object::id, object::node, object::camera, object::sha256))
        .load(connection)?;
    let identity = |(id, node, camera, sha256): (Id, Id, Id, Vec<u8>)| Identity {
        id: id.into(),
        node: node.into(),
        camera: camera.into(),
        sha256,
    };
    Ok(found.into_iter().map(identity).collect())
}

/// The objects of a stream that touch `range`, by start.
///
/// # Errors
/// Those of the database.
pub fn in_range(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    range: TimeRange,
) -> Result<Vec<ObjectRow>, StoreError> {
    object::table
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::stream.eq(StreamSql(stream)))
        .filter(object::organization.eq(Id::from(organization)))
        .filter(object::start_ms.gt(range.start().0.saturating_sub(MAX_OBJECT_MS)))
        .filter(object::start_ms.lt(range.end().0))
        .filter(object::end_ms.gt(range.start().0))
        .order((object::start_ms, object::id))
        .select(Raw::as_select())
        .load(connection)?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// At most `limit` objects of a camera, whatever their time: ids and keys in the object store.
///
/// # Errors
/// Those of the database.
pub fn some_of(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    limit: u32,
) -> Result<Vec<(ObjectId, String)>, StoreError> {
    let rows: Vec<(Id, StreamSql, i64)> = object::table
        .filter(object::camera.eq(Id::from(camera)))
        .filter(object::organization.eq(Id::from(organization)))
        .limit(i64::from(limit))
        .select((object::id, object::stream, object::start_ms))
        .load(connection)?;
    let named = rows.into_iter().map(|(id, stream, start)| {
        let id = ObjectId::from(id);
        let key = crate::objects::key_of(organization, camera, stream.into(), UnixMs(start), id);
        (id, key)
    });
    Ok(named.collect())
}

/// One object; with an organization only if it is that organization's. Without one, the asker must have
/// been told the id in confidence: a node or a signed address.
///
/// # Errors
/// Those of the database.
pub fn by_id(
    connection: &mut Connection,
    organization: Option<OrganizationId>,
    id: ObjectId,
) -> Result<Option<ObjectRow>, StoreError> {
    let row = object::table
        .filter(object::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(ObjectRow::try_from)
        .transpose()?;
    Ok(row.filter(|row| organization.is_none_or(|wanted| wanted == row.organization)))
}

/// Which of `ids` are indexed as objects of `node`.
///
/// # Errors
/// Those of the database.
pub fn present(
    connection: &mut Connection,
    node: NodeId,
    ids: &[ObjectId],
) -> Result<Vec<ObjectId>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let found: Vec<Id> = object::table
        .filter(object::id.eq_any(ids))
        .filter(object::node.eq(Id::from(node)))
        .select(object::id)
        .load(connection)?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// Marks an object stored; the caller has verified that the object store holds it.
///
/// # Errors
/// Those of the database.
pub fn mark_stored(connection: &mut Connection, row: &ObjectRow) -> Result<(), StoreError> {
    let changed = diesel::update(object::table)
        .filter(object::camera.eq(Id::from(row.camera)))
        .filter(object::stream.eq(StreamSql(row.stream)))
        .filter(object::start_ms.eq(row.start.0))
        .filter(object::id.eq(Id::from(row.id)))
        .filter(object::state.ne(StateSql(ObjectState::Stored)))
        .set(object::state.eq(StateSql(ObjectState::Stored)))
        .execute(connection)?;
    if changed == 1 {
        super::organizations::add_stored(connection, row.organization, row.bytes.cast_signed())?;
    }
    Ok(())
}

impl Store {
    /// [`in_range`] on a reader.
    ///
    /// # Errors
    /// As [`in_range`].
    pub async fn objects_in_range(
        &self,
        organization: OrganizationId,
        camera: CameraId,
        stream: StreamKind,
        range: TimeRange,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.read(move |c| in_range(c, organization, camera, stream, range))
            .await
    }

    /// [`by_id`] on a reader.
    ///
    /// # Errors
    /// As [`by_id`].
    pub async fn object_by_id(
        &self,
        organization: Option<OrganizationId>,
        id: ObjectId,
    ) -> Result<Option<ObjectRow>, StoreError> {
        self.read(move |c| by_id(c, organization, id)).await
    }
}
