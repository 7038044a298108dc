//! Which objects are being uploaded now, so that an upload can be broken off when its footage is erased.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use wire::ObjectId;

/// The uploads of one node.
#[derive(Default)]
pub struct UnderWay {
    uploads: Mutex<HashMap<ObjectId, CancellationToken>>,
    ended: Notify,
    sent: AtomicU64,
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, CancellationToken>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An upload begins; it must end soon after it was broken off.
    pub(super) fn begin(this: &Arc<Self>, id: ObjectId) -> Turn {
        let token = CancellationToken::new();
        this.lock().insert(id, token.clone());
        Turn {
            under_way: this.clone(),
            token,
            id,
        }
    }

    /// Those under way.
    pub(super) fn ids(&self) -> Vec<ObjectId> {
        self.lock().keys().copied().collect()
    }

    /// Bytes that were handed to the network since the start.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes were handed to the network.
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Breaks these off; returns when none of them is under way.
    pub async fn abort(&self, ids: &[ObjectId]) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // From here on no end is missed.
            ended.as_mut().enable();
            let found = {
                let uploads = self.lock();
                let found: Vec<_> = ids.iter().filter_map(|id| uploads.get(id)).cloned().collect();
                found
            };
            if found.is_empty() {
                return;
            }
            found.iter().for_each(CancellationToken::cancel);
            ended.await;
        }
    }
}

/// One upload; it ends when this is dropped, however that comes.
pub(super) struct Turn {
    under_way: Arc<UnderWay>,
    token: CancellationToken,
    pub(super) id: ObjectId,
}

impl Turn {
    /// Returns when the upload is of no use any more.
    pub(super) async fn broken_off(&self) {
        self.token.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.id);
        self.under_way.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn breaking_off_waits_for_the_end_of_what_is_under_way_and_of_nothing_else() {
        let under_way = Arc::new(UnderWay::default());
        let ids = [ObjectId::generate(), ObjectId::generate(), ObjectId::generate()];
        let (first, other) = (
            UnderWay::begin(&under_way, ids[0]),
            UnderWay::begin(&under_way, ids[1]),
        );
        let uploading = tokio::spawn(async move {
            first.broken_off().await;
            first.id
        });
        let gone = [ids[0], ids[2]];
        let aborted = under_way.abort(&gone);
        tokio::time::timeout(Duration::from_secs(20), aborted)
            .await
            .unwrap();
        assert_eq!(uploading.await.unwrap(), ids[0]);
        assert_eq!(under_way.ids(), [ids[1]]);
        assert!(!other.token.is_cancelled());
    }
}
