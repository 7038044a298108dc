//! The footage ledger of this node: each instant of planned time becomes footage or a gap with a cause.
//!
//! Pure: the commit thread owns one and feeds it in order; what changes goes to the database in the same
//! transaction as the object it belongs to. It reads no clock and opens nothing.
//!
//! # Which cause
//! | what happened | cause |
//! |---|---|
//! | refused, unreachable, unknown name, connection cut | `network` |
//! | silent, wrong credentials, no such stream, no usable codec, invalid data, no keyframe | `camera` |
//! | the recorder was not running, or failed inside | `node` |
//! | the disk was too slow, full or broken | `disk` |
//! | the camera's settings were changed and it was connected anew | `operator` |
//!
//! Time outside the windows is nobody's: no gap. A gap that goes on keeps its id and grows; another cause
//! makes another gap from the moment on at which it was known.

mod planned;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use media_core::facts::Failure;
use wire::coverage::{Gap, GapCause};
use wire::{CameraId, NodeId, ObjectId, StreamKind, TimeRange, UnixMs};

pub use planned::{Outlook, Planned};
pub use stream::{OpenGap, StreamLedger};

/// One stream of one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
}

/// Why there is no footage now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// As gaps say it.
    pub cause: GapCause,
    /// One sentence for people; no secrets, no addresses.
    pub detail: String,
    /// Since when this is known.
    pub since: UnixMs,
}

impl Cause {
    /// A cause known since `since`.
    #[must_use]
    pub fn new(cause: GapCause, detail: &str, since: UnixMs) -> Self {
        Self {
            cause,
            detail: detail.to_owned(),
            since,
        }
    }

    /// The recorder was not running.
    #[must_use]
    pub fn not_running(since: UnixMs) -> Self {
        Self::new(GapCause::Node, "the recorder was not running", since)
    }

    /// What a failed attempt means for the ledger. The texts leave out addresses, which failures may name.
    #[must_use]
    pub fn of_failure(failure: &Failure, since: UnixMs) -> Self {
        let (cause, detail) = match failure {
            Failure::Unreachable(_) => (GapCause::Network, "the camera could not be reached"),
            Failure::Lost(_) => (GapCause::Network, "the connection to the camera was lost"),
            Failure::Silent(_) => (GapCause::Camera, "the camera sent nothing"),
            Failure::Unauthorized => (GapCause::Camera, "the camera refuses the credentials"),
            Failure::NotFound => (GapCause::Camera, "the camera has no such stream"),
            Failure::Unsupported(_) => (GapCause::Camera, "the camera sends nothing that can be recorded"),
            Failure::Invalid(_) => (GapCause::Camera, "the camera sent invalid data"),
            Failure::Internal(_) => (GapCause::Node, "the recorder failed"),
        };
        Self::new(cause, detail, since)
    }
}

/// What the database must be told of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A gap is new or has grown.
    Gap(Gap),
    /// The stream is accounted for up to another point.
    Coverage(StreamKey, StreamLedger),
    /// The stream is no longer planned.
    Gone(StreamKey),
}

#[derive(Debug, Clone)]
struct Entry {
    ledger: StreamLedger,
    planned: Planned,
    cause: Cause,
    open: bool,
    leaving: bool,
}

/// The ledgers of all planned streams.
#[derive(Debug, Clone)]
pub struct Ledger {
    node: NodeId,
    streams: HashMap<StreamKey, Entry>,
}

impl Ledger {
    /// The ledgers as the database has them, with the windows of the plan followed so far. Time since then was
    /// not recorded because nothing ran.
    #[must_use]
    pub fn resume(
        node: NodeId,
        rows: Vec<(StreamKey, StreamLedger)>,
        mut planned: HashMap<StreamKey, Planned>,
        now: UnixMs,
    ) -> Self {
        let streams = rows.into_iter().map(|(key, ledger)| {
            let planned = planned.remove(&key).unwrap_or_default();
            let cause = Cause::not_running(now);
            (
                key,
                Entry {
                    ledger,
                    planned,
                    cause,
                    open: false,
                    leaving: false,
                },
            )
        });
        Self {
            node,
            streams: streams.collect(),
        }
    }

    /// Up to where a stream is accounted for; none when it is not planned.
    #[must_use]
    pub fn end(&self, key: StreamKey) -> Option<UnixMs> {
        self.streams.get(&key).map(|entry| entry.ledger.end)
    }

