//! How fast uploads may go: one bucket of tokens for all of them.
//!
//! Only uploads are slowed. What people watch from the node's disk is read over the bus and passes by.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Bytes of a token. Single bytes would be too many for the bucket's clock of nanoseconds.
const TOKEN_BYTES: u64 = 1024;
/// What may always go at once.
const BURST_BYTES: u64 = 32 * 1024;
/// Bytes that are sent at a time, without and with a limit.
const PART_BYTES: usize = 64 * 1024;
const SLOW_PART_BYTES: usize = 16 * 1024;

struct Bucket {
    bps: u64,
    most: NonZeroU32,
    tokens: DefaultDirectRateLimiter,
}

/// The limit of one node's uploads together; none at first.
#[derive(Default)]
pub struct Uplink(Mutex<Option<Arc<Bucket>>>);

impl Uplink {
    /// Sets the limit in bits a second, also for what is on its way. The same one again changes nothing.
    pub fn limit(&self, bps: Option<u64>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().map(|bucket| bucket.bps) == bps {
            return;
        }
        match bps {
            Some(bps) => tracing::info!(bps, "uploads are limited"),
            None => tracing::info!("uploads are not limited any more"),
        }
        *held = bps.map(|bps| Arc::new(bucket(bps)));
    }

    fn held(&self) -> Option<Arc<Bucket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much is best sent at a time.
    pub(super) fn part_bytes(&self) -> usize {
        self.held().map_or(PART_BYTES, |_| SLOW_PART_BYTES)
    }

    /// How long so many bytes take at the limit, if there is one.
    pub(super) fn takes(&self, bytes: u64) -> Duration {
        let bps = self.held().map(|bucket| bucket.bps.max(1));
        bps.map_or(Duration::ZERO, |bps| {
            Duration::from_secs(bytes.saturating_mul(8).div_ceil(bps))
        })
    }

    /// Waits until so many bytes may go.
    pub(super) async fn wait(&self, bytes: usize) {
        let mut left = (bytes as u64).div_ceil(TOKEN_BYTES);
        // A limit that is set or lifted meanwhile holds from the next tokens on.
        while let Some(bucket) = self.held() {
            let most = u64::from(bucket.most.get());
            let Some(take) = u32::try_from(left.min(most)).ok().and_then(NonZeroU32::new) else {
                return;
            };
            if bucket.tokens.until_n_ready(take).await.is_err() {
                return;
            }
            left -= u64::from(take.get());
        }
    }
}

fn bucket(bps: u64) -> Bucket {
    let tokens = |bytes: u64| {
        let tokens = u32::try_from(bytes / TOKEN_BYTES).unwrap_or(u32::MAX);
        NonZeroU32::new(tokens).unwrap_or(NonZeroU32::MIN)
    };
    let bytes_per_s = bps / 8;
    let most = tokens(BURST_BYTES.max(bytes_per_s / 8));
    let quota = Quota::per_second(tokens(bytes_per_s)).allow_burst(most);
    Bucket {
        bps,
        most,
        tokens: RateLimiter::direct(quota),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Bytes a second that several together get, over about two seconds after the first burst.
    async fn measured(uplink: &Arc<Uplink>, part: usize, parts: usize) -> f64 {
        let started = Instant::now();
        let takers = (0..4).map(|_| {
            let uplink = uplink.clone();
            tokio::spawn(async move {
                for _ in 0..parts {
                    uplink.wait(part).await;
                }
            })
        });
        for taker in takers.collect::<Vec<_>>() {
            taker.await.unwrap();
        }
        (4 * parts * part) as f64 / started.elapsed().as_secs_f64()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn all_that_wait_share_one_limit() {
        let uplink = Arc::new(Uplink::default());
        uplink.limit(Some(8 * 256 * 1024));
        let rate = measured(&uplink, 16 * 1024, 8).await;
        // A burst of 32 KiB goes first; a busy machine makes it slower, nothing makes it faster.
        assert!(
            (64.0 * 1024.0..=290.0 * 1024.0).contains(&rate),
            "{rate} bytes a second"
        );
    }

    #[tokio::test]
    async fn a_limit_is_set_and_lifted_while_something_waits() {
        let uplink = Arc::new(Uplink::default());
        assert_eq!(uplink.takes(1_000_000), Duration::ZERO);
        uplink.wait(usize::MAX / 2).await;
        uplink.limit(Some(10_000));
        assert_eq!(uplink.takes(1_000_000), Duration::from_secs(800));
        assert_eq!(uplink.part_bytes(), SLOW_PART_BYTES);
        let mut waiting = Box::pin(uplink.wait(64 * 1024));
        assert!(
            tokio::time::timeout(Duration::from_millis(50), &mut waiting)
                .await
                .is_err(),
            "half of it is more than the burst"
        );
        drop(waiting);
        uplink.limit(None);
        uplink.wait(usize::MAX / 2).await;
    }
}
