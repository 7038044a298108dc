//! How long to wait before the next attempt.
//!
//! A camera that returns is recorded within five seconds, so the waits for network failures end at about four.
//! Wrong credentials are tried seldom, how seldom is the plan's to say: cameras lock accounts. A camera that
//! flaps is left alone for longer.

use std::collections::VecDeque;

use media_core::facts::Failure;

/// What kind of failure it was, for the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ended in good order, such as for new codec parameters.
    Orderly,
    /// Away or silent: may return at any moment.
    Away,
    /// Nonsense, or a fault of ours.
    Broken,
    /// Will not change by itself.
    Refused,
}

/// The kind of a failure.
#[must_use]
pub fn kind(failure: &Failure) -> Kind {
    match failure {
        Failure::Unreachable(_) | Failure::Lost(_) | Failure::Silent(_) => Kind::Away,
        Failure::Invalid(_) | Failure::Internal(_) => Kind::Broken,
        Failure::Unauthorized | Failure::NotFound | Failure::Unsupported(_) => Kind::Refused,
    }
}

const FLAPS: usize = 10;
const FLAP_WINDOW_MS: u64 = 600_000;
const FLAP_WAIT_MS: u64 = 30_000;

/// Waits so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    flaps: VecDeque<u64>,
}

impl Backoff {
    /// After so many failures in a row.
    #[must_use]
    pub fn resumed(failures: u32) -> Self {
        Self {
            failures,
            ..Self::default()
        }
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// A good attempt: the next failure is the first again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.flaps.clear();
    }

    /// Footage came, and the attempt was over at once.
    pub fn flapped(&mut self, now: u64) {
        self.flaps.push_back(now);
        while self.flaps.len() > FLAPS || self.flaps.front().is_some_and(|at| at + FLAP_WINDOW_MS < now) {
            self.flaps.pop_front();
        }
    }

    /// Milliseconds to wait after a failure, `longest` at most; `dice` in `0..1` spreads cameras that failed
    /// together.
    pub fn after(&mut self, kind: Kind, longest: u64, now: u64, dice: f64) -> u64 {
        let failures = self.failures;
        self.failures = self.failures.saturating_add(1);
        let doubled = |first: u64, most: u64| first.saturating_mul(1 << failures.min(16)).min(most);
        let mut base = match kind {
            Kind::Orderly => doubled(100, 3_000),
            Kind::Away => doubled(1_000, 3_000),
            Kind::Broken => doubled(1_000, 15_000),
            Kind::Refused => doubled(2_000, longest / 5 * 4),
        };
        if self.flaps.len() >= FLAPS && self.flaps.front().is_some_and(|at| at + FLAP_WINDOW_MS >= now) {
            base = base.max(FLAP_WAIT_MS);
        }
        let spread = (base as f64 * (0.75 + 0.5 * dice.clamp(0.0, 1.0))) as u64;
        spread.min(longest)
    }
}
