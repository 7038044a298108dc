//! Who calls, and what was granted to whom: asked at every request, so that a change is in force at once.

use diesel::prelude::*;
use wire::access::{Permissions, Right, Rights, Role};
use wire::api::{OrganizationState, UserState};
use wire::{CameraId, OrganizationId, ServiceKeyId, SessionId, UnixMs, UserId};

use super::schema::{access_grant, camera, organization, service_key, session, user};
use super::types::{Id, OrganizationStateSql, RoleSql, UserStateSql};
use super::{Connection, StoreError};

/// A person with a living session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name that signs in.
    pub login: String,
    /// What the person is.
    pub role: Role,
    /// Whether the account works.
    pub state: UserState,
    /// The person's organization.
    pub organization: OrganizationId,
    /// What that may do.
    pub organization_state: OrganizationState,
}

/// A machine with a key that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The key.
    pub id: ServiceKeyId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub rights: Rights,
    /// Its organization.
    pub organization: OrganizationId,
    /// What that may do.
    pub organization_state: OrganizationState,
    /// When it was last used.
    pub last_used: Option<UnixMs>,
}

/// The user of a session that is neither revoked nor expired.
///
/// # Errors
/// Those of the database.
pub fn person(
    connection: &mut Connection,
    id: UserId,
    sign_in: SessionId,
    now: UnixMs,
) -> Result<Option<Person>, StoreError> {
    type Raw = (String, RoleSql, UserStateSql, Id, OrganizationStateSql);
    let row: Option<Raw> = session::table
        .inner_join(user::table.inner_join(organization::table))
        .filter(session::id.eq(Id::from(sign_in)))
        .filter(session::expires.gt(now.0))
        .filter(user::id.eq(Id::from(id)))
        .select((
            user::login,
            user::role,
            user::state,
            organization::id,
            organization::state,
        ))
        .first(connection)
        .optional()?;
    Ok(
        row.map(|(login, role, state, organization, organization_state)| Person {
            login,
            role: role.0,
            state: state.0,
            organization: organization.into(),
            organization_state: organization_state.0,
        }),
    )
}

/// The service key with this digest, unless it is expired.
///
/// # Errors
/// Those of the database.
pub fn machine(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: UnixMs,
) -> Result<Option<Machine>, StoreError> {
    type Raw = (
        Id,
        String,
        String,
        Option<i64>,
        Option<i64>,
        Id,
        OrganizationStateSql,
    );
    let row: Option<Raw> = service_key::table
        .inner_join(organization::table.on(organization::id.eq(service_key::organization)))
        .filter(service_key::hash.eq(hash.to_vec()))
        .select((
            service_key::id,
            service_key::name,
            service_key::scopes,
            service_key::expires,
            service_key::last_used,
            organization::id,
            organization::state,
        ))
        .first(connection)
        .optional()?;
    let Some((id, name, scopes, expires, last_used, organization, state)) = row else {
        return Ok(None);
    };
    if expires.is_some_and(|at| at <= now.0) {
        return Ok(None);
    }
    Ok(Some(Machine {
        id: id.into(),
        name,
        rights: serde_json::from_str::<Vec<Right>>(&scopes)?.into(),
        organization: organization.into(),
        organization_state: state.0,
        last_used: last_used.map(UnixMs),
    }))
}

/// Notes that a key was used.
///
/// # Errors
/// Those of the database.
pub fn used(connection: &mut Connection, key: ServiceKeyId, now: UnixMs) -> Result<(), StoreError> {
    diesel::update(service_key::table.find(Id::from(key)))
        .set(service_key::last_used.eq(now.0))
        .execute(connection)?;
    Ok(())
}

/// What a user was granted on a camera, directly and through the camera's group.
///
/// # Errors
/// Those of the database.
pub fn granted(
    connection: &mut Connection,
    organization: OrganizationId,
    person: UserId,
    id: CameraId,
) -> Result<Permissions, StoreError> {
    let group: Option<Option<Id>> = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::id.eq(Id::from(id)))
        .select(camera::camera_group)
        .first(connection)
        .optional()?;
    let rows: Vec<(Option<Id>, Option<Id>, i16)> = access_grant::table
        .filter(access_grant::user.eq(Id::from(person)))
        .filter(access_grant::organization.eq(Id::from(organization)))
        .select((
            access_grant::camera,
            access_grant::camera_group,
            access_grant::permissions,
        ))
        .load(connection)?;
    let wanted = Id::from(id);
    Ok(rows
        .into_iter()
        .filter(|(on_camera, on_group, _)| {
            *on_camera == Some(wanted) || on_group.is_some() && Some(*on_group) == group
        })
        .fold(Permissions::NONE, |all, (_, _, bits)| {
            all.and(Permissions::from_bits(u8::try_from(bits).unwrap_or(0)))
        }))
}

/// The cameras and the groups on which a user has any grant.
///
/// # Errors
/// Those of the database.
pub(super) fn granted_to(
    connection: &mut Connection,
    organization: OrganizationId,
    person: UserId,
) -> Result<(Vec<Id>, Vec<Id>), StoreError> {
    let rows: Vec<(Option<Id>, Option<Id>)> = access_grant::table
        .filter(access_grant::user.eq(Id::from(person)))
        .filter(access_grant::organization.eq(Id::from(organization)))
        .filter(access_grant::permissions.ne(0))
        .select((access_grant::camera, access_grant::camera_group))
        .load(connection)?;
    let single = rows.iter().filter_map(|(camera, _)| *camera).collect();
    let groups = rows.iter().filter_map(|(_, group)| *group).collect();
    Ok((single, groups))
}
