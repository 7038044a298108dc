//! Events to be announced: written in the transaction of what they announce, gone when confirmed.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use wire::event::NodeEvent;
use wire::{ObjectId, UnixMs};

use super::schema::{gap, object, outbox};
use super::{DbError, DbResult};

/// A row to publish.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Pending {
    /// Order of writing.
    pub seq: i64,
    /// `Nats-Msg-Id`.
    pub message: String,
    /// JSON of the [`NodeEvent`].
    pub payload: String,
}

/// Adds an event. A gap's older, shorter reports that still wait are replaced, so that an outage of days
/// keeps one row.
///
/// # Errors
/// Those of the database.
pub fn add(c: &mut SqliteConnection, event: &NodeEvent) -> DbResult<()> {
    let payload =
        serde_json::to_string(event).map_err(|_| DbError::Damaged("an event cannot be written as JSON"))?;
    // The last word about a gap or a session says it all.
    if !matches!(event, NodeEvent::ObjectSealed(_)) {
        forget(c, event.subject())?;
    }
    diesel::replace_into(outbox::table)
        .values((
            outbox::message.eq(event.message_id()),
            outbox::subject_id.eq(event.subject().as_slice()),
            outbox::payload.eq(payload),
        ))
        .execute(c)?;
    Ok(())
}

/// Drops what waits about an object or gap.
///
/// # Errors
/// Those of the database.
pub fn forget_subject(c: &mut SqliteConnection, id: ObjectId) -> DbResult<()> {
    forget(c, id.as_bytes())
}

fn forget(c: &mut SqliteConnection, subject: &[u8; 16]) -> DbResult<()> {
    diesel::delete(outbox::table.filter(outbox::subject_id.eq(subject.as_slice()))).execute(c)?;
    Ok(())
}

/// Rows never published, or published before `stale_before` and still not confirmed; oldest first.
///
/// # Errors
/// Those of the database.
pub fn due(c: &mut SqliteConnection, stale_before: UnixMs, limit: i64) -> DbResult<Vec<Pending>> {
    Ok(outbox::table
        .filter(
            outbox::published_ms
                .is_null()
                .or(outbox::published_ms.lt(stale_before.0)),
        )
        .order(outbox::seq)
        .limit(limit)
        .select((outbox::seq, outbox::message, outbox::payload))
        .load(c)?)
}

/// Notes that the bus has taken these rows.
///
/// # Errors
/// Those of the database.
pub fn mark_published(c: &mut SqliteConnection, seqs: &[i64], now: UnixMs) -> DbResult<()> {
    diesel::update(outbox::table.filter(outbox::seq.eq_any(seqs)))
        .set(outbox::published_ms.eq(now.0))
        .execute(c)?;
    Ok(())
}

/// Message ids that were published after `after` and wait for the index, oldest first: `(seq, message)`.
///
/// # Errors
/// Those of the database.
pub fn unconfirmed(c: &mut SqliteConnection, after: i64, limit: i64) -> DbResult<Vec<(i64, String)>> {
    Ok(outbox::table
        .filter(outbox::published_ms.is_not_null().and(outbox::seq.gt(after)))
        .order(outbox::seq)
        .limit(limit)
        .select((outbox::seq, outbox::message))
        .load(c)?)
}

/// How many rows wait in all.
///
/// # Errors
/// Those of the database.
pub fn backlog(c: &mut SqliteConnection) -> DbResult<u64> {
    let count: i64 = outbox::table.count().get_result(c)?;
    Ok(count.cast_unsigned())
}

/// Payloads of waiting object events, oldest first.
///
/// # Errors
/// Those of the database.
pub fn waiting_objects(c: &mut SqliteConnection) -> DbResult<Vec<NodeEvent>> {
    let payloads: Vec<String> = outbox::table
        .inner_join(object::table.on(object::id.eq(outbox::subject_id)))
        .order(outbox::seq)
        .select(outbox::payload)
        .load(c)?;
    Ok(payloads
        .iter()
        .filter_map(|json| serde_json::from_str(json).ok())
        .collect())
}

