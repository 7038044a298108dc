//! Who follows in this process: places for them, and what wakes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::store::facts;
use crate::{AppState, Error};

/// Followers of one user or service key.
const PER_ACTOR: usize = 16;
/// Followers of this process.
const IN_ALL: usize = 1000;
/// Seconds after which a client that was one too many may try again.
const RETRY_AFTER_S: u64 = 5;
/// Between two looks that nobody asked for: a wake may be lost.
const POLL: Duration = Duration::from_secs(1);

/// The followers of this process; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Facts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    newest: watch::Sender<u64>,
    woken: Notify,
    taken: Mutex<HashMap<[u8; 16], usize>>,
    closing: CancellationToken,
}

/// A follower's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    facts: Facts,
    actor: [u8; 16],
}

impl Facts {
    /// Another process told facts.
    pub fn wake(&self) {
        self.0.woken.notify_one();
    }

    /// Ends every follower: the server stops.
    pub fn close(&self) {
        self.0.closing.cancel();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.0.closing.is_cancelled()
    }

    pub(super) fn closing(&self) -> CancellationToken {
        self.0.closing.clone()
    }

    /// The newest fact's number, as it grows.
    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        let receiver = self.0.newest.subscribe();
        self.wake();
        receiver
    }

    /// A place for one more.
    pub(super) fn slot(&self, actor: [u8; 16]) -> Result<Slot, Error> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= IN_ALL {
            return Err(Error::Unavailable {
                code: "too_many_streams",
                title: "too many clients follow the events of this server, try again later".to_owned(),
                source: None,
            });
        }
        let own = taken.entry(actor).or_default();
        if *own >= PER_ACTOR {
            return Err(Error::TooMany {
                retry_after_s: RETRY_AFTER_S,
            });
        }
        *own += 1;
        Ok(Slot {
            facts: self.clone(),
            actor,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.facts.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.actor) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.actor);
            }
        }
    }
}

/// Finds out for all followers of this process when there are new facts, until `stop`.
pub async fn follow(state: AppState, stop: CancellationToken) {
    let inner = &state.facts.0;
    let mut told = state.store.told();
    while !stop.is_cancelled() {
        told.mark_unchanged();
        if inner.newest.receiver_count() > 0 {
            match state.store.read(facts::newest).await {
                Ok(newest) => {
                    inner
                        .newest
                        .send_if_modified(|before| std::mem::replace(before, newest) != newest);
                }
                Err(error) => tracing::debug!(%error, "facts cannot be looked at, trying again"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = told.changed() => {}
            () = inner.woken.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
