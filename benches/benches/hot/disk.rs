//! What waits for the disk: the spool and the outbox of a recorder, on the file system of the build folder.
//!
//! Timed only: a count of instructions says nothing about an fsync.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput};
use media_core::facts::{Chunk, CloseReason, Fact, FactSink, Track};
use media_core::fmp4::Fragment;
use recorder_node::db::{Db, objects, outbox};
use recorder_node::ledger::{Cause, Ledger, Planned, StreamKey};
use recorder_node::session::{Sessions, Step};
use recorder_node::spool::commit::{self, Commit, Signals};
use recorder_node::spool::heads::Heads;
use recorder_node::spool::intake::{Intake, WriterMessage};
use recorder_node::spool::stream::Stream;
use recorder_node::spool::{Layout, writer};
use tempfile::TempDir;
use tokio::sync::oneshot;
use wire::coverage::GapCause;
use wire::event::{NodeEvent, SealedObject};
use wire::{CameraId, NodeId, ObjectId, StreamKind, UnixMs};

use crate::footage::{self, START_MS};
use crate::json;
use crate::work::failed;

/// As the recorder drains it.
const BATCH: i64 = 200;
const CONFIRM_BATCH: i64 = 500;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<()> {
    let (init, chunks) = footage::minute()?;
    let mut group = criterion.benchmark_group("spool");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Bytes(footage::length(&chunks)));
    let spool = Spool::new(1, init.clone())?;
    group.bench_function("write and hash a minute", |bencher| {
        bencher.iter_custom(|rounds| times(rounds, || spool.append(&chunks)));
    });
    for cameras in [1, 32] {
        let spool = Spool::new(cameras, init.clone())?;
        group.throughput(Throughput::Elements(cameras as u64));
        group.bench_function(format!("seal objects of {cameras}"), |bencher| {
            // What is not on the disk yet when an object ends: the last chunk.
            bencher.iter_custom(|rounds| times(rounds, || spool.seal(&chunks[..1])));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("outbox");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(BATCH.unsigned_abs()));
    for backlog in [200, 20_000] {
        let waiting = Waiting::new()?;
        group.bench_function(format!("drain {BATCH} of {backlog}"), |bencher| {
            waiting.fill(backlog).unwrap_or_else(|error| failed(&error));
            bencher.iter_custom(|rounds| times(rounds, || waiting.drain(backlog)));
        });
    }
    group.finish();
    Ok(())
}

fn times(rounds: u64, mut round: impl FnMut() -> Result<Duration>) -> Duration {
    let one = |_| round().unwrap_or_else(|error| failed(&error));
    (0..rounds).map(one).sum()
}

fn folder() -> Result<TempDir> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tempfile::tempdir_in(root).with_context(|| format!("no folder in {}", root.display()))
}

/// Intake, writer, commit thread and database, as a recorder has them.
struct Spool {
    _dir: TempDir,
    layout: Layout,
    db: Db,
    init: Bytes,
    intakes: Vec<Intake>,
    /// Milliseconds since the start at which the next objects begin.
    next_ms: Cell<i64>,
    writer: Sender<WriterMessage>,
    _commit: (SyncSender<Commit>, JoinHandle<()>),
}

impl Spool {
    fn new(cameras: u128, init: Bytes) -> Result<Self> {
        let dir = folder()?;
        let (layout, db) = (Layout::create(dir.path())?, Db::open(dir.path())?);
        let (node, heads, now) = (
            NodeId::from_bytes([3; 16]),
            Arc::new(Heads::default()),
            UnixMs(START_MS),
        );
        let state = (
            Ledger::resume(node, Vec::new(), HashMap::new(), now),
            Sessions::resume(node, Vec::new()),
        );
        let committer = commit::start(
            layout.clone(),
            db.clone(),
            state,
            heads.clone(),
            Arc::new(Signals::default()),
        )?;
        let (writer, _) = writer::start(layout.clone(), node, heads, committer.0.clone())?;
        let key = |camera: u128| StreamKey {
            camera: CameraId::from_bytes((camera + 1).to_be_bytes()),
            stream: StreamKind::Main,
        };
        let keys: Vec<StreamKey> = (0..cameras).map(key).collect();
        let (done, taken) = oneshot::channel();
        let planned = keys.iter().map(|key| (*key, Planned::always())).collect();
        committer.0.send(Commit::Plan { planned, now, done })?;
        taken.blocking_recv()?;
        for key in &keys {
            let (epoch, window) = (1, (now, None));
            let step = Step::Open { epoch, window };
            committer.0.send(Commit::Session {
                key: *key,
                step,
                at: now,
            })?;
        }
        let intake = |key: &StreamKey| {
            let cause = Cause::new(GapCause::Node, "not started", now);
            let stream = Arc::new(Stream::new(*key, 1, UnixMs(0), cause));
            Intake::new(stream, writer.clone(), Box::new(|_| ()))
        };
        Ok(Self {
            intakes: keys.iter().map(intake).collect(),
            _dir: dir,
            layout,
            db,
            init,
            next_ms: Cell::new(0),
            writer,
            _commit: committer,
        })
    }

