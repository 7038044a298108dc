//! The commit thread: seals the objects of many cameras at a time, and is the ledger's only writer.
//!
//! Messages of a stream keep their order. A batch is fsynced and renamed (see `seal`), then one transaction
//! holds its rows, events and ledger. When the transaction fails it is tried again until it succeeds: what it
//! describes has happened.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use wire::coverage::GapCause;
use wire::event::SealedObject;
use wire::{ObjectId, TimeRange, UnixMs};

use super::heads::Heads;
use super::seal::{self, Finished};
use super::{Layout, now};
use crate::db::ledger::OpenRow;
use crate::db::{Db, DbResult, erasures, ledger as ledger_rows, sessions as session_rows};
use crate::ledger::{Cause, Change, Ledger, Planned, StreamKey};
use crate::session::{self, Sessions};

/// Objects that end within this time share their fsyncs of folders and their transaction.
const GROUP: Duration = Duration::from_millis(400);
const BATCH_MAX: usize = 256;
const QUEUE: usize = 1024;

/// What the commit thread is told.
pub enum Commit {
    /// An object begins.
    Opened {
        /// Its id.
        id: ObjectId,
        /// What its file does not say.
        row: OpenRow,
        /// Why there was nothing before.
        cause: Cause,
    },
    /// An object has ended; seal it.
    #[expect(private_interfaces, reason = "only the writer makes one")]
    Seal(Box<Finished>),
    /// An object came to nothing.
    Abandoned {
        /// Its stream.
        key: StreamKey,
        /// Its id.
        id: ObjectId,
        /// Why.
        cause: Cause,
    },
    /// There is no footage of a stream up to `until`.
    Outage {
        /// The stream.
        key: StreamKey,
        /// Up to when.
        until: UnixMs,
        /// Why.
        cause: Cause,
    },
    /// Another plan is followed.
    Plan {
        /// Its windows.
        planned: HashMap<StreamKey, Planned>,
        /// Since when.
        now: UnixMs,
        /// Answers when the plan is in the ledger.
        done: oneshot::Sender<()>,
    },
    /// A supervisor speaks of a session of recording.
    Session {
        /// Its stream.
        key: StreamKey,
        /// What it says.
        step: session::Step,
        /// When.
        at: UnixMs,
    },
    /// The disk refused a write: room is needed.
    DiskFailed,
    /// Answers when all that was told before is in the database.
    Barrier(oneshot::Sender<()>),
}

/// Who wants to know of commits.
#[derive(Default)]
pub struct Signals {
    /// The outbox has new rows.
    pub outbox: Notify,
    /// Room is needed on the disk.
    pub room: Notify,
    /// An erased object was sealed late: its file is doomed.
    pub erase: Notify,
}

struct Committer {
    layout: Layout,
    db: Db,
    ledger: Ledger,
    sessions: Sessions,
    heads: Arc<Heads>,
    signals: Arc<Signals>,
}

/// Starts the thread; it ends when all senders are gone.
///
/// # Errors
/// When the thread cannot be started.
pub fn start(
    layout: Layout,
    db: Db,
    (ledger, sessions): (Ledger, Sessions),
    heads: Arc<Heads>,
    signals: Arc<Signals>,
) -> std::io::Result<(SyncSender<Commit>, JoinHandle<()>)> {
    let (sender, messages) = sync_channel(QUEUE);
    let committer = Committer {
        layout,
        db,
        ledger,
        sessions,
        heads,
        signals,
    };
    let thread = std::thread::Builder::new()
        .name("commit".into())
        .spawn(move || committer.run(&messages))?;
    Ok((sender, thread))
}

