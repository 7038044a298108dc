//! Footage that was erased on purpose, and the nodes that may still hold copies of it.

use diesel::prelude::*;
use wire::plan::Erasure;
use wire::{CameraId, ErasureId, NodeId, OrganizationId, TimeRange, UnixMs};

use super::schema::{assignment, erasure, erasure_node};
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRow {
    /// The erasure.
    pub id: ErasureId,
    /// Whose footage it was.
    pub organization: OrganizationId,
    /// The camera.
    pub camera: CameraId,
    /// What was asked for: every object that touches it is gone.
    pub asked: TimeRange,
    /// What is gone with the objects that the index had.
    pub erased: TimeRange,
    /// Why.
    pub reason: String,
    /// When.
    pub created: UnixMs,
    /// Objects that the index had.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = erasure)]
struct Raw {
    id: Id,
    organization: Id,
    camera: Id,
    start_ms: i64,
    end_ms: i64,
    erased_start_ms: i64,
    erased_end_ms: i64,
    reason: String,
    created: i64,
    objects: i64,
    bytes: i64,
}

fn range(start: i64, end: i64) -> Result<TimeRange, StoreError> {
    TimeRange::new(UnixMs(start), UnixMs(end)).map_err(|error| StoreError::Broken(error.to_string()))
}

impl TryFrom<Raw> for ErasureRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        Ok(Self {
            id: raw.id.into(),
            organization: raw.organization.into(),
            camera: raw.camera.into(),
            asked: range(raw.start_ms, raw.end_ms)?,
            erased: range(raw.erased_start_ms, raw.erased_end_ms)?,
            reason: raw.reason,
            created: UnixMs(raw.created),
            objects: raw.objects.cast_unsigned(),
            bytes: raw.bytes.cast_unsigned(),
        })
    }
}

