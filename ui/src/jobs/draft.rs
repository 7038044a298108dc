//! What the form of a recording job holds while a person fills it in, and the schedule that it means.
//!
//! Whether a schedule is valid is the server's to say; here only what cannot be sent is refused.

use std::rc::Rc;

use wire::UnixMs;
use wire::api::{Job, JobPatch, NewJob};
use wire::plan::RetryPolicy;
use wire::schedule::{Schedule, StreamChoice, Weekday, WeeklyWindow};
use yew::Reducible;

/// The kinds of schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Continuous,
    Weekly,
    Cron,
    Once,
}

/// Their values in the form, and what they are called.
pub(crate) const KINDS: [(Kind, &str, &str); 4] = [
    (Kind::Weekly, "weekly", "Hours of the week"),
    (Kind::Continuous, "continuous", "Around the clock"),
    (Kind::Once, "once", "Once"),
    (Kind::Cron, "cron", "Cron expression"),
];

/// The fields. Texts are as they were typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) windows: Vec<WeeklyWindow>,
    pub(crate) expression: String,
    pub(crate) minutes: String,
    /// In the browser's time zone.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Empty for the camera's.
    pub(crate) time_zone: String,
    pub(crate) streams: StreamChoice,
    pub(crate) enabled: bool,
    /// Seconds.
    pub(crate) pre_roll: String,
}

/// Changes the newest draft, not the one that was drawn.
pub(crate) type Change = Box<dyn FnOnce(&mut Draft)>;

impl Reducible for Draft {
    type Action = Change;

    fn reduce(self: Rc<Self>, change: Change) -> Rc<Self> {
        let mut next = (*self).clone();
        change(&mut next);
        Rc::new(next)
    }
}

/// Working hours: what a new window begins with.
pub(crate) fn new_window() -> WeeklyWindow {
    WeeklyWindow {
        days: Weekday::ALL[..5].to_vec(),
        from: "08:00".to_owned(),
        to: "18:00".to_owned(),
    }
}

impl Draft {
    /// An empty form; `field` writes an instant as fields for date and time take it.
    pub(crate) fn new(now: UnixMs, field: fn(UnixMs) -> String) -> Self {
        Self {
            name: String::new(),
            kind: Kind::Weekly,
            windows: vec![new_window()],
            expression: "0 8 * * 1-5".to_owned(),
            minutes: "60".to_owned(),
            from: field(now),
            to: field(now.plus(3_600_000)),
            time_zone: String::new(),
            streams: StreamChoice::Main,
            enabled: true,
            pre_roll: "0".to_owned(),
        }
    }

    /// What a job is now.
    pub(crate) fn of(job: &Job, now: UnixMs, field: fn(UnixMs) -> String) -> Self {
        let mut draft = Self {
            name: job.name.clone(),
            time_zone: job.time_zone.clone().unwrap_or_default(),
            streams: job.streams,
            enabled: job.enabled,
            pre_roll: job.pre_roll_s.to_string(),
            ..Self::new(now, field)
        };
        match &job.schedule {
            Schedule::Continuous {} => draft.kind = Kind::Continuous,
            Schedule::Weekly { windows } => {
                draft.kind = Kind::Weekly;
                draft.windows.clone_from(windows);
            }
            Schedule::Cron {
                expression,
                duration_s,
            } => {
                draft.kind = Kind::Cron;
                draft.expression.clone_from(expression);
                draft.minutes = (f64::from(*duration_s) / 60.0).to_string();
            }
            Schedule::Once { from, to } => {
                draft.kind = Kind::Once;
                (draft.from, draft.to) = (field(*from), field(*to));
            }
        }
        draft
    }

