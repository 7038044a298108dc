//! Who may see which fact.
//!
//! Facts of a camera are for who may know of the camera; those of nodes, licences and the organization
//! for who has the right to read such things.

use std::collections::{HashMap, HashSet};

use wire::CameraId;
use wire::access::{Permission, Right};
use wire::api::{Event, EventKind};

use super::super::Caller;
use super::super::caller::forbidden;
use super::super::reach::Reach;
use crate::Error;
use crate::store::{Connection, StoreError, cameras};

/// What a caller needs for a kind of fact.
enum Audience {
    Cameras,
    Having(Right),
    /// Who may know of the camera and has the right.
    CamerasHaving(Right),
}

const fn audience(kind: EventKind) -> Audience {
    use EventKind as Kind;
    match kind {
        Kind::NodeEnrolled
        | Kind::NodeOnline
        | Kind::NodeOffline
        | Kind::NodeChanged
        | Kind::NodeRemoved
        | Kind::NodeRefused => Audience::Having(Right::ReadNodes),
        // As placements: nodes and their names are not for everybody who watches.
        Kind::AssignmentChanged => Audience::CamerasHaving(Right::ReadNodes),
        Kind::LicenceExceeded => Audience::CamerasHaving(Right::AssignLicences),
        Kind::LicenceChanged => Audience::Having(Right::AssignLicences),
        Kind::OrganizationChanged => Audience::Having(Right::ManageOrganization),
        Kind::OrganizationErased => Audience::Having(Right::ManageOrganizations),
        _ => Audience::Cameras,
    }
}

/// Lets through who may see some kind of fact.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn may_follow(caller: &Caller) -> Result<(), Error> {
    let others = [Right::ReadNodes, Right::AssignLicences, Right::ManageOrganization];
    if caller.require_any_camera().is_ok() || others.iter().any(|right| caller.rights.has(*right)) {
        Ok(())
    } else {
        Err(forbidden())
    }
}

/// Leaves the facts that the caller may see now.
pub(super) fn keep(
    connection: &mut Connection,
    caller: &Caller,
    facts: &mut Vec<Event>,
) -> Result<(), StoreError> {
    facts.retain(|fact| match audience(fact.kind) {
        Audience::Having(right) | Audience::CamerasHaving(right) => caller.rights.has(right),
        Audience::Cameras => true,
    });
    let about: HashSet<CameraId> = facts.iter().filter_map(|fact| fact.camera).collect();
    let reach = Reach::of(connection, caller)?;
    let mut known = HashMap::new();
    if !about.is_empty() {
        let about: Vec<CameraId> = about.into_iter().collect();
        for (camera, group) in cameras::grouped(connection, caller.organization, &about)? {
            known.insert(camera, !reach.on_camera(camera, group).is_empty());
        }
    }
    let sees_some = Permission::ALL
        .iter()
        .any(|permission| caller.rights.has(permission.right()));
    facts.retain(|fact| match (audience(fact.kind), fact.camera) {
        (Audience::Having(_), _) => true,
        (_, Some(camera)) => known.get(&camera).copied().unwrap_or(false),
        (_, None) => sees_some,
    });
    Ok(())
}
