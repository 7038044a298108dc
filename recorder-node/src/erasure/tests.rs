//! Erasures against writer, commit thread, database and a real disk: whatever state footage is in, it goes,
//! and objects and gaps together still cover all planned time.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use async_nats::jetstream;
use media_core::facts::{AttemptEnd, Fact, FactSink};
use proptest::prelude::*;
use wire::bus::{EVENT_STREAM, PLAN_BUCKET};
use wire::coverage::{Gap, GapCause};
use wire::event::{NodeEvent, SealedObject};
use wire::media::Init;
use wire::{CameraId, ErasureId, ObjectId, SegmentTable, StreamKind, TimeRange, UnixMs};

use super::*;
use crate::bus::outbox::Drain;
use crate::bus::{plan, tests as bus};
use crate::db::ledger::OpenRow;
use crate::db::{ledger as rows, objects, outbox};
use crate::ledger::{Cause, Ledger, Planned, StreamKey};
use crate::session::Sessions;
use crate::spool::commit::{self, Commit};
use crate::spool::intake::Intake;
use crate::spool::repair::{Repair, tests::recording};
use crate::spool::stream::Stream;
use crate::spool::tests::{START, assert_covered, chunk, closed, object, opened, split};
use crate::spool::writer;
use crate::supervisor::shared::Watched;

struct World {
    _dir: tempfile::TempDir,
    eraser: Eraser,
    stream: Arc<Stream>,
    writer: Arc<Mutex<Option<Sender<WriterMessage>>>>,
    commit: SyncSender<Commit>,
    threads: (writer::Handle, JoinHandle<()>),
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (layout, db) = (Layout::create(dir.path()).unwrap(), Db::open(dir.path()).unwrap());
        let (node, heads, signals) = (NodeId::generate(), Arc::new(Heads::default()), Arc::default());
        let (camera, stream) = (CameraId::generate(), StreamKind::Main);
        let key = StreamKey { camera, stream };
        let ledger = Ledger::resume(node, Vec::new(), HashMap::new(), UnixMs(START));
        let signals: Arc<Signals> = signals;
        let (commit, committer) = commit::start(
            layout.clone(),
            db.clone(),
            (ledger, Sessions::resume(node, Vec::new())),
            heads.clone(),
            signals.clone(),
        )
        .unwrap();
        let (sender, handle) = writer::start(layout.clone(), node, heads.clone(), commit.clone()).unwrap();
        let planned = HashMap::from([(key, Planned::always())]);
        let (done, _) = oneshot::channel();
        let plan = Commit::Plan {
            planned,
            now: UnixMs(START),
            done,
        };
        commit.send(plan).unwrap();
        let cause = Cause::new(GapCause::Network, "away", UnixMs(START));
        let stream = Arc::new(Stream::new(key, 3, UnixMs(0), cause));
        let writer = Arc::new(Mutex::new(Some(sender)));
        let door = writer.clone();
        let eraser = Eraser {
            node,
            db,
            layout,
            heads,
            roster: Roster::of(vec![Arc::new(Watched::new(stream.clone()))]),
            writer: Arc::new(move || door.lock().unwrap().clone()),
            uploads: Arc::default(),
            signals,
            changed: Arc::default(),
            read: watch::channel(0).1,
            caught_up: watch::Sender::new(0),
        };
        Self {
            _dir: dir,
            eraser,
            stream,
            writer,
            commit,
            threads: (handle, committer),
        }
    }

    fn attempt(&self) -> Intake {
        let writer = self.writer.lock().unwrap().clone().unwrap();
        Intake::new(self.stream.clone(), writer, Box::new(drop))
    }

    fn erasure(&self, from_s: i64, to_s: i64) -> Erasure {
        erasure(
            self.stream.key.camera,
            START + from_s * 1_000,
            START + to_s * 1_000,
        )
    }

    fn rows(&self) -> Vec<objects::ObjectRow> {
        self.eraser.db.with(objects::all).unwrap()
    }

    fn done(&self) -> Vec<ErasureId> {
        self.eraser.db.with(erasures::done).unwrap()
    }

    /// What waits to be announced.
    fn events(&self) -> (Vec<SealedObject>, Vec<Gap>) {
        split(events(&self.eraser.db))
    }

    /// Names of the files of the camera, as ids.
    fn files(&self) -> Vec<ObjectId> {
        let folder = self.eraser.layout.camera(self.stream.key.camera);
        let mut files: Vec<ObjectId> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .parse()
                    .unwrap()
            })
            .collect();
        files.sort();
        files
    }

    fn finish(self, intake: Intake) {
        drop((intake, self.writer.lock().unwrap().take(), self.commit));
        self.threads.0.join();
        self.threads.1.join().unwrap();
    }
}

