//! Which window a supervisor fills: pure, time comes from outside.
//!
//! A camera is connected ahead of a window that is known ahead, so that its first picture is there when the
//! window opens. What is recorded is decided by capture times, in the media library: here the camera is only
//! read on for a moment after a window's end, until its last picture has come.

use media_core::facts::{Span, Spans};
use wire::UnixMs;
use wire::event::EndReason;
use wire::plan::PlanEntry;

use super::step::Want;
use crate::ledger::Planned;

/// A camera is connected this long before a window opens, and its pre-roll on top.
const LEAD_MS: i64 = 8_000;
/// A camera's clock may lag behind ours: the last picture of a window may come this much after its end.
const LINGER_MS: i64 = 6_000;
/// The end of a session is told when its last object is closed, or after this.
const GIVE_UP_MS: i64 = 8_000;

/// Start, and end if there is one.
type Window = (UnixMs, Option<UnixMs>);

/// What became of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is open, or its end was moved.
    Open(Window),
    /// It is over, and its last object is closed.
    Ended {
        /// Why.
        reason: EndReason,
        /// When.
        at: UnixMs,
    },
}

#[derive(Debug, Clone, Copy)]
struct Closing {
    window: Window,
    reason: EndReason,
    at: UnixMs,
    /// The camera is read on until then.
    linger: UnixMs,
}

/// The windows of one stream.
#[derive(Debug, Clone)]
pub struct Windows {
    planned: Planned,
    pre_roll_ms: i64,
    held: Option<Window>,
    closing: Option<Closing>,
}

impl Windows {
    /// Those of a plan's entry; none is open yet.
    #[must_use]
    pub fn new(entry: &PlanEntry) -> Self {
        Self {
            planned: Planned::of(entry),
            pre_roll_ms: i64::from(entry.pre_roll_ms),
            held: None,
            closing: None,
        }
    }

    /// Those of another plan. Under another epoch the window that is open is another one.
    pub fn replan(&mut self, entry: &PlanEntry, same_epoch: bool) {
        self.planned = Planned::of(entry);
        self.pre_roll_ms = i64::from(entry.pre_roll_ms);
        if !same_epoch {
            self.held = None;
        }
    }

    /// The window that is open.
    #[must_use]
    pub const fn open(&self) -> Option<Window> {
        self.held
    }

    /// Comes to `now`; `writing` says whether an object is open. What is wanted, and what became of windows.
    pub fn at(&mut self, now: UnixMs, writing: bool) -> (Want, Vec<Change>) {
        let outlook = self.planned.outlook(now);
        let mut changes = Vec::new();
        if let Some(held) = self.held {
            let goes_on = outlook
                .current
                .is_some_and(|(start, _)| held.1.is_none_or(|end| start <= end));
            if !goes_on {
                self.held = None;
                self.close(held, now);
            }
        }
        let given_up = |closing: &Closing| closing.at.plus(GIVE_UP_MS) <= now;
        if let Some(closing) = self.closing
            && (!writing || given_up(&closing) || outlook.current.is_some())
        {
            self.closing = None;
            changes.push(Change::Ended {
                reason: closing.reason,
                at: closing.at,
            });
        }
        if let Some(current) = outlook.current {
            let window = (self.held.map_or(current.0, |held| held.0), current.1);
            if self.held != Some(window) {
                self.held = Some(window);
                changes.push(Change::Open(window));
            }
        }
        let lingers = self.closing.is_some_and(|closing| now < closing.linger);
        let lead = LEAD_MS.saturating_add(self.pre_roll_ms);
        let want = match outlook.next {
            _ if self.held.is_some() || lingers => Want::Recording,
            Some((next, _)) if next.since(now) <= lead => Want::Ready,
            _ => Want::Nothing,
        };
        (want, changes)
    }

    fn close(&mut self, window: Window, now: UnixMs) {
        self.closing = Some(match window.1.filter(|end| *end <= now) {
            Some(end) => Closing {
                window,
                reason: EndReason::WindowEnded,
                at: end,
                linger: end.plus(LINGER_MS),
            },
            None => Closing {
                window,
                reason: EndReason::Withdrawn,
                at: now,
                linger: now,
            },
        });
    }

    /// When something changes next, if nobody says otherwise.
    #[must_use]
    pub fn wake(&self, now: UnixMs) -> Option<UnixMs> {
        let outlook = self.planned.outlook(now);
        let end = outlook.current.and_then(|(_, end)| end);
        let next = outlook.next.map(|(start, _)| start);
        let ready = next.map(|next| next.plus(-LEAD_MS.saturating_add(self.pre_roll_ms)));
        let closing = self
            .closing
            .map(|closing| [closing.linger, closing.at.plus(GIVE_UP_MS)]);
        let times = [end, next, ready]
            .into_iter()
            .flatten()
            .chain(closing.into_iter().flatten());
        times.filter(|time| *time > now).min()
    }

