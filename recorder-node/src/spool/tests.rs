//! From an attempt's facts to sealed objects, gaps and events: intake, writer, commit thread and database
//! together, on a real disk.

use std::collections::HashMap;
use std::sync::mpsc::{Sender, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::facts::{AttemptEnd, Chunk, CloseReason, Fact, FactSink, Track};
use tokio::sync::oneshot;
use wire::coverage::{Gap, GapCause};
use wire::event::{EndReason, NodeEvent, SealedObject};
use wire::{CameraId, NodeId, StreamKind, UnixMs};

use super::commit::{self, Commit, Signals};
use super::heads::Heads;
use super::intake::{AttemptEvent, Intake, WriterMessage};
use super::stream::{QUEUE_MAX_BYTES, Stream};
use super::{Layout, writer};
use crate::db::{Db, outbox};
use crate::ledger::{Cause, Ledger, Planned, StreamKey};
use crate::session::{Sessions, Step};

pub(crate) const START: i64 = 1_769_846_400_000;

struct World {
    _dir: tempfile::TempDir,
    layout: Layout,
    db: Db,
    heads: Arc<Heads>,
    stream: Arc<Stream>,
    writer: Sender<WriterMessage>,
    commit: SyncSender<Commit>,
    threads: (writer::Handle, JoinHandle<()>),
    events: Arc<Mutex<Vec<AttemptEvent>>>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        let db = Db::open(dir.path()).unwrap();
        let node = NodeId::generate();
        let key = StreamKey {
            camera: CameraId::generate(),
            stream: StreamKind::Main,
        };
        let ledger = Ledger::resume(node, Vec::new(), HashMap::new(), UnixMs(START));
        let heads = Arc::new(Heads::default());
        let signals = Arc::new(Signals::default());
        let (commit, committer) = commit::start(
            layout.clone(),
            db.clone(),
            (ledger, Sessions::resume(node, Vec::new())),
            heads.clone(),
            signals,
        )
        .unwrap();
        let (writer, handle) = writer::start(layout.clone(), node, heads.clone(), commit.clone()).unwrap();
        let (done, _) = oneshot::channel();
        let planned = HashMap::from([(key, Planned::always())]);
        commit
            .send(Commit::Plan {
                planned,
                now: UnixMs(START),
                done,
            })
            .unwrap();
        let cause = Cause::new(GapCause::Network, "away", UnixMs(START));
        let stream = Arc::new(Stream::new(key, 3, UnixMs(0), cause));
        let threads = (handle, committer);
        Self {
            _dir: dir,
            layout,
            db,
            heads,
            stream,
            writer,
            commit,
            threads,
            events: Arc::default(),
        }
    }

    fn attempt(&self) -> Intake {
        let events = self.events.clone();
        let hear = Box::new(move |event| events.lock().unwrap().push(event));
        Intake::new(self.stream.clone(), self.writer.clone(), hear)
    }

    /// Waits for the threads; what they announced, in order.
    fn finish(self, attempts: Vec<Intake>) -> (Vec<NodeEvent>, Layout, Arc<Heads>, tempfile::TempDir) {
        drop((attempts, self.writer, self.commit));
        self.threads.0.join();
        self.threads.1.join().unwrap();
        let due = self.db.with(|c| outbox::due(c, UnixMs(0), 1000)).unwrap();
        let events = due
            .iter()
            .map(|row| serde_json::from_str(&row.payload).unwrap())
            .collect();
        (events, self.layout, self.heads, self._dir)
    }
}

pub(crate) fn opened(start_ms: i64, continues: bool) -> Fact {
    let tracks = vec![Track::Video {
        codec: "avc1.64001f".into(),
        width: 640,
        height: 360,
        fps: 15.0,
    }];
    Fact::ObjectOpened {
        init: vec![7; 700].into(),
        tracks,
        start_ms,
        continues,
    }
}

pub(crate) fn chunk(start_ms: i64, starts_segment: bool, bytes: usize) -> Fact {
    let bytes = Bytes::from(vec![start_ms as u8; bytes]).into();
    Fact::Chunk(Chunk {
        bytes,
        start_ms,
        end_ms: start_ms + 500,
        starts_segment,
        frames: 8,
    })
}

pub(crate) fn closed() -> Fact {
    Fact::ObjectClosed {
        reason: CloseReason::Target,
    }
}

