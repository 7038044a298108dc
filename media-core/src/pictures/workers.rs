//! The threads that make pictures: a few, whatever the number of cameras and viewers.
//!
//! Started with the first picture that is asked for. They take less of a busy processor than the rest of the
//! process, because recording goes first.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

/// More threads gain nothing: each camera's pictures are made one after the other.
const MOST: usize = 4;
/// Steps by which the threads give way to the rest of the process.
const NICE: i32 = 5;

/// The threads.
#[derive(Debug, Default)]
pub(crate) struct Workers(Mutex<Option<Runtime>>);

impl Workers {
    /// Runs a task on them. It may decode between two waits, which blocks its thread shortly.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let mut runtime = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = match runtime.take() {
            Some(running) => running,
            None => start()?,
        };
        running.spawn(task);
        *runtime = Some(running);
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let runtime = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.take() {
            // Waits for nothing, so the last owner may be any thread.
            runtime.shutdown_background();
        }
    }
}

fn start() -> std::io::Result<Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(threads.min(MOST))
        .thread_name("pictures")
        .on_thread_start(give_way)
        .enable_time()
        .build()
}

thread_local! {
    static GIVES_WAY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Has the calling thread take less of a busy processor. Where that is refused, pictures are made all the same.
pub(crate) fn give_way() {
    if GIVES_WAY.replace(true) {
        return;
    }
    // On Linux both speak of the calling thread (setpriority(2)).
    if let Ok(now) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, (now + NICE).min(19));
    }
}
