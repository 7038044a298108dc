//! Sessions of recording: one for each window, stream and epoch, across restarts of the node.
//!
//! Pure: the commit thread owns them and feeds them in the order in which things happened; what changes is
//! written in the transaction of the object or gap that changed it. Nothing here reads a clock.
//!
//! A session is told when it begins, has its first picture, starts or stops failing, and when it ends; what it
//! counts in between is told with those, and every ten minutes. Objects that are sealed after the end of their
//! session, as the last one is, are told once more.

mod retry;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use wire::coverage::Gap;
use wire::event::{EndReason, RecordingSession, SealedObject};
use wire::{NodeId, ObjectId, RecordingId, UnixMs};

use crate::ledger::{Outlook, StreamKey};
pub use retry::Retry;

/// What a session counts is told this often.
const TOLD_MS: i64 = 10 * 60 * 1000;

/// A session as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// As it is told.
    pub told: RecordingSession,
    /// Attempts since the last footage.
    pub fruitless: u64,
    /// When it was told last.
    pub told_at: UnixMs,
    /// The gap that was counted last, and how much of it in milliseconds.
    pub gap: Option<(ObjectId, u64)>,
    /// When it was begun, or taken up by a window that goes on.
    pub begun: UnixMs,
    /// What the next attempt waits for, when the last one failed and nothing has come since.
    pub retry: Option<Retry>,
}

/// What a supervisor tells of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A window is open, or its end was moved.
    Open {
        /// The assignment's epoch.
        epoch: u64,
        /// Its start, and its end if it has one.
        window: (UnixMs, Option<UnixMs>),
    },
    /// An attempt starts.
    Attempt,
    /// An attempt failed.
    Failed {
        /// One sentence; no secrets, no addresses.
        detail: String,
        /// Whether footage came of it.
        footage: bool,
        /// Attempts without footage after which people are told.
        alert_after: u32,
        /// What the next one waits for; nothing when it starts at once.
        retry: Option<Retry>,
    },
    /// The window is over, or the stream is not to be recorded any more.
    End {
        /// Why.
        reason: EndReason,
        /// When.
        at: UnixMs,
    },
}

/// What the database is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The session is kept as it is now.
    Keep(StreamKey, Session),
    /// It is over.
    Drop(StreamKey),
    /// It is told.
    Tell(RecordingSession),
}

/// All sessions that have not ended, and those that ended last.
#[derive(Debug, Clone)]
pub struct Sessions {
    node: NodeId,
    open: HashMap<StreamKey, Session>,
    ended: HashMap<StreamKey, Session>,
}

impl Sessions {
    /// The sessions as the database has them.
    #[must_use]
    pub fn resume(node: NodeId, rows: Vec<(StreamKey, Session)>) -> Self {
        Self {
            node,
            open: rows.into_iter().collect(),
            ended: HashMap::new(),
        }
    }

    /// What the next attempts wait for.
    #[must_use]
    pub fn retries(&self) -> HashMap<StreamKey, Retry> {
        let open = self.open.iter();
        open.filter_map(|(key, session)| Some((*key, session.retry.clone()?)))
            .collect()
    }

    /// At start: ends what the last plan does not go on with. `planned` has the epoch and outlook of each stream.
    pub fn settle(&mut self, planned: &HashMap<StreamKey, (u64, Outlook)>, now: UnixMs) -> Vec<Write> {
        let mut writes = Vec::new();
        let keys: Vec<StreamKey> = self.open.keys().copied().collect();
        for key in keys {
            let Some(session) = self.open.get(&key) else {
                continue;
            };
            match planned.get(&key) {
                None => self.end(key, EndReason::Withdrawn, now, now, &mut writes),
                Some((epoch, _)) if *epoch != session.told.epoch => {
                    self.end(key, EndReason::Moved, now, now, &mut writes);
                }
                Some((_, outlook)) => match outlook.current {
                    Some((start, _)) if session.goes_on(start) => {}
                    _ => self.end_of_window(key, now, &mut writes),
                },
            }
        }
        writes
    }

    /// Takes what a supervisor says.
    pub fn step(&mut self, key: StreamKey, step: Step, now: UnixMs) -> Vec<Write> {
        let mut writes = Vec::new();
        match step {
            Step::Open { epoch, window } => self.opened(key, epoch, window, now, &mut writes),
            Step::Attempt => self.change(key, now, &mut writes, |session| {
                session.told.attempts += 1;
                if let Some(retry) = &mut session.retry {
                    retry.at = now;
                }
                false
            }),
            Step::Failed {
                detail,
                footage,
                alert_after,
                retry,
            } => self.change(key, now, &mut writes, |session| {
                session.retry = retry;
                session.failed(detail, footage, alert_after)
            }),
            Step::End { reason, at } => {
                // Said of a session that another window has taken up since, it is about none.
                if self.open.get(&key).is_some_and(|session| session.begun <= now) {
                    self.end(key, reason, at, now, &mut writes);
                }
            }
        }
        writes
    }

