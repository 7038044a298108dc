//! Sessions begin, count, fail and end once each, whatever restarts come between.

use wire::coverage::GapCause;
use wire::media::Init;
use wire::{CameraId, SegmentTable, StreamKind, TimeRange};

use super::*;
use crate::db::{Db, outbox, sessions};

const NODE: NodeId = NodeId::from_bytes([9; 16]);
const KEY: StreamKey = StreamKey {
    camera: CameraId::from_bytes([1; 16]),
    stream: StreamKind::Main,
};

fn t(s: i64) -> UnixMs {
    UnixMs(1_769_846_400_000 + s * 1000)
}

fn open(start: i64, end: Option<i64>) -> Step {
    Step::Open {
        epoch: 3,
        window: (t(start), end.map(t)),
    }
}

fn failed(alert_after: u32) -> Step {
    Step::Failed {
        detail: "the camera sent nothing".into(),
        footage: false,
        alert_after,
        retry: None,
    }
}

fn gap(id: ObjectId, start: i64, end: i64) -> Gap {
    Gap {
        id,
        camera: KEY.camera,
        stream: KEY.stream,
        node: NODE,
        range: TimeRange::new(t(start), t(end)).unwrap(),
        cause: GapCause::Camera,
        detail: String::new(),
    }
}

fn object(bytes: u64) -> SealedObject {
    SealedObject {
        id: ObjectId::generate(),
        camera: KEY.camera,
        stream: KEY.stream,
        node: NODE,
        epoch: 3,
        previous: None,
        start: t(2),
        end: t(3),
        bytes,
        sha256: String::new(),
        init: Init {
            length: 1,
            digest: String::new(),
        },
        tracks: Vec::new(),
        segments: SegmentTable::default(),
    }
}

/// A node's sessions on a database, which can be killed.
struct Node {
    _dir: tempfile::TempDir,
    db: Db,
    sessions: Sessions,
    told: Vec<RecordingSession>,
}

impl Node {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        Self {
            _dir: dir,
            db,
            sessions: Sessions::resume(NODE, Vec::new()),
            told: Vec::new(),
        }
    }

    fn write(&mut self, writes: Vec<Write>) {
        self.db.transaction(|c| sessions::apply(c, &writes)).unwrap();
        self.told
            .extend(writes.into_iter().filter_map(|write| match write {
                Write::Tell(told) => Some(told),
                _ => None,
            }));
    }

    fn step(&mut self, step: Step, now: i64) {
        let writes = self.sessions.step(KEY, step, t(now));
        self.write(writes);
    }

    fn kill(&mut self, outlook: Option<(u64, Outlook)>, now: i64) {
        self.sessions = Sessions::resume(NODE, self.db.with(sessions::all).unwrap());
        let planned = outlook.into_iter().map(|outlook| (KEY, outlook)).collect();
        let writes = self.sessions.settle(&planned, t(now));
        self.write(writes);
    }

    fn last(&self) -> &RecordingSession {
        self.told.last().unwrap()
    }
}

fn active(start: i64, end: Option<i64>) -> Outlook {
    Outlook {
        current: Some((t(start), end.map(t))),
        next: None,
    }
}

#[test]
fn a_session_counts_across_restarts_and_ends_once() {
    let mut node = Node::new();
    node.step(open(0, Some(600)), 0);
    node.step(Step::Attempt, 0);
    let writes = node.sessions.footage(KEY, 3, t(1), t(1));
    node.write(writes);
    let id = node.last().id;
    assert_eq!((node.last().started, node.last().revision), (Some(t(1)), 2));
    let writes = node.sessions.sealed(&object(1_000), 15, t(60));
    node.write(writes);
    let (lost, later) = (ObjectId::generate(), ObjectId::generate());
    for end in [90, 120] {
        let writes = node.sessions.gap(&gap(lost, 60, end), t(end));
        node.write(writes);
    }
    node.kill(Some((3, active(0, Some(600)))), 130);
    node.step(open(0, Some(600)), 130);
    node.step(Step::Attempt, 130);
    for (id, from, to) in [(lost, 60, 125), (later, 125, 130)] {
        let writes = node.sessions.gap(&gap(id, from, to), t(130));
        node.write(writes);
    }
    assert_eq!(node.told.len(), 2, "counting alone is not told at once");
    let end = Step::End {
        reason: EndReason::WindowEnded,
        at: t(600),
    };
    node.step(end.clone(), 601);
    node.step(end, 602);
    let told = node.last().clone();
    assert_eq!((told.id, told.revision, told.attempts), (id, 3, 2));
    assert_eq!(
        (told.bytes, told.frames, told.gaps, told.gap_ms),
        (1_000, 15, 2, 70_000)
    );
    assert_eq!(
        (told.ended, told.end_reason),
        (Some(t(600)), Some(EndReason::WindowEnded))
    );
    assert!(node.db.with(sessions::all).unwrap().is_empty());
    // The last object is sealed a moment after the end.
    let writes = node.sessions.sealed(&object(500), 5, t(603));
    node.write(writes);
    assert_eq!((node.last().bytes, node.last().revision), (1_500, 4));
    assert_eq!(
        node.db.with(outbox::backlog).unwrap(),
        1,
        "the last word says it all"
    );
}

