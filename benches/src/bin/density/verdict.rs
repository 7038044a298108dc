//! What may be concluded: each recorder beside the last one, or what speaks against it.

use benches::stats::{median, spread};
use serde::Serialize;

use crate::case::Case;
use crate::round::Round;

/// More of a core than this in other programs disturbs the measurement.
const MAX_FOREIGN_CORES: f64 = 0.25;
/// More of all time than this taken by the hypervisor disturbs it.
const MAX_STEAL: f64 = 0.03;
/// Recorders whose footage differs by more than this did not do the same work.
const MAX_FOOTAGE_DIFFERENCE: f64 = 0.15;
/// Viewers who see less than this share of the cameras' pictures cost less than they should.
const MIN_SEEN: f64 = 0.9;
/// Less than this share of what the cameras send would flatter everybody.
const MIN_FOOTAGE: f64 = 0.75;

/// One recorder with some cameras, over all rounds: medians.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub recorder: String,
    #[serde(flatten)]
    pub case: Case,
    pub cameras: usize,
    pub rounds: usize,
    pub cpu_s_per_camera_hour: f64,
    /// Between rounds, as a share of the median.
    pub cpu_spread: f64,
    pub beside_cpu_s_per_camera_hour: Option<f64>,
    pub pss_mb_per_camera: f64,
    pub threads: f64,
    pub wakeups_per_camera_s: f64,
    pub footage_mbps_per_camera: f64,
    pub write_amplification: f64,
    pub syncs_per_camera_min: Option<f64>,
    /// In all rounds together.
    pub pictures_lost: u64,
    pub start_s: f64,
    pub stop_s: f64,
}

/// A recorder beside the one that all are compared with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Verdict {
    pub recorder: String,
    pub against: String,
    #[serde(flatten)]
    pub case: Case,
    pub cameras: usize,
    /// CPU time as a share of the other one's; None when it was too noisy.
    pub cpu_ratio: Option<f64>,
    /// The same of memory.
    pub pss_ratio: Option<f64>,
    /// What disturbed the measurement.
    pub doubts: Vec<String>,
}

pub(crate) fn row(rounds: &[&Round]) -> Option<Row> {
    let first = rounds.first()?;
    let of =
        |figure: fn(&Round) -> f64| median(&rounds.iter().map(|round| figure(round)).collect::<Vec<f64>>());
    let some = |figure: fn(&Round) -> Option<f64>| {
        let values: Vec<f64> = rounds.iter().filter_map(|round| figure(round)).collect();
        (!values.is_empty()).then(|| median(&values))
    };
    let cpu: Vec<f64> = rounds.iter().map(|round| round.cpu_s_per_camera_hour).collect();
    Some(Row {
        recorder: first.recorder.clone(),
        case: first.case,
        cameras: first.cameras,
        rounds: rounds.len(),
        cpu_s_per_camera_hour: median(&cpu),
        cpu_spread: spread(&cpu),
        beside_cpu_s_per_camera_hour: some(|round| round.beside_cpu_s_per_camera_hour),
        pss_mb_per_camera: of(|round| round.pss_bytes_per_camera) / 1e6,
        threads: of(|round| round.threads as f64),
        wakeups_per_camera_s: of(|round| round.wakeups_per_camera_s),
        footage_mbps_per_camera: of(|round| round.footage_bps_per_camera) / 1e6,
        write_amplification: of(|round| round.write_amplification),
        syncs_per_camera_min: some(|round| round.syncs_per_camera_min),
        pictures_lost: rounds.iter().map(|round| round.pictures_lost).sum(),
        start_s: of(|round| round.start_s),
        stop_s: of(|round| round.stop_s),
    })
}

/// `rounds`: those of both.
pub(crate) fn verdict(ours: &Row, theirs: &Row, rounds: &[&Round], max_spread: f64) -> Verdict {
    let mut doubts = noise(rounds);
    if ours.rounds < 2 || theirs.rounds < 2 {
        doubts.push("one round shows no spread".to_owned());
    }
    for row in [ours, theirs] {
        if row.cpu_spread > max_spread {
            let percent = row.cpu_spread * 100.0;
            doubts.push(format!(
                "{} differs by {percent:.0}% between rounds",
                row.recorder
            ));
        }
    }
    let (a, b) = (ours.footage_mbps_per_camera, theirs.footage_mbps_per_camera);
    if (a - b).abs() > MAX_FOOTAGE_DIFFERENCE * b.max(f64::MIN_POSITIVE) {
        doubts.push(format!("{a:.2} and {b:.2} Mbit/s a camera are not the same work"));
    }
    let sent = f64::from(ours.case.pictures.kbps()) / 1e3;
    if a < MIN_FOOTAGE * sent {
        doubts.push(format!("{a:.2} Mbit/s a camera were recorded instead of {sent}"));
    }
    let slowest = rounds
        .iter()
        .filter_map(|round| round.seen_per_s)
        .fold(f64::INFINITY, f64::min);
    if slowest < MIN_SEEN * f64::from(ours.case.pictures.fps()) {
        doubts.push(format!("viewers saw {slowest:.1} pictures a second only"));
    }
    let usable = doubts.is_empty();
    let ratio = |a: f64, b: f64| (usable && b > 0.0).then(|| a / b);
    Verdict {
        recorder: ours.recorder.clone(),
        against: theirs.recorder.clone(),
        case: ours.case,
        cameras: ours.cameras,
        cpu_ratio: ratio(ours.cpu_s_per_camera_hour, theirs.cpu_s_per_camera_hour),
        pss_ratio: ratio(ours.pss_mb_per_camera, theirs.pss_mb_per_camera),
        doubts,
    }
}

/// What of the machine speaks against a measurement.
fn noise(rounds: &[&Round]) -> Vec<String> {
    let mut doubts = Vec::new();
    if cfg!(debug_assertions) {
        doubts.push("built without optimisation".to_owned());
    }
    let worst = |figure: fn(&Round) -> f64| rounds.iter().map(|round| figure(round)).fold(0.0, f64::max);
    let foreign = worst(|round| round.foreign_cores);
    if foreign > MAX_FOREIGN_CORES {
        doubts.push(format!("other programs took {foreign:.2} cores in one round"));
    }
    let steal = worst(|round| round.steal);
    if steal > MAX_STEAL {
        doubts.push(format!("the hypervisor took {:.1}% of one round", steal * 100.0));
    }
    doubts
}

impl Verdict {
    pub(crate) fn sentence(&self) -> String {
        let what = format!("{}, {} cameras", self.case, self.cameras);
        match (self.cpu_ratio, self.pss_ratio) {
            (Some(cpu), Some(pss)) => format!(
                "{what}: {} takes {cpu:.2} of the CPU time of {} and {pss:.3} of its memory.\n",
                self.recorder, self.against
            ),
            _ => format!(
                "{what}: nothing is concluded of {} and {}: {}.\n",
                self.recorder,
                self.against,
                self.doubts.join("; ")
            ),
        }
    }
}
