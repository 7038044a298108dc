//! Sessions of recording, as the API shows them.

use serde::{Deserialize, Serialize};

use crate::event::EndReason;
use crate::id::{CameraId, JobId, NodeId, RecordingId};
use crate::media::StreamKind;
use crate::time::UnixMs;

/// How a session of recording goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// Its window is open; there is no picture yet.
    Starting,
    /// It records.
    Recording,
    /// It keeps failing, and is tried on.
    Failing,
    /// It has not ended, and its node does not report: what it does is not known.
    Lost,
    /// It ended.
    Ended,
}

impl RecordingState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Starting,
        Self::Recording,
        Self::Failing,
        Self::Lost,
        Self::Ended,
    ];

    /// As JSON and queries spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Recording => "recording",
            Self::Failing => "failing",
            Self::Lost => "lost",
            Self::Ended => "ended",
        }
    }
}

/// A session of recording: one window of one stream on one node under one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Recording {
    /// The session.
    pub id: RecordingId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The node that records it.
    pub node: NodeId,
    /// Under which assignment of the camera.
    pub epoch: u64,
    /// The job that asked for it; none for the camera's own switch and for what a person ordered.
    pub job: Option<JobId>,
    /// How it goes.
    pub state: RecordingState,
    /// Start of the window that it fills.
    pub window_start: UnixMs,
    /// End of that window; none while it is continuous.
    pub window_end: Option<UnixMs>,
    /// Capture time of the first picture.
    pub started: Option<UnixMs>,
    /// When it ended.
    pub ended: Option<UnixMs>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Bytes of its footage so far.
    pub bytes: u64,
    /// Pictures so far.
    pub frames: u64,
    /// Gaps so far.
    pub gaps: u64,
    /// Their length together, in milliseconds.
    pub gap_ms: u64,
    /// Attempts so far.
    pub attempts: u64,
    /// The last failure in one sentence, or empty.
    pub detail: String,
    /// When the node's last word about it was taken.
    pub updated: UnixMs,
}
