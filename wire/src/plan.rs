//! A node's plan: what it records and when, computed by the control plane, followed alone when cut off.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, ErasureId, NodeId};
use crate::media::StreamKind;
use crate::source::Source;
use crate::time::{TimeRange, UnixMs};

/// Everything one node records in the next two days; last value of its KV key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The node it is for.
    pub node: NodeId,
    /// Grows with each change.
    pub revision: u64,
    /// Windows are computed up to here.
    pub horizon: UnixMs,
    /// One entry a camera and stream.
    pub entries: Vec<PlanEntry>,
    /// Footage that must not be on the node any more, until it has said so of each
    /// ([`NodeStatus::erased`](crate::status::NodeStatus::erased)). Also of cameras that it records no longer.
    #[serde(default)]
    pub erasures: Vec<Erasure>,
}

/// Footage of a camera that is to be deleted wherever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id; the same range may be erased again under another one.
    pub id: ErasureId,
    /// Whose footage, on all its streams.
    pub camera: CameraId,
    /// Every object that touches it goes as a whole. Its end has passed when it is planned.
    pub range: TimeRange,
}

/// What a node does for one stream of one camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// The camera.
    pub camera: CameraId,
    /// Its name, for status and logs.
    pub name: String,
    /// Which of its streams.
    pub stream: StreamKind,
    /// The assignment's epoch.
    pub epoch: u64,
    /// Where to read it.
    pub source: Source,
    /// Changes whenever the camera's credentials do, so that the node asks for them again.
    pub credentials_revision: u64,
    /// Whether the camera asks for credentials at all.
    pub has_credentials: bool,
    /// When to record, in order, without overlap.
    pub windows: Vec<TimeRange>,
    /// Recorded around the clock: goes on past the horizon when nobody answers.
    pub continuous: bool,
}

impl PlanEntry {
    /// Whether it is to be recorded at `now`.
    #[must_use]
    pub fn is_active(&self, now: UnixMs) -> bool {
        self.windows.iter().any(|window| window.contains(now))
            || (self.continuous && self.windows.last().is_some_and(|window| window.end() <= now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_older_control_planes_erase_nothing() {
        let node = "0190f5fe-7c00-7a00-8000-0123456789ab";
        let json = format!(r#"{{"node":"{node}","revision":3,"horizon":0,"entries":[]}}"#);
        let plan: Plan = serde_json::from_str(&json).unwrap();
        assert!(plan.erasures.is_empty());
    }
}
