//! One stream's supervisor as a task: feeds `step` and does what it says.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use media_core::facts::{Adjustment, AttemptEnd, Failure, RecordSettings, SourceSpec};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use wire::UnixMs;
use wire::coverage::GapCause;
use wire::event::EndReason;
use wire::plan::{CutTargets, PlanEntry};
use wire::status::StreamState;

use super::shared::{Context, Watched, outage_end, tell};
use super::step::{Action, Event, Phase, State, Want};
use super::windows::{Change, Windows};
use crate::config::Record;
use crate::ledger::Cause;
use crate::media::{Running, source_spec};
use crate::session::{Retry, Step};
use crate::spool::commit::Commit;
use crate::spool::intake::{AttemptEvent, Intake, WriterMessage};
use crate::spool::now;

/// An outage is reported this often.
const OUTAGE_INTERVAL: Duration = Duration::from_secs(30);
/// A stopped attempt must have ended after this; then it is left to itself.
const STOP_LIMIT: Duration = Duration::from_secs(2);

type Starting = Pin<Box<dyn Future<Output = Result<SourceSpec, Failure>> + Send>>;

struct Task {
    context: Arc<Context>,
    watched: Arc<Watched>,
    plan: watch::Receiver<PlanEntry>,
    entry: PlanEntry,
    windows: Windows,
    state: State,
    starting: Option<Starting>,
    running: Option<Arc<dyn Running>>,
    /// The attempt has an object open.
    writing: bool,
    /// Footage has come of the attempt.
    footage: bool,
    /// Attempts are numbered, so that late words of an old one are not taken for those of the new one.
    number: u64,
    sender: UnboundedSender<(u64, AttemptEvent)>,
    events: UnboundedReceiver<(u64, AttemptEvent)>,
    /// What the state says of the next attempt: on the supervisor's clock, and in UTC.
    retry: (u64, UnixMs),
}

/// Records one stream by its plan until `stop`; then ends its attempt and returns. `retry` is what a start of
/// the node before has left.
pub(super) async fn run(
    context: Arc<Context>,
    watched: Arc<Watched>,
    mut plan: watch::Receiver<PlanEntry>,
    stop: CancellationToken,
    retry: Option<Retry>,
) {
    // An attempt says a handful of words, and they are taken at once: unbounded is bounded by that.
    let (sender, events) = unbounded_channel();
    let entry = plan.borrow_and_update().clone();
    let state = retry.map_or_else(State::default, |retry| {
        let longest = i64::from(entry.retry.longest_pause_ms);
        // A clock that was set meanwhile makes no wait longer.
        let wait = u64::try_from(retry.at.since(now()).min(longest)).unwrap_or(0);
        State::resumed(
            retry.failures,
            retry.failure(),
            context.mono_ms().saturating_add(wait),
        )
    });
    let mut task = Task {
        context,
        watched,
        plan,
        windows: Windows::new(&entry),
        entry,
        state,
        starting: None,
        running: None,
        writing: false,
        footage: false,
        number: 0,
        sender,
        events,
        retry: (0, now()),
    };
    task.state.longest_ms = u64::from(task.entry.retry.longest_pause_ms);
    task.supervise(&stop).await;
    task.end().await;
}

