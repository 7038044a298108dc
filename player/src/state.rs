//! A camera's state in the reader's words.

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
    if let Some(planned) = camera.planned.as_ref().filter(|planned| !planned.recording) {
        // What is not to be recorded may still be for a moment, until its node knows.
        if camera.state != Some(StreamState::Recording) {
            return not_planned(planned);
        }
    }
    match &camera.state {
        None if camera.planned.is_none() && !camera.recording => (Tone::Idle, "Recording is off".to_owned()),
        Some(StreamState::Recording) => (Tone::Good, "Recording".to_owned()),
        Some(StreamState::Connecting) => (Tone::Idle, "Connecting…".to_owned()),
        Some(StreamState::Armed) => (Tone::Idle, "About to record".to_owned()),
        Some(StreamState::Idle) => (Tone::Idle, "Outside its hours".to_owned()),
        Some(StreamState::Degraded { detail }) => (Tone::Bad, format!("Recording, but {detail}")),
        Some(StreamState::Failed { detail, retry_at, .. }) => (
            Tone::Bad,
            format!("Not recording: {detail}; next try at {}", civil::clock(*retry_at)),
        ),
        None if camera.node.is_none() => (
            Tone::Bad,
            "Not recording: no recorder node is there to take it".to_owned(),
        ),
        None => (
            Tone::Bad,
            "Its recorder node is not connected; it goes on by its plan".to_owned(),
        ),
    }
}

/// Why nothing is to be recorded, in a few words.
fn not_planned(planned: &Planned) -> (Tone, String) {
    match planned.reason {
        PlannedReason::Paused => (Tone::Idle, "Paused".to_owned()),
        PlannedReason::Unlicensed => (Tone::Bad, "Not recording: no licence".to_owned()),
        PlannedReason::Suspended => (Tone::Bad, "Not recording: suspended".to_owned()),
        PlannedReason::NoNode => (
            Tone::Bad,
            "Not recording: no recorder node is there to take it".to_owned(),
        ),
        _ if planned.until.is_some() => (Tone::Idle, "Outside its hours".to_owned()),
        _ => (Tone::Idle, "Recording is off".to_owned()),
    }
}
