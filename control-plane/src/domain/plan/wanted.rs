//! What of a camera is to be recorded: by its switch, by its jobs, and by what people say for a while.
//!
//! Around the clock while the switch is on, joined with the windows of its enabled jobs; then overrides, of
//! which the newest that covers an instant decides. Licences and nodes are not looked at here.

use jiff::tz::TimeZone;
use wire::plan::RetryPolicy;
use wire::schedule::StreamChoice;
use wire::{JobId, OverrideId, StreamKind, TimeRange, UnixMs};

use super::{DAY_MS, HOUR_MS, WEEK_MS, horizon};
use crate::domain::schedule::Rule;

/// The end of what goes on without one.
pub const ENDLESS: UnixMs = UnixMs::MAX;
/// How far beyond the week after the horizon is looked: a stretch that goes on until then has no end.
const BEYOND_MS: i64 = WEEK_MS + DAY_MS;

/// An enabled job.
#[derive(Debug, Clone)]
pub struct PlanJob {
    /// The job.
    pub id: JobId,
    /// When it records.
    pub rule: Rule,
    /// In which time zone.
    pub zone: TimeZone,
    /// What it records.
    pub streams: StreamChoice,
    /// Seconds from before a window that are kept when it opens.
    pub pre_roll_s: u32,
    /// What is done when recording fails.
    pub retry: RetryPolicy,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverrideKind {
    /// The main stream is recorded.
    Record,
    /// Nothing is.
    Pause,
}

/// A person's word, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOverride {
    /// Which one.
    pub id: OverrideId,
    /// What it does.
    pub kind: OverrideKind,
    /// First instant.
    pub start: UnixMs,
    /// First instant after: its own end, or when it was cancelled.
    pub end: Option<UnixMs>,
}

impl PlanOverride {
    /// Whether it covers `now`.
    #[must_use]
    pub fn covers(&self, now: UnixMs) -> bool {
        self.start <= now && self.end.is_none_or(|end| now < end)
    }

    fn range(&self) -> Option<TimeRange> {
        TimeRange::new(self.start, self.end.unwrap_or(ENDLESS)).ok()
    }
}

/// Everything that says when a camera is to be recorded.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Around the clock.
    pub switch: bool,
    /// The enabled jobs, oldest first.
    pub jobs: Vec<PlanJob>,
    /// What people said, oldest first.
    pub overrides: Vec<PlanOverride>,
    /// Whether there is a sub stream.
    pub has_sub: bool,
}

/// A stretch that is to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// When. One that began in the past may begin at the hour; one without an end goes on to [`ENDLESS`].
    pub range: TimeRange,
    /// The job that it begins with; none for the switch and for overrides.
    pub job: Option<JobId>,
}

impl Wish {
    /// Whether anything may ever be recorded, as things stand at `now`.
    #[must_use]
    pub fn is_any(&self, now: UnixMs) -> bool {
        let mut overrides = self.overrides.iter();
        self.switch
            || !self.jobs.is_empty()
            || overrides.any(|one| one.kind == OverrideKind::Record && one.covers(now))
    }

