//! What users were granted on cameras and groups, as lists. What a grant lets one caller do is asked in
//! `access`.

use std::collections::HashSet;

use diesel::prelude::*;
use wire::access::Permissions;
use wire::api::Grant;
use wire::{GrantId, OrganizationId, UserId};

use super::schema::{access_grant, camera, camera_group};
use super::types::Id;
use super::{Connection, StoreError};

/// Everything granted to a user, in the order of its granting.
///
/// # Errors
/// Those of the database.
pub fn of(
    connection: &mut Connection,
    organization: OrganizationId,
    user: UserId,
) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<(Option<Id>, Option<Id>, i16)> = access_grant::table
        .filter(access_grant::organization.eq(Id::from(organization)))
        .filter(access_grant::user.eq(Id::from(user)))
        .order(access_grant::id)
        .select((
            access_grant::camera,
            access_grant::camera_group,
            access_grant::permissions,
        ))
        .load(connection)?;
    Ok(rows
        .into_iter()
        .map(|(camera, group, bits)| Grant {
            camera: camera.map(Into::into),
            group: group.map(Into::into),
            permissions: Permissions::from_bits(u8::try_from(bits).unwrap_or(0)),
        })
        .collect())
}

/// Grants a user exactly these.
///
/// # Errors
/// Those of the database.
pub fn replace(
    connection: &mut Connection,
    organization: OrganizationId,
    user: UserId,
    grants: &[Grant],
) -> Result<(), StoreError> {
    diesel::delete(access_grant::table)
        .filter(access_grant::organization.eq(Id::from(organization)))
        .filter(access_grant::user.eq(Id::from(user)))
        .execute(connection)?;
    for grant in grants {
        diesel::insert_into(access_grant::table)
            .values((
                access_grant::id.eq(Id::from(GrantId::generate())),
                access_grant::organization.eq(Id::from(organization)),
                access_grant::user.eq(Id::from(user)),
                access_grant::camera.eq(grant.camera.map(Id::from)),
                access_grant::camera_group.eq(grant.group.map(Id::from)),
                access_grant::permissions.eq(i16::from(grant.permissions.bits())),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Whether all cameras (deleted ones included: their footage is still there) and groups are the
/// organization's: first for cameras, then for groups.
///
/// # Errors
/// Those of the database.
pub fn all_known(
    connection: &mut Connection,
    organization: OrganizationId,
    grants: &[Grant],
) -> Result<(bool, bool), StoreError> {
    let cameras: HashSet<Id> = grants
        .iter()
        .filter_map(|grant| grant.camera.map(Id::from))
        .collect();
    let groups: HashSet<Id> = grants
        .iter()
        .filter_map(|grant| grant.group.map(Id::from))
        .collect();
    let own_cameras: Vec<Id> = camera::table
        .filter(camera::organization.eq(Id::from(organization)))
        .filter(camera::id.eq_any(cameras.iter().copied().collect::<Vec<_>>()))
        .select(camera::id)
        .load(connection)?;
    let own_groups: Vec<Id> = camera_group::table
        .filter(camera_group::organization.eq(Id::from(organization)))
        .filter(camera_group::id.eq_any(groups.iter().copied().collect::<Vec<_>>()))
        .select(camera_group::id)
        .load(connection)?;
    Ok((
        own_cameras.len() == cameras.len(),
        own_groups.len() == groups.len(),
    ))
}
