//! The connection: made in the background, kept up for as long as the node runs.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event};
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use wire::bus::{inbox_prefix, kv_subject};

use super::access::Access;
use crate::https;

const PUT_LIMIT: Duration = Duration::from_secs(5);

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

    /// Puts a key of a bucket, and waits until the bus has it. A bucket's stream takes what is published at
    /// its subjects: no right to look at the stream is needed.
    ///
    /// # Errors
    /// One sentence.
    pub async fn put(&self, bucket: &str, key: &str, value: Vec<u8>) -> Result<(), String> {
        let client = self.client().ok_or("not connected")?;
        let context = jetstream::new(client);
        let put = async {
            let ack = context.publish(kv_subject(bucket, key), value.into()).await?;
            ack.await
        };
        match tokio::time::timeout(PUT_LIMIT, put).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer".to_owned()),
        }
    }
}

/// Connects once and checks that the server will do.
///
/// # Errors
/// One sentence that says what is wrong with the address, the credentials or the server.
pub async fn connect(
    access: &Access,
    events: impl Fn(Event) + Send + Sync + 'static,
) -> Result<Client, String> {
    let events = Arc::new(events);
    let (signer, watcher) = (access.clone(), access.clone());
    let mut options = ConnectOptions::with_auth_callback(move |nonce| {
        let signer = signer.clone();
        async move { signer.auth(&nonce) }
    })
    .name("recorder-node")
    .custom_inbox_prefix(inbox_prefix(access.node()))
    .max_reconnects(None)
    .ping_interval(Duration::from_secs(10))
    .reconnect_delay_callback(|attempts| Duration::from_millis((100 << attempts.min(6)).min(3_000) as u64))
    .event_callback(move |event| {
        watcher.heard(&event);
        events(event);
        async {}
    });
    if let Some(ca) = access.ca_file() {
        options = options.add_root_certificates(ca).require_tls(true);
    }
    let urls = access.urls();
    let client = options.connect(&urls).await.map_err(|error| {
        use async_nats::ConnectErrorKind::{Authentication, AuthorizationViolation};
        if matches!(error.kind(), Authentication | AuthorizationViolation) {
            access.refused();
        }
        let error = https::explained(&error, "bus.ca_file");
        format!("cannot connect to the bus at {}: {error}", urls.join(", "))
    })?;
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
    pub async fn run(self, access: Access, stop: CancellationToken) {
        let mut waits = waits();
        let mut said = String::new();
        loop {
            let epoch = self.epoch.clone();
            let attempt = connect(&access, move |event| match event {
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
