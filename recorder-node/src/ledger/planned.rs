//! When a stream is to be recorded.

use wire::plan::PlanEntry;
use wire::{TimeRange, UnixMs};

/// Windows of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Planned {
    windows: Vec<TimeRange>,
    continuous: bool,
}

impl Planned {
    /// The windows of a plan's entry.
    #[must_use]
    pub fn of(entry: &PlanEntry) -> Self {
        Self {
            windows: entry.windows.clone(),
            continuous: entry.continuous,
        }
    }

    /// The windows as they are.
    #[must_use]
    pub fn windows(windows: Vec<TimeRange>) -> Self {
        Self {
            windows,
            continuous: false,
        }
    }

    /// Around the clock.
    #[must_use]
    pub fn always() -> Self {
        Self {
            windows: Vec::new(),
            continuous: true,
        }
    }

    /// Planned time within `[from, to)`, in order.
    ///
    /// A continuous stream is planned throughout: its windows only say how far ahead the plan was computed,
    /// and a new plan does not repeat those that have passed.
    #[must_use]
    pub fn within(&self, from: UnixMs, to: UnixMs) -> Vec<TimeRange> {
        let Ok(all) = TimeRange::new(from, to) else {
            return Vec::new();
        };
        if self.continuous {
            return vec![all];
        }
        self.windows
            .iter()
            .filter_map(|window| window.intersection(&all))
            .collect()
    }

    /// Whether the two plan `[from, now)` differently.
    #[must_use]
    pub fn differs_before(&self, other: &Self, from: UnixMs, now: UnixMs) -> bool {
        self.within(from, now) != other.within(from, now)
    }
}
