//! The course of an attempt: connect, then event by event until the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::outlet::Outlet;
use super::pipeline::{Broken, Pipeline, Sound};
use super::stats::Stats;
use super::timing::Timing;
use crate::clock::{ClockSettings, MS_NS};
use crate::element::facts::Order;
use crate::engine::Shared;
use crate::facts::{Adjustment, AttemptEnd, Failure, RecordSettings, SourceSpec};
use crate::fanout::{AccessUnit, Fanout};
use crate::gate::{Gate, Passed};
use crate::source::{self, Media, Opened, SourceEvent};
use crate::states::Busy;

/// How often the watchdog looks.
const WATCH: Duration = Duration::from_millis(500);

/// How long a stop waits for the camera's answer.
const TEARDOWN: Duration = Duration::from_millis(500);

/// Everything an attempt needs.
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) spec: SourceSpec,
    pub(super) settings: RecordSettings,
    pub(super) stop: CancellationToken,
    pub(super) stats: Arc<Stats>,
    pub(super) fanout: Arc<Fanout>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) adjusted: watch::Receiver<Adjustment>,
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Internal(broken.0)
    }
}

impl From<Busy> for Failure {
    fn from(busy: Busy) -> Self {
        Self::Internal(busy.to_string())
    }
}

/// Runs an attempt to its end.
pub(super) async fn run(job: Job) -> AttemptEnd {
    let stop = job.stop.clone();
    let opened = tokio::select! {
        () = stop.cancelled() => return AttemptEnd::Stopped,
        opened = source::open(&job.shared, &job.spec) => opened,
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(failure) => return AttemptEnd::Failed(failure),
    };
    let reader = opened.reader;
    super::playing(&job.outlet, reader);
    let end = record(&job, opened).await;
    let misread = matches!(end, AttemptEnd::Failed(Failure::Invalid(_)));
    source::ended(&job.shared, &job.spec, reader, misread);
    if end == AttemptEnd::Stopped {
        // The footage is complete; the camera hears that it may stop, unless it takes too long.
        job.shared.reading.tick().eager(TEARDOWN);
        let sessions = job.shared.memories.get(&job.spec).sessions;
        let _ = tokio::time::timeout(TEARDOWN, sessions.await_teardown()).await;
    }
    end
}

async fn record(job: &Job, mut opened: Opened) -> AttemptEnd {
    let (settings, outlet, sound) = (
        job.settings,
        Arc::clone(&job.outlet),
        opened.audio_clock_hz.is_some(),
    );
    let pipeline = job
        .shared
        .states
        .run(move || Pipeline::start(&settings, sound, &outlet))
        .await;
    let pipeline = match pipeline
        .map_err(Failure::from)
        .and_then(|built| built.map_err(Failure::from))
    {
        Ok(pipeline) => Arc::new(pipeline),
        Err(failure) => return AttemptEnd::Failed(failure),
    };
    let memory = job.shared.memories.get(&job.spec);
    let not_before = job.settings.not_before_ms.map(|ms| ms.saturating_mul(MS_NS));
    let clock = ClockSettings {
        not_before_ns: memory.end_ns.max(not_before),
        prior: memory.prior,
        ..ClockSettings::default()
    };
    let mut course = Course {
        job,
        timing: Timing::new(&opened, clock),
        gate: Gate::new(job.adjusted.borrow().spans, job.shared.config.pre_roll_max_bytes),
        adjusted: job.adjusted.clone(),
        order: None,
        passed: Vec::new(),
        pipeline,
        sound: None,
    };
    // Whatever was adjusted while the camera was being connected.
    course.adjusted.mark_changed();
    let end = course.follow(&mut opened).await;
    course.finish();
    end
}

/// An attempt that plays.
struct Course<'a> {
    job: &'a Job,
    timing: Timing,
    gate: Gate,
    adjusted: watch::Receiver<Adjustment>,
    /// Waits until the pipeline flows.
    order: Option<Order>,
    passed: Vec<Passed>,
    pipeline: Arc<Pipeline>,
    /// How sound goes through the pipeline, once it is built.
    sound: Option<Sound>,
}

