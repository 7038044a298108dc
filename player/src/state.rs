//! A camera's state in the reader's words: what is planned for it, beside what its node says of it.

use wire::UnixMs;
use wire::api::{Camera, Planned, PlannedReason};
use wire::status::StreamState;

use crate::civil;

/// How a state is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Nothing is expected to happen.
    Idle,
    /// Somebody should look at it.
    Bad,
}

impl Tone {
    /// Its class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Idle => "idle",
            Self::Bad => "bad",
        }
    }
}

/// What a camera does now, and why it does not record.
#[must_use]
pub fn describe(camera: &Camera) -> (Tone, String) {
    in_words(camera, |at| civil::local(at, &camera.time_zone), civil::clock)
}

/// Whether what its node says of it is not yet what is planned: it is worth asking again soon.
#[must_use]
pub fn is_settling(camera: &Camera) -> bool {
    let Some(planned) = &camera.planned else {
        return false;
    };
    let begins = planned.recording;
    match (&camera.state, node(camera)) {
        (Some(StreamState::Recording | StreamState::Degraded { .. }), _) => !begins,
        (Some(StreamState::Failed { .. }), _) => false,
        (Some(_), _) | (None, Reach::Connected) => begins,
        (None, _) => false,
    }
}

/// Whether its node can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    None,
    Connected,
    Away,
}

fn node(camera: &Camera) -> Reach {
    match (camera.node, camera.node_online) {
        (None, _) => Reach::None,
        (Some(_), Some(true)) => Reach::Connected,
        // Older servers do not say it: an online node says something of its cameras.
        (Some(_), None) if camera.state.is_some() => Reach::Connected,
        (Some(_), _) => Reach::Away,
    }
}

/// `stamp` writes an instant with its day, `clock` one that is near.
fn in_words(
    camera: &Camera,
    stamp: impl Fn(UnixMs) -> String,
    clock: impl Fn(UnixMs) -> String,
) -> (Tone, String) {
    let say = |tone, text: &str| (tone, text.to_owned());
    match &camera.planned {
        Some(planned) if !planned.recording => match &camera.state {
            // Until its node knows.
            Some(StreamState::Recording | StreamState::Degraded { .. }) => say(Tone::Idle, "Stopping…"),
            _ => not_planned(camera, planned, stamp),
        },
        None if !camera.recording && camera.state.is_none() => say(Tone::Idle, "Recording is off"),
        _ => match &camera.state {
            Some(StreamState::Recording) => say(Tone::Good, "Recording"),
            Some(StreamState::Connecting) => say(Tone::Idle, "Connecting to the camera…"),
            Some(StreamState::Armed) => say(Tone::Idle, "About to record"),
            Some(StreamState::Idle) => say(Tone::Idle, "Waiting for its recorder node to begin"),
            Some(StreamState::Degraded { detail }) => (Tone::Bad, format!("Recording, but {detail}")),
            Some(StreamState::Failed { detail, retry_at, .. }) => (
                Tone::Bad,
                format!("Not recording: {detail}; next try at {}", clock(*retry_at)),
            ),
            None => match node(camera) {
                Reach::None => say(Tone::Bad, "Not recording: no recorder node is there to take it"),
                Reach::Connected => say(Tone::Idle, "Waiting for its recorder node to begin"),
                Reach::Away => say(
                    Tone::Bad,
                    "Its recorder node is not connected; it goes on by its plan",
                ),
            },
        },
    }
}

/// Why nothing is to be recorded now.
fn not_planned(camera: &Camera, planned: &Planned, stamp: impl Fn(UnixMs) -> String) -> (Tone, String) {
    let until = planned.until.map(stamp);
    match (planned.reason, until) {
        (PlannedReason::Paused, Some(until)) => (Tone::Idle, format!("Paused until {until}")),
        (PlannedReason::Paused, None) => (Tone::Idle, "Paused until somebody resumes it".to_owned()),
        (PlannedReason::Unlicensed, Some(until)) => {
            (Tone::Bad, format!("Not recording: no licence before {until}"))
        }
        (PlannedReason::Unlicensed, None) => (Tone::Bad, "Not recording: no licence".to_owned()),
        (PlannedReason::Suspended, _) => (
            Tone::Bad,
            "Not recording: the organization is suspended".to_owned(),
        ),
        (PlannedReason::NoNode, _) => (
            Tone::Bad,
            "Not recording: no recorder node is there to take it".to_owned(),
        ),
        (_, Some(next)) => before_a_window(camera, &next),
        (_, None) => (Tone::Idle, "Recording is off".to_owned()),
    }
}

