//! Threads on which GStreamer changes states.
//!
//! A state change may block (a TEARDOWN that nobody answers), so it runs on neither the reading thread nor an
//! application's runtime. The number of threads and the queue are bounded.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// How many jobs may wait: more than cameras of a node start at once. Room is taken only while they do.
const QUEUE: usize = 4096;

/// A few threads with one queue. They end when this is dropped and the queue is empty.
#[derive(Debug)]
pub(crate) struct StateThreads {
    jobs: Sender<Job>,
}

/// The queue is full: as many state changes hang.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too many GStreamer state changes wait")]
pub(crate) struct Busy;

impl StateThreads {
    pub(crate) fn start(name: &str, count: usize) -> std::io::Result<Self> {
        let (jobs, queue) = channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..count {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(name.into())
                .spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs `job` on one of the threads and gives its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (done, result) = oneshot::channel();
        self.start_job(move || drop(done.send(job())))?;
        result.await.map_err(|_| Busy)
    }

    /// Runs `job` on one of the threads, some time.
    pub(crate) fn start_job(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Busy> {
        self.jobs.try_send(Box::new(job)).map_err(|_| Busy)
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(job) = job else { return };
        // A job that panics drops its result's sender; the thread must live on for the other cameras.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("a GStreamer state change panicked");
        }
    }
}
