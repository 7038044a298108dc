//! Tells the other control planes that there are new facts, and hears when they have some.
//!
//! Messages are empty and may be lost: the database has the facts, and who follows them looks from time to
//! time in any case.

use std::time::Duration;

use anyhow::Context;
use async_nats::Client;
use bytes::Bytes;
use futures::StreamExt;
use wire::bus::FACTS_SUBJECT;

use crate::AppState;

/// Between two messages: many facts are one of them.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells and hears until something fails.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn run(state: AppState, client: Client) -> anyhow::Result<()> {
    let mut heard = client.subscribe(FACTS_SUBJECT).await?;
    let mut told = state.store.told();
    let tell = async {
        while told.changed().await.is_ok() {
            client.publish(FACTS_SUBJECT, Bytes::new()).await?;
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::Ok(())
    };
    let hear = async {
        while heard.next().await.is_some() {
            state.facts.wake();
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = tell => ended.context("telling of facts"),
        ended = hear => ended,
    }
}
