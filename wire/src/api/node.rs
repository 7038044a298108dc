//! Recorder nodes.

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::status::Hardware;
use crate::time::UnixMs;

/// What a node is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It records what it is given.
    #[default]
    Active,
    /// It keeps its cameras and gets no new ones.
    Cordoned,
    /// It hands its cameras over to others.
    Draining,
}

impl NodeState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Active, Self::Cordoned, Self::Draining];

    /// As JSON and queries spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Cordoned => "cordoned",
            Self::Draining => "draining",
        }
    }
}

/// A recorder node, as `/api/v1/nodes` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Node {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// What it is there for.
    #[serde(default)]
    pub state: NodeState,
    /// Whether it reported within its time to live.
    pub online: bool,
    /// Labels that cameras may ask for, in lower case.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Sites whose cameras it may record; without any, every site's.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Networks that it reaches, such as `10.1.0.0/16`; without any, every network.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Most cameras that it is given.
    #[serde(default)]
    pub max_cameras: Option<u32>,
    /// Bits a second that its uploads may take.
    #[serde(default)]
    pub uplink_bps: Option<u64>,
    /// Cameras that it has now: what is left to hand over while it is draining.
    #[serde(default)]
    pub cameras: u64,
    /// Whether nothing is left on it: it has no camera, and said last that all is stored.
    #[serde(default)]
    pub drained: bool,
    /// When it came.
    pub first_seen: UnixMs,
    /// When it got the key that it has.
    #[serde(default)]
    pub enrolled: Option<UnixMs>,
    /// When it reported last, within some minutes while it is online.
    #[serde(default)]
    pub last_seen: Option<UnixMs>,
    /// Version of its recorder.
    #[serde(default)]
    pub version: String,
    /// Its machine, as it said last.
    #[serde(default)]
    pub hardware: Hardware,
    /// Grows with each change of its settings; the same as in the `ETag`.
    #[serde(default)]
    pub revision: u64,
    /// What it last said of itself, as far as this server remembers.
    pub status: Option<crate::status::NodeStatus>,
    /// How long ago that was, in milliseconds, by the server's clock.
    #[serde(default)]
    pub status_age_ms: Option<u64>,
}

/// `PATCH /api/v1/nodes/{id}`: only the fields given change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NodePatch {
    /// New name, 1 to 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// What it is there for from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeState>,
    /// New labels, as a whole: at most 20 of 1 to 40 letters, digits, hyphens, dots and colons.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_items = 20))]
    pub labels: Option<Vec<String>>,
    /// New sites, as a whole: at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_items = 100))]
    pub sites: Option<Vec<String>>,
    /// New networks, as a whole: at most 100, such as `10.1.0.0/16` or `fd00::/8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_items = 100))]
    pub networks: Option<Vec<String>>,
    /// New limit of cameras, up to 100,000; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(maximum = 100000))]
    pub max_cameras: Option<u32>,
    /// New limit of its uploads in bits a second, from 10,000; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(maximum = 1000000000000_u64))]
    pub uplink_bps: Option<u64>,
}
