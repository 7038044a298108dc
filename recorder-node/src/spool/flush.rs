//! Brings appended bytes to the disk about once a second, so that a power cut takes little.
//!
//! On a thread of its own: a slow disk delays the next round, never the writer.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::part::PartFile;

const INTERVAL: Duration = Duration::from_millis(900);

/// Where the writer registers its open files.
pub(super) type Register = Sender<Weak<PartFile>>;

/// Starts the thread; it ends when the writer has gone.
pub(super) fn start() -> std::io::Result<(Register, JoinHandle<()>)> {
    let (register, files) = channel();
    let thread = std::thread::Builder::new()
        .name("flush".into())
        .spawn(move || run(&files))?;
    Ok((register, thread))
}

fn run(registered: &Receiver<Weak<PartFile>>) {
    let mut files: Vec<Weak<PartFile>> = Vec::new();
    let mut next = Instant::now() + INTERVAL;
    loop {
        match registered.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(file) => files.push(file),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                files.retain(|file| file.upgrade().is_some_and(|file| flush(&file)));
                next = Instant::now() + INTERVAL;
            }
        }
    }
}

/// False when the file need not be looked at again.
fn flush(file: &Arc<PartFile>) -> bool {
    if !file.dirty.swap(false, Ordering::AcqRel) {
        return true;
    }
    if let Err(error) = file.file.sync_data() {
        tracing::error!(%error, file = %file.path.display(), "flush failed; the object will not be sealed");
        file.failed.store(true, Ordering::Release);
        return false;
    }
    true
}
