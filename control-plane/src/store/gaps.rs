//! Gaps of the ledger, as nodes report them.

use diesel::prelude::*;
use wire::coverage::Gap;
use wire::{CameraId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::schema::gap;
use super::types::{CauseSql, Id, StreamSql};
use super::{Connection, Store, StoreError};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = gap)]
struct Raw {
    id: Id,
    organization: Id,
    camera: Id,
    stream: StreamSql,
    node: Id,
    start_ms: i64,
    end_ms: i64,
    cause: CauseSql,
    detail: String,
}

impl TryFrom<Raw> for Gap {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            id: raw.id.into(),
            camera: raw.camera.into(),
            stream: raw.stream.into(),
            node: raw.node.into(),
            range: TimeRange::new(UnixMs(raw.start_ms), UnixMs(raw.end_ms))
                .map_err(|error| StoreError::Broken(error.to_string()))?,
            cause: raw.cause.into(),
            detail: raw.detail,
        })
    }
}

/// Inserts a gap, or lets a known one grow to its later end. A gap of another camera or node with the
/// same id is left as it is. Whether it is new.
///
/// # Errors
/// Those of the database.
pub fn upsert(
    connection: &mut Connection,
    organization: OrganizationId,
    row: &Gap,
) -> Result<bool, StoreError> {
    let kept: Option<(Id, Id, i64)> = gap::table
        .find(Id::from(row.id))
        .select((gap::camera, gap::node, gap::end_ms))
        .first(connection)
        .optional()?;
    match kept {
        None => {
            let raw = Raw {
                id: row.id.into(),
                organization: organization.into(),
                camera: row.camera.into(),
                stream: row.stream.into(),
                node: row.node.into(),
                start_ms: row.range.start().0,
                end_ms: row.range.end().0,
                cause: row.cause.into(),
                detail: row.detail.clone(),
            };
            diesel::insert_into(gap::table).values(raw).execute(connection)?;
        }
        Some((camera, node, end))
            if camera == row.camera.into() && node == row.node.into() && end < row.range.end().0 =>
        {
            diesel::update(gap::table.find(Id::from(row.id)))
                .set((
                    gap::end_ms.eq(row.range.end().0),
                    gap::cause.eq(CauseSql(row.cause)),
                    gap::detail.eq(&row.detail),
                ))
                .execute(connection)?;
        }
        Some(_) => {}
    }
    Ok(kept.is_none())
}

/// The gaps of a stream that touch `range`, by start; they may overlap.
///
/// # Errors
/// Those of the database.
pub fn in_range(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    range: TimeRange,
) -> Result<Vec<Gap>, StoreError> {
    gap::table
        .filter(gap::camera.eq(Id::from(camera)))
        .filter(gap::stream.eq(StreamSql(stream)))
        .filter(gap::organization.eq(Id::from(organization)))
        .filter(gap::end_ms.gt(range.start().0))
        .filter(gap::start_ms.lt(range.end().0))
        .order((gap::start_ms, gap::id))
        .select(Raw::as_select())
        .load(connection)?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// The end of each of a node's gaps among `ids`.
///
/// # Errors
/// Those of the database.
pub fn ends(
    connection: &mut Connection,
    node: wire::NodeId,
    ids: &[wire::ObjectId],
) -> Result<Vec<(wire::ObjectId, UnixMs)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Id> = ids.iter().copied().map(Into::into).collect();
    let found: Vec<(Id, i64)> = gap::table
        .filter(gap::id.eq_any(ids))
        .filter(gap::node.eq(Id::from(node)))
        .select((gap::id, gap::end_ms))
        .load(connection)?;
    Ok(found
        .into_iter()
        .map(|(id, end)| (id.into(), UnixMs(end)))
        .collect())
}

impl Store {
    /// [`in_range`] on a reader.
    ///
    /// # Errors
    /// As [`in_range`].
    pub async fn gaps_in_range(
        &self,
        organization: OrganizationId,
        camera: CameraId,
        stream: StreamKind,
        range: TimeRange,
    ) -> Result<Vec<Gap>, StoreError> {
        self.read(move |c| in_range(c, organization, camera, stream, range))
            .await
    }
}
