//! Runs a task on one server at a time: whoever holds the task's lease.
//!
//! A holder renews its lease long before the end. One that cannot, because the database is away or the
//! process was frozen, stops its task before the lease can be another's; what it had on its way is refused
//! by the epoch ([`guard`](crate::store::lease::guard)).

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::AppState;
use crate::store::lease::{self, Grant, Taking};
use crate::store::{Connection, Store, StoreError};

/// How long a lease is another's after its holder's last word.
const TTL: Duration = Duration::from_secs(6);
/// Between two renewals, and between two attempts to take it.
const RENEW: Duration = Duration::from_secs(2);
/// By how much a holder stops before its lease ends: the time that stopping takes, and clocks that run
/// unevenly.
const MARGIN: Duration = Duration::from_secs(1);

/// Waits for the lease `name`, then runs `work` until `stop` or the lease is lost; over and over. The
/// token that `work` gets ends with both; work that does not end by itself then is dropped.
pub async fn hold<F, R>(state: AppState, name: &'static str, stop: CancellationToken, work: F)
where
    F: Fn(Grant, CancellationToken) -> R,
    R: Future<Output = ()>,
{
    loop {
        let Some((grant, until)) = stop.run_until_cancelled(taken(&state, name)).await else {
            return;
        };
        tracing::info!(name, epoch = grant.epoch, holder = grant.holder, "took a lease");
        let held = stop.child_token();
        let lost = tokio::select! {
            () = work(grant.clone(), held.clone()) => false,
            () = kept(&state, &grant, until) => true,
        };
        held.cancel();
        if lost {
            tracing::warn!(name, epoch = grant.epoch, "lost a lease: another server goes on");
            continue;
        }
        released(&state, &grant).await;
        tracing::info!(name, epoch = grant.epoch, "let a lease go");
        if stop.is_cancelled() {
            return;
        }
        // Work that ends by itself is given to whoever is next.
        if stop
            .run_until_cancelled(tokio::time::sleep(RENEW))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Runs `f` as one transaction of the task, unless another server does the task by now.
///
/// # Errors
/// [`StoreError::Fenced`] when it does; nothing is changed then. Else as [`Store::write`].
pub async fn write<T, F>(store: &Store, grant: &Grant, f: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    let grant = grant.clone();
    let guarded = move |c: &mut Connection| {
        lease::guard(c, &grant)?;
        f(c)
    };
    store.write(guarded).await
}

/// The lease, and until when it is ours in any case.
async fn taken(state: &AppState, name: &'static str) -> (Grant, Instant) {
    let mut failed = false;
    loop {
        let asked = Instant::now();
        let holder = state.replica.to_string();
        let ttl = milliseconds(TTL);
        let pause = match state
            .store
            .write(move |c| lease::take(c, name, &holder, ttl))
            .await
        {
            Ok(Taking::Taken(grant)) => return (grant, asked + TTL - MARGIN),
            Ok(Taking::Held(ms)) => Duration::from_millis(ms.unsigned_abs()).min(RENEW),
            Err(error) => {
                if !failed {
                    tracing::warn!(name, %error, "a lease cannot be asked for, trying again");
                }
                failed = true;
                RENEW
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Renews the lease for as long as that succeeds in time.
async fn kept(state: &AppState, grant: &Grant, mut until: Instant) {
    loop {
        tokio::time::sleep_until((Instant::now() + RENEW).min(until)).await;
        let asked = Instant::now();
        match timeout_at(until, renewed(state, grant)).await {
            Ok(Ok(true)) => until = asked + TTL - MARGIN,
            Ok(Ok(false)) | Err(_) => return,
            Ok(Err(error)) => {
                tracing::warn!(name = grant.name, %error, "a lease was not renewed, trying again");
                if Instant::now() >= until {
                    return;
                }
            }
        }
    }
}

async fn renewed(state: &AppState, grant: &Grant) -> Result<bool, StoreError> {
    let (grant, ttl) = (grant.clone(), milliseconds(TTL));
    state.store.write(move |c| lease::renew(c, &grant, ttl)).await
}

/// One that cannot be released ends by itself.
async fn released(state: &AppState, grant: &Grant) {
    let own = grant.clone();
    if let Err(error) = state.store.write(move |c| lease::release(c, &own)).await {
        tracing::debug!(name = grant.name, %error, "a lease was not let go");
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