/// State of an object that is sealed and announced.
pub const SEALED: i16 = 0;
/// State of an object that the index has.
pub const INDEXED: i16 = 1;
/// State of an object that the store has, verified.
pub const STORED: i16 = 2;
/// State of an object that the index refused for good, or does not know any more: it is neither announced nor
/// uploaded again, and its file stays for a week, for people to look into it (see `spool::space`).
pub const REFUSED: i16 = 3;

/// The index has committed these: forget the rows, move objects on. Returns the ids.
///
/// # Errors
/// Those of the database.
pub fn confirm(c: &mut SqliteConnection, messages: &[String]) -> DbResult<Vec<ObjectId>> {
    finish(c, messages, INDEXED)
}

/// The index refused this for good: forget the row, keep the file.
///
/// # Errors
/// Those of the database.
pub fn refuse(c: &mut SqliteConnection, message: &str) -> DbResult<Vec<ObjectId>> {
    finish(c, &[message.to_owned()], REFUSED)
}

fn finish(c: &mut SqliteConnection, messages: &[String], state: i16) -> DbResult<Vec<ObjectId>> {
    let ids: Vec<Vec<u8>> = diesel::delete(outbox::table.filter(outbox::message.eq_any(messages)))
        .returning(outbox::subject_id)
        .get_results(c)?;
    diesel::update(object::table.filter(object::id.eq_any(&ids).and(object::state.eq(SEALED))))
        .set(object::state.eq(state))
        .execute(c)?;
    // A gap that no longer grows is of no further use here.
    let open: Vec<Option<Vec<u8>>> = super::schema::coverage::table
        .select(super::schema::coverage::open_gap)
        .load(c)?;
    let done: Vec<&Vec<u8>> = ids
        .iter()
        .filter(|id| !open.iter().flatten().any(|gap| gap == *id))
        .collect();
    diesel::delete(gap::table.filter(gap::id.eq_any(done))).execute(c)?;
    ids.iter().map(|blob| super::object_id(blob)).collect()
}

#[cfg(test)]
mod tests {
    use wire::coverage::{Gap, GapCause};
    use wire::{CameraId, NodeId, StreamKind, TimeRange};

    use super::*;
    use crate::db::Db;

    fn gap_event(id: ObjectId, end: i64) -> NodeEvent {
        NodeEvent::Gap(Gap {
            id,
            camera: CameraId::from_bytes([1; 16]),
            stream: StreamKind::Main,
            node: NodeId::from_bytes([2; 16]),
            range: TimeRange::new(UnixMs(1_000), UnixMs(end)).unwrap(),
            cause: GapCause::Network,
            detail: "away".into(),
        })
    }

    #[test]
    fn rows_stay_until_confirmed_and_growing_gaps_keep_one() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        let id = ObjectId::generate();
        db.transaction(|c| {
            add(c, &gap_event(id, 2_000))?;
            add(c, &gap_event(id, 3_000))?;
            add(c, &gap_event(ObjectId::generate(), 2_000))?;
            assert_eq!(backlog(c)?, 2);
            let rows = due(c, UnixMs(0), 10)?;
            assert_eq!(rows[0].message, format!("{id}-3000"));
            mark_published(c, &[rows[0].seq], UnixMs(5_000))?;
            assert_eq!(due(c, UnixMs(5_000), 10)?.len(), 1, "published rows wait");
            assert_eq!(due(c, UnixMs(5_001), 10)?.len(), 2, "stale ones come again");
            let asked: Vec<String> = unconfirmed(c, 0, 10)?
                .into_iter()
                .map(|(_, message)| message)
                .collect();
            assert_eq!(confirm(c, &asked)?, vec![id]);
            assert_eq!(backlog(c)?, 1);
            Ok(())
        })
        .unwrap();
    }
}
