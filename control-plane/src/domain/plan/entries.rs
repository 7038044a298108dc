//! What one node's plan says.

use wire::plan::{Erasure, Plan, PlanEntry};
use wire::{StreamKind, UnixMs};

use super::PlanCamera;
use super::windows::{horizon, thin, timing};
use crate::domain::assign::{Held, Node};
use crate::domain::licence::Permit;

/// A node's plan, when it differs from the kept one.
pub(super) fn changed(
    node: &Node,
    cameras: &[(&PlanCamera, Held)],
    erasures: Vec<Erasure>,
    kept: Option<&Plan>,
    now: UnixMs,
) -> Option<Plan> {
    let horizon = kept.map_or(horizon(now), |plan| plan.horizon.max(horizon(now)));
    let mut entries: Vec<PlanEntry> = cameras
        .iter()
        .flat_map(|(camera, held)| {
            let streams = camera.wish.streams().iter();
            streams.filter_map(|stream| entry(camera, *held, *stream, kept, (horizon, now)))
        })
        .collect();
    entries.sort_by_key(|entry| (entry.camera, entry.stream));
    thin(&mut entries);
    let revision = kept.map_or(0, |plan| plan.revision);
    let plan = Plan {
        node: node.id,
        revision,
        horizon,
        entries,
        erasures,
        uplink_bps: node.uplink_bps,
    };
    if kept == Some(&plan) {
        return None;
    }
    Some(Plan {
        revision: revision + 1,
        ..plan
    })
}

fn entry(
    camera: &PlanCamera,
    held: Held,
    stream: StreamKind,
    kept: Option<&Plan>,
    (horizon, now): (UnixMs, UnixMs),
) -> Option<PlanEntry> {
    let source = camera.source(stream)?;
    let kept = kept.and_then(|plan| {
        let mut entries = plan.entries.iter();
        let same = |entry: &&PlanEntry| {
            entry.camera == camera.place.id && entry.stream == stream && entry.epoch == held.epoch
        };
        Some((entries.find(same)?, plan.horizon))
    });
    let regular = camera.wish.regular(stream, now);
    let due = camera.wish.due(stream, &regular);
    let timing = timing(&due, camera.permit, kept, horizon, now)?;
    Some(PlanEntry {
        camera: camera.place.id,
        name: camera.name.clone(),
        stream,
        epoch: held.epoch,
        source,
        credentials_revision: camera.credentials_revision,
        has_credentials: camera.has_credentials,
        windows: timing.windows,
        continuous: timing.continuous,
        time_zone: camera
            .wish
            .time_zone(stream)
            .filter(|_| !timing.afterwards.is_empty()),
        afterwards: timing.afterwards,
        until: match camera.permit {
            Permit::Within(range) => Some(range.end()),
            Permit::Always | Permit::Never => None,
        },
        pre_roll_ms: camera.wish.pre_roll_s(stream) * 1000,
        cut: Some(camera.cut),
        retry: camera.wish.retry(stream),
    })
}
