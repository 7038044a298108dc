//! When a stream is to be recorded: the windows of a plan's entry, carried on past its horizon.
//!
//! The supervisor records by it and the ledger counts by it, so that both mean the same. Windows that touch or
//! overlap are one stretch. The rules are those of [`PlanEntry::window_at`]; nothing here reads a clock.

use wire::clocks::Clocks;
use wire::plan::PlanEntry;
use wire::{TimeRange, UnixMs};

/// How far a stretch is followed in both directions. One that reaches further has no end that matters.
const LOOK_MS: i64 = 16 * 24 * 60 * 60 * 1000;

/// Windows of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Planned {
    windows: Vec<TimeRange>,
    continuous: bool,
    afterwards: Vec<TimeRange>,
    /// By which `afterwards` repeats.
    clocks: Clocks,
    until: Option<UnixMs>,
    /// What an older plan said of the time before another one came.
    past: Option<(Vec<TimeRange>, UnixMs)>,
}

/// What is recorded at an instant, and next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outlook {
    /// The stretch that is open: its start, and its end if it has one.
    pub current: Option<(UnixMs, Option<UnixMs>)>,
    /// The stretch that opens next, known as far as plans reach.
    pub next: Option<(UnixMs, Option<UnixMs>)>,
}

impl Planned {
    /// The windows of a plan's entry.
    #[must_use]
    pub fn of(entry: &PlanEntry) -> Self {
        Self {
            windows: entry.windows.clone(),
            continuous: entry.continuous,
            afterwards: entry.afterwards.clone(),
            clocks: entry.clocks(),
            until: entry.until,
            past: None,
        }
    }

    /// The windows as they are.
    #[must_use]
    pub fn windows(windows: Vec<TimeRange>) -> Self {
        Self {
            windows,
            ..Self::default()
        }
    }

    /// Around the clock.
    #[must_use]
    pub fn always() -> Self {
        Self {
            continuous: true,
            ..Self::default()
        }
    }

    /// The same, but for the time from `from` to `now`, of which `older` decides.
    #[must_use]
    pub fn after(&self, older: &Self, from: UnixMs, now: UnixMs) -> Self {
        Self {
            past: Some((older.within(from, now), now)),
            ..self.clone()
        }
    }

    /// Planned time within `[from, to)`: in order, none touches another.
    ///
    /// A continuous stream is planned from its first window on: the others only say how far ahead the plan was
    /// computed.
    #[must_use]
    pub fn within(&self, from: UnixMs, to: UnixMs) -> Vec<TimeRange> {
        let Some((past, since)) = &self.past else {
            return merged(self.ruled(from, to));
        };
        let before = TimeRange::new(from, to.min(*since)).ok();
        let past = past
            .iter()
            .filter_map(|range| range.intersection(before.as_ref()?));
        merged(past.chain(self.ruled(from.max(*since), to)).collect())
    }

    fn ruled(&self, from: UnixMs, to: UnixMs) -> Vec<TimeRange> {
        let to = self.until.map_or(to, |until| to.min(until));
        let Ok(all) = TimeRange::new(from, to) else {
            return Vec::new();
        };
        if self.continuous {
            let start = self.windows.first().map_or(from, |first| from.max(first.start()));
            return TimeRange::new(start, to).into_iter().collect();
        }
        let clocks = &self.clocks;
        let repeated = self.afterwards.iter().flat_map(|window| {
            let weeks = Clocks::weeks(*window, all);
            weeks.filter_map(move |weeks| clocks.repeated(*window, weeks))
        });
        let windows = self.windows.iter().copied().chain(repeated);
        windows.filter_map(|window| window.intersection(&all)).collect()
    }

    /// What is recorded at `now`, and next.
    #[must_use]
    pub fn outlook(&self, now: UnixMs) -> Outlook {
        if self.continuous {
            let start = self.windows.first().map_or(now, TimeRange::start);
            let whole = (start, self.until);
            return match self.until {
                Some(until) if until <= start.max(now) => Outlook::default(),
                _ if start <= now => Outlook {
                    current: Some(whole),
                    next: None,
                },
                _ => Outlook {
                    current: None,
                    next: Some(whole),
                },
            };
        }
        let limit = now.plus(LOOK_MS);
        let bounded = |end: UnixMs| Some(end).filter(|end| *end < limit || self.until == Some(*end));
        let mut ahead = self.within(now, limit).into_iter().peekable();
        let current = ahead.next_if(|range| range.start() <= now);
        let current = current.map(|range| {
            let behind = self.within(now.plus(-LOOK_MS), now.plus(1));
            let start = behind.last().map_or(range.start(), TimeRange::start);
            (start, bounded(range.end()))
        });
        Outlook {
            current,
            next: ahead.next().map(|range| (range.start(), bounded(range.end()))),
        }
    }

    /// Whether the two plan `[from, now)` differently.
    #[must_use]
    pub fn differs_before(&self, other: &Self, from: UnixMs, now: UnixMs) -> bool {
        self.within(from, now) != other.within(from, now)
    }
}

