//! Which nodes are online, and what they last said.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use wire::bus::NODE_TTL_S;
use wire::status::{NodeStatus, StreamState};
use wire::{CameraId, NodeId};

/// A node's last word, and when it came by our clock: theirs may be wrong.
#[derive(Debug, Clone)]
pub struct OnlineNode {
    /// What it said.
    pub status: Arc<NodeStatus>,
    /// When that came.
    pub heard: Instant,
}

/// The nodes that reported within their time to live; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Nodes(Arc<RwLock<HashMap<NodeId, OnlineNode>>>);

impl Nodes {
    /// Takes a status; whether the node was not online before.
    pub fn put(&self, status: NodeStatus, heard: Instant) -> bool {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let node = status.node;
        let status = Arc::new(status);
        map.insert(node, OnlineNode { status, heard })
            .is_none_or(|before| is_lost(before.heard, heard))
    }

    /// A node's last status, while it is online.
    #[must_use]
    pub fn online(&self, node: NodeId) -> Option<Arc<NodeStatus>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&node)
            .filter(|entry| !is_lost(entry.heard, Instant::now()))
            .map(|entry| Arc::clone(&entry.status))
    }

    /// When a node was last heard, by our clock.
    #[must_use]
    pub fn heard(&self, node: NodeId) -> Option<Instant> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&node).map(|entry| entry.heard)
    }

    /// A node's last word, however long ago.
    #[must_use]
    pub fn last(&self, node: NodeId) -> Option<OnlineNode> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&node).cloned()
    }

    /// Forgets a node that was removed.
    pub fn forget(&self, node: NodeId) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.remove(&node);
    }

    /// What the camera's node last said of its main stream, while that node is online.
    #[must_use]
    pub fn camera_state(&self, node: NodeId, camera: CameraId) -> Option<StreamState> {
        let status = self.online(node)?;
        let stream = status.streams.iter().find(|stream| stream.camera == camera)?;
        Some(stream.state.clone())
    }
}

fn is_lost(heard: Instant, now: Instant) -> bool {
    now.saturating_duration_since(heard) > Duration::from_secs(NODE_TTL_S)
}
