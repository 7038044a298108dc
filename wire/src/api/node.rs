//! Recorder nodes.

use serde::{Deserialize, Serialize};

use crate::id::NodeId;

/// `GET /api/v1/nodes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Node {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Whether it reported within its time to live.
    pub online: bool,
    /// What it last said of itself; none while it is lost.
    pub status: Option<crate::status::NodeStatus>,
}
