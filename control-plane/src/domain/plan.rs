//! Which node records which camera, and each node's plan.
//!
//! Pure: the same cameras, nodes, kept plans and time give the same outcome. An assignment is sticky: it
//! changes only when there is none, or when its node is lost and another one can take over.
//!
//! A window ends where the permission to record does, however far off that is: a node that is cut off stops
//! then by itself. Without such an end it goes on past the horizon.

use std::collections::BTreeMap;

use wire::coverage::GapCause;
use wire::plan::{Erasure, Plan, PlanEntry, RetryPolicy};
use wire::source::Source;
use wire::{CameraId, NodeId, OrganizationId, StreamKind, TimeRange, UnixMs};

use super::licence::Permit;

/// How far plans reach, in milliseconds: a node that is cut off goes on by its plan.
pub const HORIZON_MS: i64 = 48 * HOUR_MS;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// A camera that is not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanCamera {
    /// The camera.
    pub id: CameraId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Where to read it.
    pub source: Source,
    /// Changes whenever its credentials do.
    pub credentials_revision: u64,
    /// Whether it asks for credentials.
    pub has_credentials: bool,
    /// Whether it is to be recorded.
    pub recording: bool,
    /// When it may be.
    pub permit: Permit,
    /// What the ledger says of the time in which it may not be.
    pub denied: GapCause,
    /// The node it is assigned to.
    pub node: Option<NodeId>,
    /// The assignment's epoch.
    pub epoch: u64,
}

impl PlanCamera {
    /// Whether it needs a node: it is to be recorded, and may be before the horizon.
    fn is_wanted(&self, now: UnixMs) -> bool {
        let ahead = TimeRange::new(now, horizon(now));
        self.recording && ahead.is_ok_and(|ahead| self.permit.cut(ahead).is_some())
    }
}

/// A registered node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanNode {
    /// The node.
    pub id: NodeId,
    /// Whose cameras it may record.
    pub organization: OrganizationId,
    /// Whether it reports.
    pub presence: Presence,
}

/// Whether a node reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Online,
    /// It does not, but may be restarting: it keeps its cameras and gets no new ones.
    Away,
    /// It has not for long: its cameras move where they can.
    Lost,
}

/// What the planner decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// New assignments, with their epochs.
    pub assignments: Vec<(CameraId, NodeId, u64)>,
    /// The plans that differ from the kept ones, with their new revisions.
    pub changed: Vec<Plan>,
    /// When a permission begins or ends next.
    pub next_change: Option<UnixMs>,
}

/// Decides. `kept` are the plans that nodes were last given, `erasures` what nodes still have to erase, in
/// order.
#[must_use]
pub fn decide(
    mut cameras: Vec<PlanCamera>,
    nodes: &[PlanNode],
    erasures: &[(NodeId, Erasure)],
    kept: &[Plan],
    now: UnixMs,
) -> Outcome {
    let assignments = assign(&mut cameras, nodes, now);
    let changed = nodes
        .iter()
        .filter_map(|node| {
            let kept = kept.iter().find(|plan| plan.node == node.id);
            let own = erasures.iter().filter(|(of, _)| *of == node.id);
            let erasures = own.map(|(_, erasure)| *erasure).collect();
            changed(node.id, &cameras, erasures, kept, now)
        })
        .collect();
    let recording = cameras.iter().filter(|camera| camera.recording);
    Outcome {
        assignments,
        changed,
        next_change: recording
            .filter_map(|camera| camera.permit.next_change(now))
            .min(),
    }
}

// Whole hours, so that time alone changes a plan once an hour.
const fn horizon(now: UnixMs) -> UnixMs {
    UnixMs((now.0.div_euclid(HOUR_MS) + 1) * HOUR_MS).plus(HORIZON_MS)
}

