//! What a stream's supervisor does next: pure, clocks and dice come from outside.
//!
//! A supervisor outlives its attempts. It starts one when the stream is wanted, waits after each failure, and
//! waits long when a camera flaps. Times are milliseconds on a clock that never steps.

use media_core::facts::{AttemptEnd, Failure};

use wire::plan::RetryPolicy;

use super::backoff::{self, Backoff};
use crate::spool::intake::AttemptEvent;

/// An attempt that recorded for this long was a good one: the next failure starts from the shortest wait.
const GOOD_MS: u64 = 10_000;

/// Where a supervisor is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Not wanted now.
    Idle,
    /// Until the next attempt.
    Waiting {
        /// When it starts.
        until: u64,
    },
    /// An attempt runs or is about to.
    Attempting {
        /// Since when it records.
        footage: Option<u64>,
    },
    /// The attempt was asked to end.
    Stopping,
}

/// What a plan wants of a stream now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// Nothing.
    Nothing,
    /// To be connected: a window opens soon.
    Ready,
    /// To be recorded.
    Recording,
}

/// A supervisor's state.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Where it is.
    pub phase: Phase,
    /// What is wanted now.
    pub want: Want,
    /// The camera plays.
    pub playing: bool,
    /// Longest wait between two attempts, milliseconds.
    pub longest_ms: u64,
    /// How the last attempt failed, until footage comes again.
    pub failure: Option<Failure>,
    /// What is wrong although footage arrives.
    pub degraded: Option<String>,
    /// Attempts so far.
    pub attempts: u64,
    backoff: Backoff,
    /// When the first attempt may start, if one failed before the node was started again.
    held: Option<u64>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something else is wanted.
    Want(Want),
    /// Address or credentials are others now.
    Changed,
    /// The time of [`Phase::Waiting`] may have come.
    Due,
    /// From the attempt.
    Attempt(AttemptEvent),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start an attempt.
    Start,
    /// Ask the attempt to end.
    Stop,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Idle,
            want: Want::Nothing,
            playing: false,
            longest_ms: u64::from(RetryPolicy::default().longest_pause_ms),
            failure: None,
            degraded: None,
            attempts: 0,
            backoff: Backoff::default(),
            held: None,
        }
    }
}

impl State {
    /// One whose camera failed so many times in a row before the node was started again, and is tried next at
    /// `due`.
    #[must_use]
    pub fn resumed(failures: u32, failure: Failure, due: u64) -> Self {
        Self {
            failure: Some(failure),
            backoff: Backoff::resumed(failures),
            held: Some(due),
            ..Self::default()
        }
    }

    /// Failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    /// When [`Event::Due`] is next of use.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        if let Phase::Waiting { until } = self.phase {
            Some(until)
        } else {
            None
        }
    }

    /// Takes an event at `now`; `dice` is a random number in `0..1`.
    #[must_use]
    pub fn step(mut self, event: Event, now: u64, dice: f64) -> (Self, Option<Action>) {
        let action = match event {
            Event::Want(wanted) => self.want(wanted),
            Event::Changed => self.changed(),
            Event::Due => self.due_at(now),
            Event::Attempt(event) => self.attempt(event, now, dice),
        };
        (self, action)
    }

    fn start(&mut self) -> Option<Action> {
        self.attempts += 1;
        self.degraded = None;
        self.playing = false;
        self.phase = Phase::Attempting { footage: None };
        Some(Action::Start)
    }

    fn want(&mut self, want: Want) -> Option<Action> {
        self.want = want;
        match (&self.phase, want > Want::Nothing) {
            (Phase::Idle, true) => match self.held.take() {
                Some(until) => {
                    self.phase = Phase::Waiting { until };
                    None
                }
                None => self.start(),
            },
            (Phase::Attempting { .. }, false) => {
                self.phase = Phase::Stopping;
                Some(Action::Stop)
            }
            (Phase::Waiting { .. }, false) => {
                self.rest();
                None
            }
            _ => None,
        }
    }

    fn rest(&mut self) {
        self.phase = Phase::Idle;
        self.failure = None;
        self.degraded = None;
        self.backoff = Backoff::default();
    }

    fn changed(&mut self) -> Option<Action> {
        // What failed with the old settings says nothing about the new ones.
        self.backoff = Backoff::default();
        self.held = None;
        match self.phase {
            Phase::Attempting { .. } => {
                self.phase = Phase::Stopping;
                Some(Action::Stop)
            }
            Phase::Waiting { .. } => {
                self.failure = None;
                self.start()
            }
            Phase::Idle | Phase::Stopping => None,
        }
    }

    fn due_at(&mut self, now: u64) -> Option<Action> {
        match self.phase {
            Phase::Waiting { until } if until <= now => self.start(),
            _ => None,
        }
    }

    fn attempt(&mut self, event: AttemptEvent, now: u64, dice: f64) -> Option<Action> {
        match (event, &mut self.phase) {
            (AttemptEvent::Ended(end), _) => self.ended(end, now, dice),
            (AttemptEvent::Footage, Phase::Attempting { footage }) => {
                footage.get_or_insert(now);
                self.failure = None;
                None
            }
            (AttemptEvent::Closed, Phase::Attempting { footage }) => {
                let since = footage.take();
                if since.is_some_and(|since| now.saturating_sub(since) >= GOOD_MS) {
                    self.backoff.succeeded();
                }
                None
            }
            (AttemptEvent::Playing, Phase::Attempting { .. }) => {
                self.playing = true;
                None
            }
            (AttemptEvent::Degraded(detail), Phase::Attempting { .. }) => {
                self.degraded = detail;
                None
            }
            _ => None,
        }
    }

    fn ended(&mut self, end: AttemptEnd, now: u64, dice: f64) -> Option<Action> {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        self.degraded = None;
        if self.want == Want::Nothing {
            self.rest();
            return None;
        }
        let footage = match phase {
            Phase::Attempting { footage } => footage,
            // It was stopped for new settings, or for a window that has opened again.
            Phase::Stopping | Phase::Idle | Phase::Waiting { .. } => return self.start(),
        };
        match footage {
            Some(since) if now.saturating_sub(since) >= GOOD_MS => self.backoff.succeeded(),
            Some(_) => self.backoff.flapped(now),
            // A camera that answers and stays silent does not flap: it may send at any moment.
            None => {}
        }
        let kind = match &end {
            AttemptEnd::Failed(failure) => backoff::kind(failure),
            AttemptEnd::Finished | AttemptEnd::Stopped => backoff::Kind::Orderly,
        };
        let wait = self.backoff.after(kind, self.longest_ms, now, dice);
        if let AttemptEnd::Failed(failure) = end {
            self.failure = Some(failure);
        }
        self.phase = Phase::Waiting { until: now + wait };
        None
    }
}
