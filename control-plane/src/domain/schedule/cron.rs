//! Windows of a cron expression.
//!
//! `croner` parses and says which dates an expression names. The search is our own, date by date: croner's
//! goes on to the year 5000 for a date that never comes, and second by second through other parts.

use croner::parser::{CronParser, Seconds, Year};
use croner::{JobType, Weekday};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use wire::{TimeRange, UnixMs};

use super::civil::{civil, dates, even_pieces, first_at};
use super::{DAY_MS, InvalidSchedule, invalid};

const EXPRESSION_MAX: usize = 200;
const DURATION_MAX_S: u32 = 7 * 24 * 60 * 60;
const MINUTE_MS: i64 = 60_000;
const DAY_MIN: i64 = 24 * 60;

/// A valid expression with the length of its windows.
#[derive(Debug, Clone)]
pub(super) struct Cron {
    expression: croner::Cron,
    duration_ms: i64,
    /// The minutes of a day at which it starts, in order, never empty.
    minutes: Vec<i64>,
    /// The same, those that the duration joins as one: first and last start.
    runs: Vec<(i64, i64)>,
    /// Names a single time of day.
    is_fixed: bool,
}

impl Cron {
    /// # Errors
    /// The first field that does not do.
    pub(super) fn new(text: &str, duration_s: u32) -> Result<Self, InvalidSchedule> {
        let expression = parsed(text).map_err(|title| invalid("schedule.expression", title))?;
        if !(1..=DURATION_MAX_S).contains(&duration_s) {
            let title = "a recording lasts 1 to 604800 seconds (7 days)";
            return Err(invalid("schedule.duration_s", title));
        }
        let duration_ms = i64::from(duration_s) * 1000;
        let pattern = &expression.pattern;
        let minutes: Vec<i64> = pattern
            .hours
            .values()
            .into_iter()
            .flat_map(|hour| {
                let minutes = pattern.minutes.values().into_iter();
                minutes.map(move |minute| i64::from(hour) * 60 + i64::from(minute))
            })
            .collect();
        Ok(Self {
            runs: runs(&minutes, duration_ms),
            minutes,
            is_fixed: expression.determine_job_type() == JobType::FixedTime,
            duration_ms,
            expression,
        })
    }

    /// At least its windows that touch `range`, in any order.
    pub(super) fn touching(&self, zone: &TimeZone, range: TimeRange) -> Vec<TimeRange> {
        let from = range
            .start()
            .plus(-self.duration_ms)
            .max(UnixMs(UnixMs::MIN.0 - 8 * DAY_MS));
        let Ok(starts) = TimeRange::new(from, range.end()) else {
            return Vec::new();
        };
        if self.is_fixed {
            dates(zone, starts, 1)
                .filter_map(|date| self.fixed(zone, date))
                .collect()
        } else {
            even_pieces(zone, starts)
                .into_iter()
                .flat_map(|(piece, offset_ms)| self.in_piece(piece, offset_ms))
                .collect()
        }
    }

    /// The window that starts on `date`, if one does.
    fn fixed(&self, zone: &TimeZone, date: Date) -> Option<TimeRange> {
        if !self.names(date) {
            return None;
        }
        let minute = Span::new().minutes(*self.minutes.first()?);
        let start = first_at(zone, date.at(0, 0, 0, 0).checked_add(minute).ok()?)?;
        // A date may be skipped as a whole, as Samoa's 30 December 2011.
        (civil(zone, start)?.date() == date)
            .then(|| TimeRange::new(start, start.plus(self.duration_ms)).ok())?
    }

    /// The windows that start in a piece of time in which the clock runs evenly.
    fn in_piece(&self, piece: TimeRange, offset_ms: i64) -> Vec<TimeRange> {
        // Minutes that a clock on the wall shows, counted since 1970.
        let minute = |at: UnixMs| (at.0 + offset_ms + MINUTE_MS - 1).div_euclid(MINUTE_MS);
        let (first, end) = (minute(piece.start()), minute(piece.end()));
        let mut windows = Vec::new();
        for day in first.div_euclid(DAY_MIN)..=end.div_euclid(DAY_MIN) {
            let midnight = day * DAY_MIN;
            let shown = (first - midnight).max(0)..(end - midnight).min(DAY_MIN);
            if shown.is_empty() || !date(day).is_some_and(|date| self.names(date)) {
                continue;
            }
            let mut push = |runs: &[(i64, i64)]| {
                windows.extend(runs.iter().filter_map(|(first, last)| {
                    let start = UnixMs((midnight + first) * MINUTE_MS - offset_ms);
                    let end = start.plus((last - first) * MINUTE_MS + self.duration_ms);
                    TimeRange::new(start, end).ok()
                }));
            };
            if shown == (0..DAY_MIN) {
                push(&self.runs);
            } else {
                let inside = self
                    .minutes
                    .iter()
                    .copied()
                    .filter(|minute| shown.contains(minute));
                push(&runs(&inside.collect::<Vec<_>>(), self.duration_ms));
            }
        }
        windows
    }

    fn names(&self, date: Date) -> bool {
        let pattern = &self.expression.pattern;
        let [month, day] = [date.month(), date.day()].map(|number| u32::from(number.unsigned_abs()));
        let weekday = u32::from(date.weekday().to_sunday_zero_offset().unsigned_abs());
        let weekday = Weekday::from_days_from_sunday(weekday);
        pattern.month_match(month).unwrap_or(false)
            && pattern
                .day_match(i32::from(date.year()), month, day, weekday)
                .unwrap_or(false)
    }
}

fn parsed(text: &str) -> Result<croner::Cron, String> {
    if text.len() > EXPRESSION_MAX || !text.is_ascii() {
        return Err("a cron expression has at most 200 characters, all of them ASCII".to_owned());
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let is_alias = text.trim().starts_with('@');
    if !is_alias && text.split_whitespace().count() != 5 {
        return Err(
            "a cron expression has five fields: minute, hour, day of month, month, day of week".to_owned(),
        );
    }
    parser
        .parse(text)
        .map_err(|error| format!("not a cron expression: {error}"))
}

/// The starts in runs whose windows touch: first and last start of each.
fn runs(minutes: &[i64], duration_ms: i64) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for &minute in minutes {
        match runs.last_mut() {
            Some((_, last)) if (minute - *last) * MINUTE_MS <= duration_ms => *last = minute,
            _ => runs.push((minute, minute)),
        }
    }
    runs
}

/// The date so many days after 1970-01-01.
fn date(day: i64) -> Option<Date> {
    Date::constant(1970, 1, 1)
        .checked_add(i32::try_from(day).ok()?.days())
        .ok()
}
