//! Makes what runs match the plan: one supervised task a planned stream.
//!
//! Reconciles, never instructs: a plan says what is to be recorded, and the difference to what runs is started
//! and stopped. A task that panics takes nothing else along and is started again later.

pub mod backoff;
pub mod shared;
pub mod step;
mod task;
#[cfg(test)]
mod tests;
pub mod windows;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::coverage::GapCause;
use wire::event::EndReason;
use wire::plan::{Plan, PlanEntry};
use wire::status::{StreamState, StreamStatus};
use wire::{CameraId, UnixMs};

use crate::ledger::{Cause, Planned, StreamKey};
use crate::session::{Retry, Step};
use crate::spool::commit::Commit;
use crate::spool::intake::WriterMessage;
use crate::spool::now;
use crate::spool::stream::Stream;
use shared::{Context, Watched, tell};

/// A camera whose task panicked is left alone for this long, times the number of panics.
const PANIC_PAUSE: Duration = Duration::from_secs(20);
const PANIC_PAUSE_MAX: Duration = Duration::from_secs(300);

struct Running {
    plan: watch::Sender<PlanEntry>,
    stop: CancellationToken,
    /// Set before `stop` when the plan does not name the stream any more.
    withdrawn: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// All supervisors.
pub struct Supervisors {
    context: Arc<Context>,
    /// Where each stream's footage ended before this start.
    covered: HashMap<StreamKey, UnixMs>,
    /// What each stream's next attempt waited for before this start.
    retries: HashMap<StreamKey, Retry>,
    streams: HashMap<StreamKey, Arc<Watched>>,
    running: HashMap<StreamKey, Running>,
    ending: Vec<JoinHandle<()>>,
    watched: Roster,
}

/// The planned streams, for the status.
#[derive(Clone, Default)]
pub struct Roster(Arc<Mutex<Vec<Arc<Watched>>>>);

impl Roster {
    /// Growing objects of a camera that began before `before` end at their next segments.
    pub fn cut(&self, camera: CameraId, before: UnixMs) {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for watched in held.iter().filter(|watched| watched.stream.key.camera == camera) {
            watched.stream.cut(before);
        }
    }

    /// The attempt that records a camera now, its main stream before its sub stream.
    #[must_use]
    pub fn running(&self, camera: CameraId) -> Option<Arc<dyn crate::media::Running>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The roster is in order of camera and stream.
        let mut streams = held.iter().filter(|watched| watched.stream.key.camera == camera);
        streams.find_map(|watched| watched.running())
    }

    /// A roster of these streams.
    #[cfg(test)]
    #[must_use]
    pub fn of(watched: Vec<Arc<Watched>>) -> Self {
        Self(Arc::new(Mutex::new(watched)))
    }

    /// State of every planned stream.
    #[must_use]
    pub fn statuses(&self) -> Vec<StreamStatus> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = std::time::Instant::now();
        held.iter().map(|watched| watched.status(now)).collect()
    }
}

impl Supervisors {
    /// None running yet.
    #[must_use]
    pub fn new(
        context: Arc<Context>,
        covered: HashMap<StreamKey, UnixMs>,
        retries: HashMap<StreamKey, Retry>,
        watched: Roster,
    ) -> Self {
        let (streams, running) = (HashMap::new(), HashMap::new());
        Self {
            context,
            covered,
            retries,
            streams,
            running,
            ending: Vec::new(),
            watched,
        }
    }

    /// Makes what runs match `plan`.
    pub async fn reconcile(&mut self, plan: &Plan) {
        let entries: HashMap<StreamKey, &PlanEntry> = plan.entries.iter().map(|e| (key(e), e)).collect();
        // The ledger first: what ends because of this plan leaves no gap behind.
        let planned = entries
            .iter()
            .map(|(key, entry)| (*key, Planned::of(entry)))
            .collect();
        let (done, accounted) = oneshot::channel();
        tell(
            &self.context.commit,
            Commit::Plan {
                planned,
                now: now(),
                done,
            },
        )
        .await;
        // A disk that hangs must not keep cameras from being stopped.
        let _ = tokio::time::timeout(Duration::from_secs(1), accounted).await;
        let gone: Vec<StreamKey> = self
            .running
            .keys()
            .filter(|key| !entries.contains_key(key))
            .copied()
            .collect();
        for key in gone {
            if let Some(running) = self.running.remove(&key) {
                running.withdrawn.store(true, Ordering::Release);
                running.stop.cancel();
                self.ending.push(running.task);
            }
        }
        self.ending.retain(|task| !task.is_finished());
        for (key, entry) in entries {
            match self.running.get(&key) {
                Some(running) => {
                    running.plan.send_if_modified(|held| {
                        let changed = held != entry;
                        if changed {
                            *held = entry.clone();
                        }
                        changed
                    });
                }
                None => self.start(key, entry),
            }
        }
        self.publish_roster();
        self.context.changed.notify_one();
    }

