//! Open heads: what nodes have recorded and the index does not have yet, as last said.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wire::event::Head;
use wire::{CameraId, NodeId, ObjectId, StreamKind};

/// Each node's head of a stream: a camera that moves, or is recorded twice, has several.
type Map = HashMap<(CameraId, StreamKind), HashMap<NodeId, Arc<Head>>>;

/// The last heads of each stream; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Heads(Arc<RwLock<Map>>);

impl Heads {
    /// The heads of a stream, that of the newest epoch first. Their objects may be in the index by now: the
    /// index wins.
    #[must_use]
    pub fn of(&self, camera: CameraId, stream: StreamKind) -> Vec<Arc<Head>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let heads = map.get(&(camera, stream)).into_iter().flat_map(HashMap::values);
        let mut heads: Vec<Arc<Head>> = heads.cloned().collect();
        // Ids last, so that equals do not take turns.
        heads.sort_by_key(|head| std::cmp::Reverse((epoch(head), head.node)));
        heads
    }

    /// The head that names an object, whichever node's it is.
    #[must_use]
    pub fn with_object(&self, camera: CameraId, stream: StreamKind, object: ObjectId) -> Option<Arc<Head>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut heads = map.get(&(camera, stream))?.values();
        heads
            .find(|head| head.objects.iter().any(|one| one.id == object))
            .cloned()
    }

    /// Takes a node's head in the place of its one before. One that is not replaced stays: what it names is
    /// either in the index by now or still with its node.
    pub fn put(&self, head: Head) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let heads = map.entry((head.camera, head.stream)).or_default();
        heads.insert(head.node, Arc::new(head));
        if heads.len() > 1 {
            // Who has nothing to tell and was followed by another is done with the camera.
            heads.retain(|_, head| !head.objects.is_empty());
        }
    }
}

/// The newest epoch that a head tells of; none when it names no object.
fn epoch(head: &Head) -> Option<u64> {
    head.objects.iter().map(|object| object.epoch).max()
}

#[cfg(test)]
mod tests {
    use wire::SegmentTable;
    use wire::event::OpenObject;
    use wire::media::Init;

    use super::*;

    fn head(camera: CameraId, node: NodeId, epochs: &[u64]) -> Head {
        let objects = epochs.iter().map(|epoch| OpenObject {
            id: ObjectId::generate(),
            epoch: *epoch,
            previous: None,
            init: Init {
                length: 1,
                digest: String::new(),
            },
            tracks: Vec::new(),
            segments: SegmentTable(Vec::new()),
        });
        Head {
            camera,
            stream: StreamKind::Main,
            node,
            objects: objects.collect(),
        }
    }

    #[test]
    fn the_newest_epoch_counts_and_every_object_is_found() {
        let (camera, old, new) = (CameraId::generate(), NodeId::generate(), NodeId::generate());
        let heads = Heads::default();
        let (before, after) = (head(camera, old, &[1, 1]), head(camera, new, &[2]));
        let object = before.objects[0].id;
        heads.put(after);
        heads.put(before);
        let nodes = || -> Vec<NodeId> {
            let heads = heads.of(camera, StreamKind::Main);
            heads.iter().map(|head| head.node).collect()
        };
        assert_eq!(nodes(), [new, old]);
        let found = heads.with_object(camera, StreamKind::Main, object).unwrap();
        assert_eq!(found.node, old);
        heads.put(head(camera, old, &[]));
        assert!(heads.with_object(camera, StreamKind::Main, object).is_none());
        // One that is empty does not hide another.
        heads.put(head(camera, new, &[]));
        heads.put(head(camera, old, &[1]));
        assert_eq!(nodes(), [old]);
    }
}
