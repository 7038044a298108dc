//! One organization's plans, decided and committed in one transaction: nothing else writes them.

use std::collections::HashMap;

use wire::plan::{CutTargets, Plan};
use wire::{CameraId, NodeId, OrganizationId, UnixMs};

use crate::app::cameras::source;
use crate::app::index::lost;
use crate::app::moves;
use crate::app::presence::Watch;
use crate::app::wishes::{self, Wishes, address, copies, has_sub, permit};
use crate::domain::assign::{Held, Node, Place, Presence, Step};
use crate::domain::hold::{self, Change};
use crate::domain::plan::{Input, PlanCamera, Wish, decide};
use crate::store::holds::RecordingRule;
use crate::store::licences::LicenceRow;
use crate::store::{
    CameraRow, Connection, StoreError, assignments, cameras, erasures, holds, licences, nodes, windows,
};

/// What was committed.
pub(super) struct Committed {
    /// The organization's plans as they are now.
    pub(super) plans: Vec<Plan>,
    /// When a permission changes next.
    pub(super) next_change: Option<UnixMs>,
    /// Whether a camera is on its way from one node to another.
    pub(super) is_moving: bool,
    /// Whether cameras were moved for the sake of the load.
    pub(super) rebalanced: bool,
}

/// Decides and commits. A task that holds a lease guards it by checking the lease in the same transaction.
pub(super) fn commit(
    c: &mut Connection,
    organization: OrganizationId,
    watch: &Watch,
    may_rebalance: bool,
    now: UnixMs,
) -> Result<Committed, StoreError> {
    let rows = cameras::all(c, organization)?;
    let wishes = Wishes::read(c, organization, None, now)?;
    let planned = plan_cameras(c, organization, &rows, &wishes)?;
    let nodes: Vec<Node> = present(assignments::nodes(c, Some(organization))?, watch);
    let kept = nodes::plans(c, organization)?;
    let erasures = erasures::unfinished(c, organization)?;
    let outcome = decide(Input {
        cameras: planned,
        nodes: &nodes,
        settled: &watch.settled(&nodes),
        erasures: &erasures,
        kept: &kept,
        may_rebalance,
        now,
    });
    take_steps(c, organization, &outcome.steps, &outcome.cameras, now)?;
    end_lost(c, &outcome.steps, &nodes, watch, now)?;
    let mut plans = kept.clone();
    for plan in outcome.changed {
        tracing::info!(node = %plan.node, revision = plan.revision, entries = plan.entries.len(), "planned");
        nodes::put_plan(c, &plan)?;
        plans.retain(|kept| kept.node != plan.node);
        plans.push(plan);
    }
    keep_holds(c, &outcome.cameras, organization, (&kept, &plans), now)?;
    keep_windows(c, organization, &rows, &outcome.cameras, now)?;
    Ok(Committed {
        plans,
        next_change: outcome.next_change,
        is_moving: outcome.is_moving,
        rebalanced: outcome.rebalanced,
    })
}

fn present(nodes: Vec<Node>, watch: &Watch) -> Vec<Node> {
    let at = std::time::Instant::now();
    nodes.into_iter().map(|node| watch.seen(node, at)).collect()
}

fn take_steps(
    c: &mut Connection,
    organization: OrganizationId,
    steps: &[Step],
    planned: &[PlanCamera],
    now: UnixMs,
) -> Result<(), StoreError> {
    let mut touched: Vec<CameraId> = Vec::new();
    for step in steps {
        let camera = match step {
            Step::Open {
                camera,
                node,
                epoch,
                reason,
            } => {
                tracing::info!(%camera, %node, epoch, reason, "assigned a camera");
                *camera
            }
            Step::Close {
                camera,
                node,
                epoch,
                reason,
            } => {
                tracing::info!(%camera, %node, epoch, reason, "ended an assignment");
                *camera
            }
        };
        assignments::take(c, step, now)?;
        touched.push(camera);
    }
    moves::tell(c, organization, steps, now)?;
    touched.sort_unstable();
    touched.dedup();
    for camera in planned
        .iter()
        .filter(|camera| touched.binary_search(&camera.place.id).is_ok())
    {
        let newest: Option<NodeId> = camera.place.held.last().map(|held| held.node);
        assignments::note(c, camera.place.id, newest, camera.place.epoch)?;
    }
    Ok(())
}