    /// The schedule, or what is missing; `instant` reads a field of date and time.
    pub(crate) fn schedule(&self, instant: fn(&str) -> Option<UnixMs>) -> Result<Schedule, &'static str> {
        match self.kind {
            Kind::Continuous => Ok(Schedule::Continuous {}),
            Kind::Weekly if self.windows.iter().any(|window| window.days.is_empty()) => {
                Err("Choose at least one day for each window.")
            }
            Kind::Weekly
                if self
                    .windows
                    .iter()
                    .any(|window| window.from.is_empty() || window.to.is_empty()) =>
            {
                Err("Give each window its times.")
            }
            Kind::Weekly => Ok(Schedule::Weekly {
                windows: self.windows.clone(),
            }),
            Kind::Cron => {
                let seconds = self.minutes.trim().parse::<f64>().map(|minutes| minutes * 60.0);
                match seconds {
                    Ok(seconds) if (1.0..=604_800.0).contains(&seconds.round()) => Ok(Schedule::Cron {
                        expression: self.expression.trim().to_owned(),
                        duration_s: seconds.round() as u32,
                    }),
                    _ => Err("Give the minutes to record, up to 10080 (a week)."),
                }
            }
            Kind::Once => match (instant(&self.from), instant(&self.to)) {
                (Some(from), Some(to)) if from < to => Ok(Schedule::Once { from, to }),
                (Some(_), Some(_)) => Err("The end must come after the beginning."),
                _ => Err("Give the beginning and the end."),
            },
        }
    }

    /// The zone that is named, if one is.
    pub(crate) fn zone(&self) -> Option<String> {
        Some(self.time_zone.trim().to_owned()).filter(|zone| !zone.is_empty())
    }

    /// The job to add.
    pub(crate) fn new_job(&self, schedule: Schedule) -> NewJob {
        NewJob {
            name: self.name.trim().to_owned(),
            schedule,
            time_zone: self.zone(),
            streams: self.streams,
            enabled: self.enabled,
            pre_roll_s: self.pre_roll_s(),
            alert_after: RetryPolicy::default().alert_after,
            longest_pause_s: RetryPolicy::default().longest_pause_ms / 1000,
        }
    }

    /// Seconds of pre-roll; none when nothing is filled in.
    fn pre_roll_s(&self) -> u32 {
        self.pre_roll.trim().parse().unwrap_or(0)
    }

    /// The change of a job: all of what the form shows.
    pub(crate) fn patch(&self, schedule: Schedule) -> JobPatch {
        JobPatch {
            name: Some(self.name.trim().to_owned()),
            schedule: Some(schedule),
            time_zone: Some(self.zone().unwrap_or_default()),
            streams: Some(self.streams),
            enabled: Some(self.enabled),
            pre_roll_s: Some(self.pre_roll_s()),
            ..JobPatch::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(at: UnixMs) -> String {
        at.0.to_string()
    }

    fn instant(text: &str) -> Option<UnixMs> {
        text.parse().ok().map(UnixMs)
    }

    fn job(schedule: Schedule) -> Job {
        Job {
            id: wire::JobId::from_bytes([1; 16]),
            camera: wire::CameraId::from_bytes([2; 16]),
            name: "Nights".to_owned(),
            schedule,
            time_zone: Some("Europe/Berlin".to_owned()),
            streams: StreamChoice::Both,
            enabled: false,
            pre_roll_s: 20,
            alert_after: 3,
            longest_pause_s: 600,
            created: UnixMs(0),
            revision: 3,
            upcoming: wire::api::UpcomingWindows {
                time_zone: "Europe/Berlin".to_owned(),
                windows: Vec::new(),
                searched_until: UnixMs(0),
            },
        }
    }

    #[test]
    fn what_is_opened_and_saved_is_the_same() {
        let window = WeeklyWindow {
            days: vec![Weekday::Sun],
            from: "22:00".to_owned(),
            to: "24:00".to_owned(),
        };
        for schedule in [
            Schedule::Continuous {},
            Schedule::Weekly {
                windows: vec![window, new_window()],
            },
            Schedule::Cron {
                expression: "@hourly".to_owned(),
                duration_s: 100,
            },
            Schedule::Once {
                from: UnixMs(60_000),
                to: UnixMs(120_000),
            },
        ] {
            let draft = Draft::of(&job(schedule.clone()), UnixMs(7), field);
            assert_eq!(draft.schedule(instant), Ok(schedule.clone()));
            let patch = draft.patch(schedule.clone());
            assert_eq!(patch.time_zone.as_deref(), Some("Europe/Berlin"));
            assert_eq!(patch.pre_roll_s, Some(20));
            assert_eq!(
                (patch.enabled, patch.streams),
                (Some(false), Some(StreamChoice::Both))
            );
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_a_sentence() {
        let good = Draft::new(UnixMs(0), field);
        let refused = |change: fn(&mut Draft)| {
            let mut draft = good.clone();
            change(&mut draft);
            draft.schedule(instant).is_err()
        };
        assert!(good.schedule(instant).is_ok());
        assert!(refused(|draft| draft.windows[0].days.clear()));
        assert!(refused(|draft| draft.windows[0].to.clear()));
        for minutes in ["", "x", "0", "-1", "NaN", "inf", "10081"] {
            let mut draft = good.clone();
            draft.kind = Kind::Cron;
            draft.minutes = minutes.to_owned();
            assert!(draft.schedule(instant).is_err(), "{minutes}");
        }
        assert!(refused(|draft| {
            draft.kind = Kind::Once;
            draft.to = draft.from.clone();
        }));
        assert!(refused(|draft| {
            draft.kind = Kind::Once;
            draft.to.clear();
        }));
    }
}
