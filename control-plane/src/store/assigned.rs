//! Which nodes have which cameras, for who asks about one node or one camera.

use diesel::prelude::*;
use wire::{CameraId, NodeId, TimeRange, UnixMs};

use super::schema::{assignment, camera};
use super::types::Id;
use super::{Connection, StoreError};

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