fn erasure(camera: CameraId, from: i64, to: i64) -> Erasure {
    let range = TimeRange::new(UnixMs(from), UnixMs(to)).unwrap();
    Erasure {
        id: ErasureId::generate(),
        camera,
        range,
    }
}

fn events(db: &Db) -> Vec<NodeEvent> {
    let due = db.with(|c| outbox::due(c, UnixMs(0), 1_000)).unwrap();
    due.iter()
        .map(|row| serde_json::from_str(&row.payload).unwrap())
        .collect()
}

/// Objects of 10 s, one after the other, from [`START`] on.
fn record(intake: &Intake, count: i64) {
    for n in 0..count {
        object(intake, START + n * 10_000, 10, n > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_state_objects_are_in_they_go_and_one_gap_comes() {
    let world = World::new();
    let intake = world.attempt();
    record(&intake, 6);
    assert!(world.eraser.barrier().await);
    let ids: Vec<ObjectId> = world.rows().iter().map(|row| row.id).collect();
    let message = |id: ObjectId| vec![id.to_string()];
    world
        .eraser
        .db
        .transaction(|c| {
            outbox::confirm(c, &message(ids[1]))?;
            outbox::confirm(c, &message(ids[2]))?;
            objects::mark_stored(c, ids[2])?;
            outbox::refuse(c, &ids[3].to_string())
        })
        .unwrap();
    // Touches all but the first and the last.
    let erased = world.erasure(15, 41);
    assert!(world.eraser.round(Some(vec![erased])).await.unwrap());
    assert_eq!(world.files(), [ids[0], ids[5]]);
    let (objects, gaps) = world.events();
    assert_eq!(objects.iter().map(|o| o.id).collect::<Vec<_>>(), [ids[0], ids[5]]);
    assert_covered(&objects, &gaps, START + 60_000);
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    assert_eq!(gap.cause, GapCause::Operator);
    let head = world.eraser.heads.take_changed(world.eraser.node);
    let named: Vec<ObjectId> = head[0].objects.iter().map(|object| object.id).collect();
    assert!(!named.iter().any(|id| ids[1..5].contains(id)), "{named:?}");
    assert_eq!(world.done(), [erased.id]);
    world.finish(intake);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growing_object_ends_at_its_next_segment_and_what_follows_stays() {
    let world = World::new();
    let intake = world.attempt();
    intake.fact(opened(START, false));
    intake.fact(chunk(START, true, 100));
    let erased = vec![world.erasure(-60, 3)];
    let done = world.eraser.round(Some(erased.clone())).await.unwrap();
    assert!(!done && world.done().is_empty(), "it is still growing");
    for at in [3_000, 5_500] {
        intake.fact(chunk(START + at, false, 100));
    }
    for at in [6_000, 12_000] {
        intake.fact(chunk(START + at, true, 100));
    }
    assert!(world.eraser.round(Some(erased)).await.unwrap());
    intake.fact(closed());
    intake.fact(Fact::Ended(AttemptEnd::Stopped));
    assert!(world.eraser.barrier().await);
    let (objects, gaps) = world.events();
    assert_covered(&objects, &gaps, START + 12_500);
    assert_eq!(
        objects.iter().map(|o| o.start.0 - START).collect::<Vec<_>>(),
        [6_000]
    );
    assert_eq!(world.files(), [objects[0].id]);
    world.finish(intake);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_comes_again_changes_nothing_and_one_without_it_forgets_it() {
    let world = World::new();
    let intake = world.attempt();
    record(&intake, 2);
    let erased = [
        world.erasure(0, 5),
        erasure(CameraId::generate(), START, START + 1),
        world.erasure(500, 600),
    ];
    for _ in 0..2 {
        assert!(world.eraser.round(Some(erased.to_vec())).await.unwrap());
        assert_eq!(world.events().1.len(), 1);
        assert_eq!(world.rows().len(), 1);
        let mut ids: Vec<ErasureId> = erased.iter().map(|erasure| erasure.id).collect();
        ids.sort();
        assert_eq!(world.done(), ids, "also of unknown cameras and without footage");
    }
    assert!(world.eraser.round(Some(Vec::new())).await.unwrap());
    assert!(world.done().is_empty());
    world.finish(intake);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_ended_just_now_waits_for_late_footage() {
    let world = World::new();
    let end = now();
    let just_now = erasure(world.stream.key.camera, end.0 - 1_000, end.0);
    assert!(!world.eraser.round(Some(vec![just_now])).await.unwrap());
    // The plan is gone, as on a node that was cut off: what was begun is finished.
    assert!(!world.eraser.round(Some(Vec::new())).await.unwrap());
    assert_eq!(world.eraser.db.with(erasures::pending).unwrap(), [just_now]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_set_aside_go_too_where_they_may_be_of_the_range() {
    let world = World::new();
    let (camera, other) = (world.stream.key.camera, CameraId::generate());
    let aside = |camera: CameraId| {
        let path = world
            .eraser
            .layout
            .quarantine()
            .join(format!("{camera}-{}.part", ObjectId::generate()));
        std::fs::write(&path, b"footage, perhaps").unwrap();
        path
    };
    let (mine, foreign) = (aside(camera), aside(other));
    let strange = world.eraser.layout.quarantine().join("ünknown");
    std::fs::write(&strange, b"").unwrap();
    let long_ago = erasure(camera, START, START + 1_000);
    assert!(world.eraser.round(Some(vec![long_ago])).await.unwrap());
    assert!(mine.exists());
    let today = erasure(camera, now().0 - 3_600_000, now().0);
    let _ = world.eraser.round(Some(vec![today])).await.unwrap();
    assert!(!mine.exists() && foreign.exists() && strange.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_while_the_node_was_cut_off_is_never_announced() {
    let bus = bus::World::new().await;
    bus.make_stream().await;
    let mut world = World::new();
    let intake = world.attempt();
    record(&intake, 6);
    assert!(world.eraser.barrier().await);
    let ids: Vec<ObjectId> = world.rows().iter().map(|row| row.id).collect();
    let (db, node) = (world.eraser.db.clone(), world.eraser.node);
    let plan = Plan {
        node,
        revision: 1,
        horizon: UnixMs(0),
        entries: Vec::new(),
        erasures: vec![world.erasure(5, 45)],
        uplink_bps: None,
    };
    let bucket = jetstream::kv::Config {
        bucket: PLAN_BUCKET.into(),
        ..jetstream::kv::Config::default()
    };
    let bucket = bus.jetstream().await.create_key_value(bucket).await.unwrap();
    let json = serde_json::to_vec(&plan).unwrap();
    bucket.put(node.to_string(), json.into()).await.unwrap();

    // It connects, with all six objects in its outbox.
    let (plans, seen) = watch::channel(None);
    let read = watch::Sender::new(0);
    world.eraser.read = read.subscribe();
    let drain = Drain {
        node,
        db: db.clone(),
        link: bus.link.clone(),
        heads: world.eraser.heads.clone(),
        uploads: Arc::default(),
        erased: world.eraser.caught_up.subscribe(),
    };
    let World { eraser, .. } = world;
    let signals = eraser.signals.clone();
    tokio::spawn(drain.publish(signals, bus.stop.clone()));
    tokio::spawn(plan::follow(
        bus.link.clone(),
        node,
        plans,
        read,
        bus.stop.clone(),
    ));
    tokio::spawn(eraser.run(seen, bus.stop.clone()));
    bus::until("everything is announced", || async {
        let due = db.with(|c| outbox::due(c, UnixMs(0), 10)).unwrap();
        (due.is_empty() && bus.messages().await > 0).then_some(())
    })
    .await;
    let stream = bus.jetstream().await.get_stream(EVENT_STREAM).await.unwrap();
    let mut announced = Vec::new();
    for sequence in 1..=bus.messages().await {
        let message = stream.get_raw_message(sequence).await.unwrap();
        announced.push(serde_json::from_slice(&message.payload).unwrap());
    }
    let (objects, gaps) = split(announced);
    assert_eq!(objects.iter().map(|o| o.id).collect::<Vec<_>>(), [ids[5]]);
    assert_covered(&objects, &gaps, START + 60_000);
    drop(intake);
}

/// What a start does before anything records or announces.
fn start(db: &Db, layout: &Layout, node: NodeId) {
    erase::resume(db, layout, node).unwrap();
    let later = UnixMs(START + 3_600_000);
    let coverages = db.with(rows::coverages).unwrap();
    let mut ledger = Ledger::resume(node, coverages, HashMap::new(), later);
    let repair = Repair {
        layout,
        db,
        node,
        plan: None,
        segment_ms: 6_000,
        now: later,
    };
    repair
        .run(&mut ledger, &mut Sessions::resume(node, Vec::new()))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_transaction_and_the_files_is_finished_at_the_next_start() {
    let world = World::new();
    let intake = world.attempt();
    record(&intake, 3);
    assert!(world.eraser.barrier().await);
    let Eraser { db, layout, node, .. } = &world.eraser;
    let erased = world.erasure(0, 15);
    let kept = world.rows()[2].id;
    let taken = db.transaction(|c| {
        erasures::note(c, &[erased])?;
        erasures::take(c, &erased, *node)
    });
    assert_eq!((taken.unwrap().len(), world.files().len()), (2, 3), "killed here");
    start(db, layout, *node);
    assert_eq!(world.files(), [kept]);
    let (objects, gaps) = world.events();
    assert_covered(&objects, &gaps, START + 30_000);
    assert_eq!((objects.len(), gaps.len()), (1, 1));
    world.finish(intake);
}

#[test]
fn what_a_power_cut_left_of_an_erased_range_is_not_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let (layout, db) = (Layout::create(dir.path()).unwrap(), Db::open(dir.path()).unwrap());
    let (node, camera, stream) = (NodeId::generate(), CameraId::generate(), StreamKind::Main);
    std::fs::create_dir_all(layout.camera(camera)).unwrap();
    let ids: Vec<ObjectId> = (0..3).map(|_| ObjectId::generate()).collect();
    let paths = [
        layout.sealed(camera, ids[0]),
        layout.part(camera, ids[1]),
        layout.part(camera, ids[2]),
    ];
    for (path, (id, n)) in paths.iter().zip(ids.iter().zip(0..)) {
        let start = START + n * 60_000;
        std::fs::write(path, recording(start, 20)).unwrap();
        let key = StreamKey { camera, stream };
        let row = OpenRow {
            key,
            epoch: 1,
            start: UnixMs(start),
            previous: None,
        };
        db.transaction(|c| rows::add_open(c, *id, &row)).unwrap();
    }
    let erased = erasure(camera, START + 5_000, START + 61_000);
    db.transaction(|c| erasures::note(c, &[erased])).unwrap();
    start(&db, &layout, node);
    let left: Vec<_> = std::fs::read_dir(layout.camera(camera))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(left, [layout.sealed(camera, ids[2])]);
    let (objects, gaps) = split(events(&db));
    assert_eq!(objects.iter().map(|o| o.id).collect::<Vec<_>>(), [ids[2]]);
    let erased: Vec<i64> = gaps
        .iter()
        .map(|gap| (gap.range.start().0 - START) / 60_000)
        .collect();
    assert_eq!(erased, [0, 1]);
    assert!(gaps.iter().all(|gap| gap.cause == GapCause::Operator));
}

fn sealed(camera: CameraId, stream: StreamKind, start: i64, end: i64) -> SealedObject {
    SealedObject {
        id: ObjectId::generate(),
        camera,
        stream,
        node: NodeId::from_bytes([9; 16]),
        epoch: 1,
        previous: None,
        start: UnixMs(start),
        end: UnixMs(end),
        bytes: 1,
        sha256: String::new(),
        init: Init {
            length: 1,
            digest: String::new(),
        },
        tracks: Vec::new(),
        segments: SegmentTable::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Objects and gaps of each stream still tile the time that objects covered, each instant once, and no
    /// object touches what is erased.
    #[test]
    fn objects_and_gaps_stay_a_tiling(
        lengths in proptest::collection::vec((1..50_i64, any::<bool>()), 1..30),
        ranges in proptest::collection::vec((0..700_i64, 1..300_i64), 1..4),
        late in 0..30_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        let camera = CameraId::generate();
        let mut ends = HashMap::from([(StreamKind::Main, START), (StreamKind::Sub, START)]);
        let made: Vec<SealedObject> = lengths.iter().map(|(length, sub)| {
            let stream = if *sub { StreamKind::Sub } else { StreamKind::Main };
            let end = ends.get_mut(&stream).unwrap();
            let start = std::mem::replace(end, *end + length);
            sealed(camera, stream, start, start + length)
        }).collect();
        let late = late.min(made.len());
        let erased: Vec<Erasure> = ranges.iter()
            .map(|(from, length)| erasure(camera, START + from, START + from + length))
            .collect();
        db.transaction(|c| {
            made[late..].iter().try_for_each(|object| objects::add(c, object))?;
            erasures::note(c, &erased)?;
            for erasure in &erased {
                while !erasures::take(c, erasure, NodeId::from_bytes([9; 16]))?.is_empty() {}
            }
            made[..late].iter().try_for_each(|object| erasures::add_unless_erased(c, object).map(drop))
        }).unwrap();
        let (objects, gaps) = split(events(&db));
        for object in &objects {
            let range = TimeRange::new(object.start, object.end).unwrap();
            prop_assert!(erased.iter().all(|erasure| erasure.range.intersection(&range).is_none()));
        }
        for (stream, end) in ends {
            let objects: Vec<_> = objects.iter().filter(|o| o.stream == stream).cloned().collect();
            let gaps: Vec<_> = gaps.iter().filter(|g| g.stream == stream).cloned().collect();
            if end > START {
                assert_covered(&objects, &gaps, end);
            }
        }
    }
}
