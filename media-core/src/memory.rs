//! What is remembered of a camera from one attempt to the next, for the life of the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Prior;
use crate::facts::{Reader, SourceSpec};

/// More cameras than a node can have; then all is forgotten, which costs a slower start only.
const MAX: usize = 16_384;

/// One camera's.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    /// Which reader the camera needed, when it was chosen automatically.
    pub(crate) reader: Option<Reader>,
    /// Streams in a row that were not understood.
    pub(crate) misread: u8,
    /// What its clock was like.
    pub(crate) prior: Option<Prior>,
    /// End of the footage recorded so far, nanoseconds since 1970 UTC.
    pub(crate) end_ns: Option<i64>,
    /// Sessions of the camera that may still be torn down.
    pub(crate) sessions: Arc<retina::client::SessionGroup>,
}

/// All cameras', by address and transport.
#[derive(Default)]
pub(crate) struct Memories(Mutex<HashMap<String, Memory>>);

impl std::fmt::Debug for Memories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memories(…)")
    }
}

impl Memories {
    pub(crate) fn get(&self, spec: &SourceSpec) -> Memory {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX {
            all.clear();
        }
        all.entry(key(spec)).or_default().clone()
    }

    pub(crate) fn update(&self, spec: &SourceSpec, change: impl FnOnce(&mut Memory)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = all.get_mut(&key(spec)) {
            change(memory);
        }
    }
}

fn key(spec: &SourceSpec) -> String {
    format!("{:?} {}", spec.transport, spec.url)
}
