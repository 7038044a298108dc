//! Which windows follow from a schedule in a time zone.
//!
//! Pure: the caller says from when. [`Rule`] is a schedule that was found valid; its windows are half-open,
//! in order, and merged where they touch or overlap, those of one weekly schedule too.
//!
//! **When clocks change.** A weekly window reaches from the first instant at or after its start to the last
//! one before its end, as clocks on the wall show them: a start or end that a spring change skips is the
//! instant of the change, and a window inside the skipped hour is left out on that day; what autumn repeats
//! belongs to the window once, as one longer stretch. A cron expression that names one time of day (`30 2`)
//! starts once a day, after a change that skips this time, and in a repeated hour at the first of the two;
//! any other (`*/15 *`, `0 1,2`) starts whenever a clock on the wall shows a time that it names, so not in a
//! skipped hour and twice in a repeated one. Durations are elapsed time.

mod civil;
mod cron;
#[cfg(test)]
mod tests;
mod weekly;

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use wire::schedule::Schedule;
use wire::{TimeRange, UnixMs};

use cron::Cron;
use weekly::Weekly;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Longest stretch of a job that records once.
const ONCE_MAX_MS: i64 = 366 * DAY_MS;
/// How far [`Rule::next`] looks: past the next 29 February, wherever it begins.
const SEARCH_MS: i64 = 3_653 * DAY_MS;
/// Most windows that [`Rule::next`] names.
const NEXT_MAX: usize = 1_000;

/// A field of a schedule that does not do, and a sentence that says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct InvalidSchedule {
    /// Which field, such as `schedule.windows.from`.
    pub field: &'static str,
    /// A sentence for its author.
    pub title: String,
}

fn invalid(field: &'static str, title: impl Into<String>) -> InvalidSchedule {
    InvalidSchedule {
        field,
        title: title.into(),
    }
}

/// The time zone of an IANA name, such as `Europe/Berlin`; its `iana_name` is the usual spelling.
///
/// The zones are those that were built in, so that every machine computes the same windows.
///
/// # Errors
/// A sentence for field `time_zone`.
pub fn zone(name: &str) -> Result<TimeZone, InvalidSchedule> {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    let unknown = || {
        let title = "not an IANA time zone: expected a name such as Europe/Berlin or UTC";
        invalid("time_zone", title)
    };
    if name.len() > 64 || name.eq_ignore_ascii_case("Factory") {
        return Err(unknown());
    }
    let zone = ZONES.get(name).ok().filter(|zone| !zone.is_unknown());
    zone.ok_or_else(unknown)
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// The windows, fewer than asked for when no more start before `horizon`. One that ends at `horizon`
    /// goes on after it.
    pub windows: Vec<TimeRange>,
    /// How far was looked.
    pub horizon: UnixMs,
}

/// A valid schedule.
#[derive(Debug, Clone)]
pub struct Rule(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Continuous,
    Weekly(Weekly),
    Cron(Box<Cron>),
    Once(TimeRange),
}

impl TryFrom<&Schedule> for Rule {
    type Error = InvalidSchedule;

    fn try_from(schedule: &Schedule) -> Result<Self, InvalidSchedule> {
        let kind = match schedule {
            Schedule::Continuous {} => Kind::Continuous,
            Schedule::Weekly { windows } => Kind::Weekly(Weekly::new(windows)?),
            Schedule::Cron {
                expression,
                duration_s,
            } => Kind::Cron(Box::new(Cron::new(expression, *duration_s)?)),
            Schedule::Once { from, to } => Kind::Once(once(*from, *to)?),
        };
        Ok(Self(kind))
    }
}

fn once(from: UnixMs, to: UnixMs) -> Result<TimeRange, InvalidSchedule> {
    let checked = |field, time: UnixMs| {
        let title = "expected milliseconds since 1970 in the years 2000 to 2100";
        time.checked().map_err(|_| invalid(field, title))
    };
    let (from, to) = (checked("schedule.from", from)?, checked("schedule.to", to)?);
    let range =
        TimeRange::new(from, to).map_err(|_| invalid("schedule.to", "it ends at or before its start"))?;
    if range.duration_ms() > ONCE_MAX_MS {
        return Err(invalid(
            "schedule.to",
            "it ends more than 366 days after its start",
        ));
    }
    Ok(range)
}

impl Rule {
    /// Whether it records around the clock.
    #[must_use]
    pub const fn is_continuous(&self) -> bool {
        matches!(self.0, Kind::Continuous)
    }

    /// The only window of one that records once.
    #[must_use]
    pub const fn once(&self) -> Option<TimeRange> {
        match self.0 {
            Kind::Once(window) => Some(window),
            _ => None,
        }
    }

    /// Its windows inside `range`: those that reach over its borders are cut there. Nothing lies outside the
    /// years 2000 to 2100. Time and memory grow with `range`: at most 1,440 windows a day.
    #[must_use]
    pub fn windows(&self, zone: &TimeZone, range: TimeRange) -> Vec<TimeRange> {
        let Some(range) = within_years(range) else {
            return Vec::new();
        };
        let raw = match &self.0 {
            Kind::Continuous => vec![range],
            Kind::Weekly(weekly) => weekly.touching(zone, range),
            Kind::Cron(cron) => cron.touching(zone, range),
            Kind::Once(window) => vec![*window],
        };
        merged(
            raw.into_iter()
                .filter_map(|one| one.intersection(&range))
                .collect(),
        )
    }

    /// The next `count` windows (at most 1,000), from `after` on; one that is open at `after` is first and
    /// begins there. Looks ten years ahead, for a single stretch to the year 2100.
    #[must_use]
    pub fn next(&self, zone: &TimeZone, after: UnixMs, count: usize) -> Upcoming {
        let count = count.min(NEXT_MAX);
        let after = after.max(UnixMs::MIN);
        let horizon = match self.0 {
            Kind::Once(_) => UnixMs::MAX,
            _ => after.plus(SEARCH_MS).min(UnixMs::MAX),
        };
        let mut span_ms = 2 * DAY_MS;
        loop {
            let end = after.plus(span_ms).min(horizon);
            let mut windows =
                TimeRange::new(after, end).map_or_else(|_| Vec::new(), |range| self.windows(zone, range));
            // The last one may go on.
            let whole = windows.iter().filter(|window| window.end() < end).count();
            if whole >= count || end >= horizon {
                windows.truncate(count);
                return Upcoming { windows, horizon };
            }
            span_ms = span_ms.saturating_mul(4);
        }
    }
}

fn within_years(range: TimeRange) -> Option<TimeRange> {
    let years = TimeRange::new(UnixMs::MIN, UnixMs::MAX).ok()?;
    range.intersection(&years)
}

/// The ranges in order, those that touch or overlap as one.
#[must_use]
pub fn merged(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_unstable_by_key(|range| (range.start(), range.end()));
    let mut out: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for next in ranges {
        if let Some(last) = out.last_mut()
            && next.start() <= last.end()
            && let Ok(joined) = TimeRange::new(last.start(), last.end().max(next.end()))
        {
            *last = joined;
        } else {
            out.push(next);
        }
    }
    out
}
