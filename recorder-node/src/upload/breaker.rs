//! Leaves a failing store alone for a growing while, then tries with one object.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(30);

/// State of the store as uploads see it.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// None while it works.
    open: Option<(Instant, Duration)>,
}

impl Breaker {
    /// An upload succeeded; true when the one before had failed.
    pub(super) fn succeeded(&mut self) -> bool {
        self.open.take().is_some()
    }

    /// The store failed; true when it worked before.
    pub(super) fn failed(&mut self) -> bool {
        let wait = self.open.map_or(FIRST, |(_, wait)| (wait * 2).min(MOST));
        // Uploads that failed together count once.
        if self.open.is_some_and(|(until, _)| until > Instant::now()) {
            return false;
        }
        self.open
            .replace((
                Instant::now() + wait.mul_f64(0.75 + 0.5 * rand::random::<f64>()),
                wait,
            ))
            .is_none()
    }

    /// How many uploads may run now, of `all`.
    pub(super) fn width(&self, all: usize) -> usize {
        match self.open {
            None => all,
            Some((until, _)) if until > Instant::now() => 0,
            Some(_) => 1,
        }
    }

    /// How long to wait until something may run again.
    pub(super) fn pause(&self) -> Option<Duration> {
        let (until, _) = self.open?;
        Some(
            until
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(100)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_store_is_tried_with_one_object() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.width(4), 4);
        assert!(breaker.failed());
        assert!(!breaker.failed(), "failures of the same round count once");
        assert_eq!(breaker.width(4), 0);
        breaker.open = Some((Instant::now(), FIRST));
        assert_eq!(breaker.width(4), 1);
        assert!(breaker.succeeded());
        assert_eq!(breaker.width(4), 4);
    }
}
