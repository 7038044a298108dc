//! Tells who records a camera from now on, and who no longer, in the transaction that changes it.
//!
//! The planner decides about assignments; the only others that end some are the deletion of a camera and the
//! removal of a node.

use serde_json::json;
use wire::{CameraId, NodeId, OrganizationId, UnixMs};

use crate::domain::assign::Step;
use crate::store::facts::{self, FactKind};
use crate::store::{Connection, StoreError, assigned, assignments};

/// Tells the steps that were taken for an organization's cameras.
///
/// # Errors
/// Those of the database.
pub fn tell(
    c: &mut Connection,
    organization: OrganizationId,
    steps: &[Step],
    now: UnixMs,
) -> Result<(), StoreError> {
    let fact = |step: &Step| {
        let (change, camera, node, epoch, reason) = match step {
            Step::Open {
                camera,
                node,
                epoch,
                reason,
            } => ("opened", camera, node, epoch, reason),
            Step::Close {
                camera,
                node,
                epoch,
                reason,
            } => ("closed", camera, node, epoch, reason),
        };
        let body = json!({"change": change, "epoch": epoch, "reason": reason});
        (*camera, Some(*node), body)
    };
    let told: Vec<_> = steps.iter().map(fact).collect();
    facts::add_all(c, organization, FactKind::AssignmentChanged, &told, now)
}

/// Ends the assignments of a camera that is deleted.
///
/// # Errors
/// Those of the database.
pub(super) fn end(
    c: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
    now: UnixMs,
) -> Result<(), StoreError> {
    let open = assignments::of_camera(c, camera)?;
    assignments::end(c, camera, now)?;
    let step = |held: crate::domain::assign::Held| Step::Close {
        camera,
        node: held.node,
        epoch: held.epoch,
        reason: "the camera was deleted".to_owned(),
    };
    let steps: Vec<Step> = open.into_iter().map(|one| step(one.held)).collect();
    tell(c, organization, &steps, now)
}

/// Ends the assignments of a node that is removed.
///
/// # Errors
/// Those of the database.
pub(super) fn end_all(
    c: &mut Connection,
    organization: OrganizationId,
    node: NodeId,
    now: UnixMs,
) -> Result<(), StoreError> {
    let reason = "the node was removed";
    let step = |(camera, epoch)| Step::Close {
        camera,
        node,
        epoch,
        reason: reason.to_owned(),
    };
    let ended = assigned::end_all(c, node, reason, now)?;
    let steps: Vec<Step> = ended.into_iter().map(step).collect();
    tell(c, organization, &steps, now)
}
