//! Users as the administrators of their organization see them. What signing in needs is in `users`.

use diesel::prelude::*;
use wire::access::Role;
use wire::api::UserState;
use wire::{OrganizationId, UnixMs, UserId};

use super::like::{has, lower};
use super::schema::user;
use super::types::{Id, RoleSql, UserStateSql};
use super::{Connection, StoreError};
use crate::domain::page::Part;

/// A user of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The user.
    pub id: UserId,
    /// The user's organization.
    pub organization: OrganizationId,
    /// Name that signs in, in its one spelling.
    pub login: String,
    /// Name of the person.
    pub name: String,
    /// What the user is.
    pub role: Role,
    /// Whether the user can sign in.
    pub state: UserState,
    /// Whether a password was chosen.
    pub has_password: bool,
    /// Whether a second factor is in force.
    pub totp: bool,
    /// When the user was invited.
    pub created: UnixMs,
    /// When the user last signed in.
    pub last_sign_in: Option<UnixMs>,
    /// Grows with each change that people make.
    pub revision: u64,
}

/// Which users a list has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those who are this.
    pub role: Option<Role>,
    /// Those in this state.
    pub state: Option<UserState>,
    /// Those with this in their login or name, whatever its case.
    pub has: Option<String>,
}

type Raw = (
    Id,
    Id,
    String,
    String,
    RoleSql,
    UserStateSql,
    bool,
    bool,
    i64,
    Option<i64>,
    i64,
);

fn row(raw: Raw) -> MemberRow {
    let (id, organization, login, name, role, state, has_password, totp, created, last_sign_in, revision) =
        raw;
    MemberRow {
        id: id.into(),
        organization: organization.into(),
        login,
        name,
        role: role.0,
        state: state.0,
        has_password,
        totp,
        created: UnixMs(created),
        last_sign_in: last_sign_in.map(UnixMs),
        revision: revision.cast_unsigned(),
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    user::table.select((
        user::id,
        user::organization,
        user::login,
        user::name,
        user::role,
        user::state,
        user::password_hash.ne(""),
        user::totp_confirmed,
        user::created,
        user::last_sign_in,
        user::revision,
    ))
}

/// Adds a user without a password.
///
/// # Errors
/// [`StoreError::Conflict`] when the login is taken, and those of the database.
pub fn insert(connection: &mut Connection, new: &MemberRow) -> Result<(), StoreError> {
    diesel::insert_into(user::table)
        .values((
            user::id.eq(Id::from(new.id)),
            user::organization.eq(Id::from(new.organization)),
            user::login.eq(&new.login),
            user::name.eq(&new.name),
            user::role.eq(RoleSql(new.role)),
            user::state.eq(UserStateSql(new.state)),
            user::password_hash.eq(""),
            user::created.eq(new.created.0),
            user::revision.eq(new.revision.cast_signed()),
        ))
        .execute(connection)?;
    Ok(())
}

/// An organization's user.
///
/// # Errors
/// Those of the database.
pub fn get(
    connection: &mut Connection,
    organization: OrganizationId,
    id: UserId,
) -> Result<Option<MemberRow>, StoreError> {
    Ok(columns()
        .filter(user::organization.eq(Id::from(organization)))
        .filter(user::id.eq(Id::from(id)))
        .first::<Raw>(connection)
        .optional()?
        .map(row))
}

/// An organization's users, oldest first. One more than asked for, when there are more.
///
/// # Errors
/// Those of the database.
pub fn list(
    connection: &mut Connection,
    organization: OrganizationId,
    filter: &Filter,
    part: &Part,
) -> Result<Vec<MemberRow>, StoreError> {
    let mut query = columns()
        .filter(user::organization.eq(Id::from(organization)))
        .order((user::created, user::id))
        .limit(part.fetch())
        .into_boxed();
    if let Some(role) = filter.role {
        query = query.filter(user::role.eq(RoleSql(role)));
    }
    if let Some(state) = filter.state {
        query = query.filter(user::state.eq(UserStateSql(state)));
    }
    if let Some(text) = &filter.has {
        let pattern = has(text);
        query = query.filter(
            lower(user::login)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(user::name).like(pattern).escape('\\')),
        );
    }
    if let Some(after) = part.after {
        query = query.filter(
            user::created
                .gt(after.at)
                .or(user::created.eq(after.at).and(user::id.gt(Id(after.id)))),
        );
    }
    let rows: Vec<Raw> = query.load(connection)?;
    Ok(rows.into_iter().map(row).collect())
}

/// Writes name, role, state and revision back.
///
/// # Errors
/// Those of the database.
pub fn update(connection: &mut Connection, row: &MemberRow) -> Result<(), StoreError> {
    diesel::update(user::table)
        .filter(user::organization.eq(Id::from(row.organization)))
        .filter(user::id.eq(Id::from(row.id)))
        .set((
            user::name.eq(&row.name),
            user::role.eq(RoleSql(row.role)),
            user::state.eq(UserStateSql(row.state)),
            user::revision.eq(row.revision.cast_signed()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Sets a password's hash.
///
/// # Errors
/// Those of the database.
pub fn set_password(
    connection: &mut Connection,
    organization: OrganizationId,
    id: UserId,
    hash: &str,
) -> Result<(), StoreError> {
    diesel::update(user::table)
        .filter(user::organization.eq(Id::from(organization)))
        .filter(user::id.eq(Id::from(id)))
        .set(user::password_hash.eq(hash))
        .execute(connection)?;
    Ok(())
}

/// Whether anybody but `except` can run the organization now.
///
/// # Errors
/// Those of the database.
pub fn has_other_admin(
    connection: &mut Connection,
    organization: OrganizationId,
    except: UserId,
) -> Result<bool, StoreError> {
    let found: Option<Id> = user::table
        .filter(user::organization.eq(Id::from(organization)))
        .filter(user::id.ne(Id::from(except)))
        .filter(user::state.eq(UserStateSql(UserState::Active)))
        .filter(user::role.ne(RoleSql(Role::OrgUser)))
        .select(user::id)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

/// Whether anybody but `except` can run the platform now.
///
/// # Errors
/// Those of the database.
pub fn has_other_owner(connection: &mut Connection, except: UserId) -> Result<bool, StoreError> {
    let found: Option<Id> = user::table
        .filter(user::id.ne(Id::from(except)))
        .filter(user::state.eq(UserStateSql(UserState::Active)))
        .filter(user::role.eq(RoleSql(Role::SuperAdmin)))
        .select(user::id)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}
