//! What intake, writer and supervisor share about one stream.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wire::UnixMs;
use wire::coverage::GapCause;

use crate::ledger::{Cause, StreamKey};

/// Bytes of one stream that may wait for the disk; about half a minute of a usual camera.
pub const QUEUE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// One planned stream, for as long as the process runs.
#[derive(Debug)]
pub struct Stream {
    /// Which one.
    pub key: StreamKey,
    epoch: AtomicU64,
    queued: AtomicUsize,
    covered: AtomicI64,
    cut_before: AtomicI64,
    cause: Mutex<Cause>,
    disk: Mutex<Option<DiskTrouble>>,
    disk_failures: AtomicU64,
}

#[derive(Debug, Clone)]
struct DiskTrouble {
    cause: Cause,
    until: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stream {
    /// A stream whose footage before `covered` is already accounted for.
    #[must_use]
    pub fn new(key: StreamKey, epoch: u64, covered: UnixMs, cause: Cause) -> Self {
        Self {
            key,
            epoch: AtomicU64::new(epoch),
            queued: AtomicUsize::new(0),
            covered: AtomicI64::new(covered.0),
            cut_before: AtomicI64::new(i64::MIN),
            cause: Mutex::new(cause),
            disk: Mutex::new(None),
            disk_failures: AtomicU64::new(0),
        }
    }

    /// Epoch of the assignment.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Another assignment.
    pub fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// End of the footage so far.
    #[must_use]
    pub fn covered(&self) -> UnixMs {
        UnixMs(self.covered.load(Ordering::Relaxed))
    }

    /// Footage up to `end` was taken.
    pub fn cover(&self, end: UnixMs) {
        self.covered.fetch_max(end.0, Ordering::Relaxed);
    }

    /// An object that began before `before` shall end at its next segment: its footage is to be deleted, and
    /// what follows is not.
    pub fn cut(&self, before: UnixMs) {
        self.cut_before.fetch_max(before.0, Ordering::Relaxed);
    }

    /// Whether an object that began at `start` shall end at its next segment.
    #[must_use]
    pub fn is_to_be_cut(&self, start: UnixMs) -> bool {
        start.0 < self.cut_before.load(Ordering::Relaxed)
    }

    /// Notes why there is no footage. A repeated cause keeps its first time.
    pub fn set_cause(&self, cause: Cause) {
        let mut held = lock(&self.cause);
        if held.cause == cause.cause && held.detail == cause.detail {
            return;
        }
        let since = if held.cause == cause.cause {
            held.since
        } else {
            cause.since
        };
        *held = Cause { since, ..cause };
    }

    /// Why there is no footage now: trouble with the disk comes before what the camera does.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let disk = lock(&self.disk).as_ref().map(|trouble| trouble.cause.clone());
        disk.unwrap_or_else(|| lock(&self.cause).clone())
    }

    /// The disk does not take footage; try again after `pause`.
    pub fn disk_failed(&self, detail: &str, now: UnixMs, pause: Duration) {
        let mut disk = lock(&self.disk);
        let until = Instant::now() + pause;
        match disk.as_mut() {
            Some(trouble) => trouble.until = until,
            None => {
                *disk = Some(DiskTrouble {
                    cause: Cause::new(GapCause::Disk, detail, now),
                    until,
                });
            }
        }
        drop(disk);
        self.disk_failures.fetch_add(1, Ordering::AcqRel);
    }

    /// How often the disk failed so far.
    #[must_use]
    pub fn disk_failures(&self) -> u64 {
        self.disk_failures.load(Ordering::Acquire)
    }

    /// Whether the disk may be tried now.
    #[must_use]
    pub fn disk_may_be_tried(&self) -> bool {
        lock(&self.disk)
            .as_ref()
            .is_none_or(|trouble| trouble.until <= Instant::now())
    }

    /// What is wrong with the disk, if anything.
    #[must_use]
    pub fn disk_trouble(&self) -> Option<String> {
        lock(&self.disk)
            .as_ref()
            .map(|trouble| trouble.cause.detail.clone())
    }

    /// Footage is on the disk again.
    pub fn disk_works(&self) {
        *lock(&self.disk) = None;
    }

    /// Takes room for bytes on their way to the disk; false when there is none.
    pub fn reserve(&self, bytes: usize) -> bool {
        let before = self.queued.fetch_add(bytes, Ordering::AcqRel);
        // One chunk always fits into an empty queue, however large.
        if before == 0 || before.saturating_add(bytes) <= QUEUE_MAX_BYTES {
            return true;
        }
        self.queued.fetch_sub(bytes, Ordering::AcqRel);
        false
    }

    /// Gives room back.
    pub fn release(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Ordering::AcqRel);
    }
}
