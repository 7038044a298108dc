//! Failures of signing in, and of showing one's password or code again: counted by login, whether there
//! is such a user or not.

use wire::UnixMs;

use super::Origin;
use super::session::note;
use crate::Error;
use crate::store::users::UserRow;
use crate::store::{Connection, StoreError, failures};

/// Refuses a login that is locked out.
///
/// # Errors
/// [`Error::Locked`], and those of the database.
pub(super) fn unless_locked(connection: &mut Connection, login: &str, now: UnixMs) -> Result<(), Error> {
    match failures::locked(connection, login, now)? {
        None => Ok(()),
        Some(until) => Err(Error::Locked {
            retry_after_s: u64::try_from(until.since(now)).unwrap_or(0).div_ceil(1000).max(1),
        }),
    }
}

/// Counts a failure. A person who is locked out by it has that in the organization's audit log.
pub(super) fn count(
    connection: &mut Connection,
    login: &str,
    user: Option<&UserRow>,
    origin: &Origin,
    now: UnixMs,
) -> Result<(), StoreError> {
    let failures = failures::add(connection, login, now)?;
    if failures.locked(now).is_none() {
        return Ok(());
    }
    // What was typed as a login may be a password.
    let (address, id) = (origin.address, user.map(|user| user.id.to_string()));
    tracing::warn!(%address, user = id, "a login is locked out");
    let Some(user) = user else {
        return Ok(());
    };
    note(connection, "user.lock", (user, None), origin, now)
}