/// An object of `seconds`, a segment each 6 s.
pub(crate) fn object(intake: &Intake, start_ms: i64, seconds: i64, continues: bool) {
    intake.fact(opened(start_ms, continues));
    for i in 0..seconds * 2 {
        intake.fact(chunk(start_ms + i * 500, i % 12 == 0, 100));
    }
    intake.fact(closed());
}

pub(crate) fn split(events: Vec<NodeEvent>) -> (Vec<SealedObject>, Vec<Gap>) {
    let (mut objects, mut gaps) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            NodeEvent::ObjectSealed(object) => objects.push(object),
            NodeEvent::Gap(gap) => gaps.push(gap),
            NodeEvent::Recording(_) => {}
        }
    }
    (objects, gaps)
}

/// All of `[START, end)` is told of exactly once.
pub(crate) fn assert_covered(objects: &[SealedObject], gaps: &[Gap], end: i64) {
    let mut all: Vec<(i64, i64)> = objects.iter().map(|o| (o.start.0, o.end.0)).collect();
    all.extend(gaps.iter().map(|g| (g.range.start().0, g.range.end().0)));
    all.sort_unstable();
    let mut at = START;
    for (from, to) in &all {
        assert_eq!(*from, at, "{all:?}");
        at = *to;
    }
    assert_eq!(at, end, "{all:?}");
}

#[test]
fn objects_follow_each_other_and_files_are_what_events_say() {
    let world = World::new();
    let intake = world.attempt();
    object(&intake, START + 1_000, 60, false);
    object(&intake, START + 61_000, 60, true);
    intake.fact(Fact::Ended(AttemptEnd::Stopped));
    let (events, layout, heads, _dir) = world.finish(vec![intake]);
    let (objects, gaps) = split(events);
    assert_covered(&objects, &gaps, START + 121_000);
    assert_eq!((gaps.len(), gaps[0].cause), (1, GapCause::Network));
    assert_eq!(objects[1].previous, Some(objects[0].id));
    assert_eq!(objects[0].previous, None);
    for object in &objects {
        use sha2::Digest;
        let bytes = std::fs::read(layout.sealed(object.camera, object.id)).unwrap();
        assert_eq!(object.bytes, bytes.len() as u64);
        assert_eq!(object.sha256, hex::encode(sha2::Sha256::digest(&bytes)));
        assert_eq!((object.epoch, object.segments.0.len()), (3, 10));
        assert!(
            object
                .segments
                .0
                .windows(2)
                .all(|s| s[0].end_offset() == s[1].offset && s[0].end() == s[1].start)
        );
    }
    let head = &heads.take_changed(NodeId::generate())[0];
    assert_eq!(
        head.objects.iter().map(|o| o.id).collect::<Vec<_>>(),
        vec![objects[0].id, objects[1].id]
    );
}

