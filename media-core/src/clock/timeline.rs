//! The timeline of one session: holding, choosing whose clock is true, and placing units.

use std::collections::VecDeque;

use super::report::ntp_to_unix_ns;
use super::track::Track;
use super::{
    Arrival, ClockSettings, ClockStats, Discontinuity, MS_NS, Prior, SECOND_NS, SenderReport, Timed, TrackId,
    TrackSpec,
};

/// The camera's clock is believed at first when it is this close to ours…
const PLAUSIBLE_NS: i64 = 5 * SECOND_NS;
/// …given up beyond this…
const IMPLAUSIBLE_NS: i64 = 10 * SECOND_NS;
/// …and believed again within this.
const MENDED_NS: i64 = SECOND_NS;
/// A unit later than this is not late: the RTP clock lies. More than any silence that a session survives.
const MAX_LATE_NS: i64 = 6 * SECOND_NS;
/// With a report, the first units wait this long all the same, to learn about bursts and reordering.
const SHORT_HOLD_NS: i64 = 250 * MS_NS;
/// Units that wait at most, whatever the time says.
const MAX_HELD: usize = 4096;
/// A floor further ahead of our clock than this is a mistake.
const MAX_FLOOR_NS: i64 = 3600 * SECOND_NS;
/// Tracks whose reports disagree with the session by more than this are placed by arrival.
const SAME_CLOCK_NS: i64 = SECOND_NS;

/// Places the units of one session on the recording's timeline; see the [module](super).
///
/// Push everything in order of arrival, and take out what is ready after each push:
/// ```
/// use media_core::clock::{Arrival, ClockSettings, Timeline, TrackSpec};
///
/// let mut timeline = Timeline::new(ClockSettings::default());
/// let spec = TrackSpec { clock_rate_hz: 90_000, video: true, reorder_depth: None, nominal_ns: 0 };
/// let video = timeline.add_track(spec);
/// timeline.push(video, 3600, Arrival { mono_ns: 0, utc_ns: 1_700_000_000_000_000_000 }, true, "a picture");
/// timeline.release();
/// while let Some(timed) = timeline.pop() {
///     assert_eq!(timed.pts_ns, 1_700_000_000_000_000_000);
/// }
/// ```
#[derive(Debug)]
pub struct Timeline<T> {
    settings: ClockSettings,
    tracks: Vec<Track>,
    queue: VecDeque<Waiting<T>>,
    /// Arrival of the first unit.
    began: Option<i64>,
    released: bool,
    /// Whose clock is followed, once that is decided.
    follows_camera: Option<bool>,
    /// Camera clock minus arrival on ours, as of the reference track.
    offset_ns: Option<i64>,
    jump_pending: bool,
    epoch: u64,
    stats: ClockStats,
}

#[derive(Debug)]
struct Waiting<T> {
    track: usize,
    rtp: i64,
    arrival: Arrival,
    random_access: bool,
    jumped: bool,
    unit: T,
}

/// Where a unit belongs.
struct Target {
    truth: i64,
    slope: f64,
    uncertainty: i64,
}

impl<T> Timeline<T> {
    /// An empty timeline.
    #[must_use]
    pub fn new(settings: ClockSettings) -> Self {
        Self {
            settings,
            tracks: Vec::new(),
            queue: VecDeque::new(),
            began: None,
            released: false,
            follows_camera: settings.prior.map(|_| true),
            offset_ns: settings.prior.map(|prior| prior.offset_ns),
            jump_pending: false,
            epoch: 0,
            stats: ClockStats::default(),
        }
    }

    /// Adds a track; before its first unit, at any time.
    pub fn add_track(&mut self, spec: TrackSpec) -> TrackId {
        self.tracks.push(Track::new(spec));
        TrackId(self.tracks.len() - 1)
    }

