//! Erasing footage by range: what may be asked for, and what the ledger says of the time that is gone.
//!
//! Whatever touches the range goes as a whole, because an object cannot be cut. What goes with it on one
//! stream does not widen the range for the other: unbroken recordings would be gone from end to end.

use wire::{TimeRange, UnixMs};

/// Longest range of one erasure, in milliseconds; it is one transaction.
pub const MAX_RANGE_MS: i64 = 31 * 24 * 60 * 60 * 1000;
const REASON: std::ops::RangeInclusive<usize> = 3..=500;

/// A reason without the blanks around it; none when it does not do.
#[must_use]
pub fn reason(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = REASON.contains(&text.chars().count());
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// What the ledger says of erased time.
#[must_use]
pub fn detail(reason: &str) -> String {
    format!("erased: {reason}")
}

/// What is gone when `objects` go with `asked`.
#[must_use]
pub fn widened(asked: TimeRange, objects: impl IntoIterator<Item = TimeRange>) -> TimeRange {
    objects.into_iter().fold(asked, |all, one| {
        TimeRange::new(all.start().min(one.start()), all.end().max(one.end())).unwrap_or(all)
    })
}

/// The time that needs an explanation: `gone`, in any order, without what is `explained` already; in
/// order, what touches as one.
#[must_use]
pub fn unexplained(gone: &[TimeRange], explained: &[TimeRange]) -> Vec<TimeRange> {
    let (gone, explained) = (merged(gone), merged(explained));
    let mut left = Vec::new();
    for range in gone {
        let mut at = range.start();
        for known in explained.iter().filter_map(|known| known.intersection(&range)) {
            left.extend(TimeRange::new(at, known.start()));
            at = known.end();
        }
        left.extend(TimeRange::new(at, range.end()));
    }
    left
}

fn merged(ranges: &[TimeRange]) -> Vec<TimeRange> {
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| (range.start(), range.end()));
    let mut out: Vec<TimeRange> = Vec::new();
    for next in ranges {
        match out.last_mut() {
            Some(last) if next.start() <= last.end() => *last = widened(*last, [next]),
            _ => out.push(next),
        }
    }
    out
}

/// The UTC days that `range` touches, as days since 1970-01-01.
pub fn days(range: TimeRange, day_ms: i64) -> impl Iterator<Item = i64> {
    let last = range.end().plus(-1);
    let day = move |at: UnixMs| at.0.div_euclid(day_ms);
    day(range.start())..=day(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(UnixMs(start), UnixMs(end)).unwrap()
    }

    #[test]
    fn reasons() {
        assert_eq!(reason("  request 17 ").unwrap(), "request 17");
        for bad in ["", "  ab ", "a\nb c", "a\0bc", &"x".repeat(501)] {
            assert_eq!(reason(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn objects_widen_and_gaps_explain() {
        assert_eq!(
            widened(range(10, 20), [range(5, 12), range(18, 25)]),
            range(5, 25)
        );
        assert_eq!(widened(range(10, 20), []), range(10, 20));
        let gone = [range(10, 20), range(20, 30), range(40, 50)];
        assert_eq!(unexplained(&gone, &[]), [range(10, 30), range(40, 50)]);
        assert_eq!(
            unexplained(&gone, &[range(0, 12), range(15, 18), range(45, 60)]),
            [range(12, 15), range(18, 30), range(40, 45)]
        );
        assert_eq!(unexplained(&gone, &[range(0, 100)]), []);
    }

    #[test]
    fn a_day_that_is_only_its_end_is_not_touched() {
        assert_eq!(days(range(5, 10), 10).collect::<Vec<_>>(), [0]);
        assert_eq!(days(range(-1, 11), 10).collect::<Vec<_>>(), [-1, 0, 1]);
    }

    proptest! {
        #[test]
        fn every_instant_is_explained_once(
            gone in proptest::collection::vec((0..60_i64, 1..20_i64), 0..6),
            known in proptest::collection::vec((0..60_i64, 1..20_i64), 0..6),
        ) {
            let ranges = |raw: &[(i64, i64)]| raw.iter().map(|(s, l)| range(*s, s + l)).collect::<Vec<_>>();
            let (gone, known) = (ranges(&gone), ranges(&known));
            let left = unexplained(&gone, &known);
            for at in (0..80).map(UnixMs) {
                let of = |ranges: &[TimeRange]| ranges.iter().filter(|one| one.contains(at)).count();
                prop_assert_eq!(of(&left), usize::from(of(&gone) > 0 && of(&known) == 0));
            }
        }
    }
}
