//! Erasures: footage that goes from rows and files alike, in an order that survives a power cut.
//!
//! One transaction takes the rows of objects and their events, puts gaps in their place and notes the files
//! as doomed; only then the files go. As long as an erasure is noted here, no object inside its range gets a
//! row: what is sealed or found late becomes a gap at once.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use wire::coverage::{Gap, GapCause};
use wire::event::SealedObject;
use wire::plan::Erasure;
use wire::{CameraId, ErasureId, NodeId, ObjectId, StreamKind, TimeRange, UnixMs};

use super::objects::{self, ObjectRow};
use super::schema::{doomed, erasure, open_object};
use super::{DbError, DbResult, camera_id, erasure_id, ledger, object_id, outbox};

/// Objects taken in one transaction, so that recording never waits long for the database.
const BATCH: i64 = 500;
/// What the gap says; the reason is the control plane's to keep.
const DETAIL: &str = "the footage was deleted on request";

/// Takes over a plan's erasures. Those that are not done stay although the plan no longer names them.
///
/// # Errors
/// Those of the database.
pub fn note(c: &mut SqliteConnection, planned: &[Erasure]) -> DbResult<()> {
    let ids: Vec<&[u8]> = planned.iter().map(|e| e.id.as_bytes().as_slice()).collect();
    diesel::delete(erasure::table.filter(erasure::done.and(erasure::id.ne_all(ids)))).execute(c)?;
    for planned in planned {
        diesel::insert_or_ignore_into(erasure::table)
            .values((
                erasure::id.eq(planned.id.as_bytes().as_slice()),
                erasure::camera.eq(planned.camera.as_bytes().as_slice()),
                erasure::start_ms.eq(planned.range.start().0),
                erasure::end_ms.eq(planned.range.end().0),
                erasure::done.eq(false),
            ))
            .execute(c)?;
    }
    Ok(())
}

/// Those that are not done.
///
/// # Errors
/// Those of the database.
pub fn pending(c: &mut SqliteConnection) -> DbResult<Vec<Erasure>> {
    type Raw = (Vec<u8>, Vec<u8>, i64, i64, bool);
    let rows: Vec<Raw> = erasure::table.filter(erasure::done.eq(false)).load(c)?;
    rows.into_iter()
        .map(|(id, camera, start, end, _)| {
            Ok(Erasure {
                id: erasure_id(&id)?,
                camera: camera_id(&camera)?,
                range: TimeRange::new(UnixMs(start), UnixMs(end))
                    .map_err(|_| DbError::Damaged("an empty erasure"))?,
            })
        })
        .collect()
}

/// Those that are done and not forgotten.
///
/// # Errors
/// Those of the database.
pub fn done(c: &mut SqliteConnection) -> DbResult<Vec<ErasureId>> {
    let rows: Vec<Vec<u8>> = erasure::table.filter(erasure::done).select(erasure::id).load(c)?;
    rows.iter().map(|id| erasure_id(id)).collect()
}

/// Notes that nothing of it is left.
///
/// # Errors
/// Those of the database.
pub fn finish(c: &mut SqliteConnection, id: ErasureId) -> DbResult<()> {
    diesel::update(erasure::table.find(id.as_bytes().as_slice()))
        .set(erasure::done.eq(true))
        .execute(c)?;
    Ok(())
}

/// Whether footage of this camera and time is erased.
///
/// # Errors
/// Those of the database.
pub fn covers(c: &mut SqliteConnection, camera: CameraId, range: TimeRange) -> DbResult<bool> {
    let touching = erasure::table.filter(
        erasure::camera
            .eq(camera.as_bytes().as_slice())
            .and(erasure::start_ms.lt(range.end().0))
            .and(erasure::end_ms.gt(range.start().0)),
    );
    Ok(diesel::select(diesel::dsl::exists(touching)).get_result(c)?)
}

