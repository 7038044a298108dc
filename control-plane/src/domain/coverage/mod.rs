//! The footage ledger of a range: every planned instant is footage or a gap with a cause; and the
//! calendar of days.
//!
//! Pure: the caller says what is planned and what time it is.

mod calendar;
#[cfg(test)]
mod tests;

use wire::coverage::{Gap, GapCause, Stretch};
use wire::{TimeRange, UnixMs};

use super::playlist::TOUCH_MS;

pub use calendar::{QUARTER_MS, calendar};

/// How long footage or its gap may take to arrive before nobody's word is worth one, in milliseconds:
/// nodes report a gap that goes on twice a minute, and a camera may send no keyframe for half of one.
pub const LAG_MS: i64 = 60_000;
/// A gap that a node reports reaches back over planned time before it that nobody explains, if that is no
/// longer than this, in milliseconds: a node speaks for the time since its plan reached it.
pub const REACTION_MS: i64 = 2_000;

/// When a word about missing footage is due: the windows in which it was to be recorded, up to [`LAG_MS`]
/// before `now`. The last whole pictures before a switch-off end up to [`REACTION_MS`] before it.
#[must_use]
pub fn due(windows: &[TimeRange], now: UnixMs) -> Vec<TimeRange> {
    let due = |window: &TimeRange| {
        let end = window.end().plus(-REACTION_MS).min(now.plus(-LAG_MS));
        TimeRange::new(window.start(), end).ok()
    };
    windows.iter().filter_map(due).collect()
}

const NOBODY_SAYS_WHY: &str = "nobody has said yet why there is no footage";

/// The ledger of `range`: in order, no overlap. `footage` and `gaps` may overlap and come in any order;
/// footage wins over gaps, of two gaps the one that began earlier. What is neither is `unknown` inside
/// the windows of `planned`, which are in order and do not overlap, and left out elsewhere. Footage that
/// touches within [`TOUCH_MS`] is one run.
#[must_use]
pub fn coverage(
    range: TimeRange,
    footage: impl IntoIterator<Item = TimeRange>,
    gaps: &[Gap],
    planned: &[TimeRange],
) -> Vec<Stretch> {
    let footage = merged(footage, range);
    let mut gaps: Vec<&Gap> = gaps.iter().collect();
    gaps.sort_by_key(|gap| (gap.range.start(), gap.id));
    let mut out = Ledger::default();
    let mut at = range.start();
    for run in &footage {
        out.fill(at, run.start(), &gaps, planned);
        out.push(Stretch::Footage {
            start: run.start(),
            end: run.end(),
        });
        at = run.end();
    }
    out.fill(at, range.end(), &gaps, planned);
    out.stretches
}

/// `ranges` inside `bounds`, in order, those that touch as one.
fn merged(ranges: impl IntoIterator<Item = TimeRange>, bounds: TimeRange) -> Vec<TimeRange> {
    let mut ranges: Vec<TimeRange> = ranges
        .into_iter()
        .filter_map(|one| one.intersection(&bounds))
        .collect();
    ranges.sort_by_key(|one| (one.start(), one.end()));
    let mut out: Vec<TimeRange> = Vec::new();
    for next in ranges {
        let joined = out.last().and_then(|last| {
            (next.start().since(last.end()) <= TOUCH_MS)
                .then(|| TimeRange::new(last.start(), last.end().max(next.end())).ok())
                .flatten()
        });
        match joined {
            Some(joined) => {
                out.pop();
                out.push(joined);
            }
            None => out.push(next),
        }
    }
    out
}

#[derive(Default)]
struct Ledger {
    stretches: Vec<Stretch>,
}

impl Ledger {
    /// Explains `[at, end)`, which has no footage.
    fn fill(&mut self, mut at: UnixMs, end: UnixMs, gaps: &[&Gap], planned: &[TimeRange]) {
        for gap in gaps {
            let (mut from, to) = (gap.range.start().max(at), gap.range.end().min(end));
            if from < to {
                let window = planned
                    .iter()
                    .find(|window| window.start() < from && from <= window.end());
                let before = window.map_or(from, |window| window.start().max(at));
                if from.since(before) <= REACTION_MS {
                    from = before;
                }
                self.unknown(at, from, planned);
                self.push(Stretch::Gap {
                    start: from,
                    end: to,
                    cause: gap.cause,
                    detail: gap.detail.clone(),
                });
                at = to;
            }
        }
        self.unknown(at, end, planned);
    }

    fn unknown(&mut self, start: UnixMs, end: UnixMs, planned: &[TimeRange]) {
        let Ok(hole) = TimeRange::new(start, end) else {
            return;
        };
        for part in planned.iter().filter_map(|window| window.intersection(&hole)) {
            self.push(Stretch::Gap {
                start: part.start(),
                end: part.end(),
                cause: GapCause::Unknown,
                detail: NOBODY_SAYS_WHY.to_owned(),
            });
        }
    }

    /// Adds a stretch, to the one before when both say the same.
    fn push(&mut self, next: Stretch) {
        if let (
            Some(Stretch::Gap {
                end, cause, detail, ..
            }),
            Stretch::Gap {
                start,
                end: next_end,
                cause: next_cause,
                detail: next_detail,
            },
        ) = (self.stretches.last_mut(), &next)
            && end == start
            && cause == next_cause
            && detail == next_detail
        {
            *end = *next_end;
        } else {
            self.stretches.push(next);
        }
    }
}
