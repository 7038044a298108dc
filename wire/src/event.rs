//! Facts that a node publishes on JetStream, each exactly once in effect.

use serde::{Deserialize, Serialize};

use crate::coverage::Gap;
use crate::id::{CameraId, NodeId, ObjectId};
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
}

impl NodeEvent {
    /// The object's or gap's id.
    #[must_use]
    pub const fn id(&self) -> ObjectId {
        match self {
            Self::ObjectSealed(object) => object.id,
            Self::Gap(gap) => gap.id,
        }
    }

    /// The node that published it; must be the one named in the subject.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        match self {
            Self::ObjectSealed(object) => object.node,
            Self::Gap(gap) => gap.node,
        }
    }

    /// Key by which JetStream drops repeats. A gap that grew is another message of the same gap.
    #[must_use]
    pub fn message_id(&self) -> String {
        match self {
            Self::ObjectSealed(object) => object.id.to_string(),
            Self::Gap(gap) => format!("{}-{}", gap.id, gap.range.end().0),
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