/// Adds an erasure that `nodes` have to carry out too.
///
/// # Errors
/// Those of the database.
pub fn insert(connection: &mut Connection, row: &ErasureRow, nodes: &[NodeId]) -> Result<(), StoreError> {
    let raw = Raw {
        id: row.id.into(),
        organization: row.organization.into(),
        camera: row.camera.into(),
        start_ms: row.asked.start().0,
        end_ms: row.asked.end().0,
        erased_start_ms: row.erased.start().0,
        erased_end_ms: row.erased.end().0,
        reason: row.reason.clone(),
        created: row.created.0,
        objects: row.objects.cast_signed(),
        bytes: row.bytes.cast_signed(),
    };
    diesel::insert_into(erasure::table)
        .values(raw)
        .execute(connection)?;
    for node in nodes {
        diesel::insert_into(erasure_node::table)
            .values((
                erasure_node::erasure.eq(Id::from(row.id)),
                erasure_node::node.eq(Id::from(*node)),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// One erasure of an organization.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: ErasureId,
) -> Result<Option<ErasureRow>, StoreError> {
    erasure::table
        .filter(erasure::organization.eq(Id::from(organization)))
        .filter(erasure::id.eq(Id::from(id)))
        .select(Raw::as_select())
        .first(connection)
        .optional()?
        .map(TryInto::try_into)
        .transpose()
}

/// A camera's erasures, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    part: &Part,
) -> Result<Vec<ErasureRow>, StoreError> {
    let mut query = erasure::table
        .filter(erasure::organization.eq(Id::from(organization)))
        .filter(erasure::camera.eq(Id::from(camera)))
        .order((erasure::created, erasure::id))
        .limit(part.fetch())
        .select(Raw::as_select())
        .into_boxed();
    if let Some(after) = part.after {
        let id = Id(after.id);
        query = query.filter(
            erasure::created
                .gt(after.at)
                .or(erasure::created.eq(after.at).and(erasure::id.gt(id))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The nodes of erasures, and when each said that nothing is left.
///
/// # Errors
/// Those of the database.
pub fn nodes_of(
    connection: &mut Connection,
    erasures: &[ErasureId],
) -> Result<Vec<(ErasureId, NodeId, Option<UnixMs>)>, StoreError> {
    let ids: Vec<Id> = erasures.iter().copied().map(Into::into).collect();
    let rows: Vec<(Id, Id, Option<i64>)> = erasure_node::table
        .filter(erasure_node::erasure.eq_any(ids))
        .order((erasure_node::erasure, erasure_node::node))
        .select((erasure_node::erasure, erasure_node::node, erasure_node::done))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(erasure, node, done)| (erasure.into(), node.into(), done.map(UnixMs)))
        .collect())
}

/// Every node that a camera was ever assigned to.
///
/// # Errors
/// Those of the database.
pub fn nodes_ever(connection: &mut Connection, camera: CameraId) -> Result<Vec<NodeId>, StoreError> {
    let rows: Vec<Id> = assignment::table
        .filter(assignment::camera.eq(Id::from(camera)))
        .select(assignment::node)
        .distinct()
        .order(assignment::node)
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The erasures of a camera that `range` touches, with their reasons. A camera has one owner, so that the
/// camera alone names whose they are.
///
/// # Errors
/// Those of the database.
pub fn touching(
    connection: &mut Connection,
    camera: CameraId,
    touched: TimeRange,
) -> Result<Vec<(TimeRange, String)>, StoreError> {
    let rows: Vec<(i64, i64, String)> = erasure::table
        .filter(erasure::camera.eq(Id::from(camera)))
        .filter(erasure::start_ms.lt(touched.end().0))
        .filter(erasure::end_ms.gt(touched.start().0))
        .order((erasure::start_ms, erasure::id))
        .select((erasure::start_ms, erasure::end_ms, erasure::reason))
        .load(connection)?;
    rows.into_iter()
        .map(|(start, end, reason)| Ok((range(start, end)?, reason)))
        .collect()
}

/// The erasures of `cameras`, whatever their time, with their reasons.
///
/// # Errors
/// Those of the database.
pub fn of_cameras(
    connection: &mut Connection,
    cameras: &[CameraId],
) -> Result<Vec<(CameraId, TimeRange, String)>, StoreError> {
    let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
    let rows: Vec<(Id, i64, i64, String)> = erasure::table
        .filter(erasure::camera.eq_any(cameras))
        .order((erasure::start_ms, erasure::id))
        .select((
            erasure::camera,
            erasure::start_ms,
            erasure::end_ms,
            erasure::reason,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(|(camera, start, end, reason)| Ok((camera.into(), range(start, end)?, reason)))
        .collect()
}

/// What nodes still have to erase of an organization's footage, for their plans.
///
/// # Errors
/// Those of the database.
pub fn unfinished(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<(NodeId, Erasure)>, StoreError> {
    let rows: Vec<(Id, Id, Id, i64, i64)> = erasure_node::table
        .inner_join(erasure::table.on(erasure::id.eq(erasure_node::erasure)))
        .filter(erasure::organization.eq(Id::from(organization)))
        .filter(erasure_node::done.is_null())
        .order((erasure_node::node, erasure_node::erasure))
        .select((
            erasure_node::node,
            erasure::id,
            erasure::camera,
            erasure::start_ms,
            erasure::end_ms,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(|(node, id, camera, start, end)| {
            let range = range(start, end)?;
            let (id, camera) = (id.into(), camera.into());
            Ok((node.into(), Erasure { id, camera, range }))
        })
        .collect()
}

/// What one node still has to erase.
///
/// # Errors
/// Those of the database.
pub fn unfinished_of(connection: &mut Connection, node: NodeId) -> Result<Vec<ErasureId>, StoreError> {
    let rows: Vec<Id> = erasure_node::table
        .filter(erasure_node::node.eq(Id::from(node)))
        .filter(erasure_node::done.is_null())
        .select(erasure_node::erasure)
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Notes that nothing of these is left on a node.
///
/// # Errors
/// Those of the database.
pub fn finish(
    connection: &mut Connection,
    node: NodeId,
    erasures: &[ErasureId],
    now: UnixMs,
) -> Result<(), StoreError> {
    let ids: Vec<Id> = erasures.iter().copied().map(Into::into).collect();
    diesel::update(erasure_node::table)
        .filter(erasure_node::node.eq(Id::from(node)))
        .filter(erasure_node::erasure.eq_any(ids))
        .filter(erasure_node::done.is_null())
        .set(erasure_node::done.eq(now.0))
        .execute(connection)?;
    Ok(())
}