    /// How long the chunks take until all are written and hashed.
    fn append(&self, chunks: &[Fragment]) -> Result<Duration> {
        self.barrier()?;
        let began = Instant::now();
        self.write(chunks);
        self.barrier()?;
        let took = began.elapsed();
        self.close();
        self.tidy()?;
        Ok(took)
    }

    /// How long objects of these chunks, one for each camera, take from their end until they are sealed.
    fn seal(&self, chunks: &[Fragment]) -> Result<Duration> {
        self.write(chunks);
        self.barrier()?;
        let began = Instant::now();
        self.close();
        self.barrier()?;
        let took = began.elapsed();
        self.tidy()?;
        Ok(took)
    }

    fn write(&self, chunks: &[Fragment]) {
        let next_ms = self.next_ms.get();
        self.next_ms.set(next_ms + 60_000);
        for intake in &self.intakes {
            intake.fact(Fact::ObjectOpened {
                init: self.init.clone(),
                tracks: vec![Track::Video {
                    codec: "avc1.42c01f".to_owned(),
                    width: 1280,
                    height: 720,
                    fps: 15.0,
                }],
                start_ms: START_MS + next_ms,
                continues: true,
            });
            for (index, chunk) in chunks.iter().enumerate() {
                intake.fact(Fact::Chunk(Chunk {
                    bytes: chunk.bytes.clone(),
                    start_ms: chunk.start_ms + next_ms,
                    end_ms: chunk.end_ms + next_ms,
                    starts_segment: index % 7 == 0,
                    frames: chunk.frames,
                }));
            }
        }
    }

    fn close(&self) {
        let reason = CloseReason::Target;
        self.intakes
            .iter()
            .for_each(|intake| intake.fact(Fact::ObjectClosed { reason }));
    }

    /// Waits until all that was told before is in the database.
    fn barrier(&self) -> Result<()> {
        let (done, waits) = oneshot::channel();
        self.writer
            .send(WriterMessage::Barrier(done))
            .ok()
            .context("the writer has ended")?;
        Ok(waits.blocking_recv()?)
    }

    /// Every object was sealed, and goes: the next round finds the same spool.
    fn tidy(&self) -> Result<()> {
        self.barrier()?;
        let sealed = self.db.transaction(objects::all)?;
        ensure!(
            sealed.len() == self.intakes.len(),
            "{} objects of {} were sealed",
            sealed.len(),
            self.intakes.len()
        );
        self.db.transaction(|c| {
            let waiting = outbox::due(c, UnixMs::MAX, i64::MAX)?;
            let messages: Vec<String> = waiting.into_iter().map(|row| row.message).collect();
            outbox::confirm(c, &messages)?;
            sealed
                .iter()
                .try_for_each(|object| objects::remove(c, object.id).map(drop))
        })?;
        for object in sealed {
            std::fs::remove_file(self.layout.sealed(object.camera, object.id))?;
        }
        Ok(())
    }
}

/// An outbox with sealed objects in it.
struct Waiting {
    _dir: TempDir,
    db: Db,
}

impl Waiting {
    fn new() -> Result<Self> {
        let dir = folder()?;
        let db = Db::open(dir.path())?;
        Ok(Self { _dir: dir, db })
    }

    /// Seals objects until so many wait.
    fn fill(&self, backlog: u64) -> Result<()> {
        let NodeEvent::ObjectSealed(like) = json::event() else {
            return Ok(());
        };
        Ok(self.db.transaction(|c| {
            for _ in outbox::backlog(c)?..backlog {
                let id = ObjectId::generate();
                objects::add(c, &SealedObject { id, ..like.clone() })?;
            }
            Ok(())
        })?)
    }

    /// How long it takes to read what is due, note it as published, and forget it when the index has confirmed:
    /// the transactions of [`recorder_node::bus::outbox::Drain`], without the bus.
    fn drain(&self, backlog: u64) -> Result<Duration> {
        let began = Instant::now();
        let due = self.db.transaction(|c| outbox::due(c, UnixMs(0), BATCH))?;
        let published: Vec<i64> = due.iter().map(|row| row.seq).collect();
        self.db
            .transaction(|c| outbox::mark_published(c, &published, UnixMs(START_MS)))?;
        let asked = self
            .db
            .transaction(|c| outbox::unconfirmed(c, 0, CONFIRM_BATCH))?;
        let messages: Vec<String> = asked.into_iter().map(|(_, message)| message).collect();
        let done = self.db.transaction(|c| outbox::confirm(c, &messages))?;
        let took = began.elapsed();
        ensure!(
            done.len() as i64 == BATCH,
            "{} of {BATCH} were drained",
            done.len()
        );
        self.db
            .transaction(|c| done.iter().try_for_each(|id| objects::remove(c, *id).map(drop)))?;
        self.fill(backlog)?;
        Ok(took)
    }
}