/// Nothing is to be recorded until `next`: whether it will be is what there is to say.
fn before_a_window(camera: &Camera, next: &str) -> (Tone, String) {
    match &camera.state {
        Some(StreamState::Armed) => (Tone::Idle, format!("Armed: records from {next}")),
        Some(StreamState::Connecting) => (Tone::Idle, format!("Connecting: records from {next}")),
        Some(StreamState::Failed { detail, .. }) => {
            (Tone::Bad, format!("Its next window opens {next}, but {detail}"))
        }
        None if node(camera) == Reach::Away => (
            Tone::Bad,
            format!("Outside its windows until {next}; its recorder node is not connected"),
        ),
        _ => (Tone::Idle, format!("Outside its windows until {next}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NODE: &str = "018f0000-0000-7000-8000-000000000002";

    /// A camera with a node that is connected, for which this is planned and its node says that.
    fn camera(planned: &Value, state: &Value) -> Camera {
        serde_json::from_value(json!({
            "id": "018f0000-0000-7000-8000-000000000001", "name": "Yard", "url": "rtsp://10.0.0.2/1",
            "sub_url": null, "username": null, "site": "", "tags": [], "group": null, "time_zone": "UTC",
            "transport": "tcp", "reader": "auto", "audio": false, "recording": true, "segment_s": 6,
            "object_s": 60, "notes": "", "node": NODE, "node_online": true, "state": state, "created": 0,
            "revision": 1, "planned": planned,
        }))
        .unwrap()
    }

    fn away(camera: Camera) -> Camera {
        Camera {
            node_online: Some(false),
            state: None,
            ..camera
        }
    }

    fn nowhere(camera: Camera) -> Camera {
        Camera {
            node: None,
            node_online: None,
            state: None,
            ..camera
        }
    }

    fn said(camera: &Camera) -> (Tone, String) {
        in_words(
            camera,
            |at| format!("day {}", at.0),
            |at| format!("clock {}", at.0),
        )
    }

    fn state(name: &str) -> Value {
        json!({ "state": name })
    }

    fn failed() -> Value {
        json!({ "state": "failed", "cause": "network", "detail": "nobody answers", "retry_at": 9 })
    }

    fn planned(reason: &str, until: Option<i64>) -> Value {
        let recording = ["switch", "job", "override"].contains(&reason);
        json!({ "recording": recording, "reason": reason, "until": until })
    }

    #[test]
    fn what_is_to_be_recorded_is_said_by_what_its_node_does() {
        let blurred = json!({ "state": "degraded", "detail": "no keyframe for 40 s" });
        let table = [
            (state("recording"), Tone::Good, "Recording"),
            (state("connecting"), Tone::Idle, "Connecting to the camera…"),
            (state("armed"), Tone::Idle, "About to record"),
            // Its node is merely behind: never "outside its windows" while it is to be recorded.
            (
                state("idle"),
                Tone::Idle,
                "Waiting for its recorder node to begin",
            ),
            (Value::Null, Tone::Idle, "Waiting for its recorder node to begin"),
            (blurred, Tone::Bad, "Recording, but no keyframe for 40 s"),
            (
                failed(),
                Tone::Bad,
                "Not recording: nobody answers; next try at clock 9",
            ),
        ];
        for reason in ["switch", "job", "override"] {
            let plan = planned(reason, None);
            for (state, tone, text) in &table {
                assert_eq!(
                    said(&camera(&plan, state)),
                    (*tone, (*text).to_owned()),
                    "{reason}, {state}"
                );
            }
            let one = camera(&plan, &state("recording"));
            let lost = "Its recorder node is not connected; it goes on by its plan";
            assert_eq!(said(&away(one.clone())), (Tone::Bad, lost.to_owned()));
            let none = "Not recording: no recorder node is there to take it";
            assert_eq!(said(&nowhere(one)), (Tone::Bad, none.to_owned()));
        }
    }

    #[test]
    fn what_is_not_to_be_recorded_is_said_with_its_reason() {
        let table = [
            ("paused", Some(7), Tone::Idle, "Paused until day 7"),
            ("paused", None, Tone::Idle, "Paused until somebody resumes it"),
            (
                "unlicensed",
                Some(7),
                Tone::Bad,
                "Not recording: no licence before day 7",
            ),
            ("unlicensed", None, Tone::Bad, "Not recording: no licence"),
            (
                "suspended",
                None,
                Tone::Bad,
                "Not recording: the organization is suspended",
            ),
            (
                "no_node",
                None,
                Tone::Bad,
                "Not recording: no recorder node is there to take it",
            ),
            ("idle", Some(7), Tone::Idle, "Outside its windows until day 7"),
            ("idle", None, Tone::Idle, "Recording is off"),
        ];
        for (reason, until, tone, text) in table {
            let plan = planned(reason, until);
            for said_by_node in [Value::Null, state("idle")] {
                let one = camera(&plan, &said_by_node);
                assert_eq!(said(&one), (tone, text.to_owned()), "{reason}, {said_by_node}");
                assert!(!is_settling(&one), "{reason}, {said_by_node}");
            }
            // The node does not know yet.
            let late = camera(&plan, &state("recording"));
            assert_eq!(said(&late), (Tone::Idle, "Stopping…".to_owned()));
            assert!(is_settling(&late));
        }
    }

    #[test]
    fn before_a_window_it_is_said_whether_it_will_be_recorded() {
        let plan = planned("idle", Some(7));
        let table = [
            (state("armed"), Tone::Idle, "Armed: records from day 7"),
            (state("connecting"), Tone::Idle, "Connecting: records from day 7"),
            (
                failed(),
                Tone::Bad,
                "Its next window opens day 7, but nobody answers",
            ),
        ];
        for (state, tone, text) in table {
            assert_eq!(said(&camera(&plan, &state)), (tone, text.to_owned()));
        }
        let lost = "Outside its windows until day 7; its recorder node is not connected";
        let one = camera(&plan, &Value::Null);
        assert_eq!(said(&away(one.clone())), (Tone::Bad, lost.to_owned()));
        // Nothing records it, and nothing has to: it gets a node before the window opens.
        let text = "Outside its windows until day 7";
        assert_eq!(said(&nowhere(one)), (Tone::Idle, text.to_owned()));
    }

    #[test]
    fn what_is_about_to_change_is_worth_another_look() {
        let plan = planned("job", Some(7));
        for behind in [state("idle"), state("connecting"), state("armed"), Value::Null] {
            assert!(is_settling(&camera(&plan, &behind)), "{behind}");
        }
        for steady in [state("recording"), failed()] {
            assert!(!is_settling(&camera(&plan, &steady)), "{steady}");
        }
        assert!(!is_settling(&away(camera(&plan, &Value::Null))));
        assert!(!is_settling(&nowhere(camera(&plan, &Value::Null))));
    }
}
