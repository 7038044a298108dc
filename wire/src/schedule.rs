//! When a camera is to be recorded: the schedules of recording jobs.
//!
//! Plain data as clients send it. What makes a schedule valid, and which windows follow from it in a time
//! zone, is the control plane's to say.

use serde::{Deserialize, Serialize};

use crate::media::StreamKind;
use crate::time::UnixMs;

/// When to record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Schedule {
    /// Around the clock.
    Continuous {},
    /// The same windows each week, in the job's time zone. Windows may overlap.
    Weekly {
        /// 1 to 100 windows.
        windows: Vec<WeeklyWindow>,
    },
    /// From each instant that a cron expression names, for a fixed time.
    Cron {
        /// Five fields (minute, hour, day of month, month, day of week) or `@hourly`, `@daily`,
        /// `@weekly`, `@monthly`, `@yearly`; in the job's time zone.
        expression: String,
        /// How long to record from each of them, in seconds: 1 to 604,800 (7 days).
        duration_s: u32,
    },
    /// A single stretch.
    Once {
        /// First instant.
        from: UnixMs,
        /// First instant after; at most 366 days after `from`.
        to: UnixMs,
    },
}

/// A stretch of some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WeeklyWindow {
    /// The days on which it starts, at least one.
    pub days: Vec<Weekday>,
    /// `HH:MM` from `00:00` to `23:59`.
    pub from: String,
    /// `HH:MM` from `00:00` to `24:00`. At or before `from` it is on the next day: `22:00` to `06:00`
    /// crosses midnight, `08:00` to `08:00` lasts until the same time of the next day.
    pub to: String,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// Monday to Sunday.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];
}

/// Which of a camera's streams a job records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StreamChoice {
    /// The full-resolution stream.
    #[default]
    Main,
    /// The smaller one.
    Sub,
    /// Each of them.
    Both,
}

impl StreamChoice {
    /// The streams it stands for.
    #[must_use]
    pub const fn streams(self) -> &'static [StreamKind] {
        match self {
            Self::Main => &[StreamKind::Main],
            Self::Sub => &[StreamKind::Sub],
            Self::Both => &[StreamKind::Main, StreamKind::Sub],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_spelling() {
        for text in [
            r#"{"kind":"continuous"}"#,
            r#"{"kind":"weekly","windows":[{"days":["mon","sun"],"from":"22:00","to":"06:00"}]}"#,
            r#"{"kind":"cron","expression":"0 8 * * 1-5","duration_s":3600}"#,
            r#"{"kind":"once","from":1769846400000,"to":1769850000000}"#,
        ] {
            let schedule: Schedule = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in [
            r#"{}"#,
            r#"{"kind":"yearly"}"#,
            r#"{"kind":"continuous","windows":[]}"#,
            r#"{"kind":"weekly","windows":[{"days":["monday"],"from":"22:00","to":"06:00"}]}"#,
            r#"{"kind":"weekly","windows":[{"days":["mon"],"from":"22:00","to":"06:00","zone":"UTC"}]}"#,
            r#"{"kind":"cron","expression":"* * * * *"}"#,
            r#"{"kind":"cron","expression":"* * * * *","duration_s":-1}"#,
            r#"{"kind":"once","from":1,"to":2,"duration_s":1}"#,
        ] {
            assert!(serde_json::from_str::<Schedule>(text).is_err(), "{text}");
        }
    }
}
