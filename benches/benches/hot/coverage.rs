//! The ledger: of a day as people see it, and as a node keeps it with each object.

use std::collections::HashMap;
use std::hint::black_box;

use anyhow::Result;
use control_plane::domain::completeness::figures;
use control_plane::domain::coverage::coverage;
use criterion::Throughput;
use recorder_node::ledger::{Cause, Ledger, Planned, StreamKey, StreamLedger};
use wire::coverage::{Gap, GapCause};
use wire::{CameraId, NodeId, ObjectId, StreamKind, TimeRange, UnixMs};

use crate::footage::START_MS;
use crate::work::Work;

const MINUTE_MS: i64 = 60_000;
const MINUTES: i64 = 24 * 60;
const CAMERAS: u128 = 32;

/// A camera's day in objects of a minute. Of each hour one minute is a gap, and the one after it is missing
/// without a word.
struct Day {
    range: TimeRange,
    footage: Vec<TimeRange>,
    gaps: Vec<Gap>,
    windows: Vec<TimeRange>,
}

impl Day {
    fn new() -> Result<Self> {
        let day = minutes(0, MINUTES)?;
        let (mut footage, mut gaps) = (Vec::new(), Vec::new());
        for minute in 0..MINUTES {
            let range = minutes(minute, 1)?;
            match minute % 60 {
                30 => gaps.push(gap(minute, range)),
                31 => {}
                _ => footage.push(range),
            }
        }
        Ok(Self {
            range: day,
            footage,
            gaps,
            windows: vec![
                minutes(0, MINUTES / 2)?,
                minutes(MINUTES / 2 + 10, MINUTES / 2 - 10)?,
            ],
        })
    }
}

fn minutes(from: i64, count: i64) -> Result<TimeRange> {
    let start = UnixMs(START_MS + from * MINUTE_MS);
    Ok(TimeRange::new(start, start.plus(count * MINUTE_MS))?)
}

fn gap(minute: i64, range: TimeRange) -> Gap {
    Gap {
        id: ObjectId::from_bytes((minute as u128).to_be_bytes()),
        camera: CameraId::from_bytes([1; 16]),
        stream: StreamKind::Main,
        node: NodeId::from_bytes([2; 16]),
        range,
        cause: GapCause::Network,
        detail: "the camera could not be reached".to_owned(),
    }
}

pub(crate) fn day() -> Result<Work> {
    let day = Day::new()?;
    Work::new(Throughput::Elements(MINUTES.unsigned_abs()), move || {
        let footage = black_box(&day.footage).iter().copied();
        coverage(day.range, footage, &day.gaps, &day.windows).len() as u64
    })
}

pub(crate) fn figures_of_a_day() -> Result<Work> {
    let day = Day::new()?;
    Work::new(Throughput::Elements(MINUTES.unsigned_abs()), move || {
        let footage = black_box(&day.footage).iter().copied();
        let until = day.range.end();
        let (figures, unknown) = figures(day.range, &day.windows, footage, &day.gaps, until);
        figures.footage_ms + unknown.len() as u64
    })
}

/// Each object of 32 cameras, opened and sealed; no gap, as it should be.
pub(crate) fn node() -> Result<Work> {
    let start = UnixMs(START_MS);
    let key = |camera: u128| StreamKey {
        camera: CameraId::from_bytes(camera.to_be_bytes()),
        stream: StreamKind::Main,
    };
    let streams = move || (0..CAMERAS).map(key);
    let cause = Cause::not_running(start);
    let hour: Vec<TimeRange> = (0..60).map(|minute| minutes(minute, 1)).collect::<Result<_>>()?;
    Work::new(Throughput::Elements(CAMERAS as u64 * 60), move || {
        let rows = streams().map(|key| (key, StreamLedger::new(start))).collect();
        let planned: HashMap<_, _> = streams().map(|key| (key, Planned::always())).collect();
        let mut ledger = Ledger::resume(NodeId::from_bytes([2; 16]), rows, planned, start);
        let mut changes = 0;
        for range in black_box(&hour) {
            for key in streams() {
                changes += ledger.opened(key, range.start(), &cause).len();
                let id = ObjectId::from_bytes(*key.camera.as_bytes());
                changes += ledger.sealed(key, id, *range).len();
            }
        }
        changes as u64
    })
}
