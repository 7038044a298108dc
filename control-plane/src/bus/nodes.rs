//! Which nodes are online, and what they last said.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use wire::bus::NODE_TTL_S;
use wire::status::{NodeStatus, StreamState};
use wire::{CameraId, NodeId, UnixMs};

/// A node's last word, and when it came by our clock: theirs may be wrong.
#[derive(Debug, Clone)]
pub struct OnlineNode {
    /// What it said.
    pub status: Arc<NodeStatus>,
    /// When that came.
    pub heard: Instant,
    /// Whether the database knows that it reports, and its machine.
    is_noted: bool,
}

impl OnlineNode {
    fn is_noted_with(&self, status: &NodeStatus) -> bool {
        let (known, new) = (&self.status, status);
        self.is_noted && known.version == new.version && known.hardware == new.hardware
    }
}

/// What nodes last said; clones share it.
#[derive(Debug, Clone)]
pub struct Nodes {
    last: Arc<RwLock<HashMap<NodeId, OnlineNode>>>,
    lost_after: Duration,
}

/// None yet; lost after the default time of silence.
impl Default for Nodes {
    fn default() -> Self {
        Self::new(Duration::from_secs(NODE_TTL_S))
    }
}

impl Nodes {
    /// None yet; one that says nothing for `lost_after` is not online.
    #[must_use]
    pub fn new(lost_after: Duration) -> Self {
        Self {
            last: Arc::default(),
            lost_after,
        }
    }

    /// Takes a status; whether the node was not online before.
    pub fn put(&self, status: NodeStatus, heard: Instant) -> bool {
        let mut map = self.last.write().unwrap_or_else(PoisonError::into_inner);
        let before = map.get(&status.node);
        let came = before.is_none_or(|before| self.is_lost(before.heard, heard));
        let is_noted = !came && before.is_some_and(|before| before.is_noted_with(&status));
        let entry = OnlineNode {
            status: Arc::new(status),
            heard,
            is_noted,
        };
        map.insert(entry.status.node, entry);
        came
    }

    /// Whether the database knows already what a status says of its node and the machine.
    #[must_use]
    pub fn is_noted(&self, status: &NodeStatus) -> bool {
        let map = self.last.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&status.node)
            .is_some_and(|entry| entry.is_noted_with(status) && !self.is_lost(entry.heard, Instant::now()))
    }

    /// The database knows of these nodes what they last said of themselves.
    pub fn noted(&self, nodes: &[NodeId]) {
        let mut map = self.last.write().unwrap_or_else(PoisonError::into_inner);
        for node in nodes {
            if let Some(entry) = map.get_mut(node) {
                entry.is_noted = true;
            }
        }
    }

    /// A node's last status, while it is online.
    #[must_use]
    pub fn online(&self, node: NodeId) -> Option<Arc<NodeStatus>> {
        let map = self.last.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&node)
            .filter(|entry| !self.is_lost(entry.heard, Instant::now()))
            .map(|entry| Arc::clone(&entry.status))
    }

    /// When a node was last heard, by our clock.
    #[must_use]
    pub fn heard(&self, node: NodeId) -> Option<Instant> {
        let map = self.last.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&node).map(|entry| entry.heard)
    }

    /// The time of a node's last word by our clock, which shows `now`.
    #[must_use]
    pub fn last_word(&self, node: NodeId, now: UnixMs) -> Option<UnixMs> {
        let ago = self.heard(node)?.elapsed();
        Some(now.plus(-i64::try_from(ago.as_millis()).ok()?))
    }

    /// A node's last word, however long ago.
    #[must_use]
    pub fn last(&self, node: NodeId) -> Option<OnlineNode> {
        let map = self.last.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&node).cloned()
    }

    /// Forgets a node that was removed.
    pub fn forget(&self, node: NodeId) {
        let mut map = self.last.write().unwrap_or_else(PoisonError::into_inner);
        map.remove(&node);
    }

    /// What the camera's node last said of its main stream, while that node is online.
    #[must_use]
    pub fn camera_state(&self, node: NodeId, camera: CameraId) -> Option<StreamState> {
        let status = self.online(node)?;
        let stream = status.streams.iter().find(|stream| stream.camera == camera)?;
        Some(stream.state.clone())
    }

    fn is_lost(&self, heard: Instant, now: Instant) -> bool {
        now.saturating_duration_since(heard) > self.lost_after
    }
}

#[cfg(test)]
mod tests {
    use wire::status::Hardware;

    use super::*;

    fn status(version: &str) -> NodeStatus {
        NodeStatus {
            node: NodeId::from_bytes([1; 16]),
            name: "north".to_owned(),
            version: version.to_owned(),
            at: UnixMs(0),
            started: UnixMs(0),
            plan_revision: None,
            memory_bytes: 0,
            disk_free_bytes: 0,
            spool_bytes: 0,
            upload_backlog: 0,
            outbox_backlog: 0,
            streams: Vec::new(),
            erased: Vec::new(),
            hardware: Hardware::default(),
            cpu_permille: 0,
            upload_bytes_per_s: 0,
            upload_backlog_bytes: 0,
        }
    }

    #[test]
    fn a_node_is_to_be_noted_when_it_comes_changes_or_comes_back() {
        let (nodes, node, first) = (
            Nodes::new(Duration::from_secs(5)),
            status("1").node,
            Instant::now(),
        );
        assert!(!nodes.is_noted(&status("1")));
        assert!(nodes.put(status("1"), first));
        // The database did not take it: its next word is to be noted still.
        assert!(!nodes.is_noted(&status("1")));
        assert!(!nodes.put(status("1"), first));
        nodes.noted(&[node]);
        assert!(nodes.is_noted(&status("1")));
        assert!(!nodes.is_noted(&status("2")));
        assert!(!nodes.put(status("2"), first));
        assert!(!nodes.is_noted(&status("2")));
        nodes.noted(&[node]);
        let later = first + Duration::from_secs(6);
        assert!(nodes.put(status("2"), later));
        assert!(!nodes.is_noted(&status("2")));
    }
}
