//! Users: who may sign in.

use diesel::prelude::*;
use wire::access::Role;
use wire::api::UserState;
use wire::{OrganizationId, UnixMs, UserId};

use super::schema::{organization, user};
use super::types::{Id, RoleSql, UserStateSql};
use super::{Connection, StoreError};

/// A user, with what signing in needs.
#[derive(Clone)]
pub struct UserRow {
    /// The user.
    pub id: UserId,
    /// The user's organization.
    pub organization: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// Name that signs in, in lower case.
    pub login: String,
    /// Name of the person.
    pub name: String,
    /// What the user is.
    pub role: Role,
    /// Whether the user can sign in.
    pub state: UserState,
    /// Argon2id as a PHC string, or BCrypt of the system before; empty before the invitation is accepted.
    pub password_hash: String,
}

type Raw = (Id, Id, String, String, String, RoleSql, UserStateSql, String);

fn row((id, organization, organization_name, login, name, role, state, password_hash): Raw) -> UserRow {
    UserRow {
        id: id.into(),
        organization: organization.into(),
        organization_name,
        login,
        name,
        role: role.0,
        state: state.0,
        password_hash,
    }
}

/// Adds a user.
///
/// # Errors
/// [`StoreError::Conflict`] when the login is taken, and those of the database.
pub fn insert(connection: &mut Connection, new: &UserRow, now: UnixMs) -> Result<(), StoreError> {
    diesel::insert_into(user::table)
        .values((
            user::id.eq(Id::from(new.id)),
            user::organization.eq(Id::from(new.organization)),
            user::login.eq(&new.login),
            user::name.eq(&new.name),
            user::role.eq(RoleSql(new.role)),
            user::state.eq(UserStateSql(new.state)),
            user::password_hash.eq(&new.password_hash),
            user::created.eq(now.0),
            user::revision.eq(1_i64),
        ))
        .execute(connection)?;
    Ok(())
}

/// The user who signs in as `login`, which is in lower case.
///
/// # Errors
/// Those of the database.
pub fn by_login(connection: &mut Connection, login: &str) -> Result<Option<UserRow>, StoreError> {
    Ok(columns()
        .filter(user::login.eq(login))
        .first::<Raw>(connection)
        .optional()?
        .map(row))
}

/// The user with this id.
///
/// # Errors
/// Those of the database.
pub fn by_id(connection: &mut Connection, id: UserId) -> Result<Option<UserRow>, StoreError> {
    Ok(columns()
        .filter(user::id.eq(Id::from(id)))
        .first::<Raw>(connection)
        .optional()?
        .map(row))
}

/// Whether there is any user yet.
///
/// # Errors
/// Those of the database.
pub fn any(connection: &mut Connection) -> Result<bool, StoreError> {
    let first: Option<Id> = user::table.select(user::id).first(connection).optional()?;
    Ok(first.is_some())
}

/// Puts another password's hash in the place of `before`; whether that was still there.
///
/// # Errors
/// Those of the database.
pub fn rehash(
    connection: &mut Connection,
    id: UserId,
    before: &str,
    after: &str,
) -> Result<bool, StoreError> {
    let changed = diesel::update(user::table.find(Id::from(id)))
        .filter(user::password_hash.eq(before))
        .set(user::password_hash.eq(after))
        .execute(connection)?;
    Ok(changed > 0)
}

/// Notes that somebody signed in.
///
/// # Errors
/// Those of the database.
pub fn signed_in(connection: &mut Connection, id: UserId, now: UnixMs) -> Result<(), StoreError> {
    diesel::update(user::table.find(Id::from(id)))
        .set(user::last_sign_in.eq(now.0))
        .execute(connection)?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    user::table.inner_join(organization::table).select((
        user::id,
        user::organization,
        organization::name,
        user::login,
        user::name,
        user::role,
        user::state,
        user::password_hash,
    ))
}