/// The next batch, in order; None at the end.
fn gather(messages: &Receiver<Commit>) -> Option<Vec<Commit>> {
    let mut batch = vec![messages.recv().ok()?];
    let deadline = Instant::now() + GROUP;
    let is_awaited = |message: &Commit| matches!(message, Commit::Plan { .. } | Commit::Barrier(_));
    while batch.len() < BATCH_MAX && !batch.iter().any(is_awaited) {
        match messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(message) => batch.push(message),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}

/// A row to write, in order.
enum Row {
    Open(ObjectId, OpenRow),
    Sealed(Box<SealedObject>),
    Closed(ObjectId),
    Changes(Vec<Change>),
    Sessions(Vec<session::Write>),
}

impl Committer {
    fn run(mut self, messages: &Receiver<Commit>) {
        while let Some(batch) = gather(messages) {
            let failed = self.seal_files(&batch);
            let mut rows = Vec::new();
            let mut waiting = Vec::new();
            for message in batch {
                self.step(message, &failed, &mut rows, &mut waiting);
            }
            if !rows.is_empty() {
                self.write(&rows);
                self.signals.outbox.notify_one();
            }
            for done in waiting {
                let _ = done.send(());
            }
        }
    }

    /// Brings the batch's files to their sealed names; the ids that could not be.
    fn seal_files(&self, batch: &[Commit]) -> BTreeSet<ObjectId> {
        let mut failed = BTreeSet::new();
        let mut folders: HashMap<ObjectId, PathBuf> = HashMap::new();
        let finished = || {
            batch
                .iter()
                .filter_map(|m| if let Commit::Seal(f) = m { Some(f) } else { None })
        };
        for object in finished() {
            match seal::rename(&self.layout, object) {
                Ok(folder) => drop(folders.insert(object.sealed.id, folder)),
                Err(error) => {
                    tracing::error!(%error, object = %object.sealed.id, "cannot seal");
                    failed.insert(object.sealed.id);
                }
            }
        }
        let broken = seal::sync_folders(&folders.values().cloned().collect());
        failed.extend(
            folders
                .iter()
                .filter(|(_, folder)| broken.contains(*folder))
                .map(|(id, _)| *id),
        );
        for object in finished().filter(|object| failed.contains(&object.sealed.id)) {
            seal::set_aside(&self.layout, object);
        }
        failed
    }

    fn step(
        &mut self,
        message: Commit,
        failed: &BTreeSet<ObjectId>,
        rows: &mut Vec<Row>,
        waiting: &mut Vec<oneshot::Sender<()>>,
    ) {
        match message {
            Commit::Opened { id, row, cause } => {
                let changes = self.ledger.opened(row.key, row.start, &cause);
                self.changed(changes, rows);
                let writes = self.sessions.footage(row.key, row.epoch, row.start, now());
                rows.push(Row::Sessions(writes));
                rows.push(Row::Open(id, row));
            }
            Commit::Seal(finished) => {
                let Finished { sealed, frames, .. } = *finished;
                let key = StreamKey {
                    camera: sealed.camera,
                    stream: sealed.stream,
                };
                match TimeRange::new(sealed.start, sealed.end) {
                    Ok(range) if !failed.contains(&sealed.id) => {
                        rows.push(Row::Changes(self.ledger.sealed(key, sealed.id, range)));
                        let writes = self.sessions.sealed(&sealed, frames, now());
                        rows.push(Row::Sessions(writes));
                        rows.push(Row::Sealed(Box::new(sealed)));
                    }
                    _ => {
                        let cause = Cause::new(
                            GapCause::Disk,
                            "the footage could not be brought to the disk",
                            now(),
                        );
                        self.abandon(key, sealed.id, &cause, rows);
                    }
                }
            }
            Commit::Abandoned { key, id, cause } => self.abandon(key, id, &cause, rows),
            Commit::Outage { key, until, cause } => {
                let changes = self.ledger.outage(key, until, &cause);
                self.changed(changes, rows);
            }
            Commit::Plan { planned, now, done } => {
                let changes = self.ledger.plan(&planned, now);
                self.changed(changes, rows);
                waiting.push(done);
            }
            Commit::Session { key, step, at } => {
                let writes = self.sessions.step(key, step, at);
                alert(&writes);
                rows.push(Row::Sessions(writes));
            }
            Commit::Barrier(done) => waiting.push(done),
            Commit::DiskFailed => self.signals.room.notify_one(),
        }
    }

    /// What the ledger changed, and what that means for sessions.
    fn changed(&mut self, changes: Vec<Change>, rows: &mut Vec<Row>) {
        for change in &changes {
            if let Change::Gap(gap) = change {
                rows.push(Row::Sessions(self.sessions.gap(gap, now())));
            }
        }
        rows.push(Row::Changes(changes));
    }

    fn abandon(&mut self, key: StreamKey, id: ObjectId, cause: &Cause, rows: &mut Vec<Row>) {
        self.ledger.abandoned(key, cause);
        self.heads.forget(&[id]);
        rows.push(Row::Closed(id));
    }

    /// One transaction; repeated until the disk takes it.
    fn write(&self, rows: &[Row]) {
        let mut pause = Duration::from_millis(200);
        let erased = loop {
            let written = self.db.transaction(|c| {
                let mut erased = Vec::new();
                rows.iter().try_for_each(|row| write_row(c, row, &mut erased))?;
                Ok(erased)
            });
            match written {
                Ok(erased) => break erased,
                Err(error) => tracing::error!(%error, "cannot commit; trying again"),
            }
            self.signals.room.notify_one();
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(5));
        };
        if !erased.is_empty() {
            self.heads.forget(&erased);
            self.signals.erase.notify_one();
        }
    }
}

/// Says it in the log when a stream keeps failing.
fn alert(writes: &[session::Write]) {
    for write in writes {
        if let session::Write::Tell(told) = write
            && told.failing
        {
            let (camera, attempts) = (told.camera, told.attempts);
            tracing::warn!(%camera, attempts, detail = %told.detail, "recording keeps failing; trying on");
        }
    }
}

fn write_row(c: &mut diesel::SqliteConnection, row: &Row, erased: &mut Vec<ObjectId>) -> DbResult<()> {
    match row {
        Row::Open(id, open) => ledger_rows::add_open(c, *id, open),
        Row::Sealed(sealed) => {
            if erasures::add_unless_erased(c, sealed)? {
                erased.push(sealed.id);
            }
            ledger_rows::remove_open(c, sealed.id)
        }
        Row::Closed(id) => ledger_rows::remove_open(c, *id),
        Row::Changes(changes) => ledger_rows::apply(c, changes),
        Row::Sessions(writes) => session_rows::apply(c, writes),
    }
}
