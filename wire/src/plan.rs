//! A node's plan: what it records and when, computed by the control plane, followed alone when cut off.

use serde::{Deserialize, Serialize};

use crate::clocks::Clocks;
use crate::id::{CameraId, ErasureId, NodeId};
use crate::media::StreamKind;
use crate::source::Source;
use crate::time::{TimeRange, UnixMs};

/// Everything one node records in the next two days; last value of its KV key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The node it is for.
    pub node: NodeId,
    /// Grows with each change.
    pub revision: u64,
    /// Windows are computed up to here.
    pub horizon: UnixMs,
    /// One entry a camera and stream.
    pub entries: Vec<PlanEntry>,
    /// Footage that must not be on the node any more, until it has said so of each
    /// ([`NodeStatus::erased`](crate::status::NodeStatus::erased)). Also of cameras that it records no longer.
    #[serde(default)]
    pub erasures: Vec<Erasure>,
    /// Bits a second that all uploads of the node together may take; without a limit when there is none.
    #[serde(default)]
    pub uplink_bps: Option<u64>,
}

/// Footage of a camera that is to be deleted wherever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id; the same range may be erased again under another one.
    pub id: ErasureId,
    /// Whose footage, on all its streams.
    pub camera: CameraId,
    /// Every object that touches it goes as a whole. Its end has passed when it is planned.
    pub range: TimeRange,
}

/// What a node does for one stream of one camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// The camera.
    pub camera: CameraId,
    /// Its name, for status and logs.
    pub name: String,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The assignment's epoch.
    pub epoch: u64,
    /// Where to read it.
    pub source: Source,
    /// Changes whenever the camera's credentials do, so that the node asks for them again.
    pub credentials_revision: u64,
    /// Whether the camera asks for credentials at all.
    pub has_credentials: bool,
    /// When to record, in order, without overlap: those that begin before the horizon, each to its true end.
    pub windows: Vec<TimeRange>,
    /// Recorded around the clock: goes on past the horizon when nobody answers.
    pub continuous: bool,
    /// The windows of the week after the horizon, in order, without overlap: recorded, and repeated week by
    /// week, for as long as no newer plan comes.
    #[serde(default)]
    pub afterwards: Vec<TimeRange>,
    /// IANA name of the time zone by whose clocks they repeat; UTC without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Nothing is recorded from here on, whatever is continuous or repeats: where a permission ends.
    #[serde(default)]
    pub until: Option<UnixMs>,
    /// Footage from before a window's start that is kept when it opens, in milliseconds, from memory.
    #[serde(default)]
    pub pre_roll_ms: u32,
    /// Length of segments and objects that is aimed at; the node's own setting without it.
    #[serde(default)]
    pub cut: Option<CutTargets>,
    /// What is done when recording fails inside a window.
    #[serde(default)]
    pub retry: RetryPolicy,
}

/// Lengths that are aimed at, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutTargets {
    /// Of a segment.
    pub segment_s: u32,
    /// Of an object; not below `segment_s`.
    pub object_s: u32,
}

/// How failed recording is tried again. Nothing is ever given up inside a window: people are told, and
/// attempts go on at the longest pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts without footage after which people are told.
    pub alert_after: u32,
    /// Longest pause between two attempts, in milliseconds. Attempts at what refuses come to it; what is away is
    /// tried every few seconds.
    pub longest_pause_ms: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            alert_after: 10,
            longest_pause_ms: 60_000,
        }
    }
}

impl PlanEntry {
    /// By which [`PlanEntry::afterwards`] repeats.
    #[must_use]
    pub fn clocks(&self) -> Clocks {
        match self.afterwards.first() {
            Some(first) => Clocks::new(self.time_zone.as_deref(), first.start()),
            None => Clocks::default(),
        }
    }

    /// The stretch in which it is to be recorded at `now`, if it is. One that is continuous has no end but
    /// `until`, and begins with its last window.
    #[must_use]
    pub fn window_at(&self, now: UnixMs) -> Option<(UnixMs, Option<UnixMs>)> {
        if self.until.is_some_and(|until| until <= now) {
            return None;
        }
        let cut = |end: UnixMs| Some(self.until.map_or(end, |until| until.min(end)));
        if self.continuous {
            let start = self
                .windows
                .iter()
                .map(TimeRange::start)
                .rfind(|start| *start <= now)?;
            return Some((start, self.until));
        }
        if let Some(window) = self.windows.iter().find(|window| window.contains(now)) {
            return Some((window.start(), cut(window.end())));
        }
        let repeated = self.repeated(TimeRange::new(now, now.plus(1)).ok()?);
        let open = repeated.into_iter().find(|window| window.contains(now))?;
        Some((open.start(), cut(open.end())))
    }

    /// What repeats around `bounds`.
    fn repeated(&self, bounds: TimeRange) -> Vec<TimeRange> {
        let clocks = self.clocks();
        let weeks = self.afterwards.iter().flat_map(|window| {
            let weeks = Clocks::weeks(*window, bounds);
            weeks.map(move |weeks| (*window, weeks))
        });
        weeks
            .filter_map(|(window, weeks)| clocks.repeated(window, weeks))
            .collect()
    }

    /// Whether it is to be recorded at `now`.
    #[must_use]
    pub fn is_active(&self, now: UnixMs) -> bool {
        self.window_at(now).is_some()
    }