#[test]
fn a_full_queue_drops_up_to_the_next_segment_and_says_so() {
    let world = World::new();
    let intake = world.attempt();
    object(&intake, START, 6, false);
    let deadline = Instant::now() + Duration::from_secs(10);
    // The writer must have taken everything, so that the queue below is empty.
    while !world.stream.reserve(QUEUE_MAX_BYTES) {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    intake.fact(opened(START + 6_000, true));
    intake.fact(chunk(START + 6_000, true, 100));
    assert!(world.stream.disk_trouble().is_some());
    world.stream.release(QUEUE_MAX_BYTES);
    intake.fact(chunk(START + 6_500, false, 100));
    while !world.stream.disk_may_be_tried() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    intake.fact(chunk(START + 7_000, false, 100));
    intake.fact(chunk(START + 12_000, true, 100));
    intake.fact(chunk(START + 12_500, false, 100));
    intake.fact(closed());
    intake.fact(Fact::Ended(AttemptEnd::Stopped));
    let (objects, gaps) = split(world.finish(vec![intake]).0);
    assert_covered(&objects, &gaps, START + 13_000);
    assert_eq!(
        gaps.iter().map(|g| g.cause).collect::<Vec<_>>(),
        vec![GapCause::Disk]
    );
    assert_eq!(objects[1].previous, None);
}

#[test]
fn footage_that_overlaps_what_is_covered_is_skipped_to_the_next_segment() {
    let world = World::new();
    let first = world.attempt();
    object(&first, START, 12, false);
    drop(first);
    let second = world.attempt();
    // The new session believes it is 2 s earlier.
    object(&second, START + 10_000, 12, false);
    drop(second);
    let said = world
        .events
        .lock()
        .unwrap()
        .iter()
        .filter(|e| matches!(e, AttemptEvent::Ended(_)))
        .count();
    assert_eq!(said, 2, "an attempt that ends without a word is noticed");
    let (objects, gaps) = split(world.finish(Vec::new()).0);
    assert_covered(&objects, &gaps, START + 22_000);
    assert_eq!(objects[1].start, UnixMs(START + 16_000));
}

#[test]
fn a_disk_that_refuses_files_gives_a_gap_of_its_own_cause() {
    let world = World::new();
    let intake = world.attempt();
    object(&intake, START, 6, false);
    let folder = world.layout.camera(world.stream.key.camera);
    let deadline = Instant::now() + Duration::from_secs(10);
    let sealed = |folder: &std::path::Path| {
        std::fs::read_dir(folder)
            .is_ok_and(|mut d| d.any(|e| e.unwrap().path().extension().unwrap() == "mp4"))
    };
    while !sealed(&folder) {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    let aside = folder.with_extension("aside");
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, b"not a folder").unwrap();
    intake.fact(opened(START + 6_000, true));
    intake.fact(chunk(START + 6_000, true, 100));
    while world.stream.disk_trouble().is_none() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    while !world.stream.disk_may_be_tried() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    // The object that could not be made is over; the next segment begins another one.
    intake.fact(chunk(START + 9_000, false, 100));
    intake.fact(chunk(START + 12_000, true, 100));
    intake.fact(closed());
    intake.fact(Fact::Ended(AttemptEnd::Stopped));
    let (objects, gaps) = split(world.finish(vec![intake]).0);
    assert_eq!(
        gaps.iter().map(|g| g.cause).collect::<Vec<_>>(),
        vec![GapCause::Disk]
    );
    assert_covered(&objects, &gaps, START + 12_500);
}

/// Main and sub stream of one camera at once: objects, gaps, heads and sessions of each are its own.
#[test]
fn both_streams_of_a_camera_are_kept_apart() {
    let world = World::new();
    let main = world.stream.key;
    let sub = StreamKey {
        stream: StreamKind::Sub,
        ..main
    };
    let planned = [main, sub].map(|key| (key, Planned::always())).into();
    let (done, _) = oneshot::channel();
    let now = UnixMs(START);
    world.commit.send(Commit::Plan { planned, now, done }).unwrap();
    let cause = Cause::new(GapCause::Camera, "silent", UnixMs(START));
    let other = Arc::new(Stream::new(sub, 3, UnixMs(0), cause));
    let intakes = [
        world.attempt(),
        Intake::new(other, world.writer.clone(), Box::new(|_| {})),
    ];
    let tell = |key, step, ms| {
        let at = UnixMs(ms);
        let message = Commit::Session { key, step, at };
        world.writer.send(WriterMessage::Pass(Box::new(message))).unwrap();
    };
    for key in [main, sub] {
        let (epoch, window) = (3, (UnixMs(START), None));
        tell(key, Step::Open { epoch, window }, START);
    }
    object(&intakes[0], START + 1_000, 60, false);
    object(&intakes[1], START + 2_000, 30, false);
    for (key, intake) in [main, sub].into_iter().zip(&intakes) {
        intake.fact(Fact::Ended(AttemptEnd::Stopped));
        let (reason, at) = (EndReason::Withdrawn, UnixMs(START + 62_000));
        tell(key, Step::End { reason, at }, START + 62_000);
    }
    let (events, layout, heads, _dir) = world.finish(intakes.into());
    let sessions: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            NodeEvent::Recording(told) => Some((told.stream, told.frames, told.gap_ms, told.end_reason)),
            _ => None,
        })
        .collect();
    let ended = Some(EndReason::Withdrawn);
    assert_eq!(
        sessions,
        [
            (StreamKind::Main, 960, 1_000, ended),
            (StreamKind::Sub, 480, 2_000, ended)
        ]
    );
    let (objects, gaps) = split(events);
    for (stream, end) in [(StreamKind::Main, 61_000), (StreamKind::Sub, 32_000)] {
        let own = objects.iter().filter(|object| object.stream == stream).cloned();
        let gaps = gaps.iter().filter(|gap| gap.stream == stream).cloned();
        let own: Vec<_> = own.collect();
        assert_eq!(own.len(), 1);
        assert!(layout.sealed(main.camera, own[0].id).exists());
        assert_covered(&own, &gaps.collect::<Vec<_>>(), START + end);
    }
    assert_eq!(heads.take_changed(NodeId::generate()).len(), 2);
}
