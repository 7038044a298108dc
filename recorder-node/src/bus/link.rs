//! The connection: made in the background, kept up for as long as the node runs.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::jetstream::kv::Store;
use async_nats::{Client, ConnectOptions, Event};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config;

/// The connection, once there is one. Clones share it.
#[derive(Clone)]
pub struct Link {
    client: watch::Receiver<Option<Client>>,
    /// Counts connections: whoever keeps something alive on the server looks again when it changes.
    epoch: watch::Receiver<u64>,
}

/// Sides of the link that only its task holds.
pub struct Keeper {
    client: watch::Sender<Option<Client>>,
    epoch: Arc<watch::Sender<u64>>,
}

impl Link {
    /// A link that is down until its keeper runs.
    #[must_use]
    pub fn new() -> (Self, Keeper) {
        let (client, client_seen) = watch::channel(None);
        let (epoch, epoch_seen) = watch::channel(0);
        (
            Self {
                client: client_seen,
                epoch: epoch_seen,
            },
            Keeper {
                client,
                epoch: Arc::new(epoch),
            },
        )
    }

    /// The client, when it is connected now.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        self.client
            .borrow()
            .clone()
            .filter(|client| client.connection_state() == State::Connected)
    }

    /// The client, as soon as there is one; never returns when the node stops before.
    pub async fn wait(&self) -> Client {
        let mut seen = self.client.clone();
        match seen.wait_for(Option::is_some).await.map(|client| client.clone()) {
            Ok(Some(client)) => client,
            _ => std::future::pending().await,
        }
    }

    /// A view that changes with every new connection.
    #[must_use]
    pub fn epochs(&self) -> watch::Receiver<u64> {
        self.epoch.clone()
    }

    /// A bucket, when bus and bucket are there.
    ///
    /// # Errors
    /// One sentence.
    pub async fn bucket(&self, name: &str) -> Result<Store, String> {
        let client = self.client().ok_or("not connected")?;
        jetstream::new(client)
            .get_key_value(name)
            .await
            .map_err(|error| error.to_string())
    }
}

/// Connects once and checks that the server will do.
///
/// # Errors
/// One sentence that says what is wrong with the address, the credentials or the server.
pub async fn connect(
    config: &config::Bus,
    events: impl Fn(Event) + Send + Sync + 'static,
) -> Result<Client, String> {
    let events = Arc::new(events);
    let mut options = ConnectOptions::new()
        .name("recorder-node")
        .max_reconnects(None)
        .ping_interval(Duration::from_secs(10))
        .reconnect_delay_callback(
            |attempts| Duration::from_millis((100 << attempts.min(6)).min(3_000) as u64),
        )
        .event_callback(move |event| {
            events(event);
            async {}
        });
    if let (Some(username), Some(password)) = (&config.username, &config.password) {
        options = options.user_and_password(username.clone(), password.clone());
    }
    let client = options
        .connect(&config.url)
        .await
        .map_err(|error| format!("cannot connect to the bus at {}: {error}", config.url))?;
    // Older servers fail to make buckets and silently drop what they do not know.
    if client.is_server_compatible(2, 11, 0) {
        Ok(client)
    } else {
        let version = client.server_info().version;
        Err(format!(
            "the bus runs nats-server {version}: version 2.11 or newer is needed"
        ))
    }
}

impl Keeper {
    /// Connects, with growing waits, until `stop`.
    pub async fn run(self, config: config::Bus, stop: CancellationToken) {
        let mut waits = waits();
        let mut said = String::new();
        loop {
            let epoch = self.epoch.clone();
            let attempt = connect(&config, move |event| match event {
                Event::Connected => {
                    tracing::info!("bus connected");
                    epoch.send_modify(|epoch| *epoch += 1);
                }
                Event::Disconnected => tracing::warn!("bus disconnected; recording goes on"),
                other => tracing::debug!(%other, "bus"),
            });
            let result = tokio::select! {
                () = stop.cancelled() => return,
                result = attempt => result,
            };
            match result {
                Ok(client) => {
                    self.client.send_replace(Some(client));
                    self.epoch.send_modify(|epoch| *epoch += 1);
                    // The client reconnects on its own from here on.
                    stop.cancelled().await;
                    return;
                }
                Err(error) if error != said => {
                    tracing::warn!("{error}; recording goes on, trying again");
                    said = error;
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(waits.next().unwrap_or(Duration::from_secs(5))) => {}
            }
        }
    }
}

fn waits() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(4))
        .without_max_times()
        .build()
}