    /// What is to be recorded of what the camera sends.
    #[must_use]
    pub fn spans(&self, now: UnixMs) -> Spans {
        let outlook = self.planned.outlook(now);
        let closing = self
            .closing
            .filter(|closing| now < closing.linger)
            .map(|closing| closing.window);
        let windows = [closing, outlook.current, outlook.next];
        Spans::new(windows.into_iter().flatten().map(|(start, end)| Span {
            keep_ms: start.plus(-self.pre_roll_ms).0,
            start_ms: start.0,
            end_ms: end.map(|end| end.0),
        }))
    }
}

#[cfg(test)]
mod tests {
    use wire::plan::RetryPolicy;
    use wire::source::{Reader, Source, Transport};
    use wire::{CameraId, StreamKind, TimeRange};

    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;
    const DAY: i64 = 24 * HOUR;
    const T0: i64 = 1_769_846_400_000;

    fn t(ms: i64) -> UnixMs {
        UnixMs(T0 + ms)
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(t(start), t(end)).unwrap()
    }

    fn entry(windows: Vec<TimeRange>) -> PlanEntry {
        PlanEntry {
            camera: CameraId::from_bytes([1; 16]),
            name: "door".to_owned(),
            stream: StreamKind::Main,
            epoch: 1,
            source: Source {
                url: "rtsp://door/".to_owned(),
                transport: Transport::Tcp,
                reader: Reader::Auto,
                audio: false,
            },
            credentials_revision: 0,
            has_credentials: false,
            windows,
            continuous: false,
            afterwards: Vec::new(),
            time_zone: None,
            until: None,
            pre_roll_ms: 5_000,
            cut: None,
            retry: RetryPolicy::default(),
        }
    }

    fn ended(reason: EndReason, at: i64) -> Change {
        Change::Ended { reason, at: t(at) }
    }

    #[test]
    fn a_window_is_connected_ahead_and_read_a_moment_longer() {
        let mut windows = Windows::new(&entry(vec![range(60_000, 120_000), range(124_000, 130_000)]));
        assert_eq!(windows.at(t(0), false), (Want::Nothing, vec![]));
        assert_eq!(windows.wake(t(0)), Some(t(47_000)));
        assert_eq!(windows.at(t(47_000), false).0, Want::Ready);
        assert_eq!(windows.wake(t(47_000)), Some(t(60_000)));
        let opened = Change::Open((t(60_000), Some(t(120_000))));
        assert_eq!(windows.at(t(60_000), false), (Want::Recording, vec![opened]));
        let spans: Vec<_> = windows.spans(t(60_000)).iter().collect();
        assert_eq!(
            (spans[0].keep_ms, spans[0].end_ms),
            (T0 + 55_000, Some(T0 + 120_000))
        );
        assert_eq!(spans.len(), 2);
        assert_eq!(windows.at(t(120_000), true), (Want::Recording, vec![]));
        assert_eq!(windows.spans(t(120_000)).iter().next(), spans.first().copied());
        // Its last object is closed; the next window is near.
        let over = ended(EndReason::WindowEnded, 120_000);
        assert_eq!(windows.at(t(120_100), false), (Want::Ready, vec![over]));
        assert_eq!(windows.at(t(124_000), false).0, Want::Recording);
        // The camera falls silent: its object is closed by the stop.
        assert_eq!(windows.at(t(130_000), true).0, Want::Recording);
        assert_eq!(windows.at(t(136_000), true), (Want::Nothing, vec![]));
        let over = ended(EndReason::WindowEnded, 130_000);
        assert_eq!(windows.at(t(138_000), true), (Want::Nothing, vec![over]));
    }

    #[test]
    fn what_is_withdrawn_stops_at_once_and_another_epoch_is_another_window() {
        let mut plan = entry(vec![range(0, HOUR)]);
        let mut windows = Windows::new(&plan);
        windows.at(t(0), false);
        plan.windows = vec![range(0, 2 * HOUR)];
        windows.replan(&plan, true);
        let moved = Change::Open((t(0), Some(t(2 * HOUR))));
        assert_eq!(windows.at(t(10), true), (Want::Recording, vec![moved]));
        windows.replan(&plan, false);
        assert_eq!(windows.at(t(20), true), (Want::Recording, vec![moved]));
        plan.windows.clear();
        windows.replan(&plan, true);
        assert_eq!(windows.at(t(30), true), (Want::Nothing, vec![]));
        let over = ended(EndReason::Withdrawn, 30);
        assert_eq!(windows.at(t(40), false), (Want::Nothing, vec![over]));
        // A process that slept over two windows' border.
        let mut windows = Windows::new(&entry(vec![range(0, 1_000), range(5_000, 9_000)]));
        windows.at(t(0), false);
        let (want, changes) = windows.at(t(6_000), false);
        let next = Change::Open((t(5_000), Some(t(9_000))));
        assert_eq!(
            (want, changes),
            (Want::Recording, vec![ended(EndReason::WindowEnded, 1_000), next])
        );
    }

