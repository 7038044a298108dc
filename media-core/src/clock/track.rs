//! One track: its RTP time unwrapped, and the rising function that places it.

use std::collections::VecDeque;

use super::envelope::Envelope;
use super::report::Reports;
use super::{MS_NS, SECOND_NS, TrackSpec};

/// Decode times are at least this far apart.
pub(super) const MIN_STEP_NS: i64 = MS_NS;
/// No RTP clock is slower.
const MIN_RATE_HZ: u32 = 1000;
/// No session survives a longer pause.
const MAX_PAUSE_NS: i64 = 3600 * SECOND_NS;
/// A unit that is this much too early for its arrival has a timestamp that jumped.
const EARLY_NS: i64 = SECOND_NS;
/// Pictures of streams that do not say how they are reordered go back by no more than this many.
const MAX_UNKNOWN_DEPTH: i64 = 5;
/// RTP times that are remembered to learn about reordering; more than any depth.
const MEMORY: usize = 24;
/// Most that the timeline moves towards the truth, in parts of real time; the second for large errors.
const SLEW: [f64; 2] = [0.05, 0.25];
const LARGE_ERROR_NS: i64 = 250 * MS_NS;

#[derive(Debug)]
pub(super) struct Track {
    rate_hz: i64,
    pub(super) video: bool,
    nominal_ns: i64,
    pub(super) envelope: Envelope,
    pub(super) reports: Reports,
    /// The last raw timestamp, and itself unwrapped.
    last: Option<(u32, i64)>,
    /// Added to unwrapped time, so that it runs on over jumps.
    shift_ns: i64,
    last_arrival: i64,
    /// Sorted RTP times of the last units as they came.
    seen: VecDeque<i64>,
    pub(super) depth: usize,
    pub(super) placed: Placed,
}

/// Where the track's timeline stands.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// RTP time and place of the last units, both rising.
    knots: VecDeque<(i64, i64)>,
    last_dts: Option<i64>,
    last_pts: Option<i64>,
    /// Ahead of the truth after a step back, which was told.
    pub(super) settling: bool,
    pub(super) epoch: u64,
}

impl Track {
    pub(super) fn new(spec: TrackSpec) -> Self {
        Self {
            rate_hz: if spec.clock_rate_hz < MIN_RATE_HZ {
                90_000
            } else {
                i64::from(spec.clock_rate_hz)
            },
            video: spec.video,
            nominal_ns: spec.nominal_ns,
            envelope: Envelope::default(),
            reports: Reports::default(),
            last: None,
            shift_ns: 0,
            last_arrival: 0,
            seen: VecDeque::new(),
            depth: usize::from(spec.reorder_depth.unwrap_or(0)).min(16),
            placed: Placed::default(),
        }
    }

    /// Nanoseconds of RTP time of a raw timestamp, unwrapped to be near the last one.
    pub(super) fn rtp_ns(&mut self, raw: u32) -> i64 {
        let (last_raw, last) = *self.last.get_or_insert((raw, i64::from(raw)));
        let ticks = last + i64::from(raw.wrapping_sub(last_raw) as i32);
        (i128::from(ticks) * i128::from(SECOND_NS) / i128::from(self.rate_hz)) as i64 + self.shift_ns
    }

    /// Takes a unit's timestamp; its RTP time, and whether the timestamps jumped.
    pub(super) fn observe(&mut self, raw: u32, arrival: i64) -> (i64, bool) {
        let mut rtp = self.rtp_ns(raw);
        let jumped = self.jumped(rtp, arrival);
        if let (true, Some(newest)) = (jumped, self.seen.back()) {
            // Run on from the newest unit by what passed on our clock.
            let passed = ((arrival - self.last_arrival) as f64 / self.envelope.slope()) as i64;
            let interval = self.interval_ns();
            let expected = newest + passed.clamp(interval, MAX_PAUSE_NS);
            self.shift_ns += expected - rtp;
            rtp = expected;
            self.reports.clear();
        }
        if let Some((last_raw, last)) = self.last {
            self.last = Some((raw, last + i64::from(raw.wrapping_sub(last_raw) as i32)));
        }
        self.envelope.add((rtp, arrival));
        self.last_arrival = arrival;
        self.learn(rtp);
        (rtp, jumped)
    }

    fn jumped(&self, rtp: i64, arrival: i64) -> bool {
        let Some(newest) = self.seen.back() else {
            return false;
        };
        let back = (self.depth as i64 + 1).max(MAX_UNKNOWN_DEPTH) * self.interval_ns();
        let early = self
            .envelope
            .arrival(rtp)
            .is_some_and(|least| least - arrival > EARLY_NS);
        rtp < newest - back || early
    }

    /// Keeps the RTP time, and learns how far pictures are reordered.
    fn learn(&mut self, rtp: i64) {
        let at = self.seen.partition_point(|seen| *seen <= rtp);
        if self.video {
            self.depth = self.depth.max(self.seen.len() - at).min(16);
        }
        self.seen.insert(at, rtp);
        if self.seen.len() > MEMORY {
            self.seen.pop_front();
        }
    }