impl Task {
    async fn supervise(&mut self, stop: &CancellationToken) {
        let mut outage = Instant::now() + OUTAGE_INTERVAL;
        self.want();
        loop {
            let wake = self.wake(outage);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = self.plan.changed() => match changed {
                    Ok(()) => self.replan(),
                    Err(_) => return,
                },
                Some((number, event)) = self.events.recv() => {
                    if number == self.number {
                        self.heard(event);
                    }
                }
                ready = async { match &mut self.starting { Some(s) => s.await, None => std::future::pending().await } } => {
                    self.starting = None;
                    self.start(ready);
                }
                () = sleep_until(wake) => {
                    if Instant::now() >= outage {
                        outage = Instant::now() + OUTAGE_INTERVAL;
                        self.report_outage().await;
                    }
                    self.want();
                    self.step(Event::Due);
                }
            }
        }
    }

    /// When something is due at the latest.
    fn wake(&self, outage: Instant) -> Instant {
        let mut wake = outage;
        if let Some(due) = self.state.due() {
            wake =
                wake.min(Instant::now() + Duration::from_millis(due.saturating_sub(self.context.mono_ms())));
        }
        let now = now();
        if let Some(edge) = self.windows.wake(now) {
            let ms = u64::try_from(edge.since(now)).unwrap_or(0);
            wake = wake.min(Instant::now() + Duration::from_millis(ms));
        }
        wake
    }

    fn want(&mut self) {
        let at = now();
        let (want, changes) = self.windows.at(at, self.writing);
        for change in changes {
            match change {
                Change::Open(window) => self.opened(window),
                Change::Ended { reason, at } => self.ended(reason, at),
            }
        }
        if want != self.state.want {
            self.step(Event::Want(want));
        }
        if let Some(running) = &self.running {
            running.adjust(Adjustment::from(&self.settings()));
        }
        self.show();
    }

    fn opened(&mut self, window: (UnixMs, Option<UnixMs>)) {
        let epoch = self.entry.epoch;
        self.tell_session(Step::Open { epoch, window });
        if matches!(self.state.phase, Phase::Attempting { .. }) {
            self.tell_session(Step::Attempt);
        }
    }

    /// A window is over: what is missing of it is a gap, now that nothing of it can come any more.
    fn ended(&mut self, reason: EndReason, at: UnixMs) {
        if reason == EndReason::WindowEnded {
            let (key, cause) = (self.watched.stream.key, self.watched.stream.cause());
            let until = at.plus(1);
            self.tell_in_order(Commit::Outage { key, until, cause });
        }
        self.tell_session(Step::End { reason, at });
    }

    fn tell_session(&self, step: Step) {
        let (key, at) = (self.watched.stream.key, now());
        self.tell_in_order(Commit::Session { key, step, at });
    }

    /// Tells the commit thread after all footage so far.
    fn tell_in_order(&self, message: Commit) {
        if let Some(writer) = self.context.writer() {
            let _ = writer.send(WriterMessage::Pass(Box::new(message)));
        }
    }

    fn replan(&mut self) {
        let entry = self.plan.borrow_and_update().clone();
        let same_epoch = entry.epoch == self.entry.epoch;
        if !same_epoch {
            self.watched.stream.set_epoch(entry.epoch);
            // What grows under the old epoch ends at its next segment.
            self.watched.stream.cut(now());
        }
        let changed = entry.source != self.entry.source
            || entry.credentials_revision != self.entry.credentials_revision
            || entry.has_credentials != self.entry.has_credentials;
        self.windows.replan(&entry, same_epoch);
        self.state.longest_ms = u64::from(entry.retry.longest_pause_ms);
        self.entry = entry;
        self.want();
        if changed && self.state.want > Want::Nothing {
            let detail = "the camera's settings were changed";
            self.watched
                .stream
                .set_cause(Cause::new(GapCause::Operator, detail, now()));
            self.step(Event::Changed);
        }
    }

    fn step(&mut self, event: Event) {
        let state = std::mem::take(&mut self.state);
        let (state, action) = state.step(event, self.context.mono_ms(), rand::random());
        self.state = state;
        if let Some(due) = self.state.due().filter(|due| *due != self.retry.0) {
            let wait = due.saturating_sub(self.context.mono_ms());
            self.retry = (due, now().plus(i64::try_from(wait).unwrap_or(0)));
        }
        match action {
            Some(Action::Start) => self.prepare(),
            Some(Action::Stop) => self.stop_attempt(),
            None => {}
        }
        self.show();
    }

    /// Waits for the site's turn and for credentials; the attempt follows.
    fn prepare(&mut self) {
        self.number += 1;
        (self.writing, self.footage) = (false, false);
        if self.windows.open().is_some() {
            self.tell_session(Step::Attempt);
        }
        let context = self.context.clone();
        let entry = self.entry.clone();
        self.starting = Some(Box::pin(async move {
            context.attempts.until_ready().await;
            let credentials = context.secrets.get(&entry).await.map_err(Failure::Internal)?;
            source_spec(&entry.source, credentials).map_err(Failure::Unsupported)
        }));
    }

    fn start(&mut self, ready: Result<SourceSpec, Failure>) {
        let spec = match ready {
            Ok(spec) => spec,
            Err(failure) => return self.heard(AttemptEvent::Ended(AttemptEnd::Failed(failure))),
        };
        let Some(writer) = self.context.writer() else {
            return;
        };
        let (number, sender) = (self.number, self.sender.clone());
        let events = Box::new(move |event| drop(sender.send((number, event))));
        let intake = Arc::new(Intake::new(self.watched.stream.clone(), writer, events));
        let running = self.context.recorder.start(spec, self.settings(), intake);
        self.watched.set_running(Some(running.clone()));
        self.running = Some(running);
    }

    fn settings(&self) -> RecordSettings {
        let (segment, object) = lengths(self.entry.cut, &self.context.record);
        RecordSettings {
            segment_target: segment,
            object_target: object,
            first_object_target: Some(first_object(segment, object, &self.watched)),
            not_before_ms: Some(self.watched.stream.covered().0).filter(|ms| *ms > 0),
            spans: self.windows.spans(now()),
            ..RecordSettings::default()
        }
    }

    fn stop_attempt(&mut self) {
        match &self.running {
            Some(running) => running.stop(),
            None => {
                self.starting = None;
                self.heard(AttemptEvent::Ended(AttemptEnd::Stopped));
            }
        }
    }

    fn heard(&mut self, event: AttemptEvent) {
        let footage = self.footage;
        let mut failed = None;
        match &event {
            AttemptEvent::Ended(end) => {
                self.running = None;
                self.writing = false;
                self.watched.set_running(None);
                failed = self.note(end);
            }
            AttemptEvent::Footage => (self.writing, self.footage) = (true, true),
            AttemptEvent::Closed => self.writing = false,
            AttemptEvent::Playing | AttemptEvent::Degraded(_) => {}
        }
        self.step(Event::Attempt(event));
        if let Some(failure) = failed {
            self.tell_failed(&failure, footage);
        }
        self.want();
    }

    /// Tells of an attempt that failed, and when the next one is due.
    fn tell_failed(&self, failure: &Failure, footage: bool) {
        if self.windows.open().is_none() {
            return;
        }
        let waits = self.state.due().is_some();
        self.tell_session(Step::Failed {
            detail: Cause::of_failure(failure, now()).detail,
            footage,
            alert_after: self.entry.retry.alert_after,
            retry: waits.then(|| Retry::new(self.state.failures(), self.retry.1, failure)),
        });
    }

    /// Tells log and ledger how an attempt ended, and the caller how it failed.
    fn note(&self, end: &AttemptEnd) -> Option<Failure> {
        let camera = self.entry.camera;
        match end {
            AttemptEnd::Stopped => tracing::info!(%camera, name = %self.entry.name, "recording stopped"),
            AttemptEnd::Finished => {
                tracing::info!(%camera, name = %self.entry.name, "the camera ended the session");
                let detail = "the camera changed its stream";
                self.watched
                    .stream
                    .set_cause(Cause::new(GapCause::Camera, detail, now()));
            }
            AttemptEnd::Failed(failure) => {
                if self.state.failure.as_ref() != Some(failure) {
                    tracing::warn!(%camera, name = %self.entry.name, failure = %one_line(&failure.to_string()), "recording failed");
                }
                self.watched.stream.set_cause(Cause::of_failure(failure, now()));
                return Some(failure.clone());
            }
        }
        None
    }

    async fn report_outage(&mut self) {
        if let Some((start, _)) = self.windows.open()
            && start < outage_end(now())
        {
            let (key, cause) = (self.watched.stream.key, self.watched.stream.cause());
            let until = outage_end(now());
            tell(&self.context.commit, Commit::Outage { key, until, cause }).await;
            if !matches!(self.state.phase, Phase::Attempting { footage: Some(_) }) {
                // What was told to be a gap stays one: the next footage begins after it.
                self.watched.stream.cover(until);
            }
        }
    }

    fn show(&self) {
        let state = match (&self.state.phase, &self.state.failure) {
            (Phase::Idle, _) => StreamState::Idle,
            // A camera that is tried again and again stays failed until footage comes.
            (_, Some(failure)) => StreamState::Failed {
                cause: Cause::of_failure(failure, now()).cause,
                detail: one_line(&failure.to_string()),
                retry_at: self.retry.1,
            },
            (Phase::Attempting { footage: Some(_) }, None) => match &self.state.degraded {
                Some(detail) => StreamState::Degraded {
                    detail: detail.clone(),
                },
                None => StreamState::Recording,
            },
            _ if self.state.playing && self.state.want == Want::Ready => StreamState::Armed,
            _ => StreamState::Connecting,
        };
        if self.watched.set_state(state, self.state.attempts) {
            self.context.changed.notify_one();
        }
    }

    /// Ends the attempt, so that its object is sealed.
    async fn end(&mut self) {
        self.starting = None;
        let Some(running) = self.running.take() else {
            return;
        };
        running.stop();
        let ended = async {
            while let Some((number, event)) = self.events.recv().await {
                if number == self.number && matches!(event, AttemptEvent::Ended(_)) {
                    return;
                }
            }
        };
        if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
            tracing::warn!(camera = %self.entry.camera, "the attempt did not end in time");
        }
        self.watched.release(&running, self.state.attempts);
    }
}

