//! From clocks on the wall to instants, where clocks change too.
//!
//! Callers stay inside the years 2000 to 2100; what cannot be represented is left out, never a panic.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, ToSpan};
use wire::{TimeRange, UnixMs};

/// The first instant at which a clock shows `at` or later: in a repeated hour the first of the two, in a
/// skipped one the change.
pub(super) fn first_at(zone: &TimeZone, at: DateTime) -> Option<UnixMs> {
    match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            instant(offset, at)
        }
        AmbiguousOffset::Gap { after, .. } => change(zone, at, after),
    }
}

/// The end of the last stretch in which a clock shows less than `at`: in a repeated hour the second of the
/// two, in a skipped one the change.
pub(super) fn last_before(zone: &TimeZone, at: DateTime) -> Option<UnixMs> {
    let just_before = at.checked_sub(Span::new().milliseconds(1)).ok()?;
    match zone.to_ambiguous_timestamp(just_before).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { after: offset, .. } => {
            Some(instant(offset, just_before)?.plus(1))
        }
        AmbiguousOffset::Gap { after, .. } => change(zone, just_before, after),
    }
}

fn instant(offset: Offset, at: DateTime) -> Option<UnixMs> {
    Some(UnixMs(offset.to_timestamp(at).ok()?.as_millisecond()))
}

/// The change to `after` that skips `at`.
fn change(zone: &TimeZone, at: DateTime, after: Offset) -> Option<UnixMs> {
    // With the offset that comes after, a skipped time names an instant before the change.
    let before = after.to_timestamp(at).ok()?;
    let change = zone.following(before).find(|change| change.offset() == after)?;
    Some(UnixMs(change.timestamp().as_millisecond()))
}

/// What a clock shows at `at`.
pub(super) fn civil(zone: &TimeZone, at: UnixMs) -> Option<DateTime> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?))
}

/// The dates that clocks show in `range`, and `margin` days more on either side.
pub(super) fn dates(zone: &TimeZone, range: TimeRange, margin: i32) -> impl Iterator<Item = Date> {
    let first = civil(zone, range.start()).and_then(|at| at.date().checked_sub(margin.days()).ok());
    let last = civil(zone, range.end()).and_then(|at| at.date().checked_add(margin.days()).ok());
    let last = last.unwrap_or(Date::MIN);
    std::iter::successors(first, |date| date.tomorrow().ok()).take_while(move |date| *date <= last)
}

/// `range` in pieces within which the clock runs evenly, with their offset from UTC in milliseconds.
pub(super) fn even_pieces(zone: &TimeZone, range: TimeRange) -> Vec<(TimeRange, i64)> {
    let Ok(start) = Timestamp::from_millisecond(range.start().0) else {
        return Vec::new();
    };
    let offset_ms = |offset: Offset| i64::from(offset.seconds()) * 1000;
    let mut changes = vec![(range.start(), offset_ms(zone.to_offset(start)))];
    let later = zone.following(start).map(|change| {
        (
            UnixMs(change.timestamp().as_millisecond()),
            offset_ms(change.offset()),
        )
    });
    changes.extend(later.take_while(|(at, _)| *at < range.end()));
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([range.end()]);
    let pieces = changes.iter().zip(ends);
    pieces
        .filter_map(|((start, offset_ms), end)| Some((TimeRange::new(*start, end).ok()?, *offset_ms)))
        .collect()
}
