//! What all cameras of a process share: the reading runtime and the thread for GStreamer state changes.
//!
//! Nothing that blocks may run on the reading runtime: it serves every camera from one thread.

use std::sync::Arc;
use std::time::Duration;

use crate::facts::{FactSink, Failure, ProbeReport, RecordSettings, SourceSpec};
use crate::plugins::{self, MissingPlugin};
use crate::record::Attempt;

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
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { tick: Duration::from_millis(50), gop_max_bytes: 8 * 1024 * 1024 }
    }
}

/// Starts GStreamer and registers the elements of this crate; repeated calls do nothing.
///
/// # Errors
/// [`MediaError::Gstreamer`] when the library does not start.
pub fn init() -> Result<(), MediaError> {
    gstreamer::init().map_err(|error| MediaError::Gstreamer(error.to_string()))
}

/// Reads, records and probes cameras. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Starts the shared threads.
    ///
    /// # Errors
    /// [`MediaError`] when GStreamer or a thread does not start.
    pub fn new(config: EngineConfig) -> Result<Self, MediaError> {
        init()?;
        let _ = config;
        unimplemented!()
    }

    /// Starts one attempt to record a camera; returns at once. Facts come from the reading thread and end with
    /// exactly one `Ended`.
    pub fn attempt(&self, spec: SourceSpec, settings: RecordSettings, sink: Arc<dyn FactSink>) -> Attempt {
        let _ = (spec, settings, sink);
        unimplemented!()
    }

    /// Connects, looks at a few seconds of the stream and reports; ends within `limit`.
    ///
    /// # Errors
    /// [`Failure`], as for an attempt.
    pub async fn probe(&self, spec: SourceSpec, limit: Duration) -> Result<ProbeReport, Failure> {
        let _ = (spec, limit);
        unimplemented!()
    }

    /// GStreamer elements that are missing, and the Debian packages that bring them.
    #[must_use]
    pub fn check() -> Vec<MissingPlugin> {
        plugins::missing()
    }
}
