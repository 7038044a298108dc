//! Which nodes have which cameras, for who asks about one node or one camera.

use std::collections::HashMap;

use diesel::prelude::*;
use wire::{CameraId, NodeId, OrganizationId, TimeRange, UnixMs};

use super::schema::{assignment, camera};
use super::types::Id;
use super::{Connection, StoreError};
use crate::domain::tenure::{Grant, Tenure};

/// Who had which camera when, with the camera's owner.
pub type Tenures = HashMap<(CameraId, NodeId), (OrganizationId, Tenure)>;

/// Whether an assignment of a camera has ended.
///
/// # Errors
/// Those of the database.
pub fn is_over(connection: &mut Connection, camera: CameraId, epoch: u64) -> Result<bool, StoreError> {
    let ended: Option<Option<i64>> = assignment::table
        .find((Id::from(camera), epoch.cast_signed()))
        .select(assignment::ended)
        .first(connection)
        .optional()?;
    Ok(ended.flatten().is_some())
}

/// How many cameras that are not deleted a node has now.
///
/// # Errors
/// Those of the database.
pub fn count(connection: &mut Connection, node: NodeId) -> Result<u64, StoreError> {
    let cameras: Vec<Id> = assignment::table
        .inner_join(camera::table.on(camera::id.eq(assignment::camera)))
        .filter(assignment::node.eq(Id::from(node)))
        .filter(assignment::ended.is_null())
        .filter(camera::deleted.is_null())
        .select(assignment::camera)
        .distinct()
        .load(connection)?;
    Ok(u64::try_from(cameras.len()).unwrap_or(u64::MAX))
}

/// Ends all of a node's assignments, and says which; the cameras are nobody's until they are planned anew.
///
/// # Errors
/// Those of the database.
pub fn end_all(
    connection: &mut Connection,
    node: NodeId,
    reason: &str,
    now: UnixMs,
) -> Result<Vec<(CameraId, u64)>, StoreError> {
    let open: Vec<(Id, i64)> = assignment::table
        .filter(assignment::node.eq(Id::from(node)))
        .filter(assignment::ended.is_null())
        .order((assignment::camera, assignment::epoch))
        .select((assignment::camera, assignment::epoch))
        .load(connection)?;
    diesel::update(camera::table.filter(camera::node.eq(Id::from(node))))
        .set(camera::node.eq(None::<Id>))
        .execute(connection)?;
    diesel::update(assignment::table)
        .filter(assignment::node.eq(Id::from(node)))
        .filter(assignment::ended.is_null())
        .set((assignment::ended.eq(now.0), assignment::reason.eq(reason)))
        .execute(connection)?;
    Ok(open
        .into_iter()
        .map(|(camera, epoch)| (camera.into(), epoch.cast_unsigned()))
        .collect())
}

/// Every assignment of `cameras`, ever; deleted cameras' too.
///
/// # Errors
/// Those of the database.
pub fn tenures(connection: &mut Connection, cameras: &[CameraId]) -> Result<Tenures, StoreError> {
    let cameras: Vec<Id> = cameras.iter().copied().map(Into::into).collect();
    let rows: Vec<(Id, Id, Id, i64, i64, Option<i64>)> = camera::table
        .inner_join(assignment::table.on(assignment::camera.eq(camera::id)))
        .filter(camera::id.eq_any(cameras))
        .select((
            camera::id,
            camera::organization,
            assignment::node,
            assignment::epoch,
            assignment::since,
            assignment::ended,
        ))
        .load(connection)?;
    let mut tenures = Tenures::new();
    for (camera, organization, node, epoch, since, ended) in rows {
        let (_, tenure) = tenures
            .entry((camera.into(), node.into()))
            .or_insert_with(|| (organization.into(), Tenure::default()));
        tenure.add(Grant {
            epoch: epoch.cast_unsigned(),
            since: UnixMs(since),
            ended: ended.map(UnixMs),
        });
    }
    Ok(tenures)
}

/// Cameras of which an assignment ended after an instant.
///
/// # Errors
/// Those of the database.
pub fn ended_since(connection: &mut Connection, since: UnixMs) -> Result<Vec<CameraId>, StoreError> {
    let cameras: Vec<Id> = assignment::table
        .filter(assignment::ended.gt(since.0))
        .select(assignment::camera)
        .distinct()
        .load(connection)?;
    Ok(cameras.into_iter().map(Into::into).collect())
}

/// The nodes that had a camera at some time of `range`.
///
/// # Errors
/// Those of the database.
pub fn nodes_in(
    connection: &mut Connection,
    camera: CameraId,
    range: TimeRange,
) -> Result<Vec<NodeId>, StoreError> {
    let ended = assignment::ended.assume_not_null();
    let nodes: Vec<Id> = assignment::table
        .filter(assignment::camera.eq(Id::from(camera)))
        .filter(assignment::since.lt(range.end().0))
        .filter(assignment::ended.is_null().or(ended.gt(range.start().0)))
        .select(assignment::node)
        .distinct()
        .load(connection)?;
    Ok(nodes.into_iter().map(Into::into).collect())
}
