//! Rows of sessions that have not ended.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use wire::UnixMs;
use wire::event::NodeEvent;

use super::schema::session;
use super::{DbError, DbResult, camera_id, object_id, outbox, stream_code, stream_kind};
use crate::ledger::StreamKey;
use crate::session::{Session, Write};

type Raw = (
    Vec<u8>,
    i16,
    String,
    i64,
    i64,
    Option<Vec<u8>>,
    i64,
    Option<String>,
);

/// All of them.
///
/// # Errors
/// Those of the database.
pub fn all(c: &mut SqliteConnection) -> DbResult<Vec<(StreamKey, Session)>> {
    let rows: Vec<Raw> = session::table.load(c)?;
    rows.into_iter().map(read).collect()
}

fn read((camera, stream, body, fruitless, told, gap, gap_ms, retry): Raw) -> DbResult<(StreamKey, Session)> {
    let key = StreamKey {
        camera: camera_id(&camera)?,
        stream: stream_kind(stream)?,
    };
    let gap = gap.map(|blob| object_id(&blob)).transpose()?;
    let session = Session {
        told: serde_json::from_str(&body).map_err(|_| DbError::Damaged("a session cannot be read"))?,
        fruitless: fruitless.cast_unsigned(),
        told_at: UnixMs(told),
        gap: gap.map(|id| (id, gap_ms.cast_unsigned())),
        begun: UnixMs(told),
        // Whatever an older version wrote: without it the camera is tried at once.
        retry: retry.and_then(|json| serde_json::from_str(&json).ok()),
    };
    Ok((key, session))
}

/// Writes what changed, events included.
///
/// # Errors
/// Those of the database.
pub fn apply(c: &mut SqliteConnection, writes: &[Write]) -> DbResult<()> {
    for write in writes {
        match write {
            Write::Keep(key, row) => put(c, *key, row)?,
            Write::Drop(key) => {
                let key = (key.camera.as_bytes().as_slice(), stream_code(key.stream));
                diesel::delete(session::table.find(key)).execute(c)?;
            }
            Write::Tell(told) => outbox::add(c, &NodeEvent::Recording(told.clone()))?,
        }
    }
    Ok(())
}

fn put(c: &mut SqliteConnection, key: StreamKey, row: &Session) -> DbResult<()> {
    let body = serde_json::to_string(&row.told)
        .map_err(|_| DbError::Damaged("a session cannot be written as JSON"))?;
    let retry = row
        .retry
        .as_ref()
        .and_then(|retry| serde_json::to_string(retry).ok());
    diesel::replace_into(session::table)
        .values((
            session::camera.eq(key.camera.as_bytes().as_slice()),
            session::stream.eq(stream_code(key.stream)),
            session::body.eq(body),
            session::fruitless.eq(row.fruitless.cast_signed()),
            session::told_ms.eq(row.told_at.0),
            session::gap.eq(row.gap.as_ref().map(|(id, _)| id.as_bytes().as_slice())),
            session::gap_ms.eq(row.gap.map_or(0, |(_, ms)| ms.cast_signed())),
            session::retry.eq(retry),
        ))
        .execute(c)?;
    Ok(())
}
