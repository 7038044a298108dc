//! How complete a day of a stream is: its planned time, by what became of it.

use std::collections::BTreeMap;

use wire::coverage::{Gap, GapCause, Stretch};
use wire::{TimeRange, UnixMs};

use super::coverage::{LAG_MS, coverage, due};

/// How long footage may take to be indexed before its absence is worth telling people, in milliseconds:
/// the longest object, and a minute.
pub const SETTLE_MS: i64 = super::event::MAX_OBJECT_MS + 60_000;

/// What became of the planned time of a day; the parts add up to `planned_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Time in which the stream was to be recorded.
    pub planned_ms: u64,
    /// Of it, with footage.
    pub footage_ms: u64,
    /// Of it, without footage, by the cause that somebody told.
    pub causes: BTreeMap<GapCause, u64>,
    /// Of it, without footage and explanation.
    pub unknown_ms: u64,
}

impl Figures {
    /// Adds those of another stream or day.
    pub fn add(&mut self, other: &Self) {
        self.planned_ms = self.planned_ms.saturating_add(other.planned_ms);
        self.footage_ms = self.footage_ms.saturating_add(other.footage_ms);
        self.unknown_ms = self.unknown_ms.saturating_add(other.unknown_ms);
        for (cause, ms) in &other.causes {
            let sum = self.causes.entry(*cause).or_default();
            *sum = sum.saturating_add(*ms);
        }
    }
}

/// The figures of `day` up to `until`, and the unknown stretches. `windows` are when the stream was to be
/// recorded, `gaps` whatever explains missing footage; all may overlap and come in any order.
#[must_use]
pub fn figures(
    day: TimeRange,
    windows: &[TimeRange],
    footage: impl IntoIterator<Item = TimeRange>,
    gaps: &[Gap],
    until: UnixMs,
) -> (Figures, Vec<TimeRange>) {
    let planned = disjoint(due(windows, until.plus(LAG_MS)));
    let parts: Vec<TimeRange> = planned
        .iter()
        .filter_map(|part| part.intersection(&day))
        .collect();
    let mut figures = Figures {
        planned_ms: parts.iter().map(length).sum(),
        ..Figures::default()
    };
    let mut unknown = Vec::new();
    for stretch in coverage(day, footage, gaps, &planned) {
        let (start, end, cause) = match stretch {
            Stretch::Footage { start, end } => (start, end, None),
            Stretch::Gap {
                start, end, cause, ..
            } => (start, end, Some(cause)),
        };
        let Ok(whole) = TimeRange::new(start, end) else {
            continue;
        };
        for part in parts.iter().filter_map(|part| part.intersection(&whole)) {
            match cause {
                None => figures.footage_ms += length(&part),
                Some(GapCause::Unknown) => {
                    figures.unknown_ms += length(&part);
                    unknown.push(part);
                }
                Some(cause) => *figures.causes.entry(cause).or_default() += length(&part),
            }
        }
    }
    (figures, unknown)
}

fn length(range: &TimeRange) -> u64 {
    range.duration_ms().unsigned_abs()
}

/// The union of ranges, in order.
fn disjoint(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_by_key(|range| (range.start(), range.end()));
    let mut union: Vec<TimeRange> = Vec::with_capacity(ranges.len());
    for next in ranges {
        match union.pop() {
            Some(last) if next.start() <= last.end() => {
                union.push(TimeRange::new(last.start(), last.end().max(next.end())).unwrap_or(last));
            }
            last => union.extend(last.into_iter().chain([next])),
        }
    }
    union
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::{CameraId, NodeId, ObjectId, StreamKind};

    use super::*;

    /// Everything in the test begins and ends at a multiple of this: no rule about small holes applies.
    const UNIT: i64 = 10_000;
    const DAY: i64 = 60;

    fn range((start, length): (i64, i64)) -> TimeRange {
        TimeRange::new(UnixMs(start * UNIT), UnixMs((start + length) * UNIT)).unwrap()
    }

    fn gap((at, cause): ((i64, i64), GapCause)) -> Gap {
        Gap {
            id: ObjectId::from_bytes([0; 16]),
            camera: CameraId::from_bytes([0; 16]),
            stream: StreamKind::Main,
            node: NodeId::from_bytes([0; 16]),
            range: range(at),
            cause,
            detail: String::new(),
        }
    }

    fn span() -> impl Strategy<Value = (i64, i64)> {
        (-5_i64..DAY + 5, 1_i64..20)
    }

    fn cause() -> impl Strategy<Value = GapCause> {
        prop::sample::select(vec![GapCause::Camera, GapCause::Node, GapCause::Operator])
    }

    proptest! {
        /// Second by second, by the words of the definition.
        #[test]
        fn every_second_is_counted_once(
            windows in prop::collection::vec(span(), 0..5),
            footage in prop::collection::vec(span(), 0..6),
            gaps in prop::collection::vec((span(), cause()), 0..5),
            until in 0_i64..DAY + 10,
        ) {
            let day = range((0, DAY));
            let windows: Vec<TimeRange> = windows.into_iter().map(range).collect();
            let footage: Vec<TimeRange> = footage.into_iter().map(range).collect();
            let gaps: Vec<Gap> = gaps.into_iter().map(gap).collect();
            let until = UnixMs(until * UNIT);
            let (got, unknown) = figures(day, &windows, footage.clone(), &gaps, until);
            let mut wanted = Figures::default();
            let has = |range: &TimeRange, at: UnixMs| range.start() <= at && at < range.end();
            for second in 0..DAY * UNIT / 1000 {
                let at = UnixMs(second * 1000);
                // The last pictures of a window end up to two seconds before it.
                let is_due = windows.iter().any(|window| {
                    window.start() <= at && at < window.end().plus(-2_000).min(until)
                });
                if !is_due {
                    continue;
                }
                wanted.planned_ms += 1000;
                if footage.iter().any(|one| has(one, at)) {
                    wanted.footage_ms += 1000;
                } else if gaps.iter().any(|gap| has(&gap.range, at)) {
                    // Of several gaps the one that began earlier has the say; here only the sum counts.
                    *wanted.causes.entry(GapCause::Camera).or_default() += 1000;
                } else {
                    wanted.unknown_ms += 1000;
                }
            }
            prop_assert_eq!(got.planned_ms, wanted.planned_ms);
            prop_assert_eq!(got.footage_ms, wanted.footage_ms);
            prop_assert_eq!(got.causes.values().sum::<u64>(), wanted.causes.values().sum::<u64>());
            prop_assert_eq!(got.unknown_ms, wanted.unknown_ms);
            prop_assert_eq!(unknown.iter().map(length).sum::<u64>(), wanted.unknown_ms);
            let parts = got.footage_ms + got.causes.values().sum::<u64>() + got.unknown_ms;
            prop_assert_eq!(parts, got.planned_ms);
        }
    }
}
