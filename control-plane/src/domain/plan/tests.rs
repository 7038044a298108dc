//! Plans: examples, any order of what comes in, and properties against an oracle.

mod orders;
mod properties;

use super::*;
use crate::domain::assign::{NodeState, Presence};
use crate::domain::schedule::{Rule, zone};
use wire::schedule::{Schedule, StreamChoice, Weekday, WeeklyWindow};
use wire::{JobId, OverrideId};

const NOW: UnixMs = UnixMs(1_769_846_400_123);

fn organization(n: u8) -> OrganizationId {
    OrganizationId::from_bytes([n; 16])
}

fn node(n: u8, presence: Presence) -> Node {
    Node {
        id: NodeId::from_bytes([n; 16]),
        organization: organization(1),
        name: format!("node {n}"),
        state: NodeState::Active,
        is_removed: false,
        presence,
        sites: Vec::new(),
        networks: Vec::new(),
        labels: Vec::new(),
        max_cameras: None,
        uplink_bps: None,
        tight: None,
    }
}

fn camera(n: u8) -> PlanCamera {
    PlanCamera {
        place: Place {
            id: CameraId::from_bytes([n; 16]),
            site: String::new(),
            address: None,
            labels: Vec::new(),
            wanted: 0,
            epoch: 0,
            held: Vec::new(),
        },
        organization: organization(1),
        name: format!("camera {n}"),
        source: Source {
            url: format!("rtsp://10.0.0.{n}/"),
            transport: wire::source::Transport::Tcp,
            reader: wire::source::Reader::Auto,
            audio: false,
        },
        sub_url: None,
        credentials_revision: 1,
        has_credentials: false,
        cut: CutTargets {
            segment_s: 6,
            object_s: 60,
        },
        wish: Wish {
            switch: true,
            ..Wish::default()
        },
        permit: Permit::Always,
        denied: GapCause::Unlicensed,
        copies: 1,
    }
}

fn job(n: u8, schedule: &Schedule, name: &str) -> PlanJob {
    PlanJob {
        id: JobId::from_bytes([n; 16]),
        rule: Rule::try_from(schedule).unwrap(),
        zone: zone(name).unwrap(),
        streams: StreamChoice::Main,
        pre_roll_s: 0,
        retry: wire::plan::RetryPolicy::default(),
    }
}

fn daily(from: &str, to: &str) -> Schedule {
    Schedule::Weekly {
        windows: vec![WeeklyWindow {
            days: Weekday::ALL.to_vec(),
            from: from.to_owned(),
            to: to.to_owned(),
        }],
    }
}

fn over(n: u8, kind: OverrideKind, start: UnixMs, end: Option<UnixMs>) -> PlanOverride {
    PlanOverride {
        id: OverrideId::from_bytes([n; 16]),
        kind,
        start,
        end,
    }
}

fn range(start: UnixMs, end: UnixMs) -> TimeRange {
    TimeRange::new(start, end).unwrap()
}

fn at(text: &str) -> UnixMs {
    text.parse().unwrap()
}

/// Applies an outcome as the planner does, and decides again.
fn settle(cameras: &mut Vec<PlanCamera>, kept: &mut Vec<Plan>, nodes: &[Node], now: UnixMs) -> Outcome {
    let outcome = decide(Input {
        cameras: cameras.clone(),
        nodes,
        settled: &Settled::new(),
        erasures: &[],
        kept,
        may_rebalance: false,
        now,
    });
    *cameras = outcome.cameras.clone();
    for plan in &outcome.changed {
        kept.retain(|old| old.node != plan.node);
        kept.push(plan.clone());
    }
    outcome
}

/// The only entry of the only plan.
fn planned(camera: PlanCamera, now: UnixMs) -> wire::plan::PlanEntry {
    let mut kept = Vec::new();
    settle(&mut vec![camera], &mut kept, &[node(1, Presence::Online)], now);
    kept[0].entries[0].clone()
}
