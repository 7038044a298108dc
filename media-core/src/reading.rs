//! The reading runtime: one thread that serves the sockets of every camera.
//!
//! It reads on a tick. Before it waits for events it sleeps, so that what arrives meanwhile is taken in one go;
//! the number of wake-ups, not of bytes, is what reading costs. Nothing that blocks may run here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// While somebody connects: a handshake is half a dozen round trips.
const EAGER: Duration = Duration::from_millis(2);
/// While a stream comes by UDP: the kernel holds about 200 kB of datagrams, less than one large keyframe.
const UDP: Duration = Duration::from_millis(5);

/// While somebody takes access units, such as to watch live.
const LIVE: Duration = Duration::from_millis(20);

/// Why the thread reads more often than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Udp,
    Live,
}

/// How long the thread sleeps before it waits for events.
#[derive(Debug)]
pub(crate) struct Tick {
    epoch: Instant,
    normal: Duration,
    eager_until_ms: AtomicU64,
    udp_streams: AtomicUsize,
    live_consumers: AtomicUsize,
}

impl Tick {
    fn new(normal: Duration) -> Self {
        Self {
            epoch: Instant::now(),
            normal,
            eager_until_ms: AtomicU64::new(0),
            udp_streams: AtomicUsize::new(0),
            live_consumers: AtomicUsize::new(0),
        }
    }

    /// Reads eagerly for a while from now on. Bounded, so that cameras that never answer cost the others
    /// nothing.
    pub(crate) fn eager(&self, duration: Duration) {
        let until = (self.epoch.elapsed() + duration).as_millis() as u64;
        self.eager_until_ms.fetch_max(until, Ordering::Relaxed);
    }

    /// Reads more often while the guard lives.
    pub(crate) fn often(self: &Arc<Self>, reason: Reason) -> OftenGuard {
        self.count(reason).fetch_add(1, Ordering::Relaxed);
        OftenGuard(Arc::clone(self), reason)
    }

    fn count(&self, reason: Reason) -> &AtomicUsize {
        match reason {
            Reason::Udp => &self.udp_streams,
            Reason::Live => &self.live_consumers,
        }
    }

    /// Nanoseconds since the engine started; never steps.
    pub(crate) fn mono_ns(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(i64::MAX)
    }

    fn current(&self) -> Duration {
        if self.epoch.elapsed().as_millis() < u128::from(self.eager_until_ms.load(Ordering::Relaxed)) {
            self.normal.min(EAGER)
        } else if self.udp_streams.load(Ordering::Relaxed) > 0 {
            self.normal.min(UDP)
        } else if self.live_consumers.load(Ordering::Relaxed) > 0 {
            self.normal.min(LIVE)
        } else {
            self.normal
        }
    }
}

/// A reason that lasts.
#[derive(Debug)]
pub(crate) struct OftenGuard(Arc<Tick>, Reason);

impl Drop for OftenGuard {
    fn drop(&mut self) {
        self.0.count(self.1).fetch_sub(1, Ordering::Relaxed);
    }
}

/// The runtime and its thread.
#[derive(Debug)]
pub(crate) struct Reading {
    handle: tokio::runtime::Handle,
    tick: Arc<Tick>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Reading {
    pub(crate) fn start(tick: Duration) -> std::io::Result<Self> {
        let tick = Arc::new(Tick::new(tick));
        let sleeper = Arc::clone(&tick);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(8)
            .on_thread_park(move || std::thread::sleep(sleeper.current()))
            .build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("reading".into())
            .spawn(move || {
                // An error means that the engine is gone, which is an end as well.
                let _ = runtime.block_on(ended);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            handle,
            tick,
            end: Some(end),
            thread: Some(thread),
        })
    }

    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        &self.handle
    }

    pub(crate) fn tick(&self) -> &Arc<Tick> {
        &self.tick
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        drop(self.end.take());
        // The last owner may be a task on the thread itself, which cannot wait for itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
