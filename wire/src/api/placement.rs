//! Which nodes record a camera, and why.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, NodeId};
use crate::time::UnixMs;

/// `GET /api/v1/cameras/{id}/placement`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Placement {
    /// The camera.
    pub camera: CameraId,
    /// How many nodes are to record it at once.
    pub copies: u32,
    /// The nodes that have it, longest first. One more than `copies` while it moves.
    pub nodes: Vec<PlacedNode>,
    /// The organization's other nodes, oldest first.
    pub others: Vec<OtherNode>,
}

/// A node that has a camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlacedNode {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Under which epoch.
    pub epoch: u64,
    /// Since when.
    pub since: UnixMs,
    /// Why this node, as a sentence; empty when nobody noted it.
    pub reason: String,
    /// What keeps it from going on, as a sentence; none when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A node that does not have a camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OtherNode {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Why not, as a sentence.
    pub why_not: String,
    /// How many cameras it has that are to be recorded.
    pub cameras: u64,
}
