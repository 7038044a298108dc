//! What is forgotten in time: failures of signing in that count no more.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::UnixMs;

use crate::AppState;
use crate::domain::lockout::FORGOTTEN_MS;
use crate::state::now;
use crate::store::{StoreError, failures};

/// Between two runs.
const TICK: Duration = Duration::from_secs(3600);

/// Forgets until `stop`.
pub async fn run(state: AppState, stop: CancellationToken) {
    loop {
        if let Err(error) = once(&state, now()).await {
            tracing::warn!(%error, "old failures of signing in stay for now");
        }
        if stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_none() {
            return;
        }
    }
}

/// Forgets what is old at `now`; how many logins.
///
/// # Errors
/// Those of the database.
pub async fn once(state: &AppState, now: UnixMs) -> Result<usize, StoreError> {
    let before = now.plus(-FORGOTTEN_MS);
    state.store.write(move |c| failures::prune(c, before)).await
}
