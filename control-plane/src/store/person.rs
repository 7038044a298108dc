//! All that is kept of one person, wherever it stands: to hand it over, and to erase it.

use diesel::prelude::*;
use wire::{UnixMs, UserId};

use super::audit::{Logged, Raw};
use super::members::MemberRow;
use super::schema::{access_grant, audit, idempotency, one_time_token, recovery_code, session, user};
use super::sessions::SessionRow;
use super::types::Id;
use super::{Connection, StoreError, failures, sessions};

/// Sign-ins that are kept, oldest first.
///
/// # Errors
/// Those of the database.
pub fn sign_ins(connection: &mut Connection, id: UserId) -> Result<Vec<SessionRow>, StoreError> {
    let rows: Vec<(Id, i64, i64, i64, String, String)> = session::table
        .filter(session::user.eq(Id::from(id)))
        .order((session::created, session::id))
        .select((
            session::id,
            session::created,
            session::last_used,
            session::expires,
            session::address,
            session::agent,
        ))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(
            |(session, created, last_used, expires, address, agent)| SessionRow {
                id: session.into(),
                user: id,
                created: UnixMs(created),
                last_used: UnixMs(last_used),
                expires: UnixMs(expires),
                address,
                agent,
            },
        )
        .collect())
}

/// Audit entries by and about a person, oldest first, in every organization: who runs the platform acts
/// in many.
///
/// # Errors
/// Those of the database.
pub fn log(connection: &mut Connection, id: UserId) -> Result<Vec<Logged>, StoreError> {
    let rows: Vec<Raw> = audit::table
        .filter(audit::user.eq(Id::from(id)).or(audit::subject.eq(id.to_string())))
        .order(audit::id)
        .select(Raw::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Removes a user and everything that hangs on it. Of the audit log the facts stay, under the id alone:
/// names, addresses and values are blanked.
///
/// # Errors
/// Those of the database.
pub fn erase(connection: &mut Connection, row: &MemberRow) -> Result<(), StoreError> {
    pseudonymise(connection, row.id)?;
    let id = Id::from(row.id);
    sessions::revoke_all(connection, row.id)?;
    failures::clear(connection, &row.login)?;
    diesel::delete(one_time_token::table.filter(one_time_token::user.eq(id))).execute(connection)?;
    diesel::delete(recovery_code::table.filter(recovery_code::user.eq(id))).execute(connection)?;
    diesel::delete(access_grant::table.filter(access_grant::user.eq(id))).execute(connection)?;
    diesel::delete(idempotency::table.filter(idempotency::actor.eq(id))).execute(connection)?;
    diesel::delete(user::table)
        .filter(user::organization.eq(Id::from(row.organization)))
        .filter(user::id.eq(id))
        .execute(connection)?;
    Ok(())
}

fn pseudonymise(connection: &mut Connection, id: UserId) -> Result<(), StoreError> {
    let nothing = None::<String>;
    diesel::update(audit::table.filter(audit::user.eq(Id::from(id))))
        .set((
            audit::actor_name.eq(nothing.clone()),
            audit::address.eq(nothing.clone()),
        ))
        .execute(connection)?;
    // What was done to a sign-in tells where the person was.
    let mut about: Vec<String> = sign_ins(connection, id)?
        .into_iter()
        .map(|row| row.id.to_string())
        .collect();
    about.push(id.to_string());
    // Nobody is known to have done it: it may have been the person.
    diesel::update(audit::table.filter(audit::subject.eq_any(about.clone())))
        .filter(audit::user.is_null())
        .set(audit::address.eq(nothing.clone()))
        .execute(connection)?;
    diesel::update(audit::table.filter(audit::subject.eq_any(about)))
        .set((
            audit::old_value.eq(nothing.clone()),
            audit::new_value.eq(nothing.clone()),
        ))
        .execute(connection)?;
    Ok(())
}