    /// Typical distance of units that follow each other in presentation order.
    pub(super) fn interval_ns(&self) -> i64 {
        let distances = self.seen.iter().zip(self.seen.iter().skip(1)).map(|(a, b)| b - a);
        let usual = distances.filter(|distance| *distance >= MIN_STEP_NS).min();
        let nominal = if self.nominal_ns > 0 {
            self.nominal_ns
        } else {
            SECOND_NS / 25
        };
        usual.unwrap_or(nominal).clamp(MIN_STEP_NS, 2 * SECOND_NS)
    }

    /// How far the truth is ahead of where the timeline would run to.
    pub(super) fn error_ns(&self, rtp: i64, truth: i64, slope: f64) -> i64 {
        self.placed.ahead(rtp, slope).map_or(0, |next| truth - next)
    }

    /// Places a unit; decode and presentation time.
    pub(super) fn place(&mut self, rtp: i64, truth: i64, slope: f64) -> (i64, i64) {
        let pts = self.placed.presentation(rtp, truth, slope);
        let dts = self
            .placed
            .decode(self.depth, (self.interval_ns() as f64 * slope) as i64);
        // Two pictures of one timestamp: without reordering they are shown as they are decoded.
        let pts = if self.depth == 0 { dts } else { pts };
        self.placed.last_dts = Some(dts);
        self.placed.last_pts = self.placed.last_pts.max(Some(pts));
        (dts, pts)
    }

    /// Forgets where the timeline stood, and tells where it starts anew: at the truth, or right after what was
    /// placed, or at `floor`.
    pub(super) fn restart(&mut self, truth: i64, floor: Option<i64>) -> i64 {
        let interval = self.interval_ns();
        let reordering = self.depth as i64 * interval;
        self.placed.knots.clear();
        let ends = [
            self.placed.last_pts.map(|pts| pts + interval),
            self.placed.last_dts.map(|dts| dts + interval + reordering),
            floor.map(|floor| floor + reordering),
        ];
        ends.into_iter().flatten().fold(truth, i64::max)
    }
}

impl Placed {
    pub(super) fn is_empty(&self) -> bool {
        self.knots.is_empty()
    }

    /// Where the timeline would run to without a correction; for a unit before the last one, where it was.
    fn ahead(&self, rtp: i64, slope: f64) -> Option<i64> {
        let (last_rtp, last) = *self.knots.back()?;
        Some(last + ((rtp - last_rtp) as f64 * slope) as i64)
    }

    /// The place of a unit on the rising function, which grows when the unit is the newest.
    fn presentation(&mut self, rtp: i64, truth: i64, slope: f64) -> i64 {
        let Some(&(last_rtp, last)) = self.knots.back() else {
            self.knots.push_back((rtp, truth));
            return truth;
        };
        if rtp <= last_rtp {
            return self.between(rtp, slope);
        }
        let passed = (rtp - last_rtp) as f64 * slope;
        let error = truth - last - passed as i64;
        let slew = SLEW[usize::from(error.abs() > LARGE_ERROR_NS)] * passed;
        let next = last + (passed + (error as f64).clamp(-slew, slew)) as i64;
        let next = next.max(last + MIN_STEP_NS);
        self.knots.push_back((rtp, next));
        self.forget();
        next
    }

    /// A unit between those that were placed.
    fn between(&mut self, rtp: i64, slope: f64) -> i64 {
        let at = self.knots.partition_point(|knot| knot.0 < rtp);
        let place = match (
            at.checked_sub(1).and_then(|before| self.knots.get(before)),
            self.knots.get(at),
        ) {
            (_, Some(knot)) if knot.0 == rtp => knot.1,
            (Some(before), Some(after)) => {
                let part = (rtp - before.0) as f64 / (after.0 - before.0) as f64;
                before.1 + ((after.1 - before.1) as f64 * part) as i64
            }
            (None, Some(after)) => after.1 + ((rtp - after.0) as f64 * slope) as i64,
            (_, None) => return 0,
        };
        self.knots.insert(at, (rtp, place));
        self.forget();
        place
    }

    fn forget(&mut self) {
        if self.knots.len() > MEMORY {
            self.knots.pop_front();
        }
    }

    /// The presentation time of the unit `depth` places before the newest.
    fn decode(&self, depth: usize, interval: i64) -> i64 {
        let newest = self.knots.len().saturating_sub(1);
        let dts = match newest.checked_sub(depth) {
            Some(at) => self.knots.get(at).map_or(0, |knot| knot.1),
            None => {
                let missing = (depth - newest) as i64;
                self.knots.front().map_or(0, |knot| knot.1) - missing * interval
            }
        };
        self.last_dts.map_or(dts, |last| dts.max(last + MIN_STEP_NS))
    }
}
