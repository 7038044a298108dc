//! The footage ledger: each instant of a camera's plan is footage or a gap with a cause.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, NodeId, ObjectId};
use crate::media::StreamKind;
use crate::time::{TimeRange, UnixMs};

/// Why a stretch of planned time has no footage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum GapCause {
    /// The camera was silent, refused, or sent what cannot be recorded.
    Camera,
    /// The camera could not be reached.
    Network,
    /// The recorder was not running.
    Node,
    /// The recorder could not write.
    Disk,
    /// The object was lost before it was stored.
    Upload,
    /// Deleted by age or space.
    Retention,
    /// Switched off or deleted by a person.
    Operator,
    /// No valid licence.
    Unlicensed,
    /// Nobody can say; always worth an alert.
    Unknown,
}

/// A stretch of planned time without footage, as a node reports it.
///
/// A gap that goes on is reported again with the same `id` and a later end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Names the gap; shares the id space of objects so that both confirm alike.
    pub id: ObjectId,
    /// Whose footage is missing.
    pub camera: CameraId,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The node that should have recorded it.
    pub node: NodeId,
    /// When.
    pub range: TimeRange,
    /// Why.
    pub cause: GapCause,
    /// One sentence for people; no secrets, no addresses.
    pub detail: String,
}

/// A run of unbroken footage, or a gap, on a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Stretch {
    /// Footage.
    Footage {
        /// First instant.
        start: UnixMs,
        /// First instant after.
        end: UnixMs,
    },
    /// A gap.
    Gap {
        /// First instant.
        start: UnixMs,
        /// First instant after.
        end: UnixMs,
        /// Why.
        cause: GapCause,
        /// One sentence for people.
        detail: String,
    },
}
