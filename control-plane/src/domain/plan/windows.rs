//! From what is to be recorded to the windows that a node is given.
//!
//! Windows begin before the horizon and end where they truly do, or where the permission does. A window
//! that is open keeps its start for as long as the node has it: time before it is nobody's gap. Those that
//! are over stay until the horizon moves, so that time alone changes a plan once an hour.

use wire::plan::PlanEntry;
use wire::{TimeRange, UnixMs};

use super::wanted::ENDLESS;
use super::{HOUR_MS, WEEK_MS};
use crate::domain::licence::Permit;

/// Windows of a plan's entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Timing {
    pub(super) windows: Vec<TimeRange>,
    pub(super) continuous: bool,
    pub(super) afterwards: Vec<TimeRange>,
}

/// The windows that follow from what is `due`; none when nothing is to be done. `kept` is what the node was
/// last given of the same stream under the same epoch, with the horizon of that plan.
pub(super) fn timing(
    due: &[TimeRange],
    permit: Permit,
    kept: Option<(&PlanEntry, UnixMs)>,
    horizon: UnixMs,
    now: UnixMs,
) -> Option<Timing> {
    let permitted = due.iter().filter_map(|range| permit.cut(*range));
    let ahead: Vec<TimeRange> = permitted.filter(|range| range.end() > now).collect();
    let open = kept.and_then(|(entry, _)| open_start(entry, now));
    let (mut windows, later): (Vec<TimeRange>, Vec<TimeRange>) =
        ahead.into_iter().partition(|range| range.start() < horizon);
    for window in &mut windows {
        if window.start() <= now
            && let Ok(begun) = TimeRange::new(open.unwrap_or(now), window.end())
        {
            *window = begun;
        }
    }
    let mut afterwards: Vec<TimeRange> = later
        .into_iter()
        .filter(|range| range.start() < horizon.plus(WEEK_MS) && permit.at(horizon))
        .filter_map(a_week_at_most)
        .collect();
    let endless = windows.last_mut().filter(|last| last.end() >= ENDLESS);
    let is_endless = if let Some(last) = endless {
        *last = TimeRange::new(last.start(), horizon).unwrap_or(*last);
        true
    } else {
        false
    };
    // Something endless that begins after the horizon.
    for range in &mut afterwards {
        if range.end() >= ENDLESS {
            *range = TimeRange::new(range.start(), horizon.plus(WEEK_MS)).unwrap_or(*range);
        }
    }
    if windows.is_empty() && afterwards.is_empty() {
        return None;
    }
    if let Some((entry, before)) = kept
        && before == horizon
    {
        let past = entry.windows.iter().filter(|window| window.end() <= now).copied();
        windows = past.chain(windows).collect();
    }
    let continuous = is_endless && windows.len() == 1;
    if is_endless && !continuous {
        afterwards = TimeRange::new(horizon, horizon.plus(WEEK_MS))
            .ok()
            .into_iter()
            .collect();
    }
    Some(Timing {
        windows,
        continuous,
        afterwards,
    })
}

/// Since when the node has had a window that is open at `now`.
fn open_start(entry: &PlanEntry, now: UnixMs) -> Option<UnixMs> {
    if entry.until.is_some_and(|until| until <= now) {
        return None;
    }
    if entry.continuous {
        // One that was to begin later may begin now.
        let start = entry.windows.last().map(TimeRange::start);
        return start.filter(|start| *start <= now);
    }
    let mut windows = entry.windows.iter().chain(&entry.afterwards);
    windows.find(|window| window.contains(now)).map(TimeRange::start)
}

/// A window of the week that nodes repeat: as long as the week at most.
fn a_week_at_most(range: TimeRange) -> Option<TimeRange> {
    if range.end() >= ENDLESS {
        return Some(range);
    }
    TimeRange::new(range.start(), range.end().min(range.start().plus(WEEK_MS))).ok()
}

/// About what a plan may take as JSON, in bytes: a message of the bus holds twice as much.
const PLAN_BYTES: usize = 480_000;
/// A window as JSON, and an entry without windows, name and address.
const WINDOW_BYTES: usize = 45;
const ENTRY_BYTES: usize = 570;

/// Keeps a plan small: where schedules make very many windows, the later ones of an entry are joined, so
/// that rather more is recorded than less. A node that is connected gets the exact ones within the hour.
pub(super) fn thin(entries: &mut [PlanEntry]) {
    let fixed: usize = entries
        .iter()
        .map(|entry| ENTRY_BYTES + entry.name.len() + entry.source.url.len())
        .sum();
    let lists = |entry: &PlanEntry| [entry.windows.len(), entry.afterwards.len()];
    let mut counts: Vec<usize> = entries.iter().flat_map(lists).collect();
    let room = PLAN_BYTES.saturating_sub(fixed) / WINDOW_BYTES;
    if counts.iter().sum::<usize>() <= room {
        return;
    }
    counts.sort_unstable();
    let mut room = room;
    let mut most = 1;
    for (done, count) in counts.iter().enumerate() {
        let share = room / (counts.len() - done);
        if *count > share {
            most = share.max(1);
            break;
        }
        room -= count;
    }
    for entry in entries {
        join_tail(&mut entry.windows, most);
        join_neighbours(&mut entry.afterwards, most);
    }
}

/// The first ones as they are, the rest as one.
fn join_tail(windows: &mut Vec<TimeRange>, most: usize) {
    if windows.len() <= most {
        return;
    }
    let tail = windows.split_off(most.saturating_sub(1));
    windows.extend(joined(&tail));
}

/// Runs of neighbours as one each.
fn join_neighbours(windows: &mut Vec<TimeRange>, most: usize) {
    if windows.len() > most {
        let each = windows.len().div_ceil(most);
        *windows = windows.chunks(each).filter_map(joined).collect();
    }
}

fn joined(run: &[TimeRange]) -> Option<TimeRange> {
    TimeRange::new(run.first()?.start(), run.last()?.end()).ok()
}

/// Whole hours, so that time alone changes a plan once an hour.
#[must_use]
pub const fn horizon(now: UnixMs) -> UnixMs {
    UnixMs((now.0.div_euclid(HOUR_MS) + 1) * HOUR_MS).plus(super::HORIZON_MS)
}