fn assign(cameras: &mut [PlanCamera], nodes: &[PlanNode], now: UnixMs) -> Vec<(CameraId, NodeId, u64)> {
    let mut load: BTreeMap<NodeId, usize> = nodes.iter().map(|node| (node.id, 0)).collect();
    for camera in cameras.iter().filter(|camera| camera.is_wanted(now)) {
        if let Some(count) = camera.node.and_then(|node| load.get_mut(&node)) {
            *count += 1;
        }
    }
    let mut assignments = Vec::new();
    for camera in cameras.iter_mut().filter(|camera| camera.is_wanted(now)) {
        if keeps_its_node(camera, nodes) {
            continue;
        }
        let Some(node) = least_loaded(camera.organization, nodes, &load) else {
            continue;
        };
        if let Some(count) = camera.node.and_then(|before| load.get_mut(&before)) {
            *count = count.saturating_sub(1);
        }
        *load.entry(node).or_default() += 1;
        camera.node = Some(node);
        camera.epoch += 1;
        assignments.push((camera.id, node, camera.epoch));
    }
    assignments
}

fn keeps_its_node(camera: &PlanCamera, nodes: &[PlanNode]) -> bool {
    nodes.iter().any(|node| {
        Some(node.id) == camera.node
            && node.organization == camera.organization
            && node.presence != Presence::Lost
    })
}

fn least_loaded(
    organization: OrganizationId,
    nodes: &[PlanNode],
    load: &BTreeMap<NodeId, usize>,
) -> Option<NodeId> {
    nodes
        .iter()
        .filter(|node| node.organization == organization && node.presence == Presence::Online)
        .min_by_key(|node| (load.get(&node.id).copied().unwrap_or_default(), node.id))
        .map(|node| node.id)
}

/// A node's plan, when it differs from the kept one.
fn changed(
    node: NodeId,
    cameras: &[PlanCamera],
    erasures: Vec<Erasure>,
    kept: Option<&Plan>,
    now: UnixMs,
) -> Option<Plan> {
    let horizon = kept.map_or(horizon(now), |plan| plan.horizon.max(horizon(now)));
    let mut entries: Vec<PlanEntry> = cameras
        .iter()
        .filter(|camera| camera.recording && camera.node == Some(node))
        .filter_map(|camera| entry(camera, kept, horizon, now))
        .collect();
    entries.sort_by_key(|entry| (entry.camera, entry.stream));
    let revision = kept.map_or(0, |plan| plan.revision);
    if kept
        .is_some_and(|plan| plan.entries == entries && plan.horizon == horizon && plan.erasures == erasures)
    {
        return None;
    }
    Some(Plan {
        node,
        revision: revision + 1,
        horizon,
        entries,
        erasures,
    })
}

fn entry(camera: &PlanCamera, kept: Option<&Plan>, horizon: UnixMs, now: UnixMs) -> Option<PlanEntry> {
    let stream = StreamKind::Main;
    let kept = kept.and_then(|plan| {
        plan.entries
            .iter()
            .find(|entry| entry.camera == camera.id && entry.stream == stream && entry.epoch == camera.epoch)
    });
    let window = window(camera.permit, kept, horizon, now)?;
    Some(PlanEntry {
        camera: camera.id,
        name: camera.name.clone(),
        stream,
        epoch: camera.epoch,
        source: camera.source.clone(),
        credentials_revision: camera.credentials_revision,
        has_credentials: camera.has_credentials,
        windows: vec![window],
        continuous: camera.permit == Permit::Always,
        afterwards: Vec::new(),
        until: None,
        pre_roll_ms: 0,
        cut: None,
        retry: RetryPolicy::default(),
    })
}

/// The window that is open at `now`, or the next one before the horizon.
fn window(permit: Permit, kept: Option<&PlanEntry>, horizon: UnixMs, now: UnixMs) -> Option<TimeRange> {
    // A window keeps its start for as long as the node has it: time before it is nobody's gap.
    let start = kept.and_then(|entry| {
        let is_open = |window: &&TimeRange| entry.continuous || window.end() > now;
        let start = entry.windows.iter().find(is_open)?.start();
        // One that was to begin later, of a licence that is valid from then on, may begin now.
        Some(if entry.continuous { start } else { start.min(now) })
    });
    let start = start.unwrap_or(now);
    match permit {
        Permit::Always => TimeRange::new(start, horizon).ok(),
        Permit::Within(range) if range.contains(now) => TimeRange::new(start, range.end()).ok(),
        Permit::Within(range) => Some(range).filter(|range| now < range.start() && range.start() < horizon),
        Permit::Never => None,
    }
}

#[cfg(test)]
mod tests;
