//! Tells the bus what its accounts are: that of the nodes with the keys of removed ones revoked. The bus then
//! ends their connections and lets them in no more.
//!
//! Sent at start, after each new connection, whenever a node was removed, and again until the bus has taken
//! it: what the database says is made so, whatever was lost on the way.

use std::time::Duration;

use anyhow::{Context, bail};
use async_nats::Client;
use backon::{BackoffBuilder, ExponentialBuilder};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::UnixMs;

use super::User;
use super::service::connected;
use crate::AppState;
use crate::domain::bus_access::CLAIMS_UPDATE;
use crate::state::now;
use crate::store::nodes;

/// Longer than any token lives: what is older needs no revocation.
const REMEMBERED_MS: i64 = 8 * 24 * 60 * 60 * 1000;
/// A token that was made while its node was being removed is revoked too; a removed key never comes back.
const MARGIN_MS: i64 = 5 * 60 * 1000;
/// Sent again now and then: a server of a cluster may have been away.
const AGAIN: Duration = Duration::from_secs(10 * 60);
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps the bus' knowledge right until `stop`.
pub(super) async fn run(state: AppState, stop: CancellationToken) {
    let connections = watch::Sender::default();
    let connecting = connected(&state, User::System, &connections);
    let Some(client) = stop.run_until_cancelled(connecting).await else {
        return;
    };
    let mut connected = connections.subscribe();
    loop {
        let done = push_until_taken(&state, &client);
        if stop.run_until_cancelled(done).await.is_none() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = state.revoke.notified() => {}
            Ok(()) = connected.changed() => {}
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn push_until_taken(state: &AppState, client: &Client) {
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times()
        .with_jitter()
        .build();
    while let Err(error) = push(state, client).await {
        tracing::warn!(
            ?error,
            "the bus was not told which nodes are removed; trying again"
        );
        tokio::time::sleep(pauses.next().unwrap_or(PATIENCE)).await;
    }
}

async fn push(state: &AppState, client: &Client) -> anyhow::Result<()> {
    let at = now();
    let since = UnixMs(at.0 - REMEMBERED_MS);
    let removed = state.store.read(move |c| nodes::removed_keys(c, since)).await?;
    let count = removed.len();
    let revoked = removed
        .into_iter()
        .map(|(key, removed)| (key, removed.plus(MARGIN_MS)))
        .collect();
    for token in state.bus_keys.keys()?.accounts(revoked, at)? {
        let asked = client.request(CLAIMS_UPDATE, token.into());
        let answer = tokio::time::timeout(PATIENCE, asked)
            .await
            .context("no answer")??;
        let answer: Value = serde_json::from_slice(&answer.payload).context("the answer cannot be read")?;
        if answer["data"]["code"] != 200 {
            bail!("the bus refused: {}", answer["error"]);
        }
    }
    tracing::debug!(count, "the bus knows the removed nodes");
    Ok(())
}
