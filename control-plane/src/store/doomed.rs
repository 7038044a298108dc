//! Objects to delete from the object store. They are doomed in the transaction that deletes their rows;
//! a task deletes them afterwards, because the store may be away.

use diesel::prelude::*;
use wire::UnixMs;

use super::schema::doomed_object;
use super::{Connection, StoreError};

/// Rows of one statement.
const AT_ONCE: usize = 500;

/// An object to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoomedRow {
    /// Its key in the object store.
    pub key: String,
    /// Since when.
    pub since: UnixMs,
}

/// Dooms an object; again is as well.
///
/// # Errors
/// Those of the database.
pub fn doom(connection: &mut Connection, key: &str, now: UnixMs) -> Result<(), StoreError> {
    let known = diesel::update(doomed_object::table.find(key))
        .set((doomed_object::since.eq(now.0), doomed_object::due.eq(now.0)))
        .execute(connection)?;
    if known == 0 {
        diesel::insert_into(doomed_object::table)
            .values((
                doomed_object::object_key.eq(key),
                doomed_object::since.eq(now.0),
                doomed_object::due.eq(now.0),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Dooms many objects; again is as well.
///
/// # Errors
/// Those of the database.
pub fn doom_all(connection: &mut Connection, keys: &[String], now: UnixMs) -> Result<(), StoreError> {
    for keys in keys.chunks(AT_ONCE) {
        diesel::delete(doomed_object::table)
            .filter(doomed_object::object_key.eq_any(keys))
            .execute(connection)?;
        let row = |key| {
            (
                doomed_object::object_key.eq(key),
                doomed_object::since.eq(now.0),
                doomed_object::due.eq(now.0),
            )
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        let insert = diesel::insert_into(doomed_object::table).values(rows);
        match connection {
            Connection::Sqlite(c) => insert.execute(c)?,
            Connection::Postgres(c) => insert.execute(c)?,
        };
    }
    Ok(())
}

/// At most `limit` objects whose time has come, longest due first.
///
/// # Errors
/// Those of the database.
pub fn due(connection: &mut Connection, now: UnixMs, limit: u32) -> Result<Vec<DoomedRow>, StoreError> {
    let rows: Vec<(String, i64)> = doomed_object::table
        .filter(doomed_object::due.le(now.0))
        .order((doomed_object::due, doomed_object::object_key))
        .limit(i64::from(limit))
        .select((doomed_object::object_key, doomed_object::since))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(key, since)| DoomedRow {
            key,
            since: UnixMs(since),
        })
        .collect())
}

/// Tries an object again at `due`.
///
/// # Errors
/// Those of the database.
pub fn postpone(connection: &mut Connection, key: &str, due: UnixMs) -> Result<(), StoreError> {
    diesel::update(doomed_object::table.find(key))
        .set(doomed_object::due.eq(due.0))
        .execute(connection)?;
    Ok(())
}

/// Forgets an object that is gone for good.
///
/// # Errors
/// Those of the database.
pub fn forget(connection: &mut Connection, key: &str) -> Result<(), StoreError> {
    diesel::delete(doomed_object::table.find(key)).execute(connection)?;
    Ok(())
}

/// How many objects are left to delete.
///
/// # Errors
/// Those of the database.
pub fn left(connection: &mut Connection) -> Result<u64, StoreError> {
    let count: i64 = doomed_object::table.count().get_result(connection)?;
    Ok(count.cast_unsigned())
}
