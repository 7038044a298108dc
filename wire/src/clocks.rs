//! What clocks on the wall show in a time zone: so that a window of each week stays at its time of day when
//! clocks change.

use crate::time::{TimeRange, UnixMs};

/// Milliseconds of a week.
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// How far ahead changes of the clocks are known. Later ones are left out: no plan is followed for so long.
const AHEAD_MS: i64 = 20 * 366 * 24 * 60 * 60 * 1000;

/// Offsets from UTC of one time zone, from some instant on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clocks {
    /// `(from, offset)` in milliseconds, in order; before the first one the offset is 0. None is UTC.
    offsets: Vec<(i64, i64)>,
}

impl Clocks {
    /// Those of the time zone with this IANA name from `from` on; UTC when there is none, or none of this name
    /// is known here.
    #[must_use]
    pub fn new(zone: Option<&str>, from: UnixMs) -> Self {
        let known = zone.and_then(|name| jiff::tz::TimeZone::get(name).ok());
        let (Some(zone), Ok(start)) = (known, jiff::Timestamp::from_millisecond(from.0)) else {
            return Self::default();
        };
        let ms = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1000;
        let mut offsets = vec![(i64::MIN / 4, ms(zone.to_offset(start)))];
        let changes = zone.following(start).map(|change| {
            let at = change.timestamp().as_millisecond();
            (at, ms(change.offset()))
        });
        offsets.extend(changes.take_while(|(at, _)| *at < from.0.saturating_add(AHEAD_MS)));
        Self { offsets }
    }

    /// The window `weeks` weeks later by the clocks. A start or end that a change skips is the instant of the
    /// change, what is repeated belongs to the window; none when all of it is skipped.
    #[must_use]
    pub fn repeated(&self, window: TimeRange, weeks: i64) -> Option<TimeRange> {
        let later = weeks.saturating_mul(WEEK_MS);
        if weeks == 0 || self.offsets.is_empty() {
            return TimeRange::new(window.start().plus(later), window.end().plus(later)).ok();
        }
        let start = self.first_at(self.shown(window.start()).saturating_add(later));
        let end = self.last_before(self.shown(window.end()).saturating_add(later));
        TimeRange::new(UnixMs(start), UnixMs(end)).ok()
    }

    /// The weeks by which a window may be repeated so that it touches `bounds`: one more at each side than do.
    #[must_use]
    pub fn weeks(window: TimeRange, bounds: TimeRange) -> std::ops::RangeInclusive<i64> {
        let first = bounds.start().since(window.end()).div_euclid(WEEK_MS) - 1;
        let last = bounds.end().since(window.start()).div_euclid(WEEK_MS) + 1;
        first.max(0)..=last
    }

    /// What a clock shows, in milliseconds.
    fn shown(&self, at: UnixMs) -> i64 {
        let after = self.offsets.partition_point(|(from, _)| *from <= at.0);
        let offset = after.checked_sub(1).and_then(|index| self.offsets.get(index));
        at.0.saturating_add(offset.map_or(0, |(_, offset)| *offset))
    }

    /// The first instant at which a clock shows `shown` or later.
    fn first_at(&self, shown: i64) -> i64 {
        let ends = |index: usize| self.offsets.get(index + 1).map_or(i64::MAX, |(from, _)| *from);
        let mut stretches = self.offsets.iter().enumerate();
        let found = stretches.find(|(index, (_, offset))| ends(*index).saturating_add(*offset) > shown);
        found.map_or(shown, |(_, (from, offset))| (*from).max(shown - offset))
    }

