//! Facts that a node publishes on JetStream, each exactly once in effect.

use serde::{Deserialize, Serialize};

use crate::coverage::Gap;
use crate::id::{CameraId, NodeId, ObjectId, RecordingId};
use crate::media::{Init, StreamKind, Track};
use crate::segment::SegmentTable;
use crate::time::UnixMs;

/// A fact from a node's outbox. Its `Nats-Msg-Id` is [`message_id`](NodeEvent::message_id).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NodeEvent {
    /// An object was sealed: whole, fsynced, renamed.
    ObjectSealed(SealedObject),
    /// A stretch of planned time has no footage.
    Gap(Gap),
    /// A session of recording began, changed or ended.
    Recording(RecordingSession),
}

impl NodeEvent {
    /// The 16 bytes of the object's, gap's or session's id: what the event is about.
    #[must_use]
    pub const fn subject(&self) -> &[u8; 16] {
        match self {
            Self::ObjectSealed(object) => object.id.as_bytes(),
            Self::Gap(gap) => gap.id.as_bytes(),
            Self::Recording(session) => session.id.as_bytes(),
        }
    }

    /// The node that published it; must be the one named in the subject.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        match self {
            Self::ObjectSealed(object) => object.node,
            Self::Gap(gap) => gap.node,
            Self::Recording(session) => session.node,
        }
    }

    /// Key by which JetStream drops repeats. A gap that grew is another message of the same gap, a session
    /// that changed another one of the same session.
    #[must_use]
    pub fn message_id(&self) -> String {
        match self {
            Self::ObjectSealed(object) => object.id.to_string(),
            Self::Gap(gap) => format!("{}-{}", gap.id, gap.range.end().0),
            Self::Recording(session) => format!("r-{}-{}", session.id, session.revision),
        }
    }
}

/// A sealed object: one playable fragmented MP4 file of about a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedObject {
    /// Its id, made when it was opened.
    pub id: ObjectId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The node that recorded it.
    pub node: NodeId,
    /// The assignment's epoch; the higher one wins where two overlap.
    pub epoch: u64,
    /// The object whose last picture this one's first follows without a break.
    pub previous: Option<ObjectId>,
    /// Capture time of the first picture.
    pub start: UnixMs,
    /// Capture time of the end of the last picture.
    pub end: UnixMs,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// The initialization section.
    pub init: Init,
    /// The tracks inside.
    pub tracks: Vec<Track>,
    /// The segments, as byte ranges.
    pub segments: SegmentTable,
}

/// A session of recording: one window of one stream on one node under one epoch, across restarts of the
/// node. Told when it begins, when something about it changes that people want to know, and when it ends;
/// the highest revision counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingSession {
    /// Its id.
    pub id: RecordingId,
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The node that records it.
    pub node: NodeId,
    /// The assignment's epoch.
    pub epoch: u64,
    /// Start of the window that it fills.
    pub window_start: UnixMs,
    /// End of that window as planned last; none while it is continuous.
    pub window_end: Option<UnixMs>,
    /// Capture time of the first picture; none before there is one.
    pub started: Option<UnixMs>,
    /// When it ended; none while it goes on.
    pub ended: Option<UnixMs>,
    /// Why it ended; given exactly when `ended` is.
    pub end_reason: Option<EndReason>,
    /// Bytes sealed so far.
    pub bytes: u64,
    /// Pictures sealed so far.
    pub frames: u64,
    /// Gaps so far.
    pub gaps: u64,
    /// Their length together, in milliseconds.
    pub gap_ms: u64,
    /// Attempts so far, those before a restart of the node too.
    pub attempts: u64,
    /// Whether recording keeps failing, by the policy of the plan: worth an alert.
    pub failing: bool,
    /// The last failure in one sentence, or empty; no secrets, no addresses.
    pub detail: String,
    /// Grows with each telling, from 1.
    pub revision: u64,
}

/// Why a session of recording ended, as far as the node can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its window was over.
    WindowEnded,
    /// The plan does not name it any more.
    Withdrawn,
    /// The camera was assigned anew.
    Moved,
    /// A person stopped or paused it.
    Stopped,
    /// The job was deleted, disabled or changed.
    JobChanged,
    /// The camera was deleted.
    CameraDeleted,
    /// No licence permits it any more.
    Unlicensed,
    /// The organization is suspended.
    Suspended,
    /// The node was lost and nothing came from it since.
    NodeLost,
}

/// What the index does not have yet of one stream: last value of a KV key, rewritten a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The camera.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The node that records it.
    pub node: NodeId,
    /// Sealed but not yet confirmed objects, oldest first, then the growing one.
    pub objects: Vec<OpenObject>,
}

/// A growing or just sealed object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenObject {
    /// Its id.
    pub id: ObjectId,
    /// The assignment's epoch.
    pub epoch: u64,
    /// The object before it, when nothing lies between.
    pub previous: Option<ObjectId>,
    /// The initialization section.
    pub init: Init,
    /// The tracks inside.
    pub tracks: Vec<Track>,
    /// Whole segments so far.
    pub segments: SegmentTable,
}
