//! Open heads: what nodes have recorded and the index does not have yet, as last said.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wire::event::Head;
use wire::{CameraId, StreamKind};

type Map = HashMap<(CameraId, StreamKind), Arc<Head>>;

/// The last head of each stream; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Heads(Arc<RwLock<Map>>);

impl Heads {
    /// The head of a stream. Its objects may be in the index by now: the index wins.
    #[must_use]
    pub fn head(&self, camera: CameraId, stream: StreamKind) -> Option<Arc<Head>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&(camera, stream)).cloned()
    }

    /// Takes a head in the place of the one before. One that is not replaced stays: what it names is
    /// either in the index by now or still with its node.
    pub fn put(&self, head: Head) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.insert((head.camera, head.stream), Arc::new(head));
    }
}
