//! Deciding plans: what the server does whenever a wish, a node or the hour changes.
//!
//! Each camera has a job of its own with two weekly windows in a time zone with summer time; a node records 32
//! of them. The planner is given its cameras anew each time, so a run includes a copy of them.

use std::hint::black_box;

use anyhow::{Result, ensure};
use control_plane::domain::assign::{Node, NodeState, Place, Presence, Settled};
use control_plane::domain::licence::Permit;
use control_plane::domain::plan::{Input, Outcome, PlanCamera, PlanJob, Wish, decide};
use control_plane::domain::schedule::{Rule, zone};
use criterion::Throughput;
use wire::coverage::GapCause;
use wire::plan::{CutTargets, Plan, RetryPolicy};
use wire::schedule::{Schedule, StreamChoice, Weekday, WeeklyWindow};
use wire::source::Source;
use wire::{CameraId, JobId, NodeId, OrganizationId, UnixMs};

use crate::footage::START_MS;
use crate::work::Work;

/// Cameras that a node records.
const EACH: usize = 32;

pub(crate) fn one() -> Result<Work> {
    nothing_new(1)
}

pub(crate) fn thirty_two() -> Result<Work> {
    nothing_new(32)
}

pub(crate) fn thousand() -> Result<Work> {
    nothing_new(1000)
}

/// Nobody records them yet.
pub(crate) fn thousand_anew() -> Result<Work> {
    let world = World::new(1000)?;
    Work::new(Throughput::Elements(1000), move || {
        let outcome = world.decide();
        (outcome.steps.len() + outcome.changed.len()) as u64
    })
}

/// Everything is assigned and planned, as it is most of the time.
fn nothing_new(cameras: usize) -> Result<Work> {
    let world = World::settled(cameras)?;
    let changed = world.decide().changed.len();
    ensure!(
        changed == 0,
        "{changed} plans of {cameras} settled cameras change"
    );
    Work::new(Throughput::Elements(cameras as u64), move || {
        world.decide().cameras.len() as u64
    })
}

/// The plan of a node with 32 cameras.
pub(crate) fn plan() -> Result<Plan> {
    let mut world = World::settled(EACH)?;
    ensure!(world.kept.len() == 1, "32 cameras belong to one node");
    Ok(world.kept.remove(0))
}

struct World {
    cameras: Vec<PlanCamera>,
    nodes: Vec<Node>,
    kept: Vec<Plan>,
    settled: Settled,
}

impl World {
    fn new(cameras: usize) -> Result<Self> {
        Ok(Self {
            cameras: (0..cameras).map(camera).collect::<Result<_>>()?,
            nodes: (0..cameras.div_ceil(EACH)).map(node).collect(),
            kept: Vec::new(),
            settled: Settled::new(),
        })
    }

    fn settled(cameras: usize) -> Result<Self> {
        let mut world = Self::new(cameras)?;
        let outcome = world.decide();
        world.cameras = outcome.cameras;
        world.kept = outcome.changed;
        let held = world.cameras.iter().flat_map(|camera| {
            let held = camera.place.held.iter();
            held.map(|held| (held.node, camera.place.id, held.epoch))
        });
        world.settled = held.collect();
        Ok(world)
    }

    fn decide(&self) -> Outcome {
        decide(black_box(Input {
            cameras: self.cameras.clone(),
            nodes: &self.nodes,
            settled: &self.settled,
            erasures: &[],
            kept: &self.kept,
            may_rebalance: false,
            now: UnixMs(START_MS + 123),
        }))
    }
}

fn id(index: usize) -> [u8; 16] {
    (index as u128 + 1).to_be_bytes()
}

fn node(index: usize) -> Node {
    Node {
        id: NodeId::from_bytes(id(index)),
        organization: OrganizationId::from_bytes(id(0)),
        name: format!("node {index}"),
        state: NodeState::Active,
        is_removed: false,
        presence: Presence::Online,
        sites: Vec::new(),
        networks: Vec::new(),
        labels: Vec::new(),
        max_cameras: Some(EACH as u64),
        uplink_bps: None,
        tight: None,
    }
}

fn camera(index: usize) -> Result<PlanCamera> {
    Ok(PlanCamera {
        place: Place {
            id: CameraId::from_bytes(id(index)),
            site: "Yard".to_owned(),
            address: None,
            labels: Vec::new(),
            wanted: 0,
            epoch: 0,
            held: Vec::new(),
        },
        organization: OrganizationId::from_bytes(id(0)),
        name: format!("Camera {index}"),
        source: Source {
            url: format!(
                "rtsp://10.0.{}.{}/Streaming/Channels/101",
                index / 250,
                index % 250
            ),
            transport: wire::source::Transport::Tcp,
            reader: wire::source::Reader::Auto,
            audio: true,
        },
        sub_url: None,
        credentials_revision: 1,
        has_credentials: true,
        cut: CutTargets {
            segment_s: 6,
            object_s: 60,
        },
        wish: Wish {
            jobs: vec![job(index)?],
            ..Wish::default()
        },
        permit: Permit::Always,
        denied: GapCause::Unlicensed,
        copies: 1,
    })
}

/// In working hours, and in the nights of the weekend.
fn job(index: usize) -> Result<PlanJob> {
    let (week, weekend) = Weekday::ALL.split_at(5);
    let window = |days: &[Weekday], from: &str, to: &str| WeeklyWindow {
        days: days.to_vec(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let schedule = Schedule::Weekly {
        windows: vec![window(week, "08:00", "18:30"), window(weekend, "22:00", "06:00")],
    };
    Ok(PlanJob {
        id: JobId::from_bytes(id(index)),
        rule: Rule::try_from(&schedule)?,
        zone: zone("Europe/Berlin")?,
        streams: StreamChoice::Main,
        pre_roll_s: 5,
        retry: RetryPolicy::default(),
    })
}