    fn start(&mut self, key: StreamKey, entry: &PlanEntry) {
        let watched = self.streams.entry(key).or_insert_with(|| {
            let (covered, cause) = match self.covered.get(&key) {
                Some(end) => (*end, Cause::not_running(now())),
                None => (
                    UnixMs(0),
                    Cause::new(GapCause::Node, "recording was about to start", now()),
                ),
            };
            Arc::new(Watched::new(Arc::new(Stream::new(
                key,
                entry.epoch,
                covered,
                cause,
            ))))
        });
        watched.stream.set_epoch(entry.epoch);
        let (plan, receiver) = watch::channel(entry.clone());
        let stop = CancellationToken::new();
        let withdrawn = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(guard(
            self.context.clone(),
            watched.clone(),
            receiver,
            stop.clone(),
            withdrawn.clone(),
            self.retries.remove(&key),
        ));
        let running = Running {
            plan,
            stop,
            withdrawn,
            task,
        };
        self.running.insert(key, running);
    }

    fn publish_roster(&self) {
        let mut keys: Vec<&StreamKey> = self.running.keys().collect();
        keys.sort();
        let list = keys
            .into_iter()
            .filter_map(|key| self.streams.get(key).cloned())
            .collect();
        *self.watched.0.lock().unwrap_or_else(PoisonError::into_inner) = list;
    }

    /// Ends all attempts; returns when their last facts are with the writer.
    pub async fn stop(self) {
        for running in self.running.values() {
            running.stop.cancel();
        }
        for task in self
            .running
            .into_values()
            .map(|running| running.task)
            .chain(self.ending)
        {
            let _ = task.await;
        }
    }
}

fn key(entry: &PlanEntry) -> StreamKey {
    StreamKey {
        camera: entry.camera,
        stream: entry.stream,
    }
}

/// Keeps a panic to its camera, and that camera quiet for a while.
async fn guard(
    context: Arc<Context>,
    watched: Arc<Watched>,
    plan: watch::Receiver<PlanEntry>,
    stop: CancellationToken,
    withdrawn: Arc<AtomicBool>,
    retry: Option<Retry>,
) {
    quarantine(&context, &watched, plan, &stop, retry).await;
    if withdrawn.load(Ordering::Acquire)
        && let Some(writer) = context.writer()
    {
        let (key, at) = (watched.stream.key, now());
        let reason = EndReason::Withdrawn;
        let step = Step::End { reason, at };
        let _ = writer.send(WriterMessage::Pass(Box::new(Commit::Session { key, step, at })));
    }
}

async fn quarantine(
    context: &Arc<Context>,
    watched: &Arc<Watched>,
    plan: watch::Receiver<PlanEntry>,
    stop: &CancellationToken,
    mut retry: Option<Retry>,
) {
    let mut pause = PANIC_PAUSE;
    loop {
        let (plan, stop_it) = (plan.clone(), stop.clone());
        let work = task::run(context.clone(), watched.clone(), plan, stop_it, retry.take());
        if AssertUnwindSafe(work).catch_unwind().await.is_ok() {
            return;
        }
        let key = watched.stream.key;
        tracing::error!(camera = %key.camera, pause_s = pause.as_secs(), "the camera's task panicked; quarantined");
        if let Some(running) = watched.running() {
            running.stop();
        }
        watched.set_running(None);
        let detail = "the recorder failed on this camera";
        watched
            .stream
            .set_cause(Cause::new(GapCause::Node, detail, now()));
        let retry_at = now().plus(i64::try_from(pause.as_millis()).unwrap_or(0));
        watched.set_state(
            StreamState::Failed {
                cause: GapCause::Node,
                detail: detail.to_owned(),
                retry_at,
            },
            0,
        );
        context.changed.notify_one();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PANIC_PAUSE_MAX);
    }
}