    /// When the next stretch begins after `now`, if one does: what a pre-roll waits for.
    #[must_use]
    pub fn next_start(&self, now: UnixMs) -> Option<UnixMs> {
        let planned = self
            .windows
            .iter()
            .map(TimeRange::start)
            .filter(|start| *start > now);
        // A day, so that a change of the clocks hides none.
        let near = TimeRange::new(now, now.plus(24 * 60 * 60 * 1000)).ok()?;
        let repeated = self.repeated(near).into_iter();
        let repeated = repeated.map(|window| window.start()).filter(|start| *start > now);
        let next = planned.chain(repeated).min()?;
        self.until.is_none_or(|until| next < until).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_older_control_planes_erase_nothing() {
        let node = "0190f5fe-7c00-7a00-8000-0123456789ab";
        let json = format!(r#"{{"node":"{node}","revision":3,"horizon":0,"entries":[]}}"#);
        let plan: Plan = serde_json::from_str(&json).unwrap();
        assert!(plan.erasures.is_empty());
        assert_eq!(plan.uplink_bps, None);
    }

    #[test]
    fn entries_of_older_control_planes_repeat_by_utc() {
        let mut json = serde_json::to_value(entry(Vec::new(), vec![range(0, 50)], None)).unwrap();
        json.as_object_mut().unwrap().remove("time_zone");
        let old: PlanEntry = serde_json::from_value(json).unwrap();
        assert_eq!(
            (old.time_zone.as_deref(), old.clocks()),
            (None, Clocks::default())
        );
    }

    /// Clocks change on 29 March and on 25 October 2026.
    #[test]
    fn what_repeats_stays_at_its_time_of_day() {
        let at = |text: &str| text.parse::<UnixMs>().unwrap();
        let opens = |start: &str| (at(start), Some(at(start).plus(3_600_000)));
        let week = |start: &str| vec![TimeRange::new(at(start), at(start).plus(3_600_000)).unwrap()];
        for (first, second) in [
            ("2026-03-23T07:00:00Z", "2026-03-30T06:00:00Z"),
            ("2026-10-19T06:00:00Z", "2026-10-26T07:00:00Z"),
        ] {
            let mut entry = entry(Vec::new(), week(first), None);
            entry.time_zone = Some("Europe/Berlin".to_owned());
            let (opened, next) = (at(first), at(second));
            assert_eq!(entry.window_at(opened), Some(opens(first)));
            assert_eq!(entry.next_start(opened), Some(next));
            assert_eq!(entry.window_at(next.plus(-1)), None);
            assert_eq!(entry.window_at(next), Some(opens(second)));
            assert_eq!(entry.window_at(next.plus(3_600_000)), None);
        }
    }

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn entry(windows: Vec<TimeRange>, afterwards: Vec<TimeRange>, until: Option<UnixMs>) -> PlanEntry {
        PlanEntry {
            camera: CameraId::from_bytes([1; 16]),
            name: "door".to_owned(),
            stream: StreamKind::Main,
            epoch: 1,
            source: Source {
                url: "rtsp://door/".to_owned(),
                transport: crate::source::Transport::Tcp,
                reader: crate::source::Reader::Auto,
                audio: false,
            },
            credentials_revision: 0,
            has_credentials: false,
            windows,
            continuous: false,
            afterwards,
            time_zone: None,
            until,
            pre_roll_ms: 0,
            cut: None,
            retry: RetryPolicy::default(),
        }
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(UnixMs(start), UnixMs(end)).unwrap()
    }

    #[test]
    fn the_week_after_the_horizon_repeats_until_the_permission_ends() {
        let until = UnixMs(20 * DAY);
        let entry = entry(
            vec![range(100, 200)],
            vec![range(3 * DAY, 3 * DAY + 50)],
            Some(until),
        );
        assert_eq!(
            entry.window_at(UnixMs(150)),
            Some((UnixMs(100), Some(UnixMs(200))))
        );
        assert_eq!(entry.next_start(UnixMs(0)), Some(UnixMs(100)));
        assert_eq!(entry.window_at(UnixMs(200)), None);
        assert_eq!(entry.next_start(UnixMs(200)), Some(UnixMs(3 * DAY)));
        let second = UnixMs(10 * DAY);
        assert_eq!(entry.window_at(second), Some((second, Some(second.plus(50)))));
        assert_eq!(entry.next_start(second.plus(-1)), Some(second));
        assert_eq!(
            entry.next_start(UnixMs(17 * DAY)),
            None,
            "the one of day 24 is too late"
        );
        assert!(!entry.is_active(until));
    }

    #[test]
    fn what_is_continuous_goes_on_past_the_horizon() {
        let mut entry = entry(vec![range(100, 200)], Vec::new(), None);
        entry.continuous = true;
        assert_eq!(entry.window_at(UnixMs(99)), None);
        assert_eq!(entry.window_at(UnixMs(DAY)), Some((UnixMs(100), None)));
        entry.until = Some(UnixMs(300));
        assert_eq!(
            entry.window_at(UnixMs(299)),
            Some((UnixMs(100), Some(UnixMs(300))))
        );
        assert_eq!(entry.window_at(UnixMs(300)), None);
    }
}
