//! What should exist of each stream, kept for the ledger: the past stays as it was, the rest follows.

use wire::{JobId, TimeRange, UnixMs};

use super::wanted::{ENDLESS, Wanted};
use super::windows::horizon;

/// A kept window that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Its first instant.
    pub start: UnixMs,
    /// First instant after; none while it goes on until somebody ends it.
    pub end: Option<UnixMs>,
    /// The job that it began with.
    pub job: Option<JobId>,
}

/// What is to be done with kept windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Keep this one, in the place of one with the same start.
    Put(Expected),
    /// The one that began then is no longer to be: it had not begun.
    Remove(UnixMs),
}

/// Brings the kept windows that are not over (`kept`, in any order) in line with what is `wanted`, in order.
#[must_use]
pub fn reconcile(kept: &[Expected], wanted: &[Wanted], now: UnixMs) -> Vec<Change> {
    let ahead = wanted
        .iter()
        .filter(|one| one.range.end() > now && one.range.start() < horizon(now));
    let open = kept.iter().find(|one| one.start <= now);
    let mut next: Vec<Expected> = Vec::new();
    for one in ahead {
        let end = Some(one.range.end()).filter(|end| *end < ENDLESS);
        next.push(if one.range.start() > now {
            let (start, job) = (one.range.start(), one.job);
            Expected { start, end, job }
        } else {
            let (start, job) = open.map_or((now, one.job), |open| (open.start, open.job.or(one.job)));
            Expected { start, end, job }
        });
    }
    let mut changes = Vec::new();
    for one in kept {
        if next.iter().any(|next| next.start == one.start) {
            continue;
        }
        changes.push(if one.start < now {
            Change::Put(Expected {
                end: Some(now),
                ..*one
            })
        } else {
            Change::Remove(one.start)
        });
    }
    changes.extend(
        next.into_iter()
            .filter(|next| !kept.contains(next))
            .map(Change::Put),
    );
    changes
}

/// The range of a window, up to `now` while it goes on.
#[must_use]
pub fn range(window: &Expected, now: UnixMs) -> Option<TimeRange> {
    TimeRange::new(window.start, window.end.unwrap_or(now)).ok()
}
