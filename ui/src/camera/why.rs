//! What is planned for a camera and why, in the reader's words.

use wire::UnixMs;
use wire::api::{Planned, PlannedReason};

/// A sentence; `stamp` writes an instant.
pub(crate) fn sentence(planned: &Planned, stamp: impl Fn(UnixMs) -> String) -> String {
    let until = planned.until.map(&stamp);
    let ends = until
        .as_ref()
        .map(|until| format!(", until {until}"))
        .unwrap_or_default();
    match planned.reason {
        PlannedReason::Switch => format!("It is recorded around the clock, by its switch{ends}."),
        PlannedReason::Job => match &planned.job {
            Some(job) => format!("The job “{job}” records it{ends}."),
            None => format!("A recording job records it{ends}."),
        },
        PlannedReason::Override => format!("Somebody asked for its recording{ends}."),
        PlannedReason::Idle => match until {
            Some(next) => format!("Nothing is to be recorded now. The next window opens {next}."),
            None => "Nothing is to be recorded: its switch is off, and no job has a window ahead.".to_owned(),
        },
        PlannedReason::UnreadableJob => {
            "Nothing is recorded: a recording job of this camera cannot be read. Tell who runs the server."
                .to_owned()
        }
        PlannedReason::Paused => match until {
            Some(until) => format!("A person paused it until {until}."),
            None => "A person paused it, until somebody resumes it.".to_owned(),
        },
        PlannedReason::Unlicensed => match until {
            Some(until) => format!("It should be recorded, but no licence permits it before {until}."),
            None => "It should be recorded, but no licence permits it.".to_owned(),
        },
        PlannedReason::Suspended => "Nothing is recorded while the organization is suspended.".to_owned(),
        PlannedReason::NoNode => {
            "It should be recorded, but no recorder node has it: below it says why.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_sentence() {
        let said = |reason, job: Option<&str>, until: Option<i64>| {
            let planned = Planned {
                recording: false,
                reason,
                job: job.map(str::to_owned),
                until: until.map(UnixMs),
            };
            sentence(&planned, |at| at.0.to_string())
        };
        assert_eq!(
            said(PlannedReason::Job, Some("Nights"), Some(7)),
            "The job “Nights” records it, until 7."
        );
        assert_eq!(
            said(PlannedReason::Switch, None, None),
            "It is recorded around the clock, by its switch."
        );
        assert_eq!(
            said(PlannedReason::Idle, None, Some(7)),
            "Nothing is to be recorded now. The next window opens 7."
        );
        assert_eq!(
            said(PlannedReason::Paused, None, None),
            "A person paused it, until somebody resumes it."
        );
    }
}