impl Course<'_> {
    async fn follow(&mut self, opened: &mut Opened) -> AttemptEnd {
        let job = self.job;
        let stopped = job.stop.cancelled();
        tokio::pin!(stopped);
        let mut watch = tokio::time::interval(WATCH);
        // Sound alone keeps nobody alive: footage is pictures.
        let mut last_picture = Instant::now();
        loop {
            let event = tokio::select! {
                biased;
                () = &mut stopped => return AttemptEnd::Stopped,
                _ = watch.tick() => {
                    if last_picture.elapsed() > job.settings.silence_limit {
                        return AttemptEnd::Failed(Failure::Silent(job.settings.silence_limit));
                    }
                    continue;
                }
                event = opened.events.next() => event,
            };
            match event {
                None => return AttemptEnd::Failed(Failure::Lost("the camera ended the connection".into())),
                Some(Err(failure)) => return AttemptEnd::Failed(failure),
                Some(Ok(event)) => {
                    if matches!(&event, SourceEvent::Unit(unit) if unit.media == Media::Video) {
                        last_picture = Instant::now();
                    }
                    if let Err(failure) = self.take(event).await {
                        return AttemptEnd::Failed(failure);
                    }
                }
            }
        }
    }

    async fn take(&mut self, event: SourceEvent) -> Result<(), Failure> {
        let seen = match &event {
            SourceEvent::Unit(unit) => {
                Some((unit.media == Media::Video, unit.bytes.len(), unit.arrival.mono_ns))
            }
            SourceEvent::Report(..) => None,
        };
        if let SourceEvent::Unit(unit) = &event {
            self.job.stats.lost(unit.lost_packets);
        }
        let keyframe = self.timing.take(event);
        if let Some((video, bytes, mono_ns)) = seen {
            self.job.stats.unit(video, keyframe, bytes, mono_ns);
        }
        while let Some(unit) = self.timing.pop() {
            if !unit.params.is_video() && self.sound.is_none() {
                self.add_sound(&unit).await?;
            }
            self.publish(unit)?;
        }
        self.job.stats.clock(&self.timing.stats());
        Ok(())
    }

    /// Hands a unit to all consumers, and what the gate lets through to the recording.
    fn publish(&mut self, unit: AccessUnit) -> Result<(), Failure> {
        self.job.fanout.publish(&unit);
        if self.adjusted.has_changed().unwrap_or(false) {
            let adjustment = *self.adjusted.borrow_and_update();
            self.gate.set(adjustment.spans);
            self.order = Some(Order::Targets {
                segment: adjustment.segment_target,
                object: adjustment.object_target,
            });
        }
        self.gate.push(unit, &mut self.passed);
        for passed in self.passed.drain(..) {
            match passed {
                Passed::Unit(unit) => self.pipeline.push(&unit)?,
                Passed::Close { next_dts_ns } => drop(self.pipeline.order(Order::Close { next_dts_ns })),
            }
        }
        if let Some(order) = self.order
            && self.pipeline.order(order)
        {
            self.order = None;
        }
        Ok(())
    }

    /// The first sound: builds its way through the pipeline. Sound that cannot be built is left out, pictures
    /// are worth more.
    async fn add_sound(&mut self, unit: &AccessUnit) -> Result<(), Failure> {
        let sound = Sound::of(&unit.params);
        self.sound = Some(sound);
        let pipeline = Arc::clone(&self.pipeline);
        if let Err(broken) = self
            .job
            .shared
            .states
            .run(move || pipeline.add_sound(sound))
            .await?
        {
            let detail = Some(format!("sound is not recorded: {broken}"));
            self.job.outlet.fact(crate::facts::Fact::Degraded { detail });
        }
        Ok(())
    }

    /// Flushes what is there, remembers the clock, and has the pipeline stopped.
    fn finish(mut self) {
        self.timing.release();
        while let Some(unit) = self.timing.pop() {
            if self.publish(unit).is_err() {
                break;
            }
        }
        self.pipeline.end();
        let (prior, end_ns) = (self.timing.prior(), self.job.outlet.end_ns());
        self.job.shared.memories.update(&self.job.spec, |memory| {
            memory.prior = prior.or(memory.prior);
            memory.end_ns = end_ns.or(memory.end_ns);
        });
        let pipeline = self.pipeline;
        if self.job.shared.states.start_job(move || pipeline.stop()).is_err() {
            tracing::warn!("a recording pipeline is left behind: state changes hang");
        }
    }
}
