//! Footage that is erased on purpose.

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, ErasureId, NodeId};
use crate::time::UnixMs;

/// `POST /api/v1/cameras/{id}/erasures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// First instant.
    pub from: UnixMs,
    /// First instant after; not in the future.
    pub to: UnixMs,
    /// Why, 3 to 500 characters. It stays in the camera's ledger: no names, no secrets.
    #[cfg_attr(feature = "schema", schema(min_length = 3, max_length = 500))]
    pub reason: String,
}

/// Footage of a camera that was erased by range. Every object that touches the range went as a whole, on
/// each stream, so that more time than was asked for can be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Erasure {
    /// The erasure.
    pub id: ErasureId,
    /// The camera.
    pub camera: CameraId,
    /// First instant that was asked for.
    pub from: UnixMs,
    /// First instant after it.
    pub to: UnixMs,
    /// First instant that is gone: not after `from`.
    pub erased_from: UnixMs,
    /// First instant after what is gone: not before `to`.
    pub erased_to: UnixMs,
    /// Why.
    pub reason: String,
    /// When.
    pub created: UnixMs,
    /// Objects that the index had.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Recorders that ever had the camera, and whether their copies are gone.
    pub nodes: Vec<ErasureNode>,
}

/// A recorder that may hold copies of erased footage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErasureNode {
    /// The node.
    pub node: NodeId,
    /// When it said that nothing is left; none until then.
    pub done: Option<UnixMs>,
}

/// Answer of `POST /api/v1/cameras/{id}/erasures?dry_run=true`: what would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErasurePreview {
    /// First instant that would be gone: not after `from`.
    pub erased_from: UnixMs,
    /// First instant after what would be gone: not before `to`.
    pub erased_to: UnixMs,
    /// Objects that the index has.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Recorders that ever had the camera.
    pub nodes: Vec<NodeId>,
}
