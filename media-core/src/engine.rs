//! What all cameras of a process share: the reading runtime and the threads for GStreamer state changes.
//!
//! Nothing that blocks may run on the reading runtime: it serves every camera from one thread.

use std::sync::Arc;
use std::time::Duration;

use crate::facts::{FactSink, Failure, ProbeReport, RecordSettings, SourceSpec};
use crate::fanout::AccessUnit;
use crate::memory::Memories;
use crate::pictures::Workers;
use crate::plugins::{self, MissingPlugin};
use crate::reading::Reading;
use crate::record::{self, Attempt};
use crate::snapshot::{self, Snapshot, SnapshotError, SnapshotLimits};
use crate::states::StateThreads;
use crate::{element, probe};

/// Why the media part of a process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// GStreamer itself does not start.
    #[error("GStreamer does not start: {0}")]
    Gstreamer(String),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// How the shared parts work.
#[derive(Debug, Clone, Copy)]
pub struct EngineConfig {
    /// Sockets are read once per tick instead of at every packet: wake-ups, not bytes, are the cost.
    pub tick: Duration,
    /// Largest GOP that is kept in memory, per camera.
    pub gop_max_bytes: usize,
    /// Most that is kept in memory for a window that has not opened, per camera.
    pub pre_roll_max_bytes: usize,
    /// How long live pictures are still made after their last consumer went: who reloads a page finds them.
    pub pictures_linger: Duration,
    /// Nothing else in this process uses GStreamer: the elements that are not needed here are forgotten.
    pub sole_user: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(50),
            gop_max_bytes: 8 * 1024 * 1024,
            pre_roll_max_bytes: 12 * 1024 * 1024,
            pictures_linger: Duration::from_secs(3),
            sole_user: false,
        }
    }
}

/// Starts GStreamer and registers the elements of this crate; repeated calls do nothing.
///
/// # Errors
/// [`MediaError::Gstreamer`] when the library does not start or refuses an element.
pub fn init() -> Result<(), MediaError> {
    gstreamer::init().map_err(|error| MediaError::Gstreamer(error.to_string()))?;
    element::register().map_err(|error| MediaError::Gstreamer(error.to_string()))
}

/// Starts GStreamer on a thread that ends then. The allocator gives its memory, with all that the start left free,
/// to the next thread: the reading one, which needs the most.
fn start_gstreamer(sole_user: bool) -> Result<(), MediaError> {
    let start = move || {
        init()?;
        if sole_user {
            plugins::forget_others();
        }
        Ok(())
    };
    let thread = std::thread::Builder::new()
        .name("gst-start".into())
        .spawn(start)?;
    let panicked = |_| MediaError::Gstreamer("its start panicked".to_owned());
    thread.join().map_err(panicked)?
}

/// Version of GStreamer, such as `1.22.0`.
#[must_use]
pub fn gstreamer_version() -> String {
    let (major, minor, micro, _) = gstreamer::version();
    format!("{major}.{minor}.{micro}")
}

/// Reads, records and probes cameras. Cheap to share behind an `Arc`. Its threads end when it and the last
/// attempt are gone.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What attempts take from the engine.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: EngineConfig,
    pub(crate) reading: Reading,
    /// For recording pipelines, whose state changes are short.
    pub(crate) states: StateThreads,
    /// For `rtspsrc`, whose state changes can wait for a camera.
    pub(crate) slow_states: StateThreads,
    /// For snapshots: so many are made at once.
    pub(crate) snapshots: StateThreads,
    /// For live pictures.
    pub(crate) workers: Workers,
    pub(crate) memories: Memories,
}

impl Engine {
    /// Starts the shared threads.
    ///
    /// # Errors
    /// [`MediaError`] when GStreamer or a thread does not start.
    pub fn new(config: EngineConfig) -> Result<Self, MediaError> {
        start_gstreamer(config.sole_user)?;
        let shared = Shared {
            config,
            reading: Reading::start(config.tick)?,
            states: StateThreads::start("states", 1)?,
            slow_states: StateThreads::start("slow-states", 4)?,
            snapshots: StateThreads::start("snapshots", 2)?,
            workers: Workers::default(),
            memories: Memories::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Starts one attempt to record a camera; returns at once. Facts come from the reading thread and end with
    /// exactly one `Ended`.
    pub fn attempt(&self, spec: SourceSpec, settings: RecordSettings, sink: Arc<dyn FactSink>) -> Attempt {
        record::start(&self.shared, spec, settings, sink)
    }

    /// Connects, looks at a few seconds of the stream and reports; ends within `limit`.
    ///
    /// # Errors
    /// [`Failure`], as for an attempt.
    pub async fn probe(&self, spec: SourceSpec, limit: Duration) -> Result<ProbeReport, Failure> {
        probe::run(&self.shared, spec, limit).await
    }

    /// Makes a picture of a keyframe, such as [`Attempt::keyframe`] gives; ends within the limit.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub async fn snapshot(
        &self,
        keyframe: AccessUnit,
        limits: SnapshotLimits,
    ) -> Result<Snapshot, SnapshotError> {
        snapshot::make(&self.shared.snapshots, keyframe, limits).await
    }

    /// GStreamer elements that are missing, and the Debian packages that bring them.
    #[must_use]
    pub fn check() -> Vec<MissingPlugin> {
        plugins::missing()
    }
}
