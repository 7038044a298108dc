//! What a licence is worth, and when that changes.
//!
//! Pure: the caller says what time it is. A licence permits from `valid_from` to the end of its days of
//! grace, except while it is suspended. Nothing here deletes footage: a lapse stops recording only.

mod excess;
#[cfg(test)]
mod tests;

use wire::licence::{LicenceFeature, LicencePlan, LicenceState};
use wire::{TimeRange, UnixMs};

pub use excess::{Excess, Limits};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Longest time of grace, in days.
const GRACE_MAX_DAYS: u16 = 365;
const RETENTION_MAX_DAYS: u16 = 3_650;
const PIXELS: std::ops::RangeInclusive<u16> = 16..=16_384;
const BITRATE_BPS: std::ops::RangeInclusive<u32> = 16_000..=1_000_000_000;

/// A field of a licence that does not do, and a sentence that says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct InvalidLicence {
    /// Which field.
    pub field: &'static str,
    /// A sentence for its author.
    pub title: String,
}

fn invalid(field: &'static str, title: impl Into<String>) -> InvalidLicence {
    InvalidLicence {
        field,
        title: title.into(),
    }
}

/// When a licence permits anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// What was bought: `[valid_from, valid_to)`.
    pub valid: TimeRange,
    /// Days after it in which all goes on.
    pub grace_days: u16,
    /// Taken back for now.
    pub suspended: bool,
}

impl Validity {
    /// Checks what came from outside.
    ///
    /// # Errors
    /// The first field that does not do.
    pub fn new(valid_from: UnixMs, valid_to: UnixMs, grace_days: u16) -> Result<Self, InvalidLicence> {
        if grace_days > GRACE_MAX_DAYS {
            return Err(invalid("grace_days", "grace is at most 365 days"));
        }
        Ok(Self {
            valid: validity(valid_from, valid_to)?,
            grace_days,
            suspended: false,
        })
    }

    /// The end of its days of grace.
    #[must_use]
    pub const fn lapses(&self) -> UnixMs {
        self.valid.end().plus(self.grace_days as i64 * DAY_MS)
    }

    /// What it is worth at `now`. One that is over stays so when it is suspended.
    #[must_use]
    pub fn state(&self, now: UnixMs) -> LicenceState {
        if now >= self.lapses() {
            LicenceState::Expired
        } else if self.suspended {
            LicenceState::Suspended
        } else if now < self.valid.start() {
            LicenceState::Pending
        } else if now < self.valid.end() {
            LicenceState::Active
        } else {
            LicenceState::Grace
        }
    }

    /// When it permits what its plan lists, as things stand; never while it is suspended.
    #[must_use]
    pub fn permits(&self) -> Option<TimeRange> {
        let range = TimeRange::new(self.valid.start(), self.lapses()).ok();
        range.filter(|_| !self.suspended)
    }

    /// The next instant after `now` at which [`Validity::state`] changes by time alone.
    #[must_use]
    pub fn next_change(&self, now: UnixMs) -> Option<UnixMs> {
        let instants = [self.valid.start(), self.valid.end(), self.lapses()];
        instants
            .into_iter()
            .find(|instant| *instant > now && self.state(*instant) != self.state(now))
    }

    /// The same with another end. `may_lapse` says that an end at or before `now` is meant.
    ///
    /// # Errors
    /// A sentence for field `valid_to`.
    pub fn renewed(&self, valid_to: UnixMs, may_lapse: bool, now: UnixMs) -> Result<Self, InvalidLicence> {
        let valid = validity(self.valid.start(), valid_to)?;
        if valid_to <= now && !may_lapse {
            let title = "this end has passed: say may_lapse to end the licence on purpose";
            return Err(invalid("valid_to", title));
        }
        Ok(Self { valid, ..*self })
    }
}

fn validity(from: UnixMs, to: UnixMs) -> Result<TimeRange, InvalidLicence> {
    let checked = |field, time: UnixMs| {
        let title = "expected milliseconds since 1970 in the years 2000 to 2100";
        time.checked().map_err(|_| invalid(field, title))
    };
    let (from, to) = (checked("valid_from", from)?, checked("valid_to", to)?);
    TimeRange::new(from, to).map_err(|_| invalid("valid_to", "it ends at or before its start"))
}

/// A plan within the limits, its features in order and once each.
///
/// # Errors
/// The first field that does not do.
pub fn plan(plan: &LicencePlan) -> Result<LicencePlan, InvalidLicence> {
    let listed = |feature: &LicenceFeature| plan.features.contains(feature);
    let features: Vec<_> = LicenceFeature::ALL.into_iter().filter(listed).collect();
    if features.is_empty() {
        return Err(invalid("plan.features", "a plan has at least one feature"));
    }
    if !(1..=RETENTION_MAX_DAYS).contains(&plan.retention_days) {
        return Err(invalid(
            "plan.retention_days",
            "footage is kept for 1 to 3650 days",
        ));
    }
    for (field, pixels) in [
        ("plan.max_width", plan.max_width),
        ("plan.max_height", plan.max_height),
    ] {
        if !PIXELS.contains(&pixels) {
            return Err(invalid(field, "a picture has 16 to 16384 pixels each way"));
        }
    }
    if !BITRATE_BPS.contains(&plan.max_bitrate_bps) {
        let title = "a bitrate is 16000 to 1000000000 bits per second";
        return Err(invalid("plan.max_bitrate_bps", title));
    }
    Ok(LicencePlan {
        features,
        ..plan.clone()
    })
}

/// When a camera may be recorded, for the planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Whenever it is to be: its organization needs no licences.
    Always,
    /// In this range only, which may be over or still to come.
    Within(TimeRange),
    /// Not at all, until somebody changes something.
    Never,
}

impl Permit {
    /// What a licence permits a camera's recording; `None` for a camera without one.
    #[must_use]
    pub fn of(licence: Option<(&Validity, &[LicenceFeature])>) -> Self {
        licence
            .filter(|(_, features)| features.contains(&LicenceFeature::Recording))
            .and_then(|(validity, _)| validity.permits())
            .map_or(Self::Never, Self::Within)
    }

    /// Whether it permits at `now`.
    #[must_use]
    pub fn at(&self, now: UnixMs) -> bool {
        match self {
            Self::Always => true,
            Self::Within(range) => range.contains(now),
            Self::Never => false,
        }
    }

    /// The part of `window` that it permits.
    #[must_use]
    pub fn cut(&self, window: TimeRange) -> Option<TimeRange> {
        match self {
            Self::Always => Some(window),
            Self::Within(range) => range.intersection(&window),
            Self::Never => None,
        }
    }

    /// The next instant after `now` at which [`Permit::at`] changes.
    #[must_use]
    pub fn next_change(&self, now: UnixMs) -> Option<UnixMs> {
        match self {
            Self::Within(range) => [range.start(), range.end()].into_iter().find(|at| *at > now),
            Self::Always | Self::Never => None,
        }
    }
}
