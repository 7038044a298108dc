//! Tells when nodes report no more, and notes now and then that the others do.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wire::{NodeId, UnixMs};

use super::lease::write;
use crate::AppState;
use crate::app::nodes::lost;
use crate::state::now;
use crate::store::StoreError;
use crate::store::lease::Grant;
use crate::store::registry;

/// Between two looks.
const TICK: Duration = Duration::from_secs(1);
/// Between two notes of who reports.
const NOTE: Duration = Duration::from_secs(300);

/// Looks until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    let (mut since, mut noted) = (None, Instant::now());
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        // While the bus is away nobody can report, and nobody is lost: silence counts from its return.
        if state.bus.client().is_err() {
            since = None;
            continue;
        }
        let connected: Instant = *since.get_or_insert_with(Instant::now);
        if connected.elapsed() <= state.config.nodes.lost_after() {
            continue;
        }
        let note = noted.elapsed() >= NOTE;
        if let Err(error) = once(&state, &grant, note, now()).await {
            tracing::warn!(%error, "who reports is not noted, trying again");
        } else if note {
            noted = Instant::now();
        }
    }
}

/// One look: tells of the nodes that were online and report no more; with `note`, notes who does.
///
/// # Errors
/// Those of the database.
pub async fn once(state: &AppState, grant: &Grant, note: bool, now: UnixMs) -> Result<(), StoreError> {
    let told = state.store.read(registry::online).await?;
    let (here, gone): (Vec<NodeId>, Vec<NodeId>) =
        told.into_iter().partition(|id| state.nodes.online(*id).is_some());
    let last = |id: NodeId| (id, state.nodes.last_word(id, now));
    let gone: Vec<(NodeId, Option<UnixMs>)> = gone.into_iter().map(last).collect();
    if gone.is_empty() && !note {
        return Ok(());
    }
    for (node, _) in &gone {
        tracing::warn!(%node, "node offline");
    }
    let change = move |c: &mut crate::store::Connection| {
        lost(c, &gone, now)?;
        if note {
            registry::seen(c, &here, now)
        } else {
            Ok(())
        }
    };
    write(&state.store, grant, change).await
}
