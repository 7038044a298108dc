//! The writer: one thread that appends the chunks of all streams, hashes them and keeps the heads.
//!
//! It waits for the disk, so nothing waits for it: intake drops footage when a queue is full. Sealing is the
//! commit thread's.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use media_core::facts::Chunk;
use wire::NodeId;

use super::commit::Commit;
use super::flush::Register;
use super::heads::Heads;
use super::intake::{Item, OpenInfo, WriterMessage};
use super::part::Part;
use super::seal::Finished;
use super::stream::Stream;
use super::{Layout, flush, make_dir, now};
use crate::db::ledger::OpenRow;
use crate::ledger::{Cause, StreamKey};

/// A failed disk is tried again after this.
const DISK_PAUSE: Duration = Duration::from_secs(2);

struct Writer {
    layout: Layout,
    node: NodeId,
    heads: Arc<Heads>,
    commit: SyncSender<Commit>,
    register: Register,
    parts: HashMap<StreamKey, Part>,
}

/// The running writer. It ends when every sender is gone.
pub struct Handle {
    threads: [JoinHandle<()>; 2],
}

impl Handle {
    /// Waits for its end; all senders must have been dropped.
    pub fn join(self) {
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// Starts the writer and the flush thread.
///
/// # Errors
/// When a thread cannot be started.
pub fn start(
    layout: Layout,
    node: NodeId,
    heads: Arc<Heads>,
    commit: SyncSender<Commit>,
) -> io::Result<(Sender<WriterMessage>, Handle)> {
    let (sender, messages) = channel();
    let (register, flusher) = flush::start()?;
    let writer = Writer {
        layout,
        node,
        heads,
        commit,
        register,
        parts: HashMap::new(),
    };
    let thread = std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || writer.run(&messages))?;
    Ok((
        sender,
        Handle {
            threads: [thread, flusher],
        },
    ))
}

impl Writer {
    fn run(mut self, messages: &Receiver<WriterMessage>) {
        while let Ok(message) = messages.recv() {
            match message {
                WriterMessage::Footage { stream, item } => self.footage(&stream, item),
                WriterMessage::Pass(message) => self.tell(*message),
                WriterMessage::Barrier(done) => self.tell(Commit::Barrier(done)),
            }
        }
        let keys: Vec<StreamKey> = self.parts.keys().copied().collect();
        for key in keys {
            self.close(key);
        }
    }

    fn footage(&mut self, stream: &Arc<Stream>, item: Item) {
        match item {
            Item::Open(info) => self.open(stream, &info),
            Item::Chunk(chunk) => {
                self.chunk(stream, &chunk);
                stream.release(chunk.bytes.len());
            }
            Item::Close => self.close(stream.key),
        }
    }

    fn tell(&self, message: Commit) {
        // Waiting here is right: the disk is behind, and intake knows what to do about it.
        let _ = self.commit.send(message);
    }

    fn open(&mut self, stream: &Arc<Stream>, info: &OpenInfo) {
        let key = stream.key;
        self.close(key);
        let (id, cause) = (info.id, info.cause.clone());
        let row = OpenRow {
            key,
            epoch: info.epoch,
            start: info.start,
            previous: info.previous,
        };
        let path = self.layout.part(key.camera, id);
        let made = make_dir(&self.layout.camera(key.camera)).and_then(|()| Part::create(&path, key, info));
        match made {
            Ok(part) => {
                let _ = self.register.send(Arc::downgrade(&part.file));
                self.tell(Commit::Opened { id, row, cause });
                self.heads.grow(key, part.open_object());
                self.parts.insert(key, part);
            }
            Err(error) => {
                let _ = std::fs::remove_file(&path);
                self.failed(stream, &error);
            }
        }
    }

    fn chunk(&mut self, stream: &Arc<Stream>, chunk: &Chunk) {
        let Some(part) = self.parts.get_mut(&stream.key) else {
            return;
        };
        // After a failed flush nothing more of this file counts: the next one begins at once.
        let appended = if part.file.failed.load(Ordering::Acquire) {
            Err(io::Error::other("what was written did not reach the disk"))
        } else {
            part.append(chunk)
        };
        match appended {
            Ok(whole) => {
                if whole {
                    self.heads.grow(stream.key, part.open_object());
                }
                stream.disk_works();
            }
            Err(error) => {
                self.failed(stream, &error);
                self.close(stream.key);
            }
        }
    }

    fn failed(&self, stream: &Arc<Stream>, error: &io::Error) {
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        let detail = if full {
            "the disk was full"
        } else {
            "the disk could not be written"
        };
        if stream.disk_trouble().is_none() {
            tracing::error!(%error, camera = %stream.key.camera, "{detail}");
        }
        stream.disk_failed(detail, now(), DISK_PAUSE);
        self.tell(Commit::DiskFailed);
    }

    fn close(&mut self, key: StreamKey) {
        let Some(part) = self.parts.remove(&key) else {
            return;
        };
        if part.is_empty() {
            let _ = std::fs::remove_file(&part.file.path);
            self.heads.discard(key);
            let cause = Cause::new(
                wire::coverage::GapCause::Disk,
                "the disk could not be written",
                now(),
            );
            self.tell(Commit::Abandoned {
                key,
                id: part.id,
                cause,
            });
            return;
        }
        let frames = part.frames;
        let (sealed, head, file) = part.finish(self.node);
        self.heads.close(key, head);
        let finished = Finished { sealed, frames, file };
        self.tell(Commit::Seal(Box::new(finished)));
    }
}
