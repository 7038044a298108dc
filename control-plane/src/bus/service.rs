//! What runs while the server does: the connection and the loops on top of it.
//!
//! Each loop makes what it needs, works until something fails or the connection was lost, and starts
//! again: what was said meanwhile is read anew, and a bus that lost its data is set up anew.

use std::future::Future;
use std::time::Duration;

use async_nats::jetstream;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Link, User, connect, facts, index, requests, revoke, wake, watches};
use crate::AppState;

/// Connects, and runs the loops until `stop`.
pub async fn run(state: AppState, stop: CancellationToken) {
    let revoking = tokio::spawn(revoke::run(state.clone(), stop.clone()));
    serve(state, stop).await;
    let _ = revoking.await;
}

async fn serve(state: AppState, stop: CancellationToken) {
    let connections = watch::Sender::default();
    let Some(client) = stop
        .run_until_cancelled(connected(&state, User::Control, &connections))
        .await
    else {
        return;
    };
    let jetstream = jetstream::new(client.clone());
    let mut loops = JoinSet::new();
    macro_rules! keep {
        ($name:literal, $once:expr) => {{
            let (state, jetstream, client) = (state.clone(), jetstream.clone(), client.clone());
            let _ = (&jetstream, &client);
            loops.spawn(keep($name, stop.clone(), connections.subscribe(), move || {
                $once(state.clone(), jetstream.clone(), client.clone())
            }));
        }};
    }
    keep!("index", |state, jetstream, _| index::run(state, jetstream));
    keep!("requests", |state, _, client| requests::run(state, client));
    keep!("nodes", |state, jetstream, _| watches::nodes(state, jetstream));
    keep!("heads", |state, jetstream, _| watches::heads(state, jetstream));
    keep!("wake", |state, _, client| wake::run(state, client));
    keep!("facts", |state, _, client| facts::run(state, client));
    state.bus.set(Link::Up(client.clone()));
    state.replan.notify_here();
    while loops.join_next().await.is_some() {}
    let _ = client.drain().await;
}

/// Connects, however long that takes.
pub(super) async fn connected(
    state: &AppState,
    user: User,
    connections: &watch::Sender<u64>,
) -> async_nats::Client {
    let mut delays = delays();
    loop {
        match connect(&state.config.bus, &state.bus_keys, user, connections.clone()).await {
            Ok(client) => {
                tracing::info!(?user, "connected to the bus");
                return client;
            }
            // Said once: the other user's connection fails for the same reason.
            Err(reason) if user == User::Control => {
                tracing::warn!(reason, "no bus");
                state.bus.set(Link::Down(reason));
            }
            Err(reason) => tracing::debug!(?user, reason, "no bus"),
        }
        tokio::time::sleep(delays.next().unwrap_or(LONGEST)).await;
    }
}

/// Runs `once` again and again: at once after a new connection, with growing pauses while it fails.
async fn keep<F, R>(
    name: &'static str,
    stop: CancellationToken,
    mut connections: watch::Receiver<u64>,
    once: F,
) where
    F: Fn() -> R,
    R: Future<Output = anyhow::Result<()>>,
{
    let mut pauses = delays();
    while !stop.is_cancelled() {
        let started = tokio::time::Instant::now();
        connections.mark_unchanged();
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = connections.changed() => {
                pauses = delays();
                continue;
            }
            ended = once() => match ended {
                Ok(()) => tracing::debug!(name, "a bus loop ended, starting it again"),
                Err(error) => tracing::warn!(name, ?error, "a bus loop failed, starting it again"),
            },
        }
        if started.elapsed() > LONGEST {
            pauses = delays();
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = connections.changed() => {}
            () = tokio::time::sleep(pauses.next().unwrap_or(LONGEST)) => {}
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
