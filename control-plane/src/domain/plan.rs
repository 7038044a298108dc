//! Each node's plan, from what is to be recorded and which nodes record it.
//!
//! Pure: the same cameras, nodes, kept plans and time give the same outcome, in whatever order they come.
//! `wanted` says what of a camera is to be recorded, `domain::assign` who does it, `windows` what a node is
//! told of it. A permission that ends is the entry's `until`: a node that is cut off stops then by itself.

mod entries;
mod expected;
#[cfg(test)]
mod tests;
mod wanted;
mod why;
mod windows;

use std::collections::{BTreeMap, HashSet};

use wire::coverage::GapCause;
use wire::plan::{CutTargets, Erasure, Plan};
use wire::source::Source;
use wire::{CameraId, NodeId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::assign::{self, Held, Node, Place, Settled, Step};
use super::licence::Permit;

pub use expected::{Change, Expected, range, reconcile};
pub use wanted::{ENDLESS, OverrideKind, PlanJob, PlanOverride, Wanted, Wish, paused};
pub use why::{Situation, Why, why};
pub use windows::horizon;

/// How far plans reach, in milliseconds: a node that is cut off goes on by its plan.
pub const HORIZON_MS: i64 = 48 * HOUR_MS;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
const WEEK_MS: i64 = 7 * DAY_MS;

/// A camera that is not deleted.
#[derive(Debug, Clone)]
pub struct PlanCamera {
    /// Which one, where it is, and who records it.
    pub place: Place,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Where to read its main stream.
    pub source: Source,
    /// Address of its sub stream.
    pub sub_url: Option<String>,
    /// Changes whenever its credentials do.
    pub credentials_revision: u64,
    /// Whether it asks for credentials.
    pub has_credentials: bool,
    /// Lengths that are aimed at.
    pub cut: CutTargets,
    /// When it is to be recorded.
    pub wish: Wish,
    /// When it may be.
    pub permit: Permit,
    /// What the ledger says of the time in which it may not be.
    pub denied: GapCause,
    /// How many nodes are to record it at once.
    pub copies: usize,
}

impl PlanCamera {
    /// Where to read a stream.
    fn source(&self, stream: StreamKind) -> Option<Source> {
        let url = match stream {
            StreamKind::Main => self.source.url.clone(),
            StreamKind::Sub => self.sub_url.clone()?,
        };
        Some(Source {
            url,
            ..self.source.clone()
        })
    }

    /// Whether it needs a node: something is to be recorded, and may be.
    fn is_wanted(&self, now: UnixMs) -> bool {
        let Ok(ahead) = TimeRange::new(now, horizon(now)) else {
            return false;
        };
        if self.permit.cut(ahead).is_none() {
            return false;
        }
        self.wish.streams().iter().any(|stream| {
            let regular = self.wish.regular(*stream, now);
            let due = self.wish.due(*stream, &regular);
            windows::timing(&due, self.permit, None, horizon(now), now).is_some()
        })
    }
}

/// What is decided about.
#[derive(Debug)]
pub struct Input<'a> {
    /// The cameras of one or more organizations.
    pub cameras: Vec<PlanCamera>,
    /// Their nodes.
    pub nodes: &'a [Node],
    /// What nodes record, as they say.
    pub settled: &'a Settled,
    /// What nodes still have to erase, in order.
    pub erasures: &'a [(NodeId, Erasure)],
    /// The plans that nodes were last given.
    pub kept: &'a [Plan],
    /// Whether cameras may move to even out the load.
    pub may_rebalance: bool,
    /// The present time.
    pub now: UnixMs,
}

/// What the planner decided.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The cameras, with the assignments that they have from now on.
    pub cameras: Vec<PlanCamera>,
    /// What changes about assignments, in order.
    pub steps: Vec<Step>,
    /// The plans that differ from the kept ones, with their new revisions.
    pub changed: Vec<Plan>,
    /// When a permission begins or ends next.
    pub next_change: Option<UnixMs>,
    /// Whether a camera is on its way from one node to another.
    pub is_moving: bool,
    /// Whether cameras were moved to even out the load.
    pub rebalanced: bool,
}

/// Decides.
#[must_use]
pub fn decide(mut input: Input<'_>) -> Outcome {
    let now = input.now;
    let mut cameras = std::mem::take(&mut input.cameras);
    cameras.sort_by_key(|camera| camera.place.id);
    for camera in &mut cameras {
        camera.place.wanted = if camera.is_wanted(now) { camera.copies } else { 0 };
    }
    let assigned = assign_each(&mut cameras, &input);
    let own = of_nodes(&cameras);
    let mut nodes: Vec<&Node> = input.nodes.iter().collect();
    nodes.sort_unstable_by_key(|node| node.id);
    let changed = nodes.iter().filter_map(|node| {
        let kept = input.kept.iter().find(|plan| plan.node == node.id);
        let erasures = input.erasures.iter().filter(|(of, _)| *of == node.id);
        let erasures = erasures.map(|(_, erasure)| *erasure).collect();
        let own = own.get(&node.id).map_or(&[][..], Vec::as_slice);
        entries::changed(node, own, erasures, kept, now)
    });
    let changed = changed.collect();
    let wishing = cameras.iter().filter(|camera| camera.wish.is_any(now));
    let next_change = wishing.filter_map(|camera| camera.permit.next_change(now)).min();
    Outcome {
        steps: assigned.steps,
        is_moving: assigned.is_moving,
        rebalanced: assigned.rebalanced,
        changed,
        next_change,
        cameras,
    }
}

/// Assigns within each organization: a node records its own organization's cameras only.
fn assign_each(cameras: &mut [PlanCamera], input: &Input<'_>) -> assign::Outcome {
    let mut all = assign::Outcome::default();
    let organizations: HashSet<OrganizationId> = cameras.iter().map(|camera| camera.organization).collect();
    let mut organizations: Vec<_> = organizations.into_iter().collect();
    organizations.sort_unstable();
    for organization in organizations {
        let mut nodes: Vec<&Node> = input.nodes.iter().collect();
        nodes.retain(|node| node.organization == organization);
        nodes.sort_unstable_by_key(|node| node.id);
        let own = cameras
            .iter_mut()
            .filter(|camera| camera.organization == organization);
        let mut places: Vec<&mut Place> = own.map(|camera| &mut camera.place).collect();
        let one = assign::assign(&mut places, &nodes, input.settled, input.may_rebalance, input.now);
        all.steps.extend(one.steps);
        all.is_moving |= one.is_moving;
        all.rebalanced |= one.rebalanced;
    }
    all
}

/// The cameras that each node records, or keeps until they are to be recorded again.
fn of_nodes(cameras: &[PlanCamera]) -> BTreeMap<NodeId, Vec<(&PlanCamera, Held)>> {
    let mut own: BTreeMap<NodeId, Vec<(&PlanCamera, Held)>> = BTreeMap::new();
    for camera in cameras {
        for held in &camera.place.held {
            own.entry(held.node).or_default().push((camera, *held));
        }
    }
    own
}

/// Which camera is meant: a short form for logs and tests.
#[must_use]
pub const fn id(camera: &PlanCamera) -> CameraId {
    camera.place.id
}