/// Target lengths of segments and objects: the plan's, or the node's own.
fn lengths(cut: Option<CutTargets>, own: &Record) -> (Duration, Duration) {
    match cut {
        Some(cut) => (seconds(cut.segment_s), seconds(cut.object_s.max(cut.segment_s))),
        None => (own.segment(), own.object()),
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds.clamp(1, 3_600)))
}

/// What a camera sent may be quoted in a failure: one short line of it is enough.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Spreads the borders of objects over the minute, by the camera's id.
fn first_object(segment: Duration, object: Duration, watched: &Watched) -> Duration {
    // FNV-1a: ids made in the same millisecond share their first bytes.
    let hash = watched
        .stream
        .key
        .camera
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let spread = u64::try_from(object.saturating_sub(segment).as_millis())
        .unwrap_or(0)
        .max(1);
    segment + Duration::from_millis(hash % spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footage_is_cut_as_the_plan_says_and_else_as_the_node_is_set() {
        let own = Record::default();
        let cut = |segment_s, object_s| Some(CutTargets { segment_s, object_s });
        let s = Duration::from_secs;
        assert_eq!(lengths(None, &own), (own.segment(), own.object()));
        assert_eq!(lengths(cut(2, 10), &own), (s(2), s(10)));
        assert_eq!(
            lengths(cut(20, 10), &own),
            (s(20), s(20)),
            "no object is shorter than its segments"
        );
        assert_eq!(lengths(cut(0, u32::MAX), &own), (s(1), s(3_600)));
    }
}
