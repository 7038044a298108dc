//! What is forgotten in time: failures of signing in that count no more, facts that nobody asks for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::UnixMs;

use super::lease::write;
use crate::AppState;
use crate::domain::lockout::FORGOTTEN_MS;
use crate::state::now;
use crate::store::lease::Grant;
use crate::store::{Connection, StoreError, facts, failures};

/// Between two runs.
const TICK: Duration = Duration::from_secs(3600);

/// How long facts are kept.
const FACTS_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Forgets until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    loop {
        if let Err(error) = write(&state.store, &grant, |c| forget(c, now())).await {
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
pub fn forget(connection: &mut Connection, now: UnixMs) -> Result<usize, StoreError> {
    facts::forget(connection, now.plus(-FACTS_MS))?;
    failures::prune(connection, now.plus(-FORGOTTEN_MS))
}
