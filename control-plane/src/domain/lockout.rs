//! When failures lock a login out, and until when.

use wire::UnixMs;

/// Failures in a row that lock a login out.
pub const FAILURES: u32 = 10;
/// For how long, in milliseconds.
pub const LOCKED_MS: i64 = 15 * 60 * 1000;
/// After so long without another failure, those before count no more, in milliseconds.
pub const FORGOTTEN_MS: i64 = 24 * 60 * 60 * 1000;

/// How signing in with one login failed so far, whether there is such a user or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// In a row.
    pub count: u32,
    /// The last one.
    pub last: UnixMs,
    /// Until when nobody signs in with the login.
    pub locked_until: Option<UnixMs>,
}

impl Failures {
    /// Until when the login is locked out; none when it is not.
    #[must_use]
    pub fn locked(&self, now: UnixMs) -> Option<UnixMs> {
        self.locked_until.filter(|until| now < *until)
    }

    /// What is known after one more failure.
    #[must_use]
    pub fn one_more(before: Option<Self>, now: UnixMs) -> Self {
        let count = before
            .filter(|before| before.locked_until.is_none() && now.since(before.last) < FORGOTTEN_MS)
            .map_or(0, |before| before.count)
            .saturating_add(1);
        Self {
            count,
            last: now,
            locked_until: (count >= FAILURES).then(|| now.plus(LOCKED_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(times: u32, now: UnixMs) -> Failures {
        (1..times).fold(Failures::one_more(None, now), |before, _| {
            Failures::one_more(Some(before), now)
        })
    }

    #[test]
    fn the_tenth_failure_in_a_row_locks_for_a_quarter_of_an_hour() {
        let now = UnixMs(1_000);
        assert_eq!(after(9, now).locked(now), None);
        let locked = after(10, now);
        let until = now.plus(LOCKED_MS);
        assert_eq!(locked.locked(now), Some(until));
        assert_eq!(locked.locked(UnixMs(until.0 - 1)), Some(until));
        assert_eq!(locked.locked(until), None);
        assert_eq!(Failures::one_more(Some(locked), until).count, 1, "it begins anew");
    }

    #[test]
    fn old_failures_are_forgotten() {
        let now = UnixMs(1_000);
        let nine = after(9, now);
        let next_day = now.plus(FORGOTTEN_MS);
        assert_eq!(Failures::one_more(Some(nine), next_day).count, 1);
        assert_eq!(Failures::one_more(Some(nine), UnixMs(next_day.0 - 1)).count, 10);
    }
}
