//! What is forgotten in time: failures of signing in that count no more, facts that nobody asks for. And what
//! is found that nobody brought to an end: sessions of recording.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::{RecordingId, UnixMs};

use super::lease::write;
use crate::AppState;
use crate::app::index::lost;
use crate::domain::lockout::FORGOTTEN_MS;
use crate::state::now;
use crate::store::lease::Grant;
use crate::store::{Connection, StoreError, facts, failures, recordings};

/// Between two runs.
const TICK: Duration = Duration::from_secs(600);

/// How long facts are kept.
const FACTS_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// How long a node has to tell of the end of a session whose assignment has ended.
const LEFT_MS: i64 = 10 * 60 * 1000;

/// Forgets until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    loop {
        if let Err(error) = write(&state.store, &grant, |c| forget(c, now())).await {
            tracing::warn!(%error, "old failures of signing in stay for now");
        }
        if let Err(error) = end_left(&state, &grant, now()).await {
            tracing::warn!(%error, "sessions of recording that nobody ends stay open for now");
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

/// Ends sessions whose assignment has ended and whose node is away, so that it tells nothing of them: those
/// that were left when this happened in another order than usual.
///
/// # Errors
/// Those of the database.
pub async fn end_left(state: &AppState, grant: &Grant, now: UnixMs) -> Result<(), StoreError> {
    let before = now.plus(-LEFT_MS);
    let left = state
        .store
        .read(move |c| recordings::left_open(c, before))
        .await?;
    let away = left
        .into_iter()
        .filter(|(_, node)| state.nodes.online(*node).is_none());
    let away: Vec<(RecordingId, Option<UnixMs>)> = away
        .map(|(id, node)| (id, state.nodes.last_word(node, now)))
        .collect();
    if away.is_empty() {
        return Ok(());
    }
    write(&state.store, grant, move |c| lost::left(c, &away, now)).await
}