#[test]
fn failing_is_told_once_and_its_end_as_well() {
    let mut node = Node::new();
    node.step(open(0, None), 0);
    for s in 0..9 {
        node.step(Step::Attempt, s);
        node.step(failed(10), s);
    }
    node.kill(Some((3, active(0, None))), 20);
    node.step(open(0, None), 20);
    assert!(!node.last().failing);
    for s in 20..40 {
        node.step(failed(10), s);
    }
    assert_eq!(node.told.iter().filter(|told| told.failing).count(), 1);
    let writes = node.sessions.footage(KEY, 3, t(41), t(41));
    node.write(writes);
    assert!(!node.last().failing);
    node.step(failed(10), 42);
    assert!(!node.last().failing, "footage starts the count anew");
}

#[test]
fn what_the_next_attempt_waits_for_survives_a_restart() {
    let mut node = Node::new();
    let retry = Retry::new(4, t(90), &media_core::facts::Failure::Unauthorized);
    let failed = |retry: &Retry| Step::Failed {
        detail: "the camera refuses the credentials".into(),
        footage: false,
        alert_after: 10,
        retry: Some(retry.clone()),
    };
    node.step(open(0, None), 0);
    node.step(Step::Attempt, 0);
    node.step(failed(&retry), 1);
    node.kill(Some((3, active(0, None))), 20);
    assert_eq!(node.sessions.retries().get(&KEY), Some(&retry));
    // Killed in the middle of the attempt: the next one is due, as the one after so many.
    node.step(open(0, None), 20);
    node.step(Step::Attempt, 90);
    node.kill(Some((3, active(0, None))), 91);
    let due = node.sessions.retries().remove(&KEY).unwrap();
    assert_eq!((due.failures, due.at), (4, t(90)));
    let writes = node.sessions.footage(KEY, 3, t(92), t(92));
    node.write(writes);
    node.kill(Some((3, active(0, None))), 93);
    assert!(node.sessions.retries().is_empty(), "footage came");
    node.step(failed(&retry), 94);
    node.kill(Some((4, active(0, None))), 95);
    assert!(
        node.sessions.retries().is_empty(),
        "another epoch is another session"
    );
}

#[test]
fn another_epoch_or_window_is_another_session() {
    let mut node = Node::new();
    node.step(open(0, None), 0);
    let first = node.last().id;
    let moved = Step::Open {
        epoch: 4,
        window: (t(0), None),
    };
    node.step(moved, 50);
    assert_eq!(node.told[1].end_reason, Some(EndReason::Moved));
    assert_ne!(node.last().id, first);
    // The word of the old supervisor comes late.
    let writes = node.sessions.step(
        KEY,
        Step::End {
            reason: EndReason::Withdrawn,
            at: t(49),
        },
        t(49),
    );
    assert!(writes.is_empty());
    node.kill(Some((4, Outlook::default())), 60);
    assert_eq!(node.last().end_reason, Some(EndReason::Withdrawn));
    node.step(open(70, Some(80)), 70);
    node.kill(Some((3, active(200, Some(300)))), 250);
    assert_eq!(
        (node.last().end_reason, node.last().ended),
        (Some(EndReason::WindowEnded), Some(t(80)))
    );
    node.step(open(200, Some(300)), 250);
    node.kill(None, 260);
    assert_eq!(node.last().end_reason, Some(EndReason::Withdrawn));
}

#[test]
fn what_is_counted_is_told_every_ten_minutes() {
    let mut node = Node::new();
    node.step(open(0, None), 0);
    for minute in 1..=30 {
        let writes = node.sessions.sealed(&object(10), 1, t(minute * 60));
        node.write(writes);
    }
    assert_eq!(node.told.len(), 4);
    assert_eq!(node.last().frames, 30);
}