    /// The track's parameters changed: how far pictures are reordered from here on.
    pub fn set_reorder_depth(&mut self, track: TrackId, depth: Option<u8>) {
        if let (Some(track), Some(depth)) = (self.tracks.get_mut(track.0), depth) {
            track.depth = usize::from(depth).min(16);
        }
    }

    /// Takes a sender report of `track`.
    pub fn sender_report(&mut self, track: TrackId, report: SenderReport, arrival: Arrival) {
        let (Some(track), Some(camera_ns)) = (self.tracks.get_mut(track.0), ntp_to_unix_ns(report.ntp))
        else {
            return;
        };
        let rtp = track.rtp_ns(report.rtp);
        track.reports.add((rtp, camera_ns), track.envelope.slope());
        self.stats.offset_ns = Some(camera_ns - arrival.utc_ns);
        self.stats.reports += 1;
    }

    /// Takes a unit, in decode order within its track. `rtp` is the raw RTP timestamp. An unknown track's
    /// unit is dropped.
    pub fn push(&mut self, track: TrackId, rtp: u32, arrival: Arrival, random_access: bool, unit: T) {
        let index = track.0;
        let Some(track) = self.tracks.get_mut(index) else {
            return;
        };
        let (rtp, jumped) = track.observe(rtp, arrival.mono_ns);
        self.observe_offset(index, rtp, arrival);
        self.queue.push_back(Waiting {
            track: index,
            rtp,
            arrival,
            random_access,
            jumped,
            unit,
        });
        let began = *self.began.get_or_insert(arrival.mono_ns);
        let known = self.offset_ns.is_some();
        let hold = if known {
            SHORT_HOLD_NS.min(self.settings.hold_ns)
        } else {
            self.settings.hold_ns
        };
        self.released |= arrival.mono_ns - began >= hold || self.queue.len() > MAX_HELD;
        if self.released {
            self.choose();
        }
    }

    /// The next unit whose place is known, in order of arrival.
    pub fn pop(&mut self) -> Option<Timed<T>> {
        if !self.released {
            return None;
        }
        let waiting = self.queue.pop_front()?;
        let reference = waiting.track == self.reference();
        self.jump_pending |= reference && waiting.jumped;
        let target = self.target(&waiting)?;
        let (truth, discontinuity) = self.steer(&waiting, &target, reference)?;
        let track = self.tracks.get_mut(waiting.track)?;
        let (dts_ns, pts_ns) = track.place(waiting.rtp, truth, target.slope);
        let uncertainty_ns = target.uncertainty + (target.truth - pts_ns).abs();
        if reference {
            self.stats.uncertainty_ns = Some(uncertainty_ns);
        }
        Some(Timed {
            track: TrackId(waiting.track),
            unit: waiting.unit,
            random_access: waiting.random_access,
            dts_ns,
            pts_ns,
            uncertainty_ns,
            discontinuity,
        })
    }

    /// Ends the holding of the first units, such as at the end of the session.
    pub fn release(&mut self) {
        self.released = true;
        self.choose();
    }

    /// Figures so far.
    #[must_use]
    pub fn stats(&self) -> ClockStats {
        ClockStats {
            follows_camera: self.follows_camera == Some(true),
            ..self.stats
        }
    }

    /// What the next session of this camera should start from.
    #[must_use]
    pub fn prior(&self) -> Option<Prior> {
        let offset_ns = self.offset_ns.filter(|_| self.follows_camera == Some(true))?;
        Some(Prior { offset_ns })
    }

    /// The track that decides: the first video track, or else the first.
    fn reference(&self) -> usize {
        self.tracks.iter().position(|track| track.video).unwrap_or(0)
    }