/// Ends the sessions of assignments that ended because their node is lost: it may never tell.
fn end_lost(
    c: &mut Connection,
    steps: &[Step],
    nodes: &[Node],
    watch: &Watch,
    now: UnixMs,
) -> Result<(), StoreError> {
    let is_lost = |id: &NodeId| {
        let mut all = nodes.iter();
        all.any(|node| node.id == *id && node.presence == Presence::Lost)
    };
    for step in steps {
        if let Step::Close {
            camera, node, epoch, ..
        } = step
            && is_lost(node)
        {
            let last = watch.last_word(*node, now);
            lost::of_assignment(c, (*camera, *epoch), last, now)?;
        }
    }
    Ok(())
}

fn keep_holds(
    c: &mut Connection,
    planned: &[PlanCamera],
    organization: OrganizationId,
    (kept, plans): (&[Plan], &[Plan]),
    now: UnixMs,
) -> Result<(), StoreError> {
    let open = holds::all_open(c, organization)?;
    for change in hold::changes(planned, &open, kept, plans, now) {
        match change {
            Change::Open { organization, hold } => {
                tracing::info!(camera = %hold.camera, cause = ?hold.cause, "held a camera back");
                holds::open(c, organization, &hold)?;
            }
            Change::Close { hold, end } => holds::close(c, &hold, end)?,
        }
    }
    Ok(())
}

/// Carries what should exist as far as plans reach.
fn keep_windows(
    c: &mut Connection,
    organization: OrganizationId,
    rows: &[CameraRow],
    planned: &[PlanCamera],
    now: UnixMs,
) -> Result<(), StoreError> {
    let kept = windows::not_over(c, organization, None, now)?;
    let rows: HashMap<CameraId, &CameraRow> = rows.iter().map(|row| (row.id, row)).collect();
    for camera in planned {
        if let Some(row) = rows.get(&camera.place.id) {
            wishes::keep_expected(c, row, &camera.wish, &kept, now)?;
        }
    }
    Ok(())
}

/// Every camera with what it is to do and may do.
fn plan_cameras(
    c: &mut Connection,
    organization: OrganizationId,
    rows: &[CameraRow],
    wishes: &Wishes,
) -> Result<Vec<PlanCamera>, StoreError> {
    let rule = holds::rule(c, organization)?;
    let licences = licences::assigned(c, organization, None)?.into_iter();
    let licences: HashMap<CameraId, LicenceRow> = licences
        .filter_map(|licence| Some((licence.camera?, licence)))
        .collect();
    let mut open = assignments::open(c, organization)?;
    let cameras = rows.iter().map(|row| {
        let held = open.remove(&row.id).unwrap_or_default();
        plan_camera(row, wishes, rule.as_ref(), licences.get(&row.id), held)
    });
    Ok(cameras.collect())
}

fn plan_camera(
    row: &CameraRow,
    wishes: &Wishes,
    rule: Option<&RecordingRule>,
    licence: Option<&LicenceRow>,
    held: Vec<Held>,
) -> PlanCamera {
    let (permit, denied) = permit(rule, licence);
    let wish = Wish {
        has_sub: has_sub(row, rule, licence),
        ..wishes.of(row)
    };
    PlanCamera {
        place: place(row, held),
        organization: row.organization,
        name: row.name.clone(),
        source: source(row),
        sub_url: row.sub_url.clone(),
        credentials_revision: row.credentials_revision,
        has_credentials: row.credentials.is_some(),
        cut: CutTargets {
            segment_s: row.segment_s,
            object_s: row.object_s,
        },
        wish,
        permit,
        denied,
        copies: copies(row, rule, licence),
    }
}

/// A camera as assignment knows it.
fn place(row: &CameraRow, held: Vec<Held>) -> Place {
    Place {
        id: row.id,
        site: row.site.clone(),
        address: address(&row.url),
        labels: row.node_labels.clone(),
        wanted: 0,
        epoch: row.epoch,
        held,
    }
}
