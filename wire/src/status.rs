//! What a node says of itself every five seconds.

use serde::{Deserialize, Serialize};

use crate::coverage::GapCause;
use crate::id::{CameraId, ErasureId, NodeId};
use crate::media::StreamKind;
use crate::time::UnixMs;

/// Last value of the node's status key; its absence means that the node is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeStatus {
    /// The node.
    pub node: NodeId,
    /// Its host's name or the name its operator gave it.
    pub name: String,
    /// Version of the recorder.
    pub version: String,
    /// When this was said, by the node's clock.
    pub at: UnixMs,
    /// When the process started.
    pub started: UnixMs,
    /// Revision of the plan it follows, if it has one.
    pub plan_revision: Option<u64>,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Free bytes on the spool's file system.
    pub disk_free_bytes: u64,
    /// Bytes of footage in the spool.
    pub spool_bytes: u64,
    /// Sealed objects that are not stored yet.
    pub upload_backlog: u64,
    /// Outbox rows that the index has not confirmed.
    pub outbox_backlog: u64,
    /// One entry a recorded stream.
    pub streams: Vec<StreamStatus>,
    /// Erasures of its plan whose footage is gone from the node: no file, no upload, no announcement.
    #[serde(default)]
    pub erased: Vec<ErasureId>,
    /// The machine, as far as the node can tell.
    #[serde(default)]
    pub hardware: Hardware,
    /// CPU time of the process over the last seconds, in thousandths of one core.
    #[serde(default)]
    pub cpu_permille: u32,
    /// Bytes that were uploaded a second over the last seconds.
    #[serde(default)]
    pub upload_bytes_per_s: u64,
    /// Bytes of sealed objects that are not stored yet.
    #[serde(default)]
    pub upload_backlog_bytes: u64,
}

/// What a node runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Hardware {
    /// Machine architecture, such as `x86_64` or `aarch64`.
    pub architecture: String,
    /// Operating system and its version, such as `Debian GNU/Linux 12`.
    pub system: String,
    /// Logical processors.
    pub cores: u32,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Size of the spool's file system in bytes.
    pub disk_bytes: u64,
    /// Version of GStreamer.
    pub gstreamer: String,
}

/// State of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamStatus {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// What is happening.
    pub state: StreamState,
    /// Frames per second over the last seconds.
    pub fps: f32,
    /// Bits per second over the last seconds.
    pub bitrate_bps: u64,
    /// Age of the last keyframe.
    pub keyframe_age_ms: Option<u64>,
    /// Camera clock minus node clock, by RTCP sender reports.
    pub clock_offset_ms: Option<i64>,
    /// Attempts since the stream was planned.
    pub attempts: u64,
    /// Epoch under which it is recorded.
    #[serde(default)]
    pub epoch: u64,
}

/// What a stream's supervisor is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum StreamState {
    /// Planned, outside its windows.
    Idle,
    /// Connecting.
    Connecting,
    /// Connected ahead of a window that has not opened; nothing is written.
    Armed,
    /// Footage is being written.
    Recording,
    /// Footage arrives, but something is wrong with it.
    Degraded {
        /// One sentence for people.
        detail: String,
    },
    /// The last attempt failed; the next one follows.
    Failed {
        /// Cause, as a gap would say.
        cause: GapCause,
        /// One sentence for people; no secrets.
        detail: String,
        /// When the next attempt starts.
        retry_at: UnixMs,
    },
}
