//! What somebody at the server's console does to accounts: there is no caller, so the audit log names the
//! system.

use wire::access::Role;
use wire::api::{ActorKind, User, UserState};
use wire::{OrganizationId, UnixMs, UserId};

use super::organizations::{Quota, room_for};
use super::users::shown;
use crate::Error;
use crate::domain::user;
use crate::store::audit::AuditRow;
use crate::store::users::{self, UserRow};
use crate::store::{
    Connection, StoreError, audit, factors, failures, members, one_time, organizations, sessions,
};

/// Name of the organization that is made for a first administrator.
const FIRST: &str = "Home";

/// Adds an administrator who can sign in: of the organization named, or of the platform.
///
/// # Errors
/// [`Error::Invalid`] for a login that does not do, [`Error::Conflict`] when it is taken or the quota is
/// used up, [`Error::NotFound`] for an unknown organization.
pub fn create_admin(
    connection: &mut Connection,
    login: &str,
    organization: Option<&str>,
    password_hash: String,
    now: UnixMs,
) -> Result<User, Error> {
    let (organization, role) = match organization {
        Some(name) => (named(connection, name)?, Role::OrgAdmin),
        None => (platform(connection, now)?, Role::SuperAdmin),
    };
    room_for(connection, organization, Quota::Users, 1)?;
    let new = UserRow {
        id: UserId::generate(),
        organization,
        organization_name: String::new(),
        login: user::login(login)?,
        name: String::new(),
        role,
        state: UserState::Active,
        password_hash,
    };
    add(connection, &new, now)
}

/// Adds a user with a password, and tells the audit log.
pub(super) fn add(connection: &mut Connection, new: &UserRow, now: UnixMs) -> Result<User, Error> {
    match users::insert(connection, new, now) {
        Err(StoreError::Conflict(_)) => {
            return Err(Error::Conflict {
                code: "login_taken",
                title: format!("there is a user {} already", new.login),
            });
        }
        other => other?,
    }
    let row = members::get(connection, new.organization, new.id)?.ok_or(Error::not_found("user"))?;
    let made = shown(&row);
    note(
        connection,
        new.organization,
        "user.create",
        new.id,
        Some(&made),
        now,
    )?;
    Ok(made)
}

/// Sets a user's password. Sessions, links and a lock-out end; the second factor goes when asked for. Who
/// was invited can sign in then; who is disabled stays so.
///
/// # Errors
/// [`Error::NotFound`].
pub fn reset_password(
    connection: &mut Connection,
    login: &str,
    password_hash: &str,
    remove_totp: bool,
    now: UnixMs,
) -> Result<User, Error> {
    let login = user::login(login)?;
    let found = users::by_login(connection, &login)?.ok_or(Error::not_found("user"))?;
    let (id, organization) = (found.id, found.organization);
    users::rehash(connection, id, &found.password_hash, password_hash)?;
    sessions::revoke_all(connection, id)?;
    one_time::remove_all(connection, id)?;
    failures::clear(connection, &login)?;
    let mut row = members::get(connection, organization, id)?.ok_or(Error::not_found("user"))?;
    if row.state == UserState::Invited {
        row.state = UserState::Active;
        row.revision += 1;
        members::update(connection, &row)?;
    }
    note(connection, organization, "user.password", id, None, now)?;
    if remove_totp && factors::get(connection, id)?.is_some() {
        factors::remove(connection, id)?;
        note(connection, organization, "user.totp_off", id, None, now)?;
        row.totp = false;
    }
    Ok(shown(&row))
}

/// The one organization of this name.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] when several have it or it is being deleted.
pub fn named(connection: &mut Connection, name: &str) -> Result<OrganizationId, Error> {
    let found = organizations::named(connection, name)?;
    let [one] = found.as_slice() else {
        return Err(match found.len() {
            0 => Error::not_found("organization"),
            many => Error::Conflict {
                code: "name_ambiguous",
                title: format!("{many} organizations are called {name}: rename one first"),
            },
        });
    };
    if organizations::is_closed(connection, *one)? {
        return Err(Error::Conflict {
            code: "organization_closed",
            title: format!("{name} is being deleted"),
        });
    }
    Ok(*one)
}

/// The organization of those who run the platform: the first one.
///
/// # Errors
/// Those of the database.
pub fn platform(connection: &mut Connection, now: UnixMs) -> Result<OrganizationId, StoreError> {
    if let Some(first) = organizations::first(connection)? {
        return Ok(first);
    }
    let id = OrganizationId::generate();
    organizations::insert(connection, id, FIRST, now)?;
    Ok(id)
}

/// Says in the log of the platform's organization what was done to the server's keys, called by their purpose.
///
/// # Errors
/// Those of the database.
pub fn note_keys(
    connection: &mut Connection,
    action: &str,
    purpose: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    let organization = platform(connection, now)?;
    audit::insert(connection, &entry(organization, action, purpose.to_owned()), now)
}

fn note(
    connection: &mut Connection,
    organization: OrganizationId,
    action: &str,
    subject: UserId,
    after: Option<&User>,
    now: UnixMs,
) -> Result<(), StoreError> {
    let row = AuditRow {
        new_value: after.map(serde_json::to_string).transpose()?,
        ..entry(organization, action, subject.to_string())
    };
    audit::insert(connection, &row, now)
}

/// What was done here, by whoever can run commands on the server's machine.
fn entry(organization: OrganizationId, action: &str, subject: String) -> AuditRow {
    AuditRow {
        organization,
        actor_kind: ActorKind::System,
        actor: None,
        actor_name: None,
        address: None,
        request_id: None,
        action: action.to_owned(),
        subject,
        old_value: None,
        new_value: None,
    }
}
