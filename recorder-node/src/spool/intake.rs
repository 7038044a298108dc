//! Takes the facts of one attempt on the reading thread and hands them to the writer.
//!
//! It never blocks. When a stream's queue is full or its disk fails, footage is dropped up to the next
//! segment; the object so far is closed, another one follows, and the ledger gets a gap of cause `disk`.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use media_core::facts::{AttemptEnd, Chunk, CloseReason, Fact, FactSink, Failure, Track};
use tokio::sync::oneshot;
use wire::{ObjectId, UnixMs};

use super::commit::Commit;
use super::now;
use super::stream::Stream;
use crate::ledger::Cause;

/// A new session may start this much before the end of the last one, since both clocks are estimates.
/// Footage that would overlap by less is skipped up to the next segment; more means that a clock was
/// set, and then footage is worth more than a tidy ledger.
const OVERLAP_MAX_MS: i64 = 10_000;

/// What the supervisor hears of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptEvent {
    /// The camera plays.
    Playing,
    /// Footage goes to the disk.
    Footage,
    /// The window is over: the object that was open has ended, the camera is read on.
    Closed,
    /// Something is wrong although footage arrives; none: no longer.
    Degraded(Option<String>),
    /// The attempt is over.
    Ended(AttemptEnd),
}

/// An object that begins.
#[derive(Debug)]
pub struct OpenInfo {
    /// Its id.
    pub id: ObjectId,
    /// Epoch of the assignment.
    pub epoch: u64,
    /// The object that it follows without a break.
    pub previous: Option<ObjectId>,
    /// `ftyp` + `moov`.
    pub init: Bytes,
    /// Tracks inside.
    pub tracks: Vec<Track>,
    /// Capture time of its first picture.
    pub start: UnixMs,
    /// Why there was no footage before, if there was none.
    pub cause: Cause,
}

/// Work for the writer.
#[derive(Debug)]
pub enum Item {
    /// An object begins.
    Open(Box<OpenInfo>),
    /// More of it.
    Chunk(Chunk),
    /// It ends.
    Close,
}

/// What the writer is told.
pub enum WriterMessage {
    /// Footage.
    Footage {
        /// Whose.
        stream: Arc<Stream>,
        /// What.
        item: Item,
    },
    /// For the commit thread, after all that was told before.
    Pass(Box<Commit>),
    /// Answers when all that was told before is committed.
    Barrier(oneshot::Sender<()>),
}

/// The sink of one attempt.
pub struct Intake {
    stream: Arc<Stream>,
    writer: Sender<WriterMessage>,
    events: Box<dyn Fn(AttemptEvent) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Head of the object that the attempt has open.
    head: Option<(Bytes, Vec<Track>)>,
    /// The writer has an object open.
    open: Option<ObjectId>,
    /// Where it began.
    start: UnixMs,
    /// The last object, when the attempt's next one follows it without a break.
    previous: Option<ObjectId>,
    /// The next chunk may begin an object although it does not start a segment: it is the attempt's first.
    fresh: bool,
    ended: bool,
    /// Failures of the disk when the object was opened.
    failures: u64,
}

impl Intake {
    /// A sink for an attempt of `stream`; `events` must not block.
    #[must_use]
    pub fn new(
        stream: Arc<Stream>,
        writer: Sender<WriterMessage>,
        events: Box<dyn Fn(AttemptEvent) + Send + Sync>,
    ) -> Self {
        Self {
            stream,
            writer,
            events,
            state: Mutex::new(State::default()),
        }
    }

    fn send(&self, item: Item) {
        // Without a writer the process is about to end.
        let stream = self.stream.clone();
        let _ = self.writer.send(WriterMessage::Footage { stream, item });
    }

    fn close(&self, state: &mut State) {
        if let Some(id) = state.open.take() {
            state.previous = Some(id);
            self.send(Item::Close);
        }
    }

    /// Closes the object because the disk does not keep up.
    fn drop_to_next_segment(&self, state: &mut State) {
        self.close(state);
        state.previous = None;
        state.fresh = false;
    }