    /// The streams there are.
    #[must_use]
    pub const fn streams(&self) -> &'static [StreamKind] {
        if self.has_sub {
            &[StreamKind::Main, StreamKind::Sub]
        } else {
            &[StreamKind::Main]
        }
    }

    /// What switch and jobs ask for, from the full hour before `now` to a week after the horizon, in order,
    /// without overlap: stretches with their true ends.
    #[must_use]
    pub fn regular(&self, stream: StreamKind, now: UnixMs) -> Vec<Wanted> {
        let from = UnixMs(now.0.div_euclid(HOUR_MS) * HOUR_MS);
        let Ok(span) = TimeRange::new(from, horizon(now).plus(BEYOND_MS).min(ENDLESS)) else {
            return Vec::new();
        };
        let mut recurring = Vec::new();
        let mut single = Vec::new();
        if self.switch && stream == StreamKind::Main {
            recurring.push(Wanted {
                range: span,
                job: None,
            });
        }
        let jobs = self.jobs.iter();
        for job in jobs.filter(|job| job.streams.streams().contains(&stream)) {
            let wanted = |range| Wanted {
                range,
                job: Some(job.id),
            };
            match job.rule.once() {
                Some(once) if once.intersection(&span).is_some() => single.push(wanted(once)),
                Some(_) => {}
                None => recurring.extend(job.rule.windows(&job.zone, span).into_iter().map(wanted)),
            }
        }
        let mut recurring = joined(recurring);
        if let Some(last) = recurring.last_mut().filter(|last| last.range.end() >= span.end())
            && let Ok(endless) = TimeRange::new(last.range.start(), ENDLESS)
        {
            last.range = endless;
        }
        recurring.extend(single);
        joined(recurring)
    }

    /// What should exist afterwards: `regular`, and what people asked for; not less what they paused.
    #[must_use]
    pub fn expected(&self, stream: StreamKind, mut regular: Vec<Wanted>) -> Vec<Wanted> {
        if stream == StreamKind::Main {
            let records = self
                .overrides
                .iter()
                .filter(|one| one.kind == OverrideKind::Record);
            let ranges = records.filter_map(PlanOverride::range);
            regular.extend(ranges.map(|range| Wanted { range, job: None }));
        }
        joined(regular)
    }

    /// What is to be recorded: `regular`, changed by what people said.
    #[must_use]
    pub fn due(&self, stream: StreamKind, regular: &[Wanted]) -> Vec<TimeRange> {
        let mut due: Vec<TimeRange> = regular.iter().map(|wanted| wanted.range).collect();
        for one in &self.overrides {
            let Some(range) = one.range() else { continue };
            match one.kind {
                OverrideKind::Record if stream == StreamKind::Main => {
                    due.push(range);
                    due = super::super::schedule::merged(due);
                }
                OverrideKind::Record => {}
                OverrideKind::Pause => due = without(&due, range),
            }
        }
        due
    }

    /// The time zone by which the week after the horizon repeats: that of the oldest recurring job of the stream.
    #[must_use]
    pub fn time_zone(&self, stream: StreamKind) -> Option<String> {
        let jobs = self.jobs.iter();
        let mut recurring = jobs.filter(|job| {
            let is_of_stream = job.streams.streams().contains(&stream);
            is_of_stream && job.rule.once().is_none() && !job.rule.is_continuous()
        });
        recurring.next()?.zone.iana_name().map(str::to_owned)
    }

    /// What is done when recording fails: the least of what the jobs of the stream ask for.
    #[must_use]
    pub fn retry(&self, stream: StreamKind) -> RetryPolicy {
        let jobs = self.jobs.iter();
        let of_stream = jobs.filter(|job| job.streams.streams().contains(&stream));
        let least = of_stream.map(|job| job.retry).reduce(|one, other| RetryPolicy {
            alert_after: one.alert_after.min(other.alert_after),
            longest_pause_ms: one.longest_pause_ms.min(other.longest_pause_ms),
        });
        least.unwrap_or_default()
    }

    /// Seconds of pre-roll: the most that a job of the stream asks for.
    #[must_use]
    pub fn pre_roll_s(&self, stream: StreamKind) -> u32 {
        let jobs = self.jobs.iter();
        let of_stream = jobs.filter(|job| job.streams.streams().contains(&stream));
        of_stream.map(|job| job.pre_roll_s).max().unwrap_or(0)
    }
}

/// When recording was paused by `overrides`, oldest first, and not asked for again since.
#[must_use]
pub fn paused(overrides: &[PlanOverride]) -> Vec<TimeRange> {
    let mut paused = Vec::new();
    for one in overrides {
        let Some(range) = one.range() else { continue };
        match one.kind {
            OverrideKind::Pause => {
                paused.push(range);
                paused = super::super::schedule::merged(paused);
            }
            OverrideKind::Record => paused = without(&paused, range),
        }
    }
    paused
}

/// `ranges` without what `hole` covers.
fn without(ranges: &[TimeRange], hole: TimeRange) -> Vec<TimeRange> {
    let parts = ranges.iter().flat_map(|range| {
        let before = TimeRange::new(range.start(), range.end().min(hole.start()));
        let after = TimeRange::new(range.start().max(hole.end()), range.end());
        [before.ok(), after.ok()]
    });
    parts.flatten().collect()
}

/// In order; those that touch or overlap as one, which keeps the job of the first.
fn joined(mut stretches: Vec<Wanted>) -> Vec<Wanted> {
    stretches.sort_by_key(|one| (one.range.start(), one.job.is_some(), one.job));
    let mut out: Vec<Wanted> = Vec::with_capacity(stretches.len());
    for next in stretches {
        if let Some(last) = out.last_mut()
            && next.range.start() <= last.range.end()
            && let Ok(range) = TimeRange::new(last.range.start(), last.range.end().max(next.range.end()))
        {
            last.range = range;
        } else {
            out.push(next);
        }
    }
    out
}
