//! Sessions of recording whose node will not tell of their end: it was removed, or others have its cameras.
//!
//! They end with its last word. Should it come back, what it says then counts.

use wire::event::EndReason;
use wire::{CameraId, NodeId, RecordingId, UnixMs};

use super::recording::tell;
use crate::store::recordings::{self, RecordingRow};
use crate::store::{Connection, StoreError, registry};

/// Ends all sessions of a node that is removed. `last` is when it was heard last, as far as that is known here.
///
/// # Errors
/// Those of the database.
pub fn of_node(
    c: &mut Connection,
    node: NodeId,
    last: Option<UnixMs>,
    now: UnixMs,
) -> Result<(), StoreError> {
    for row in recordings::open_of(c, node)? {
        end(c, &row, last, now)?;
    }
    Ok(())
}

/// Ends the sessions of an assignment that ended because its node is lost.
///
/// # Errors
/// Those of the database.
pub fn of_assignment(
    c: &mut Connection,
    (camera, epoch): (CameraId, u64),
    last: Option<UnixMs>,
    now: UnixMs,
) -> Result<(), StoreError> {
    for row in recordings::open_under(c, camera, epoch)? {
        end(c, &row, last, now)?;
    }
    Ok(())
}

/// Ends these sessions, those of them that are still open.
///
/// # Errors
/// Those of the database.
pub fn left(
    c: &mut Connection,
    sessions: &[(RecordingId, Option<UnixMs>)],
    now: UnixMs,
) -> Result<(), StoreError> {
    for (id, last) in sessions {
        if let Some(row) = recordings::any(c, *id)?
            && row.session.ended.is_none()
        {
            end(c, &row, *last, now)?;
        }
    }
    Ok(())
}

fn end(
    c: &mut Connection,
    before: &RecordingRow,
    last: Option<UnixMs>,
    now: UnixMs,
) -> Result<(), StoreError> {
    let mut row = before.clone();
    let session = &mut row.session;
    let known = match last {
        Some(last) => Some(last),
        None => registry::last_seen(c, session.node)?,
    };
    let last = known.unwrap_or(before.updated);
    let last = session.window_end.map_or(last, |end| last.min(end));
    session.ended = Some(last.max(session.started.unwrap_or(session.window_start)));
    session.end_reason = Some(EndReason::NodeLost);
    session.failing = false;
    // The revision stays: the next word of the node replaces this.
    row.updated = now;
    recordings::put(c, &row)?;
    tell(c, Some(before), &row, now)
}