    /// Takes the windows of another plan. Old windows count up to `now`.
    pub fn plan(&mut self, planned: &HashMap<StreamKey, Planned>, now: UnixMs) -> Vec<Change> {
        let mut changes = Vec::new();
        let keys: Vec<StreamKey> = self.streams.keys().copied().collect();
        for key in keys {
            match planned.get(&key) {
                None => self.leave(key, now, &mut changes),
                Some(new) => self.replan(key, new, now, &mut changes),
            }
        }
        for (key, windows) in planned {
            if !self.streams.contains_key(key) {
                let entry = Entry {
                    ledger: StreamLedger::new(now),
                    planned: windows.clone(),
                    cause: Cause::new(GapCause::Node, "recording was about to start", now),
                    open: false,
                    leaving: false,
                };
                changes.push(Change::Coverage(*key, entry.ledger.clone()));
                self.streams.insert(*key, entry);
            }
        }
        changes
    }

    fn leave(&mut self, key: StreamKey, now: UnixMs, changes: &mut Vec<Change>) {
        let Some(entry) = self.streams.get_mut(&key) else {
            return;
        };
        if entry.open {
            entry.leaving = true;
            return;
        }
        let cause = entry.cause.clone();
        self.account(key, now, &cause, changes);
        self.streams.remove(&key);
        changes.push(Change::Gone(key));
    }

    fn replan(&mut self, key: StreamKey, new: &Planned, now: UnixMs, changes: &mut Vec<Change>) {
        let Some(entry) = self.streams.get_mut(&key) else {
            return;
        };
        entry.leaving = false;
        if !entry.planned.differs_before(new, entry.ledger.end, now) {
            entry.planned = new.clone();
            return;
        }
        entry.planned = new.after(&entry.planned, entry.ledger.end, now);
        // An open object may yet come to nothing: then its time counts as the older plan had it.
        if !entry.open {
            let cause = entry.cause.clone();
            self.account(key, now, &cause, changes);
        }
    }

    /// There was no footage of the stream up to `until`. Ignored while an object is open.
    pub fn outage(&mut self, key: StreamKey, until: UnixMs, cause: &Cause) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.streams.get(&key).is_some_and(|entry| !entry.open) {
            self.account(key, until, cause, &mut changes);
        }
        changes
    }

    /// An object begins at `start`: what lies before it is a gap.
    pub fn opened(&mut self, key: StreamKey, start: UnixMs, cause: &Cause) -> Vec<Change> {
        let mut changes = Vec::new();
        self.account(key, start, cause, &mut changes);
        if let Some(entry) = self.streams.get_mut(&key) {
            entry.open = true;
            if entry.ledger.open_gap.take().is_some() {
                changes.push(Change::Coverage(key, entry.ledger.clone()));
            }
        }
        changes
    }

    /// The open object is sealed.
    pub fn sealed(&mut self, key: StreamKey, id: ObjectId, range: TimeRange) -> Vec<Change> {
        let Some(entry) = self.streams.get_mut(&key) else {
            return Vec::new();
        };
        entry.open = false;
        entry.ledger.sealed(id, range);
        if entry.leaving {
            self.streams.remove(&key);
            return vec![Change::Gone(key)];
        }
        vec![Change::Coverage(key, entry.ledger.clone())]
    }

    /// The open object could not be sealed: its time becomes a gap with what follows.
    pub fn abandoned(&mut self, key: StreamKey, cause: &Cause) {
        if let Some(entry) = self.streams.get_mut(&key) {
            entry.open = false;
            entry.cause = cause.clone();
        }
    }

    fn account(&mut self, key: StreamKey, until: UnixMs, cause: &Cause, changes: &mut Vec<Change>) {
        let Some(entry) = self.streams.get_mut(&key) else {
            return;
        };
        entry.cause = cause.clone();
        if until <= entry.ledger.end {
            return;
        }
        let gaps = entry.ledger.account(&entry.planned, until, cause);
        changes.extend(gaps.into_iter().map(|gap| {
            Change::Gap(Gap {
                id: gap.id,
                camera: key.camera,
                stream: key.stream,
                node: self.node,
                range: gap.range,
                cause: gap.cause,
                detail: gap.detail,
            })
        }));
        changes.push(Change::Coverage(key, entry.ledger.clone()));
    }
}
