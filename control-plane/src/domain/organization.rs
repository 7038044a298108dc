//! The states of an organization and what leads from one to another; what names and quotas may be.

use wire::UnixMs;
use wire::api::{OrganizationState, Quotas, Usage};

/// Days for which a deletion can be taken back, unless it says otherwise.
pub const GRACE_DAYS: u16 = 30;
/// Most days for which it can.
pub const GRACE_DAYS_MAX: u16 = 365;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const COUNT_MAX: u32 = 1_000_000;
/// Numbers up to this are exact in every JSON reader.
const BYTES_MAX: u64 = (1 << 53) - 1;

/// Where an organization is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// What it may do.
    pub state: OrganizationState,
    /// Since when.
    pub since: UnixMs,
    /// What taking a deletion back returns to.
    pub before: OrganizationState,
    /// When it is erased; set exactly while it is being deleted.
    pub erase_after: Option<UnixMs>,
}

/// What is asked of an organization's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Stop recording, keep what is there.
    Suspend,
    /// Go on.
    Resume,
    /// Erase it after so many days.
    Delete {
        /// 0 to [`GRACE_DAYS_MAX`].
        grace_days: u16,
    },
    /// Take the deletion back.
    Restore,
}

/// Why a step is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is being deleted.
    #[error("the organization is being deleted: restore it first")]
    Deleting,
    /// It is not being deleted.
    #[error("the organization is not being deleted")]
    NotDeleting,
    /// Its erasure has begun.
    #[error("the grace period is over: the organization is being erased")]
    TooLate,
}

impl Life {
    /// Of a new organization.
    #[must_use]
    pub const fn begun(now: UnixMs) -> Self {
        Self {
            state: OrganizationState::Active,
            since: now,
            before: OrganizationState::Active,
            erase_after: None,
        }
    }

    /// The life after a step. One that changes nothing leaves it as it is.
    ///
    /// # Errors
    /// [`Refused`] when its state does not allow the step.
    pub fn step(self, step: Step, now: UnixMs) -> Result<Self, Refused> {
        use OrganizationState::{Active, Deleting, Suspended};
        let deleting = self.state == Deleting;
        if deleting && self.erase_after.is_none_or(|at| at <= now) {
            return Err(Refused::TooLate);
        }
        match step {
            Step::Suspend | Step::Resume if deleting => Err(Refused::Deleting),
            Step::Suspend => Ok(self.enter(Suspended, now)),
            Step::Resume => Ok(self.enter(Active, now)),
            Step::Restore if !deleting => Err(Refused::NotDeleting),
            Step::Restore => Ok(Self {
                erase_after: None,
                ..self.enter(self.before, now)
            }),
            Step::Delete { grace_days } => Ok(Self {
                before: if deleting { self.before } else { self.state },
                erase_after: Some(now.plus(i64::from(grace_days) * DAY_MS)),
                ..self.enter(Deleting, now)
            }),
        }
    }

    fn enter(self, state: OrganizationState, now: UnixMs) -> Self {
        let since = if state == self.state { self.since } else { now };
        Self { state, since, ..self }
    }
}

/// A field that does not do, and a sentence that says why.
///
/// # Errors
/// The field and the sentence.
pub fn quotas(quotas: &Quotas) -> Result<(), (&'static str, &'static str)> {
    let too_many = |count: Option<u32>| count.is_some_and(|count| count > COUNT_MAX);
    if too_many(quotas.cameras) || too_many(quotas.users) {
        return Err(("quotas", "a quota of cameras or users is at most 1,000,000"));
    }
    if quotas.storage_bytes.is_some_and(|bytes| bytes > BYTES_MAX) {
        return Err((
            "quotas",
            "a quota of storage is at most 9,007,199,254,740,991 bytes",
        ));
    }
    Ok(())
}

/// Whether an organization may store nothing more.
#[must_use]
pub fn is_full(quotas: &Quotas, stored_bytes: u64) -> bool {
    quotas.storage_bytes.is_some_and(|quota| stored_bytes >= quota)
}

/// What is shown of what an organization has.
#[must_use]
pub fn usage(quotas: &Quotas, cameras: u64, users: u64, stored_bytes: u64) -> Usage {
    Usage {
        cameras,
        users,
        stored_bytes,
        storage_full: is_full(quotas, stored_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::OrganizationState::{Active, Deleting, Suspended};
    use super::*;

    const T: UnixMs = UnixMs(1_000);

    #[test]
    fn a_deletion_is_taken_back_to_where_it_came_from() {
        for (first, back) in [(Step::Resume, Active), (Step::Suspend, Suspended)] {
            let before = Life::begun(UnixMs(0)).step(first, T).unwrap();
            let deleting = before.step(Step::Delete { grace_days: 1 }, T).unwrap();
            assert_eq!(
                (deleting.state, deleting.erase_after),
                (Deleting, Some(T.plus(DAY_MS)))
            );
            let sooner = deleting.step(Step::Delete { grace_days: 0 }, T.plus(5)).unwrap();
            assert_eq!((sooner.since, sooner.erase_after), (T, Some(T.plus(5))));
            let restored = deleting.step(Step::Restore, T.plus(DAY_MS - 1)).unwrap();
            assert_eq!((restored.state, restored.erase_after), (back, None));
        }
    }

    #[test]
    fn what_a_state_does_not_allow_is_refused() {
        let active = Life::begun(UnixMs(0));
        assert_eq!(active.step(Step::Restore, T), Err(Refused::NotDeleting));
        assert_eq!(active.step(Step::Resume, T), Ok(active), "nothing to do");
        let deleting = active.step(Step::Delete { grace_days: 1 }, T).unwrap();
        for step in [Step::Suspend, Step::Resume] {
            assert_eq!(deleting.step(step, T), Err(Refused::Deleting));
        }
        for step in [Step::Restore, Step::Suspend, Step::Delete { grace_days: 9 }] {
            assert_eq!(deleting.step(step, T.plus(DAY_MS)), Err(Refused::TooLate));
        }
    }

    #[test]
    fn full_is_when_the_quota_is_reached() {
        let of = |storage_bytes| Quotas {
            storage_bytes,
            ..Quotas::default()
        };
        assert!(!is_full(&of(None), u64::MAX) && !is_full(&of(Some(5)), 4));
        assert!(is_full(&of(Some(5)), 5) && is_full(&of(Some(0)), 0));
        assert!(quotas(&of(Some(BYTES_MAX))).is_ok() && quotas(&of(Some(BYTES_MAX + 1))).is_err());
    }
}