    fn opened(&self, state: &mut State, head: (Bytes, Vec<Track>), continues: bool) {
        self.close(state);
        if !continues {
            state.previous = None;
        }
        state.head = Some(head);
        state.fresh = true;
    }

    fn chunk(&self, state: &mut State, chunk: Chunk) {
        // The writer gives up an object when the disk fails; what follows of it would go nowhere.
        if state.open.is_some() && self.stream.disk_failures() != state.failures {
            self.drop_to_next_segment(state);
        }
        // Its footage is erased, and what follows is not: another object goes on without a break.
        if state.open.is_some() && chunk.starts_segment && self.stream.is_to_be_cut(state.start) {
            self.close(state);
        }
        if state.open.is_none() && !self.may_open(state, &chunk) {
            state.fresh = false;
            return;
        }
        if !self.stream.disk_may_be_tried() {
            self.drop_to_next_segment(state);
            return;
        }
        if !self.stream.reserve(chunk.bytes.len()) {
            let detail = "the disk was too slow";
            self.stream.disk_failed(detail, now(), Duration::from_secs(1));
            self.drop_to_next_segment(state);
            return;
        }
        if state.open.is_none() && !self.open(state, &chunk) {
            self.stream.release(chunk.bytes.len());
            return;
        }
        self.stream.cover(UnixMs(chunk.end_ms));
        self.send(Item::Chunk(chunk));
    }

    fn may_open(&self, state: &State, chunk: &Chunk) -> bool {
        let overlap_ms = self.stream.covered().since(UnixMs(chunk.start_ms));
        // Within an attempt time never goes back.
        let overlaps = state.previous.is_none() && (1..=OVERLAP_MAX_MS).contains(&overlap_ms);
        (state.fresh || chunk.starts_segment) && !overlaps
    }

    fn open(&self, state: &mut State, chunk: &Chunk) -> bool {
        let Some((init, tracks)) = state.head.clone() else {
            return false;
        };
        let start = UnixMs(chunk.start_ms);
        if start < self.stream.covered() {
            tracing::warn!(camera = %self.stream.key.camera, "the clock was set back: footage overlaps");
        }
        let id = ObjectId::generate();
        state.failures = self.stream.disk_failures();
        let previous = state.previous.take();
        let cause = self.stream.cause();
        let epoch = self.stream.epoch();
        self.send(Item::Open(Box::new(OpenInfo {
            id,
            epoch,
            previous,
            init,
            tracks,
            start,
            cause,
        })));
        state.open = Some(id);
        state.start = start;
        state.fresh = false;
        (self.events)(AttemptEvent::Footage);
        true
    }
}

impl FactSink for Intake {
    fn fact(&self, fact: Fact) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match fact {
            Fact::Playing { .. } => (self.events)(AttemptEvent::Playing),
            Fact::ObjectOpened {
                init,
                tracks,
                continues,
                ..
            } => {
                self.opened(&mut state, (init, tracks), continues);
            }
            Fact::Chunk(chunk) => self.chunk(&mut state, chunk),
            Fact::ObjectClosed { reason } => {
                self.close(&mut state);
                state.head = None;
                if reason == CloseReason::Window {
                    (self.events)(AttemptEvent::Closed);
                }
            }
            Fact::Degraded { detail } => (self.events)(AttemptEvent::Degraded(detail)),
            Fact::Ended(end) => {
                self.close(&mut state);
                state.ended = true;
                (self.events)(AttemptEvent::Ended(end));
            }
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        // An attempt that panicked says nothing; its object is sealed and its supervisor told all the same.
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let open = state.open.take();
        if !std::mem::replace(&mut state.ended, true) {
            if open.is_some() {
                self.send(Item::Close);
            }
            let failure = Failure::Internal("the attempt ended without a word".to_owned());
            (self.events)(AttemptEvent::Ended(AttemptEnd::Failed(failure)));
        }
    }
}