    /// Keeps how far the camera's clock is off, when this track's reports have a say.
    fn observe_offset(&mut self, index: usize, rtp: i64, arrival: Arrival) {
        let reference = self.reference();
        let heard = |track: &Track| track.reports.camera_ns(rtp, track.envelope.slope());
        let decides = index == reference || self.tracks.get(reference).and_then(heard).is_none();
        let Some(track) = self.tracks.get(index).filter(|_| decides) else {
            return;
        };
        let (Some(camera), Some(local)) = (heard(track), local_ns(track, rtp, arrival)) else {
            return;
        };
        self.offset_ns = Some(camera - local);
    }

    /// Decides whose clock is followed; not while the first units are held, since a burst of the past makes
    /// the first ones look late.
    fn choose(&mut self) {
        let Some(offset) = self.offset_ns else {
            return;
        };
        let limit = match self.follows_camera {
            None => PLAUSIBLE_NS,
            Some(true) => IMPLAUSIBLE_NS,
            Some(false) => MENDED_NS,
        };
        self.follows_camera = Some(offset.abs() <= limit);
    }

    fn target(&self, waiting: &Waiting<T>) -> Option<Target> {
        let track = self.tracks.get(waiting.track)?;
        let rate = track.envelope.slope();
        let local = local_ns(track, waiting.rtp, waiting.arrival)?;
        let offset = self.offset_ns.unwrap_or(0);
        let camera = track.reports.camera_ns(waiting.rtp, rate);
        let camera = camera.filter(|camera| (camera - local - offset).abs() <= SAME_CLOCK_NS);
        let slope = if camera.is_some() {
            track.reports.slope(rate)
        } else {
            rate
        };
        let by_reports = 5 * MS_NS + track.reports.spread_ns(rate);
        let by_arrival = 20 * MS_NS + track.envelope.jitter_ns();
        let reference = waiting.track == self.reference();
        let (truth, uncertainty) = match (self.follows_camera, camera) {
            (Some(true), Some(camera)) => (camera, by_reports),
            (Some(true), None) => (local + offset, by_arrival),
            // Sound stays with the pictures by the camera's clock, however wrong that is.
            (_, Some(camera)) if !reference => (camera - offset, by_arrival),
            _ => (local, by_arrival),
        };
        Some(Target {
            truth,
            slope,
            uncertainty,
        })
    }

    /// Where to aim, and whether time breaks here.
    fn steer(
        &mut self,
        waiting: &Waiting<T>,
        target: &Target,
        reference: bool,
    ) -> Option<(i64, Option<Discontinuity>)> {
        let step = self.settings.step_ns;
        let latest = waiting.arrival.utc_ns.saturating_add(MAX_FLOOR_NS);
        let floor = self.settings.not_before_ns.filter(|floor| *floor <= latest);
        let track = self.tracks.get_mut(waiting.track)?;
        if track.placed.is_empty() {
            track.placed.epoch = self.epoch;
            return Some((track.restart(target.truth, floor), None));
        }
        let error = track.error_ns(waiting.rtp, target.truth, target.slope);
        track.placed.settling &= error < -step / 2;
        if !reference {
            if track.placed.epoch == self.epoch {
                return Some((target.truth, None));
            }
            track.placed.epoch = self.epoch;
            return Some((track.restart(target.truth, None), None));
        }
        let stepped = error.abs() > step && !track.placed.settling;
        let may_break = waiting.random_access || !track.video;
        if !may_break || !(stepped || self.jump_pending) {
            return Some((target.truth, None));
        }
        let kind = if self.jump_pending {
            Discontinuity::Rtp
        } else {
            Discontinuity::Clock
        };
        track.placed.settling = error < -step / 2;
        self.jump_pending = false;
        self.epoch += 1;
        self.stats.discontinuities += 1;
        Some((track.restart(target.truth, None), Some(kind)))
    }
}

/// Arrival by the least delay, on our clock.
fn local_ns(track: &Track, rtp: i64, arrival: Arrival) -> Option<i64> {
    let least = track.envelope.arrival(rtp)?.max(arrival.mono_ns - MAX_LATE_NS);
    Some(least + arrival.utc_ns - arrival.mono_ns)
}
