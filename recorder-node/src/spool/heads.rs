//! What the index does not have yet of each stream: the last sealed objects and the growing one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wire::event::{Head, OpenObject};
use wire::{NodeId, ObjectId};

use crate::ledger::StreamKey;

/// Sealed but unconfirmed objects that a head names.
const SEALED_MAX: usize = 5;

#[derive(Default)]
struct StreamHead {
    sealed: VecDeque<OpenObject>,
    growing: Option<OpenObject>,
}

#[derive(Default)]
struct State {
    streams: HashMap<StreamKey, StreamHead>,
    dirty: HashSet<StreamKey>,
}

/// The heads of all streams.
#[derive(Default)]
pub struct Heads {
    state: Mutex<State>,
    /// A head changed.
    pub changed: Notify,
}

impl Heads {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, key: StreamKey, work: impl FnOnce(&mut StreamHead)) {
        let mut state = self.lock();
        work(state.streams.entry(key).or_default());
        state.dirty.insert(key);
        drop(state);
        self.changed.notify_one();
    }

    /// The growing object has another whole segment.
    pub fn grow(&self, key: StreamKey, object: OpenObject) {
        self.change(key, |head| head.growing = Some(object));
    }

    /// The growing object has ended and is about to be sealed.
    pub fn close(&self, key: StreamKey, object: OpenObject) {
        self.change(key, |head| {
            head.growing = None;
            head.sealed.push_back(object);
            while head.sealed.len() > SEALED_MAX {
                head.sealed.pop_front();
            }
        });
    }

    /// The growing object holds no footage.
    pub fn discard(&self, key: StreamKey) {
        self.change(key, |head| head.growing = None);
    }

    /// These objects are in the index, or are no more.
    pub fn forget(&self, ids: &[ObjectId]) {
        let mut state = self.lock();
        let State { streams, dirty } = &mut *state;
        for (key, head) in streams.iter_mut() {
            let before = head.sealed.len();
            head.sealed.retain(|object| !ids.contains(&object.id));
            if head.sealed.len() != before {
                dirty.insert(*key);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// All heads are to be published again: the bus may have lost them.
    pub fn refresh(&self) {
        let mut state = self.lock();
        let keys: Vec<StreamKey> = state.streams.keys().copied().collect();
        state.dirty.extend(keys);
        drop(state);
        self.changed.notify_one();
    }

    /// Takes the heads that changed since the last call.
    #[must_use]
    pub fn take_changed(&self, node: NodeId) -> Vec<Head> {
        let mut state = self.lock();
        let dirty = std::mem::take(&mut state.dirty);
        dirty
            .into_iter()
            .filter_map(|key| {
                let head = state.streams.get(&key)?;
                let objects = head.sealed.iter().chain(head.growing.as_ref()).cloned().collect();
                Some(Head {
                    camera: key.camera,
                    stream: key.stream,
                    node,
                    objects,
                })
            })
            .collect()
    }

    /// A head could not be published; it comes with the next call.
    pub fn put_back(&self, head: &Head) {
        self.lock().dirty.insert(StreamKey {
            camera: head.camera,
            stream: head.stream,
        });
    }
}
