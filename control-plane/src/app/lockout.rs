//! Failures of signing in, and of showing one's password or code again: counted by login, whether there
//! is such a user or not.

use std::net::IpAddr;

use wire::UnixMs;
use wire::api::ActorKind;

use crate::Error;
use crate::store::audit::AuditRow;
use crate::store::users::UserRow;
use crate::store::{Connection, StoreError, audit, failures};

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
    address: IpAddr,
    now: UnixMs,
) -> Result<(), StoreError> {
    let failures = failures::add(connection, login, now)?;
    if failures.locked(now).is_none() {
        return Ok(());
    }
    // What was typed as a login may be a password.
    tracing::warn!(%address, user = user.map(|user| user.id.to_string()), "a login is locked out");
    let Some(user) = user else {
        return Ok(());
    };
    let row = AuditRow {
        organization: user.organization,
        actor_kind: ActorKind::System,
        actor: None,
        actor_name: None,
        address: Some(address.to_string()),
        request_id: None,
        action: "user.lock".to_owned(),
        subject: user.id.to_string(),
        old_value: None,
        new_value: None,
    };
    audit::insert(connection, &row, now)
}
