//! Overrides: a person's word that a camera is recorded, or not, whatever its schedules say.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, OverrideId, UserId};
use crate::time::UnixMs;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OverrideRequest {
    /// Record the main stream from now on, for up to a day; ten minutes unless told.
    Record,
    /// Record nothing until the window that is open now is over: until somebody resumes it when that has no
    /// end. What was asked for by `record` ends.
    Stop,
    /// Record nothing, whatever is planned: for a time, or until somebody resumes it.
    Pause,
}

/// What an override does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OverrideKind {
    /// The main stream is recorded.
    Record,
    /// Nothing is.
    Pause,
}

/// `POST /api/v1/cameras/{id}/overrides`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOverride {
    /// What is asked for.
    pub kind: OverrideRequest,
    /// For so many seconds from now on: 1 to 86400 of recording, up to 366 days of a pause. Not together
    /// with `until`, and not with `stop`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 31_622_400))]
    pub duration_s: Option<u32>,
    /// Until then; within the same limits.
    #[serde(default)]
    pub until: Option<UnixMs>,
    /// Why, at most 200 characters. It stays in the camera's ledger: no names, no secrets.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 200))]
    pub reason: String,
}

/// An override, over or not. Of those that cover an instant the newest decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordingOverride {
    /// The override.
    pub id: OverrideId,
    /// Whose recording it rules.
    pub camera: CameraId,
    /// What it does.
    pub kind: OverrideKind,
    /// First instant.
    pub start: UnixMs,
    /// First instant after; none until somebody cancels it.
    pub end: Option<UnixMs>,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub created: UnixMs,
    /// The person who made it; none for a machine.
    pub created_by: Option<UserId>,
    /// When somebody ended it before its time.
    pub cancelled: Option<UnixMs>,
}

/// Why a camera is recorded, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlannedReason {
    /// Recorded: its switch is on.
    Switch,
    /// Recorded: a job's window is open.
    Job,
    /// Recorded: somebody asked for it.
    Override,
    /// Not recorded: nothing asks for it now.
    Idle,
    /// Not recorded: nothing that can be read asks for it, but it has a job that cannot be read and was left
    /// out. The server's log says which.
    UnreadableJob,
    /// Not recorded: somebody paused it.
    Paused,
    /// Not recorded: no licence permits it.
    Unlicensed,
    /// Not recorded: its organization is suspended.
    Suspended,
    /// Not recorded: no node has it. Its placement says why.
    NoNode,
}

/// What is planned for a camera at the moment of asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Planned {
    /// Whether it is to be recorded now.
    pub recording: bool,
    /// Why, or why not.
    pub reason: PlannedReason,
    /// The name of the job whose window is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Until when, if nobody changes anything and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMs>,
}