    fn opened(
        &mut self,
        key: StreamKey,
        epoch: u64,
        window: (UnixMs, Option<UnixMs>),
        now: UnixMs,
        writes: &mut Vec<Write>,
    ) {
        match self.open.get_mut(&key) {
            Some(session) if session.told.epoch == epoch && session.goes_on(window.0) => {
                session.told.window_end = window.1;
                session.begun = now;
                writes.push(Write::Keep(key, session.clone()));
                return;
            }
            Some(session) if session.told.epoch != epoch => {
                self.end(key, EndReason::Moved, now, now, writes);
            }
            Some(_) => self.end_of_window(key, now, writes),
            None => {}
        }
        let mut session = Session {
            told: RecordingSession {
                id: RecordingId::generate(),
                camera: key.camera,
                stream: key.stream,
                node: self.node,
                epoch,
                window_start: window.0,
                window_end: window.1,
                started: None,
                ended: None,
                end_reason: None,
                bytes: 0,
                frames: 0,
                gaps: 0,
                gap_ms: 0,
                attempts: 0,
                failing: false,
                detail: String::new(),
                revision: 0,
            },
            fruitless: 0,
            told_at: now,
            gap: None,
            begun: now,
            retry: None,
        };
        session.tell(now, writes);
        writes.push(Write::Keep(key, session.clone()));
        self.open.insert(key, session);
    }

    /// An object of the stream begins.
    pub fn footage(&mut self, key: StreamKey, epoch: u64, start: UnixMs, now: UnixMs) -> Vec<Write> {
        let mut writes = Vec::new();
        self.change(key, now, &mut writes, |session| {
            if session.told.epoch != epoch {
                return false;
            }
            session.fruitless = 0;
            session.retry = None;
            let news = session.told.started.is_none() || session.told.failing;
            session.told.started.get_or_insert(start);
            session.told.failing = false;
            news
        });
        writes
    }

    /// An object of the stream is sealed.
    pub fn sealed(&mut self, object: &SealedObject, frames: u64, now: UnixMs) -> Vec<Write> {
        let key = StreamKey {
            camera: object.camera,
            stream: object.stream,
        };
        let (epoch, bytes) = (object.epoch, object.bytes);
        let mut writes = Vec::new();
        let count = |session: &mut Session| {
            // A camera whose clock is ahead has its first picture before its window opens here.
            session.told.started.get_or_insert(object.start);
            session.told.bytes = session.told.bytes.saturating_add(bytes);
            session.told.frames = session.told.frames.saturating_add(frames);
        };
        if self
            .open
            .get(&key)
            .is_some_and(|session| session.told.epoch == epoch)
        {
            self.change(key, now, &mut writes, |session| {
                count(session);
                false
            });
        } else if let Some(session) = self.ended.get_mut(&key).filter(|s| s.told.epoch == epoch) {
            count(session);
            session.tell(now, &mut writes);
        }
        writes
    }

    /// A gap of the stream is new or has grown.
    pub fn gap(&mut self, gap: &Gap, now: UnixMs) -> Vec<Write> {
        let mut writes = Vec::new();
        let key = StreamKey {
            camera: gap.camera,
            stream: gap.stream,
        };
        self.change(key, now, &mut writes, |session| {
            session.count_gap(gap);
            false
        });
        writes
    }

    /// Changes a session and keeps it; tells it when `change` says so, or when that is due.
    fn change(
        &mut self,
        key: StreamKey,
        now: UnixMs,
        writes: &mut Vec<Write>,
        change: impl FnOnce(&mut Session) -> bool,
    ) {
        let Some(session) = self.open.get_mut(&key) else {
            return;
        };
        let before = session.clone();
        let news = change(session);
        if *session == before {
            return;
        }
        if news || now.since(session.told_at) >= TOLD_MS {
            session.tell(now, writes);
        }
        writes.push(Write::Keep(key, session.clone()));
    }

    fn end_of_window(&mut self, key: StreamKey, now: UnixMs, writes: &mut Vec<Write>) {
        let end = self.open.get(&key).and_then(|session| session.told.window_end);
        match end.filter(|end| *end <= now) {
            Some(end) => self.end(key, EndReason::WindowEnded, end, now, writes),
            None => self.end(key, EndReason::Withdrawn, now, now, writes),
        }
    }

    fn end(&mut self, key: StreamKey, reason: EndReason, at: UnixMs, now: UnixMs, writes: &mut Vec<Write>) {
        let Some(mut session) = self.open.remove(&key) else {
            return;
        };
        session.told.ended = Some(at.max(session.told.window_start));
        session.told.end_reason = Some(reason);
        session.told.failing = false;
        session.tell(now, writes);
        writes.push(Write::Drop(key));
        self.ended.insert(key, session);
    }
}

impl Session {
    /// Whether a stretch that began at `start` is the one that this session fills.
    fn goes_on(&self, start: UnixMs) -> bool {
        self.told.window_end.is_none_or(|end| start <= end)
    }

    fn tell(&mut self, now: UnixMs, writes: &mut Vec<Write>) {
        self.told.revision += 1;
        self.told_at = now;
        writes.push(Write::Tell(self.told.clone()));
    }

    fn failed(&mut self, detail: String, footage: bool, alert_after: u32) -> bool {
        self.told.detail = detail;
        if footage {
            return false;
        }
        self.fruitless += 1;
        let news = !self.told.failing && self.fruitless >= u64::from(alert_after.max(1));
        self.told.failing |= news;
        news
    }

    fn count_gap(&mut self, gap: &Gap) {
        let own = gap.range.start().max(self.told.window_start);
        let ms = u64::try_from(gap.range.end().since(own)).unwrap_or(0);
        if ms == 0 {
            return;
        }
        let counted = match self.gap {
            Some((id, counted)) if id == gap.id => counted,
            _ => {
                self.told.gaps += 1;
                0
            }
        };
        self.told.gap_ms = self.told.gap_ms.saturating_add(ms.saturating_sub(counted));
        self.gap = Some((gap.id, ms.max(counted)));
    }
}
