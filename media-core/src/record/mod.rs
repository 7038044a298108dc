//! One attempt to record a camera: source, clock, pipeline, facts.
//!
//! An attempt never retries and never writes; whoever starts it does.

mod outlet;
mod pipeline;
mod run;
mod sampleclock;
mod stats;
mod timing;

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::engine::Shared;
use crate::facts::{
    Adjustment, AttemptEnd, AttemptStats, Fact, FactSink, Failure, RecordSettings, SourceSpec,
};
use crate::fanout::{AccessUnit, Fanout, Gop, Subscription};
use crate::pictures::{Hub, PictureError, PictureFormat, Pictures};
use crate::reading::Reason;
use outlet::Outlet;
use stats::Stats;

pub(crate) use timing::Timing;

/// A running attempt. Dropping it stops it.
#[derive(Debug)]
pub struct Attempt {
    stop: CancellationToken,
    shared: Arc<Shared>,
    stats: Arc<Stats>,
    fanout: Arc<Fanout>,
    hub: Arc<Hub>,
    adjustment: watch::Sender<Adjustment>,
}

impl Attempt {
    /// Asks for a graceful end: the last chunk, then `ObjectClosed` (Session), then `Ended` (Stopped). Returns
    /// at once; repeated calls do nothing.
    pub fn stop(&self) {
        self.shared
            .reading
            .tick()
            .eager(std::time::Duration::from_millis(100));
        self.stop.cancel();
    }

    /// Changes what is recorded of what comes, from the next access unit on.
    pub fn adjust(&self, adjustment: Adjustment) {
        self.adjustment.send_if_modified(|held| {
            let news = *held != adjustment;
            *held = adjustment;
            news
        });
    }

    /// Figures of now.
    #[must_use]
    pub fn stats(&self) -> AttemptStats {
        self.stats.read(self.shared.reading.tick())
    }

    /// The units since the last keyframe; None before the first, or when the GOP is larger than is kept.
    #[must_use]
    pub fn last_gop(&self) -> Option<Arc<Gop>> {
        self.fanout.last_gop()
    }

    /// The last keyframe; None before the first.
    #[must_use]
    pub fn keyframe(&self) -> Option<AccessUnit> {
        self.fanout.keyframe()
    }

    /// A new consumer of access units. It begins with the last GOP.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.fanout
            .subscribe()
            .with(self.shared.reading.tick().often(Reason::Live))
    }

    /// A new consumer of live pictures. The first is of the last GOP in memory. Who asks for the same format
    /// shares one decode and one encode.
    ///
    /// # Errors
    /// [`PictureError::Busy`] and [`PictureError::Unsupported`].
    pub fn pictures(&self, format: PictureFormat) -> Result<Pictures, PictureError> {
        let (tick, linger) = (self.shared.reading.tick(), self.shared.config.pictures_linger);
        self.hub
            .join(format, &self.fanout, (&self.shared.workers, tick), linger)
    }

    /// How many formats of live pictures are being made.
    #[must_use]
    pub fn picture_formats(&self) -> usize {
        self.hub.lines()
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts an attempt on the reading runtime.
pub(crate) fn start(
    shared: &Arc<Shared>,
    spec: SourceSpec,
    settings: RecordSettings,
    sink: Arc<dyn FactSink>,
) -> Attempt {
    let (adjustment, adjusted) = watch::channel(Adjustment::from(&settings));
    let attempt = Attempt {
        stop: CancellationToken::new(),
        shared: Arc::clone(shared),
        stats: Arc::default(),
        fanout: Arc::new(Fanout::new(shared.config.gop_max_bytes)),
        hub: Arc::default(),
        adjustment,
    };
    let outlet = Arc::new(Outlet::new(sink));
    let job = run::Job {
        shared: Arc::clone(shared),
        spec,
        settings,
        stop: attempt.stop.clone(),
        stats: Arc::clone(&attempt.stats),
        fanout: Arc::clone(&attempt.fanout),
        outlet: Arc::clone(&outlet),
        adjusted,
    };
    let fanout = Arc::clone(&attempt.fanout);
    let handle = shared.reading.handle();
    // In a task of its own, so that a panic is an end like others.
    let work = handle.spawn(run::run(job));
    handle.spawn(async move {
        let end = match work.await {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(%error, "an attempt broke down");
                AttemptEnd::Failed(Failure::Internal("an attempt broke down".into()))
            }
        };
        fanout.end();
        outlet.end(end);
    });
    attempt
}

/// Says a fact that does not come from the pipeline.
fn playing(outlet: &Outlet, reader: &'static str) {
    outlet.fact(Fact::Playing { reader });
}