    /// Weeks without a newer plan: each window of the last weekly pattern opens and closes to the millisecond.
    #[test]
    fn a_plan_that_is_weeks_old_is_followed_to_the_second() {
        let mut plan = entry(vec![range(HOUR, 2 * HOUR), range(DAY + HOUR, DAY + 2 * HOUR)]);
        plan.afterwards = (2..9)
            .map(|day| range(day * DAY + HOUR, day * DAY + 2 * HOUR))
            .collect();
        let mut windows = Windows::new(&plan);
        let (mut now, mut seen) = (t(0), Vec::new());
        while now < t(40 * DAY) {
            for change in windows.at(now, false).1 {
                seen.push((now, change));
            }
            now = windows.wake(now).unwrap();
        }
        assert_eq!(seen.len(), 80);
        for (day, pair) in seen.chunks(2).enumerate() {
            let day = day as i64 * DAY;
            let (start, end) = (t(day + HOUR), t(day + 2 * HOUR));
            assert_eq!(pair[0], (start, Change::Open((start, Some(end)))));
            let over = ended(EndReason::WindowEnded, day + 2 * HOUR);
            assert_eq!(pair[1], (end, over));
        }
    }

    /// Nights from 01:30 to 03:30 in Berlin, the last plan of a winter followed until the next one: an hour long
    /// on 29 March, three on 25 October.
    #[test]
    fn a_weekly_pattern_keeps_its_time_of_day_when_clocks_change() {
        let at = |text: &str| text.parse::<UnixMs>().unwrap();
        let first = at("2026-03-20T00:30:00Z");
        let mut plan = entry(Vec::new());
        plan.time_zone = Some("Europe/Berlin".to_owned());
        let night = |day: i64| TimeRange::new(first.plus(day * DAY), first.plus(day * DAY + 2 * HOUR));
        plan.afterwards = (0..7).map(|day| night(day).unwrap()).collect();
        let mut windows = Windows::new(&plan);
        let (mut now, mut opened) = (first.plus(-HOUR), Vec::new());
        while now < at("2026-11-05T00:00:00Z") {
            for change in windows.at(now, false).1 {
                if let Change::Open((start, Some(end))) = change {
                    opened.push((start, end));
                }
            }
            now = windows.wake(now).unwrap();
        }
        let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let shown = |at: UnixMs| {
            let at = jiff::Timestamp::from_millisecond(at.0).unwrap();
            berlin.to_datetime(at).time()
        };
        for (start, end) in &opened {
            let times = (shown(*start), shown(*end));
            assert_eq!(
                times,
                (jiff::civil::time(1, 30, 0, 0), jiff::civil::time(3, 30, 0, 0))
            );
        }
        let unusual = opened.iter().filter(|(start, end)| end.since(*start) != 2 * HOUR);
        let unusual: Vec<_> = unusual.map(|(start, end)| (*start, end.since(*start))).collect();
        let expected = [
            (at("2026-03-29T00:30:00Z"), HOUR),
            (at("2026-10-24T23:30:00Z"), 3 * HOUR),
        ];
        assert_eq!((opened.len(), unusual.as_slice()), (230, &expected[..]));
    }

    #[test]
    fn what_is_continuous_never_stops_but_where_its_permission_ends() {
        let mut plan = entry(vec![range(0, 2 * DAY)]);
        plan.continuous = true;
        let mut windows = Windows::new(&plan);
        for day in 0..400 {
            let (want, changes) = windows.at(t(day * DAY), true);
            assert_eq!(want, Want::Recording);
            assert_eq!(changes.len(), usize::from(day == 0));
        }
        plan.until = Some(t(400 * DAY));
        windows.replan(&plan, true);
        windows.at(t(399 * DAY), true);
        assert_eq!(windows.wake(t(399 * DAY)), Some(t(400 * DAY)));
        windows.at(t(400 * DAY), true);
        let over = ended(EndReason::WindowEnded, 400 * DAY);
        assert_eq!(windows.at(t(400 * DAY + 50), false), (Want::Nothing, vec![over]));
    }
}
