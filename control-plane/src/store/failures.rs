//! Failed sign-ins by login, whether there is such a user or not: both look alike from outside.

use diesel::prelude::*;
use wire::UnixMs;

use super::schema::login_failure;
use super::{Connection, StoreError};
use crate::domain::lockout::Failures;

/// How signing in with this login failed so far.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Connection, login: &str) -> Result<Option<Failures>, StoreError> {
    let row: Option<(i32, i64, Option<i64>)> = login_failure::table
        .find(login)
        .select((
            login_failure::failures,
            login_failure::last,
            login_failure::locked_until,
        ))
        .first(connection)
        .optional()?;
    Ok(row.map(|(count, last, locked_until)| Failures {
        count: count.unsigned_abs(),
        last: UnixMs(last),
        locked_until: locked_until.map(UnixMs),
    }))
}

/// Until when nobody signs in with this login.
///
/// # Errors
/// Those of the database.
pub fn locked(connection: &mut Connection, login: &str, now: UnixMs) -> Result<Option<UnixMs>, StoreError> {
    Ok(get(connection, login)?.and_then(|failures| failures.locked(now)))
}

/// Counts one more failure.
///
/// # Errors
/// Those of the database.
pub fn add(connection: &mut Connection, login: &str, now: UnixMs) -> Result<Failures, StoreError> {
    let failures = Failures::one_more(get(connection, login)?, now);
    let values = (
        login_failure::failures.eq(i32::try_from(failures.count).unwrap_or(i32::MAX)),
        login_failure::last.eq(failures.last.0),
        login_failure::locked_until.eq(failures.locked_until.map(|until| until.0)),
    );
    let known = diesel::update(login_failure::table.find(login))
        .set(values)
        .execute(connection)?;
    if known == 0 {
        diesel::insert_into(login_failure::table)
            .values((login_failure::login.eq(login), values.0, values.1, values.2))
            .execute(connection)?;
    }
    Ok(failures)
}

/// Forgets the failures of a login; whether there were any.
///
/// # Errors
/// Those of the database.
pub fn clear(connection: &mut Connection, login: &str) -> Result<bool, StoreError> {
    let rows = diesel::delete(login_failure::table.find(login)).execute(connection)?;
    Ok(rows > 0)
}

/// Forgets failures that were over before `before`; how many logins.
///
/// # Errors
/// Those of the database.
pub fn prune(connection: &mut Connection, before: UnixMs) -> Result<usize, StoreError> {
    let rows = diesel::delete(login_failure::table)
        .filter(login_failure::last.lt(before.0))
        .execute(connection)?;
    Ok(rows)
}
