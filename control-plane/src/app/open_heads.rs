//! Takes what nodes say of their open heads, as far as it can be true.
//!
//! A head reaches playlists before the index has said a word about it, and the higher epoch wins there: nobody
//! may name one that it was never given. Nodes say thousands of heads a second, so that what assignments there
//! are is kept in memory.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use wire::event::Head;
use wire::{CameraId, NodeId, UnixMs};

use super::refusals::Refused;
use crate::AppState;
use crate::domain::event::check_head;
use crate::domain::tenure::Tenure;
use crate::store::{Connection, StoreError, assigned};

/// How often is asked which assignments have ended.
const ENDED: Duration = Duration::from_secs(5);
/// How far back: the clocks of control planes differ.
const ENDED_BACK_MS: i64 = 5 * 60 * 1000;

/// Which nodes have, or had, which cameras.
#[derive(Debug, Default)]
pub struct OpenHeads {
    /// Of every camera that a head was about, and that anybody ever had.
    tenures: HashMap<CameraId, HashMap<NodeId, Tenure>>,
    /// When was asked last which assignments have ended.
    asked: Option<(Instant, UnixMs)>,
}

impl OpenHeads {
    /// Takes heads, each of which came under its own key, and says what is refused of them: objects that
    /// cannot be, or the whole head.
    ///
    /// # Errors
    /// Those of the database, when it has to be asked about a new assignment.
    pub async fn take(
        &mut self,
        state: &AppState,
        heads: Vec<(String, Head)>,
        now: UnixMs,
    ) -> Result<Vec<Refused>, StoreError> {
        self.forget_ended(state, now).await;
        self.learn(state, &heads).await?;
        let mut refused = Vec::new();
        for (key, head) in heads {
            let node = head.node;
            let mut refuse = |reason| {
                let key = key.clone();
                refused.push(Refused { node, key, reason });
            };
            match self.judged(head, now) {
                Ok((head, left_out)) => {
                    state.heads.put(head);
                    left_out.into_iter().for_each(&mut refuse);
                }
                Err(reason) => refuse(reason),
            }
        }
        Ok(refused)
    }

    /// What can be true of a head, and why the rest cannot.
    fn judged(&self, mut head: Head, now: UnixMs) -> Result<(Head, Option<&'static str>), &'static str> {
        check_head(&head).map_err(|refusal| refusal.0)?;
        let tenure = self
            .tenure(head.camera, head.node)
            .ok_or("a head of a camera that is not the node's")?;
        let mut left_out = None;
        head.objects.retain(|object| match tenure.open(object, now) {
            Ok(()) => true,
            Err(refusal) => {
                left_out = Some(refusal.0);
                false
            }
        });
        Ok((head, left_out))
    }

    fn tenure(&self, camera: CameraId, node: NodeId) -> Option<&Tenure> {
        self.tenures.get(&camera)?.get(&node)
    }

    /// Asks about what is not known: a camera that came to its node just now, or one that never did.
    async fn learn(&mut self, state: &AppState, heads: &[(String, Head)]) -> Result<(), StoreError> {
        let is_known = |head: &Head| {
            self.tenure(head.camera, head.node)
                .is_some_and(|tenure| head.objects.iter().all(|object| tenure.has(object.epoch)))
        };
        let unknown: BTreeSet<CameraId> = heads
            .iter()
            .filter(|(_, head)| !is_known(head))
            .map(|(_, head)| head.camera)
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let cameras: Vec<CameraId> = unknown.into_iter().collect();
        for camera in &cameras {
            self.tenures.remove(camera);
        }
        let look = move |c: &mut Connection| assigned::tenures(c, &cameras);
        for ((camera, node), (_, tenure)) in state.store.read(look).await? {
            self.tenures.entry(camera).or_default().insert(node, tenure);
        }
        Ok(())
    }

    /// Forgets the cameras of which an assignment has ended, so that they are asked about anew.
    async fn forget_ended(&mut self, state: &AppState, now: UnixMs) {
        if self.asked.is_some_and(|(at, _)| at.elapsed() < ENDED) {
            return;
        }
        let since = self.asked.map_or(now, |(_, before)| before).plus(-ENDED_BACK_MS);
        let look = move |c: &mut Connection| assigned::ended_since(c, since);
        match state.store.read(look).await {
            Ok(ended) => {
                for camera in ended {
                    self.tenures.remove(&camera);
                }
                self.asked = Some((Instant::now(), now));
            }
            // What is known stays good for a while: an end is told late rather than no head taken.
            Err(error) => tracing::warn!(%error, "which assignments have ended is not known"),
        }
    }
}
