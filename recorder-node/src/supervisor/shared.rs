//! What the supervisors, the status and the shutdown share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Notify;
use wire::UnixMs;
use wire::status::{StreamState, StreamStatus};

use crate::bus::credentials::Secrets;
use crate::config;
use crate::media::{Recorder, Running};
use crate::spool::commit::Commit;
use crate::spool::intake::WriterMessage;
use crate::spool::stream::Stream;

/// Attempts that may start in a second, all cameras together: after a power return everything comes at once.
const ATTEMPTS_PER_S: std::num::NonZeroU32 = std::num::NonZeroU32::new(20).unwrap();
const ATTEMPTS_BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(40).unwrap();

/// What every supervisor needs.
pub struct Context {
    /// The media library.
    pub recorder: Arc<dyn Recorder>,
    /// How footage is cut.
    pub record: config::Record,
    /// To the writer thread.
    pub writer: Mutex<Option<Sender<WriterMessage>>>,
    /// To the commit thread.
    pub commit: SyncSender<Commit>,
    /// Cameras' credentials.
    pub secrets: Secrets,
    /// A stream's state changed.
    pub changed: Arc<Notify>,
    /// Attempts of the whole site.
    pub attempts: DefaultDirectRateLimiter,
    /// Origin of the supervisors' clock.
    pub started: Instant,
}

/// The site's limit of connection attempts.
#[must_use]
pub fn attempt_limiter() -> DefaultDirectRateLimiter {
    RateLimiter::direct(Quota::per_second(ATTEMPTS_PER_S).allow_burst(ATTEMPTS_BURST))
}

impl Context {
    /// Milliseconds on a clock that never steps.
    #[must_use]
    pub fn mono_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A sender to the writer; None once the node stops.
    #[must_use]
    pub fn writer(&self) -> Option<Sender<WriterMessage>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Hands a message to the commit thread without blocking the runtime; waits while its queue is full.
pub async fn tell(commit: &SyncSender<Commit>, mut message: Commit) {
    loop {
        match commit.try_send(message) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => return,
            Err(TrySendError::Full(back)) => message = back,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[derive(Default)]
struct Meter {
    at: Option<Instant>,
    frames: u64,
    bytes: u64,
    fps: f32,
    bitrate_bps: u64,
}

/// One stream as the status sees it.
pub struct Watched {
    /// Shared with intake and writer.
    pub stream: Arc<Stream>,
    state: Mutex<StreamState>,
    running: Mutex<Option<Arc<dyn Running>>>,
    attempts: AtomicU64,
    meter: Mutex<Meter>,
}

impl Watched {
    /// A stream that does nothing yet.
    #[must_use]
    pub fn new(stream: Arc<Stream>) -> Self {
        Self {
            stream,
            state: Mutex::new(StreamState::Idle),
            running: Mutex::new(None),
            attempts: AtomicU64::new(0),
            meter: Mutex::new(Meter::default()),
        }
    }

    /// Notes what the supervisor does; true when that is news.
    pub fn set_state(&self, state: StreamState, attempts: u64) -> bool {
        self.attempts.store(attempts, Ordering::Relaxed);
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *held != state;
        *held = state;
        news
    }

    /// The attempt whose figures count.
    pub fn set_running(&self, running: Option<Arc<dyn Running>>) {
        *self.meter.lock().unwrap_or_else(PoisonError::into_inner) = Meter::default();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// An attempt is over. Its stream is idle, unless another attempt took over meanwhile: what ends late
    /// says nothing of what began since.
    pub fn release(&self, ended: &Arc<dyn Running>, attempts: u64) {
        let is_ours = self.running().is_some_and(|running| Arc::ptr_eq(&running, ended));
        if is_ours {
            self.set_running(None);
            self.set_state(StreamState::Idle, attempts);
        }
    }

    /// The attempt that runs.
    #[must_use]
    pub fn running(&self) -> Option<Arc<dyn Running>> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// For the node's status.
    #[must_use]
    pub fn status(&self, now: Instant) -> StreamStatus {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let (StreamState::Recording, Some(detail)) = (&state, self.stream.disk_trouble()) {
            state = StreamState::Degraded { detail };
        }
        let stats = self.running().map(|running| running.stats()).unwrap_or_default();
        let (fps, bitrate_bps) = self.measure(stats.frames, stats.bytes, now);
        StreamStatus {
            camera: self.stream.key.camera,
            stream: self.stream.key.stream,
            state,
            fps,
            bitrate_bps,
            keyframe_age_ms: stats
                .keyframe_age
                .map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            clock_offset_ms: stats.clock_offset_ms,
            attempts: self.attempts.load(Ordering::Relaxed),
            epoch: self.stream.epoch(),
        }
    }

    fn measure(&self, frames: u64, bytes: u64, now: Instant) -> (f32, u64) {
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = meter.at.map(|at| now.saturating_duration_since(at).as_secs_f64());
        match elapsed {
            // Status on change comes in quick succession; figures over less than 2 s jump.
            Some(s) if s < 2.0 => {}
            Some(s) => {
                meter.fps = (frames.saturating_sub(meter.frames) as f64 / s) as f32;
                meter.bitrate_bps = (bytes.saturating_sub(meter.bytes) as f64 * 8.0 / s) as u64;
                (meter.at, meter.frames, meter.bytes) = (Some(now), frames, bytes);
            }
            None => (meter.at, meter.frames, meter.bytes) = (Some(now), frames, bytes),
        }
        (meter.fps, meter.bitrate_bps)
    }
}

/// Margin between the clock and the end of a gap that goes on: a camera's clock may lag behind ours, and its
/// first footage must not overlap the gap.
#[must_use]
pub fn outage_end(now: UnixMs) -> UnixMs {
    now.plus(-10_000)
}

#[cfg(test)]
mod tests {
    use media_core::AccessUnit;
    use media_core::facts::{Adjustment, AttemptStats};
    use media_core::pictures::{PictureError, PictureFormat, Pictures};
    use wire::coverage::GapCause;
    use wire::{CameraId, StreamKind};

    use super::*;
    use crate::ledger::{Cause, StreamKey};

    struct Quiet;

    impl Running for Quiet {
        fn stop(&self) {}
        fn adjust(&self, _: Adjustment) {}
        fn stats(&self) -> AttemptStats {
            AttemptStats::default()
        }
        fn keyframe(&self) -> Option<AccessUnit> {
            None
        }
        fn pictures(&self, _: PictureFormat) -> Result<Pictures, PictureError> {
            Err(PictureError::Ended)
        }
    }

    #[test]
    fn an_attempt_that_ends_late_leaves_the_next_one_alone() {
        let key = StreamKey {
            camera: CameraId::from_bytes([1; 16]),
            stream: StreamKind::Main,
        };
        let cause = Cause::new(GapCause::Node, "test", UnixMs(0));
        let watched = Watched::new(Arc::new(Stream::new(key, 1, UnixMs(0), cause)));
        let (first, second): (Arc<dyn Running>, Arc<dyn Running>) = (Arc::new(Quiet), Arc::new(Quiet));
        watched.set_running(Some(first.clone()));
        watched.set_running(Some(second.clone()));
        watched.set_state(StreamState::Recording, 2);
        watched.release(&first, 1);
        assert!(watched.running().is_some());
        assert_eq!(watched.status(Instant::now()).state, StreamState::Recording);
        watched.release(&second, 2);
        assert!(watched.running().is_none());
        assert_eq!(watched.status(Instant::now()).state, StreamState::Idle);
    }
}
