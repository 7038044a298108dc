//! Coverage ends, gaps, and the objects that are being written.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use wire::coverage::{Gap, GapCause};
use wire::event::NodeEvent;
use wire::{ObjectId, TimeRange, UnixMs};

use super::schema::{coverage, gap, open_object};
use super::{DbError, DbResult, camera_id, object_id, outbox, stream_code, stream_kind};
use crate::ledger::{Change, OpenGap, StreamKey, StreamLedger};

/// Writes what the ledger changed, events included.
///
/// # Errors
/// Those of the database.
pub fn apply(c: &mut SqliteConnection, changes: &[Change]) -> DbResult<()> {
    for change in changes {
        match change {
            Change::Gap(gap) => add_gap(c, gap)?,
            Change::Coverage(key, row) => put_coverage(c, *key, row)?,
            Change::Gone(key) => {
                let key = (key.camera.as_bytes().as_slice(), stream_code(key.stream));
                diesel::delete(coverage::table.find(key)).execute(c)?;
            }
        }
    }
    Ok(())
}

/// Adds a gap or its later end, and its event.
///
/// # Errors
/// Those of the database.
pub fn add_gap(c: &mut SqliteConnection, row: &Gap) -> DbResult<()> {
    diesel::replace_into(gap::table)
        .values((
            gap::id.eq(row.id.as_bytes().as_slice()),
            gap::camera.eq(row.camera.as_bytes().as_slice()),
            gap::stream.eq(stream_code(row.stream)),
            gap::start_ms.eq(row.range.start().0),
            gap::end_ms.eq(row.range.end().0),
            gap::cause.eq(cause_text(row.cause)?),
            gap::detail.eq(&row.detail),
        ))
        .execute(c)?;
    outbox::add(c, &NodeEvent::Gap(row.clone()))
}

fn put_coverage(c: &mut SqliteConnection, key: StreamKey, row: &StreamLedger) -> DbResult<()> {
    diesel::replace_into(coverage::table)
        .values((
            coverage::camera.eq(key.camera.as_bytes().as_slice()),
            coverage::stream.eq(stream_code(key.stream)),
            coverage::end_ms.eq(row.end.0),
            coverage::last_object.eq(row.last_object.as_ref().map(|id| id.as_bytes().as_slice())),
            coverage::open_gap.eq(row.open_gap.as_ref().map(|gap| gap.id.as_bytes().as_slice())),
        ))
        .execute(c)?;
    Ok(())
}

/// All streams that are accounted for.
///
/// # Errors
/// Those of the database.
pub fn coverages(c: &mut SqliteConnection) -> DbResult<Vec<(StreamKey, StreamLedger)>> {
    type Raw = (Vec<u8>, i16, i64, Option<Vec<u8>>, Option<Vec<u8>>);
    let rows: Vec<Raw> = coverage::table.load(c)?;
    let mut out = Vec::with_capacity(rows.len());
    for (camera, stream, end, last, open) in rows {
        let key = StreamKey {
            camera: camera_id(&camera)?,
            stream: stream_kind(stream)?,
        };
        let ledger = StreamLedger {
            end: UnixMs(end),
            last_object: last.map(|blob| object_id(&blob)).transpose()?,
            open_gap: open.map(|blob| find_gap(c, &blob)).transpose()?.flatten(),
        };
        out.push((key, ledger));
    }
    Ok(out)
}

fn find_gap(c: &mut SqliteConnection, id: &[u8]) -> DbResult<Option<OpenGap>> {
    let row: Option<(Vec<u8>, i64, i64, String, String)> = gap::table
        .find(id)
        .select((gap::id, gap::start_ms, gap::end_ms, gap::cause, gap::detail))
        .first(c)
        .optional()?;
    row.map(|(id, start, end, cause, detail)| {
        Ok(OpenGap {
            id: object_id(&id)?,
            range: TimeRange::new(UnixMs(start), UnixMs(end))
                .map_err(|_| DbError::Damaged("an empty gap"))?,
            cause: serde_json::from_str(&cause).map_err(|_| DbError::Damaged("unknown cause"))?,
            detail,
        })
    })
    .transpose()
}

fn cause_text(cause: GapCause) -> DbResult<String> {
    serde_json::to_string(&cause).map_err(|_| DbError::Damaged("a cause cannot be written as JSON"))
}

/// What a `.part` file does not say of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRow {
    /// Its stream.
    pub key: StreamKey,
    /// The assignment's epoch.
    pub epoch: u64,
    /// Capture time of its first picture: the ledger is accounted for up to here.
    pub start: UnixMs,
    /// The object that it follows without a break.
    pub previous: Option<ObjectId>,
}

/// Notes an object that begins.
///
/// # Errors
/// Those of the database.
pub fn add_open(c: &mut SqliteConnection, id: ObjectId, row: &OpenRow) -> DbResult<()> {
    diesel::replace_into(open_object::table)
        .values((
            open_object::id.eq(id.as_bytes().as_slice()),
            open_object::camera.eq(row.key.camera.as_bytes().as_slice()),
            open_object::stream.eq(stream_code(row.key.stream)),
            open_object::epoch.eq(row.epoch.cast_signed()),
            open_object::start_ms.eq(row.start.0),
            open_object::previous.eq(row.previous.as_ref().map(|id| id.as_bytes().as_slice())),
        ))
        .execute(c)?;
    Ok(())
}

/// What was noted of an object.
///
/// # Errors
/// Those of the database.
pub fn find_open(c: &mut SqliteConnection, id: ObjectId) -> DbResult<Option<OpenRow>> {
    type Raw = (Vec<u8>, Vec<u8>, i16, i64, i64, Option<Vec<u8>>);
    let row: Option<Raw> = open_object::table
        .find(id.as_bytes().as_slice())
        .first(c)
        .optional()?;
    row.map(|(_, camera, stream, epoch, start, previous)| {
        Ok(OpenRow {
            key: StreamKey {
                camera: camera_id(&camera)?,
                stream: stream_kind(stream)?,
            },
            epoch: epoch.cast_unsigned(),
            start: UnixMs(start),
            previous: previous.map(|blob| object_id(&blob)).transpose()?,
        })
    })
    .transpose()
}

/// Forgets an object that is no longer being written.
///
/// # Errors
/// Those of the database.
pub fn remove_open(c: &mut SqliteConnection, id: ObjectId) -> DbResult<()> {
    diesel::delete(open_object::table.find(id.as_bytes().as_slice())).execute(c)?;
    Ok(())
}

/// Forgets all of them; after the repair at start.
///
/// # Errors
/// Those of the database.
pub fn clear_open(c: &mut SqliteConnection) -> DbResult<()> {
    diesel::delete(open_object::table).execute(c)?;
    Ok(())
}

/// Forgets gaps that are confirmed and can no longer grow.
///
/// # Errors
/// Those of the database.
pub fn forget_finished_gaps(c: &mut SqliteConnection) -> DbResult<()> {
    diesel::sql_query(
        "DELETE FROM gap WHERE id NOT IN (SELECT open_gap FROM coverage WHERE open_gap IS NOT NULL) \
         AND id NOT IN (SELECT subject_id FROM outbox)",
    )
    .execute(c)?;
    Ok(())
}