    /// The end of the last stretch in which a clock shows less than `shown`.
    fn last_before(&self, shown: i64) -> i64 {
        let mut stretches = self.offsets.iter().enumerate().rev();
        let found = stretches.find(|(_, (from, offset))| from.saturating_add(*offset) < shown);
        found.map_or(shown, |(index, (_, offset))| {
            let end = self.offsets.get(index + 1).map_or(i64::MAX, |(from, _)| *from);
            end.min(shown - offset)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMs {
        text.parse().unwrap()
    }

    fn window(start: &str, end: &str) -> TimeRange {
        TimeRange::new(at(start), at(end)).unwrap()
    }

    fn berlin() -> Clocks {
        Clocks::new(Some("Europe/Berlin"), at("2026-03-01T00:00:00Z"))
    }

    #[test]
    fn a_window_keeps_its_time_of_day_when_clocks_change() {
        // 08:00 to 18:00 on a Monday in winter.
        let winter = window("2026-03-23T07:00:00Z", "2026-03-23T17:00:00Z");
        let clocks = berlin();
        for (weeks, start, end) in [
            (0, "2026-03-23T07:00:00Z", "2026-03-23T17:00:00Z"),
            (1, "2026-03-30T06:00:00Z", "2026-03-30T16:00:00Z"),
            (30, "2026-10-19T06:00:00Z", "2026-10-19T16:00:00Z"),
            (31, "2026-10-26T07:00:00Z", "2026-10-26T17:00:00Z"),
            (53, "2027-03-29T06:00:00Z", "2027-03-29T16:00:00Z"),
        ] {
            assert_eq!(
                clocks.repeated(winter, weeks),
                Some(window(start, end)),
                "{weeks}"
            );
        }
    }

    #[test]
    fn what_spring_skips_is_left_out() {
        let clocks = berlin();
        // Clocks go from 02:00 to 03:00 on 29 March 2026, at 01:00 UTC.
        let night = window("2026-03-21T22:00:00Z", "2026-03-22T05:00:00Z");
        let short = window("2026-03-28T22:00:00Z", "2026-03-29T04:00:00Z");
        assert_eq!(clocks.repeated(night, 1), Some(short));
        let inside = window("2026-03-22T01:15:00Z", "2026-03-22T01:45:00Z");
        assert_eq!(clocks.repeated(inside, 1), None, "02:15 to 02:45 is not there");
        let until = window("2026-03-22T00:00:00Z", "2026-03-22T01:30:00Z");
        let cut = window("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
        assert_eq!(clocks.repeated(until, 1), Some(cut), "01:00 to 02:30");
        let from = window("2026-03-22T01:30:00Z", "2026-03-22T03:00:00Z");
        let cut = window("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z");
        assert_eq!(clocks.repeated(from, 1), Some(cut), "02:30 to 04:00");
    }

    #[test]
    fn what_autumn_repeats_belongs_to_the_window_once() {
        // Clocks go from 03:00 to 02:00 on 25 October 2026, at 01:00 UTC.
        let clocks = Clocks::new(Some("Europe/Berlin"), at("2026-10-01T00:00:00Z"));
        let inside = window("2026-10-18T00:15:00Z", "2026-10-18T00:45:00Z");
        let both = window("2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z");
        assert_eq!(
            clocks.repeated(inside, 1),
            Some(both),
            "02:15 to 02:45 twice, as one"
        );
        let night = window("2026-10-17T20:00:00Z", "2026-10-18T04:00:00Z");
        let long = window("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z");
        assert_eq!(clocks.repeated(night, 1), Some(long));
        let after = window("2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z");
        assert_eq!(
            clocks.repeated(window("2026-10-18T06:00:00Z", "2026-10-18T07:00:00Z"), 2),
            Some(after)
        );
    }

    #[test]
    fn without_a_zone_that_is_known_weeks_are_those_of_utc() {
        let one = window("2026-03-23T07:00:00Z", "2026-03-23T17:00:00Z");
        let next = window("2026-03-30T07:00:00Z", "2026-03-30T17:00:00Z");
        for zone in [None, Some("UTC"), Some("Nowhere/Land")] {
            let clocks = Clocks::new(zone, at("2026-03-01T00:00:00Z"));
            assert_eq!(clocks.repeated(one, 1), Some(next), "{zone:?}");
        }
    }
}
