//! What a person may ask for: a copy of everything kept about them, and its erasure (GDPR articles 15,
//! 17 and 20).

use wire::access::Right;
use wire::api::{LinkPurpose, PersonEntry, PersonExport, PersonFailures, PersonLink, PersonSession, User};
use wire::{OrganizationId, UnixMs, UserId};

use super::Caller;
use super::users::{managed, shown, unless_last, unless_own};
use crate::store::audit::Logged;
use crate::store::members::{self, MemberRow};
use crate::store::types::TokenPurpose;
use crate::store::{Connection, StoreError, failures, grants, one_time, organizations, person};
use crate::{AppState, Error};

/// Everything kept about a user; that it was asked for is itself noted.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn export(
    state: &AppState,
    caller: &Caller,
    id: UserId,
    now: UnixMs,
) -> Result<PersonExport, Error> {
    caller.require(Right::ManageUsers)?;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let row = managed(c, &caller, id)?;
            handed_over(c, &caller, &row, now)
        })
        .await
}

/// Everything kept about oneself.
///
/// # Errors
/// [`Error::Forbidden`] for a machine.
pub async fn own_export(state: &AppState, caller: &Caller, now: UnixMs) -> Result<PersonExport, Error> {
    let (id, _) = caller.person()?;
    let mut caller = caller.clone();
    caller.organization = caller.home;
    state
        .store
        .transaction(move |c| {
            let row = members::get(c, caller.home, id)?.ok_or(Error::not_found("user"))?;
            handed_over(c, &caller, &row, now)
        })
        .await
}

/// Erases a user. The audit log keeps what happened under the id alone.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] for oneself and when
/// nobody would be left to run the organization or the platform.
pub async fn erase(
    state: &AppState,
    caller: &Caller,
    id: UserId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<(), Error> {
    caller.require(Right::ManageUsers)?;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let row = managed(c, &caller, id)?;
            unless_own(&caller, id)?;
            Error::unless_seen(seen, row.revision)?;
            unless_last(c, &row, None)?;
            person::erase(c, &row)?;
            caller.note(c, "user.erase", id, (None::<&User>, None::<&User>), now)?;
            Ok(())
        })
        .await
}

fn handed_over(
    connection: &mut Connection,
    caller: &Caller,
    row: &MemberRow,
    now: UnixMs,
) -> Result<PersonExport, Error> {
    caller.note(
        connection,
        "user.export",
        row.id,
        (None::<&User>, None::<&User>),
        now,
    )?;
    let links = one_time::of(connection, row.id)?;
    let failures = failures::get(connection, &row.login)?;
    let log = person::log(connection, row.id)?;
    Ok(PersonExport {
        exported: now,
        organization: row.organization,
        organization_name: name_of(connection, row.organization)?,
        user: shown(row),
        grants: grants::of(connection, row.organization, row.id)?,
        sessions: person::sign_ins(connection, row.id)?
            .into_iter()
            .map(|session| PersonSession {
                id: session.id,
                created: session.created,
                last_used: session.last_used,
                expires: session.expires,
                address: session.address,
                agent: session.agent,
            })
            .collect(),
        links: links.into_iter().map(link).collect(),
        failures: failures.map(|failures| PersonFailures {
            count: failures.count,
            last: failures.last,
            locked_until: failures.locked_until,
        }),
        log: log
            .into_iter()
            .map(|logged| entry(row.id, logged))
            .collect::<Result<_, _>>()?,
    })
}

fn name_of(connection: &mut Connection, id: OrganizationId) -> Result<String, Error> {
    let found = organizations::get(connection, id)?;
    Ok(found.ok_or(Error::not_found("organization"))?.name)
}

fn link((purpose, created, expires): (TokenPurpose, UnixMs, UnixMs)) -> PersonLink {
    PersonLink {
        purpose: match purpose {
            TokenPurpose::Invitation => LinkPurpose::Invitation,
            TokenPurpose::PasswordReset => LinkPurpose::PasswordReset,
        },
        created,
        expires,
    }
}

/// An entry without what it says of others: who did it, from where, to whom.
fn entry(id: UserId, logged: Logged) -> Result<PersonEntry, StoreError> {
    let row = logged.row;
    let by_person = row.actor == Some(*id.as_bytes());
    let about_person = row.subject == id.to_string();
    let on_another = !about_person && row.action.starts_with("user.");
    let value = |text: Option<String>| {
        text.filter(|_| about_person)
            .map(|text| serde_json::from_str(&text))
            .transpose()
    };
    Ok(PersonEntry {
        at: logged.happened,
        by_person,
        about_person,
        subject: Some(row.subject).filter(|_| !on_another),
        address: row.address.filter(|_| by_person),
        before: value(row.old_value)?,
        after: value(row.new_value)?,
        action: row.action,
    })
}
