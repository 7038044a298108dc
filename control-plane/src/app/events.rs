//! Following the facts: who may see which, from where on, and for how long.
//!
//! Each follower reads the database from its own place, at its own pace: a slow one holds nothing in memory
//! and up nobody. What it may see is looked up again with every batch, and whether it may follow at all
//! every few seconds.

mod audience;
mod followers;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::OrganizationId;
use wire::api::{Event, EventKind};

use super::{Caller, Intent, Origin};
use crate::state::now;
use crate::store::{StoreError, facts};
use crate::{AppState, Error};

pub use audience::may_follow;
pub use followers::{Facts, follow};

use followers::Slot;

/// Between two signs of life, when nothing happens.
const BEAT: Duration = Duration::from_secs(15);
/// Between two looks whether the follower may still follow.
const CHECK: Duration = Duration::from_secs(3);
/// After a database that did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// Rows of one look.
const BATCH: u32 = 100;

/// As whom a follower came: asked again and again. Its `Debug` does not show the bearer token.
#[derive(Clone)]
pub struct Credentials {
    /// The token or key.
    pub bearer: String,
    /// The organization that was named.
    pub organization: Option<OrganizationId>,
    /// Where from.
    pub origin: Origin,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("organization", &self.organization)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// What a follower is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Facts, in order.
    Facts(Vec<Event>),
    /// Nothing that it may know of happened up to this number.
    Beat(u64),
    /// What came after the number that it named is not kept any more, or the number is not one of ours: it
    /// goes on after this one.
    Reset(u64),
    /// It may not follow any longer; says why, as a problem's code.
    End(String),
}

/// One follower.
#[derive(Debug)]
pub struct Follower {
    state: AppState,
    credentials: Credentials,
    caller: Caller,
    kinds: Vec<EventKind>,
    at: u64,
    first: Option<Told>,
    newest: watch::Receiver<u64>,
    checked: Instant,
    said: Instant,
    is_behind: bool,
    is_over: bool,
    _slot: Slot,
}

/// Begins to follow: after the fact numbered `after`, from the oldest that is kept with 0, or with what
/// happens from now on. No `kinds` means all.
///
/// # Errors
/// [`Error::Forbidden`] for who may see no kind at all, [`Error::TooMany`] and [`Error::Unavailable`] when
/// there are too many followers, and those of the database.
pub async fn open(
    state: &AppState,
    caller: Caller,
    credentials: Credentials,
    kinds: Vec<EventKind>,
    after: Option<u64>,
) -> Result<Follower, Error> {
    may_follow(&caller)?;
    let slot = state.facts.slot(caller.actor_id())?;
    let newest = state.facts.newest();
    let (oldest, last) = state.store.read(facts::bounds).await?;
    let (at, first) = match after {
        None => (last, Told::Beat(last)),
        Some(0) => (oldest.saturating_sub(1), Told::Beat(oldest.saturating_sub(1))),
        Some(seen) if seen.saturating_add(1) >= oldest && seen <= last => (seen, Told::Beat(seen)),
        Some(_) => (last, Told::Reset(last)),
    };
    Ok(Follower {
        state: state.clone(),
        credentials,
        caller,
        kinds,
        at,
        first: Some(first),
        newest,
        checked: Instant::now(),
        said: Instant::now(),
        is_behind: at < last,
        is_over: false,
        _slot: slot,
    })
}

impl Follower {
    /// What to tell next; none when it is over.
    pub async fn next(&mut self) -> Option<Told> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while !self.is_over && !self.state.facts.is_closing() {
            let step = self.step().await;
            if let Some(told) = step.unwrap_or_else(Self::refused) {
                self.is_over = matches!(told, Told::End(_));
                self.said = Instant::now();
                return Some(told);
            }
        }
        None
    }

    /// One look; nothing when there was nothing to tell.
    async fn step(&mut self) -> Result<Option<Told>, Error> {
        if self.checked.elapsed() >= CHECK {
            self.check().await?;
        }
        let newest = *self.newest.borrow_and_update();
        if self.is_behind || newest > self.at {
            match self.batch(newest).await {
                Ok(facts) if facts.is_empty() => {}
                Ok(facts) => return Ok(Some(Told::Facts(facts))),
                Err(error) => {
                    tracing::debug!(%error, "facts cannot be read, trying again");
                    self.rest(RETRY).await;
                }
            }
            return Ok(self.beat());
        }
        self.rest(CHECK).await;
        Ok(self.beat())
    }

    fn beat(&self) -> Option<Told> {
        (self.said.elapsed() >= BEAT).then_some(Told::Beat(self.at))
    }

    /// A database that is away ends nothing; it is asked again before anything is told.
    fn refused(error: Error) -> Option<Told> {
        match error {
            Error::Unauthorized { .. } | Error::Forbidden { .. } | Error::NotFound { .. } => {
                Some(Told::End(error.problem().code))
            }
            other => {
                tracing::debug!(error = %other, "whether a follower may follow is not known, trying again");
                None
            }
        }
    }

    async fn check(&mut self) -> Result<(), Error> {
        let Credentials {
            bearer,
            organization,
            origin,
        } = &self.credentials;
        let caller = Caller::authenticate(
            &self.state,
            bearer,
            *organization,
            Intent::Read,
            origin.clone(),
            now(),
        )
        .await;
        if matches!(caller, Err(Error::Unavailable { .. } | Error::Internal(_))) {
            self.rest(RETRY).await;
        }
        self.caller = caller?;
        may_follow(&self.caller)?;
        self.checked = Instant::now();
        Ok(())
    }

    async fn batch(&mut self, newest: u64) -> Result<Vec<Event>, StoreError> {
        let (caller, at) = (self.caller.clone(), self.at);
        let look = move |c: &mut crate::store::Connection| {
            let (mut rows, last) = facts::after(c, caller.organization, at, BATCH)?;
            let count = rows.len();
            audience::keep(c, &caller, &mut rows)?;
            Ok((rows, last, count))
        };
        let (mut rows, last, count) = self.state.store.read(look).await?;
        self.is_behind = count == BATCH as usize;
        // Whatever was committed before the look is in it, or not of this organization.
        let seen = if self.is_behind {
            last
        } else {
            last.max(Some(newest))
        };
        self.at = self.at.max(seen.unwrap_or(0));
        rows.retain(|row| self.kinds.is_empty() || self.kinds.contains(&row.kind));
        Ok(rows)
    }

    /// Waits for a new fact, no longer than `longest` and the next sign of life.
    async fn rest(&mut self, longest: Duration) {
        let until = (Instant::now() + longest).min(self.said + BEAT);
        let closing: CancellationToken = self.state.facts.closing();
        tokio::select! {
            () = sleep_until(until) => {}
            _ = self.newest.changed() => {}
            () = closing.cancelled() => {}
        }
    }
}
