//! What runs while the server does: the connection and the loops on top of it.
//!
//! Each loop makes what it needs, works until something fails, and starts again: a bus that lost its
//! data is set up anew without a restart.

use std::future::Future;
use std::time::Duration;

use async_nats::jetstream;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Link, connect, index, requests, watches};
use crate::AppState;

/// Connects, and runs the loops until `stop`.
pub async fn run(state: AppState, stop: CancellationToken) {
    let Some(client) = stop.run_until_cancelled(connected(&state)).await else {
        return;
    };
    let jetstream = jetstream::new(client.clone());
    let mut loops = JoinSet::new();
    macro_rules! keep {
        ($name:literal, $once:expr) => {{
            let (state, jetstream, client) = (state.clone(), jetstream.clone(), client.clone());
            let _ = (&jetstream, &client);
            loops.spawn(keep($name, stop.clone(), move || {
                $once(state.clone(), jetstream.clone(), client.clone())
            }));
        }};
    }
    keep!("index", |state, jetstream, _| index::run(state, jetstream));
    keep!("requests", |state, _, client| requests::run(state, client));
    keep!("nodes", |state, jetstream, _| watches::nodes(state, jetstream));
    keep!("heads", |state, jetstream, _| watches::heads(state, jetstream));
    state.bus.set(Link::Up(client.clone()));
    state.replan.notify_one();
    while loops.join_next().await.is_some() {}
    let _ = client.drain().await;
}

async fn connected(state: &AppState) -> async_nats::Client {
    let mut delays = delays();
    loop {
        match connect(&state.config.bus).await {
            Ok(client) => {
                tracing::info!("connected to the bus");
                return client;
            }
            Err(reason) => {
                tracing::warn!(reason, "no bus");
                state.bus.set(Link::Down(reason));
            }
        }
        tokio::time::sleep(delays.next().unwrap_or(LONGEST)).await;
    }
}

/// Runs `once` again and again, with growing pauses while it keeps failing.
async fn keep<F, R>(name: &'static str, stop: CancellationToken, once: F)
where
    F: Fn() -> R,
    R: Future<Output = anyhow::Result<()>>,
{
    let mut pauses = delays();
    loop {
        let started = tokio::time::Instant::now();
        match stop.run_until_cancelled(once()).await {
            None => return,
            Some(Ok(())) => tracing::debug!(name, "a bus loop ended, starting it again"),
            Some(Err(error)) => tracing::warn!(name, ?error, "a bus loop failed, starting it again"),
        }
        if started.elapsed() > LONGEST {
            pauses = delays();
        }
        let pause = tokio::time::sleep(pauses.next().unwrap_or(LONGEST));
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

const LONGEST: Duration = Duration::from_secs(5);

fn delays() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST)
        .without_max_times()
        .with_jitter()
        .build()
}