fn merged(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_by_key(|range| (range.start(), range.end()));
    let mut out: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start() <= last.end() => {
                if let Ok(joined) = TimeRange::new(last.start(), last.end().max(range.end())) {
                    *last = joined;
                }
            }
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::plan::RetryPolicy;
    use wire::source::{Reader, Source, Transport};
    use wire::{CameraId, StreamKind};

    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;
    const T0: i64 = 1_769_846_400_000;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(UnixMs(T0 + start * HOUR), UnixMs(T0 + end * HOUR)).unwrap()
    }

    fn entry(windows: Vec<TimeRange>, afterwards: Vec<TimeRange>, until: Option<i64>) -> PlanEntry {
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
            afterwards,
            time_zone: None,
            until: until.map(|hours| UnixMs(T0 + hours * HOUR)),
            pre_roll_ms: 0,
            cut: None,
            retry: RetryPolicy::default(),
        }
    }

    /// Windows before the horizon of 48 h, true ends; and those of the week after it.
    fn entries() -> impl Strategy<Value = PlanEntry> {
        let windows = |from: i64, to: i64| {
            proptest::collection::vec((from..to, 1_i64..30), 0..6).prop_map(|pairs| {
                let mut at = i64::MIN;
                let mut pairs = pairs;
                pairs.sort_unstable();
                pairs
                    .into_iter()
                    .filter_map(|(start, length)| {
                        let start = start.max(at);
                        at = start + length;
                        TimeRange::new(UnixMs(T0 + start * HOUR), UnixMs(T0 + at * HOUR)).ok()
                    })
                    .collect::<Vec<_>>()
            })
        };
        (
            windows(-20, 48),
            windows(48, 216),
            proptest::option::of(0_i64..2_000),
            any::<bool>(),
            proptest::option::of(proptest::sample::select(vec![
                "Europe/Berlin",
                "Australia/Lord_Howe",
                "UTC",
            ])),
        )
            .prop_map(|(windows, afterwards, until, continuous, zone)| PlanEntry {
                continuous: continuous && !windows.is_empty(),
                time_zone: zone.map(str::to_owned),
                ..entry(windows, afterwards, until)
            })
    }

    proptest! {
        /// Months after the last plan as well: what is recorded and what the ledger counts are the same.
        #[test]
        fn it_says_what_the_plan_says(entry in entries(), hours in proptest::collection::vec(-30_i64..2_500, 1..40)) {
            let planned = Planned::of(&entry);
            for hour in hours {
                let now = UnixMs(T0 + hour * HOUR + 1_234);
                let outlook = planned.outlook(now);
                prop_assert_eq!(outlook.current.is_some(), entry.is_active(now), "{:?}", now);
                let around = planned.within(now, now.plus(1));
                prop_assert_eq!(!around.is_empty(), entry.is_active(now));
                if let Some((start, end)) = outlook.current {
                    prop_assert!(start <= now && entry.is_active(start) && end.is_none_or(|end| now < end));
                    if let Some(end) = end {
                        prop_assert!(entry.is_active(end.plus(-1)) && !entry.is_active(end));
                    }
                }
                if let Some((next, _)) = outlook.next {
                    prop_assert!(entry.is_active(next) && !entry.is_active(next.plus(-1)) && next > now);
                }
            }
        }
    }

    #[test]
    fn what_is_continuous_never_ends_and_a_weekly_pattern_repeats_for_months() {
        let mut always = entry(vec![range(0, 48)], Vec::new(), None);
        always.continuous = true;
        let year = UnixMs(T0 + 365 * 24 * HOUR);
        assert_eq!(
            Planned::of(&always).outlook(year).current,
            Some((UnixMs(T0), None))
        );
        // An hour each day, the week after the horizon by day.
        let days = |from: i64| (0..7).map(move |day| range(from + day * 24, from + day * 24 + 1));
        let weekly = Planned::of(&entry(days(0).take(2).collect(), days(48).collect(), None));
        let planned = weekly.within(UnixMs(T0), year);
        assert_eq!(planned.len(), 365);
        assert!(planned.iter().all(|window| window.duration_ms() == HOUR));
    }

    #[test]
    fn touching_windows_are_one_and_an_older_plan_decides_of_its_time() {
        let plan = Planned::windows(vec![range(0, 2), range(2, 4), range(5, 6)]);
        let outlook = plan.outlook(UnixMs(T0 + 3 * HOUR));
        assert_eq!(
            outlook.current,
            Some((range(0, 4).start(), Some(range(0, 4).end())))
        );
        assert_eq!(outlook.next, Some((range(5, 6).start(), Some(range(5, 6).end()))));
        let newer = Planned::windows(vec![range(1, 8)]).after(&plan, UnixMs(T0), range(4, 5).end());
        assert_eq!(
            newer.within(UnixMs(T0), range(9, 10).end()),
            vec![range(0, 4), range(5, 8)]
        );
    }
}
