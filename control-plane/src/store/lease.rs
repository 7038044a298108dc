//! Leases: which of several servers does a background task.
//!
//! Time is the database's, so that servers with different clocks agree on it. The epoch grows with each
//! taking; whoever writes for a task checks in the same transaction that its epoch is still the last one.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types;

use super::schema::lease;
use super::{Connection, StoreError};

/// A lease that was taken, for as long as nobody else takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The task.
    pub name: &'static str,
    /// Who took it.
    pub holder: String,
    /// Grows with each taking, from 1.
    pub epoch: i64,
}

/// What became of an attempt to take a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taking {
    /// It is the asker's for the time that was asked for.
    Taken(Grant),
    /// It is another's for so many milliseconds, if that one does not renew it.
    Held(i64),
}

/// Takes a lease that nobody holds. A database in a file has one server: what is held there is a former
/// one's, which is gone.
///
/// # Errors
/// Those of the database.
pub fn take(
    connection: &mut Connection,
    name: &'static str,
    holder: &str,
    ttl_ms: i64,
) -> Result<Taking, StoreError> {
    let now = clock(connection)?;
    let held: Option<(i64, i64)> = lease::table
        .find(name)
        .select((lease::epoch, lease::expires))
        .first(connection)
        .optional()?;
    let epoch = match held {
        Some((_, expires)) if expires > now && is_shared(connection) => {
            return Ok(Taking::Held(expires.saturating_sub(now)));
        }
        Some((epoch, _)) => epoch + 1,
        None => 1,
    };
    let row = (
        lease::holder.eq(holder),
        lease::epoch.eq(epoch),
        lease::expires.eq(now.saturating_add(ttl_ms)),
    );
    if held.is_some() {
        diesel::update(lease::table.find(name))
            .set(row)
            .execute(connection)?;
    } else {
        diesel::insert_into(lease::table)
            .values((lease::name.eq(name), row.0, row.1, row.2))
            .execute(connection)?;
    }
    Ok(Taking::Taken(Grant {
        name,
        holder: holder.to_owned(),
        epoch,
    }))
}

/// Holds a lease for `ttl_ms` from now; whether it was still the grant's.
///
/// # Errors
/// Those of the database.
pub fn renew(connection: &mut Connection, grant: &Grant, ttl_ms: i64) -> Result<bool, StoreError> {
    let until = clock(connection)?.saturating_add(ttl_ms);
    expire(connection, grant, until)
}

/// Lets a lease go: another may take it at once.
///
/// # Errors
/// Those of the database.
pub fn release(connection: &mut Connection, grant: &Grant) -> Result<(), StoreError> {
    expire(connection, grant, 0).map(drop)
}

/// Ends a transaction of a task that another server has taken over.
///
/// # Errors
/// [`StoreError::Fenced`] when it has, and those of the database.
pub fn guard(connection: &mut Connection, grant: &Grant) -> Result<(), StoreError> {
    let epoch: Option<i64> = lease::table
        .find(grant.name)
        .select(lease::epoch)
        .first(connection)
        .optional()?;
    if epoch == Some(grant.epoch) {
        Ok(())
    } else {
        Err(StoreError::Fenced(grant.name))
    }
}

fn expire(connection: &mut Connection, grant: &Grant, at: i64) -> Result<bool, StoreError> {
    let held = lease::table.find(grant.name).filter(lease::epoch.eq(grant.epoch));
    let changed = diesel::update(held)
        .set(lease::expires.eq(at))
        .execute(connection)?;
    Ok(changed == 1)
}

fn is_shared(connection: &Connection) -> bool {
    matches!(connection, Connection::Postgres(_))
}

/// The database's time in milliseconds since 1970. Not that of the transaction's begin, which may have
/// waited for its turn to write.
fn clock(connection: &mut Connection) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Clock {
        #[diesel(sql_type = sql_types::BigInt)]
        ms: i64,
    }
    let row: Clock = match connection {
        Connection::Sqlite(c) => {
            sql_query("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS ms").get_result(c)?
        }
        Connection::Postgres(c) => {
            sql_query("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS ms")
                .get_result(c)?
        }
    };
    Ok(row.ms)
}