/// Whether an object of the camera is being written that began before `before`.
///
/// # Errors
/// Those of the database.
pub fn is_growing(c: &mut SqliteConnection, camera: CameraId, before: UnixMs) -> DbResult<bool> {
    let growing = open_object::table.filter(
        open_object::camera
            .eq(camera.as_bytes().as_slice())
            .and(open_object::start_ms.lt(before.0)),
    );
    Ok(diesel::select(diesel::dsl::exists(growing)).get_result(c)?)
}

/// Takes some of the objects that touch the range, oldest first: rows and events out, gaps in, files doomed.
/// None means that there are no more.
///
/// # Errors
/// Those of the database.
pub fn take(c: &mut SqliteConnection, erasure: &Erasure, node: NodeId) -> DbResult<Vec<ObjectId>> {
    let rows = objects::touching(c, erasure.camera, erasure.range, BATCH)?;
    for row in &rows {
        objects::remove(c, row.id)?;
        outbox::forget_subject(c, row.id)?;
        doom(c, row.camera, row.id)?;
    }
    for (stream, range) in runs(&rows) {
        add_gap(c, erasure.camera, stream, node, range)?;
    }
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Adds a sealed object and its event; or, when it is erased, the gap in its place. True when it is erased:
/// its file is doomed.
///
/// # Errors
/// Those of the database.
pub fn add_unless_erased(c: &mut SqliteConnection, sealed: &SealedObject) -> DbResult<bool> {
    let range = TimeRange::new(sealed.start, sealed.end).map_err(|_| DbError::Damaged("an empty object"))?;
    if !covers(c, sealed.camera, range)? {
        objects::add(c, sealed)?;
        return Ok(false);
    }
    doom(c, sealed.camera, sealed.id)?;
    add_gap(c, sealed.camera, sealed.stream, sealed.node, range)?;
    Ok(true)
}

fn doom(c: &mut SqliteConnection, camera: CameraId, object: ObjectId) -> DbResult<()> {
    diesel::replace_into(doomed::table)
        .values((
            doomed::object.eq(object.as_bytes().as_slice()),
            doomed::camera.eq(camera.as_bytes().as_slice()),
        ))
        .execute(c)?;
    Ok(())
}

fn add_gap(
    c: &mut SqliteConnection,
    camera: CameraId,
    stream: StreamKind,
    node: NodeId,
    range: TimeRange,
) -> DbResult<()> {
    let gap = Gap {
        id: ObjectId::generate(),
        camera,
        stream,
        node,
        range,
        cause: GapCause::Operator,
        detail: DETAIL.to_owned(),
    };
    ledger::add_gap(c, &gap)
}

/// Unbroken runs of objects that are in order: one gap for an hour instead of sixty.
fn runs(rows: &[ObjectRow]) -> Vec<(StreamKind, TimeRange)> {
    let mut runs = Vec::new();
    let mut last: HashMap<StreamKind, TimeRange> = HashMap::new();
    for row in rows {
        let grown = last
            .get(&row.stream)
            .filter(|run| row.range.start() <= run.end())
            .and_then(|run| TimeRange::new(run.start(), run.end().max(row.range.end())).ok());
        let next = grown.unwrap_or(row.range);
        if let Some(before) = last.insert(row.stream, next)
            && grown.is_none()
        {
            runs.push((row.stream, before));
        }
    }
    runs.extend(last);
    runs
}

/// Some files that are still to be deleted.
///
/// # Errors
/// Those of the database.
pub fn doomed(c: &mut SqliteConnection) -> DbResult<Vec<(CameraId, ObjectId)>> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = doomed::table.limit(BATCH).load(c)?;
    rows.iter()
        .map(|(object, camera)| Ok((camera_id(camera)?, object_id(object)?)))
        .collect()
}

/// These files are gone for good.
///
/// # Errors
/// Those of the database.
pub fn forget_doomed(c: &mut SqliteConnection, gone: &[ObjectId]) -> DbResult<()> {
    let gone: Vec<&[u8]> = gone.iter().map(|id| id.as_bytes().as_slice()).collect();
    diesel::delete(doomed::table.filter(doomed::object.eq_any(gone))).execute(c)?;
    Ok(())
}
