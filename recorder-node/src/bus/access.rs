//! With what the node gets on the bus: the newest token, and its renewal in time.
//!
//! A token is renewed at half its life over the bus. When the bus lets the node in no more, because it was
//! off for longer than a token lives, the control plane is asked over HTTPS against a proof of the key.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{Auth, AuthError, Event};
use backon::{BackoffBuilder, ExponentialBuilder};
use nkeys::KeyPair;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use wire::bus::{BusAccess, NodeRequestKind, TokenRequest};
use wire::plan::Plan;
use wire::{NodeId, UnixMs};

use super::{Link, request};
use crate::config;
use crate::enrol::{AskError, prove};
use crate::identity::Identity;
use crate::spool::now;

/// A removed node asks seldom whether it still is.
const REMOVED_PAUSE: Duration = Duration::from_secs(60 * 60);
const LONGEST: Duration = Duration::from_secs(30);

/// The node's way onto the bus; clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    node: NodeId,
    server: String,
    key: KeyPair,
    identity: Mutex<Identity>,
    data_dir: PathBuf,
    config: config::Bus,
    https: config::Https,
    /// The bus let the node in no more.
    refused: Notify,
}

impl Access {
    /// Of an enrolled node.
    ///
    /// # Errors
    /// When the private key is damaged.
    pub fn new(
        identity: Identity,
        data_dir: PathBuf,
        (config, https): (config::Bus, config::Https),
    ) -> anyhow::Result<Self> {
        // What nkeys says could repeat parts of the seed.
        let key = KeyPair::from_seed(&identity.seed)
            .map_err(|_| anyhow::anyhow!("the node's private key is damaged: enrol anew"))?;
        Ok(Self(Arc::new(Inner {
            node: identity.node,
            server: identity.server.clone(),
            key,
            identity: Mutex::new(identity),
            data_dir,
            config,
            https,
            refused: Notify::new(),
        })))
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.0.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.0.node
    }

    /// Where the bus is.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        match &self.0.config.url {
            Some(list) => list.split(',').map(|one| one.trim().to_owned()).collect(),
            None => self.identity().access.urls.clone(),
        }
    }

    /// Certificates that the bus' own must descend from, when it is not for the system to say.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        let given = self.0.config.ca_file.clone();
        given.or_else(|| self.identity().ca_file(&self.0.data_dir))
    }

    /// Answers the bus' challenge with the newest token.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn auth(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        let mut auth = Auth::new();
        auth.jwt = Some(self.identity().access.jwt.clone());
        auth.signature = Some(self.0.key.sign(nonce).map_err(AuthError::new)?);
        Ok(auth)
    }

    /// Takes note of what the client tells.
    pub fn heard(&self, event: &Event) {
        let text = match event {
            Event::ServerError(error) => error.to_string(),
            Event::ClientError(error) => error.to_string(),
            _ => return,
        };
        // Violation at the door, expiry and revocation of a connection that stood.
        let text = text.to_lowercase();
        if text.contains("authorization") || text.contains("authentication") {
            self.refused();
        }
    }

    /// The bus did not let the node in.
    pub fn refused(&self) {
        self.0.refused.notify_one();
    }

    /// Time until the token should be renewed: none when it is due.
    fn rest(&self, at: UnixMs) -> Duration {
        let identity = self.identity();
        let BusAccess { issued, expires, .. } = identity.access;
        let half = expires.since(issued) / 2;
        // A clock that stands before the token was made tells nothing.
        let left = if at < issued { 0 } else { half - at.since(issued) };
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    async fn take(&self, access: BusAccess) -> anyhow::Result<()> {
        let identity = {
            let mut identity = self.identity();
            identity.access = access;
            identity.clone()
        };
        let dir = self.0.data_dir.clone();
        tokio::task::spawn_blocking(move || identity.save(&dir)).await?
    }
}

/// Renews the token until `stop`. A node that was removed gets an empty plan: it records no more.
pub async fn renew(access: Access, link: Link, plans: watch::Sender<Option<Plan>>, stop: CancellationToken) {
    let mut pauses = pauses();
    loop {
        let rest = access.rest(now());
        let is_refused = tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {
                // What was due all along is tried again ever more seldom.
                if !rest.is_zero() {
                    pauses = self::pauses();
                }
                false
            }
            () = access.0.refused.notified() => true,
        };
        // Whom the bus turned out it does not carry: a removed node learns at once that it is.
        let bus = (!is_refused).then_some(&link);
        let pause = match renew_once(&access, bus).await {
            Ok(()) => {
                // The bus looks at tokens only when somebody connects.
                if let Some(client) = link.client() {
                    let _ = client.force_reconnect().await;
                }
                pauses.next().unwrap_or(LONGEST)
            }
            Err(error) if error.is_removed() => {
                tracing::error!("{error}; nothing is recorded any more");
                withdraw(&plans);
                REMOVED_PAUSE
            }
            Err(error) => {
                tracing::warn!(%error, "no new token for the bus; trying again");
                pauses.next().unwrap_or(LONGEST)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Asks over the bus, when there is one to ask over, and else over HTTPS.
async fn renew_once(access: &Access, bus: Option<&Link>) -> Result<(), AskError> {
    let over_bus = match bus {
        Some(link) => request(link, access.node(), NodeRequestKind::Token, &TokenRequest {})
            .await
            .inspect_err(|error| tracing::debug!(%error, "no token over the bus; asking over HTTPS"))
            .ok(),
        None => None,
    };
    let fresh = match over_bus {
        Some(fresh) => fresh,
        None => prove(&access.0.https, &access.0.server, access.node(), &access.0.key).await?,
    };
    if let Err(error) = access.take(fresh).await {
        // It is good until the next start.
        tracing::error!(?error, "the new token could not be kept");
    }
    tracing::debug!("a new token for the bus");
    Ok(())
}

fn withdraw(plans: &watch::Sender<Option<Plan>>) {
    plans.send_if_modified(|held| match held {
        Some(plan) if !plan.entries.is_empty() => {
            plan.entries.clear();
            true
        }
        _ => false,
    });
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(LONGEST)
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::stranger;

    #[test]
    fn a_token_is_renewed_at_half_its_life_and_at_once_under_a_wrong_clock() {
        let dir = tempfile::tempdir().unwrap();
        let mut identity = stranger("nats://h");
        identity.access.issued = UnixMs(1_000_000);
        identity.access.expires = UnixMs(1_100_000);
        let access = Access::new(identity, dir.path().to_owned(), Default::default()).unwrap();
        let rest = |at| access.rest(UnixMs(at)).as_millis();
        assert_eq!(rest(1_000_000), 50_000);
        assert_eq!(rest(1_049_000), 1_000);
        for due in [1_050_000, 1_099_000, 9_000_000, 5] {
            assert_eq!(rest(due), 0, "{due}");
        }
    }

    #[test]
    fn the_configuration_comes_before_what_enrolment_gave() {
        let dir = tempfile::tempdir().unwrap();
        let mut identity = stranger("nats://given");
        identity.access.ca = Some("pem".to_owned());
        let plain = Access::new(identity.clone(), dir.path().to_owned(), Default::default()).unwrap();
        assert_eq!(plain.urls(), ["nats://given"]);
        assert_eq!(plain.ca_file(), Some(dir.path().join("bus-ca.pem")));
        let own = config::Bus {
            url: Some("tls://a, tls://b".to_owned()),
            ca_file: Some("/own".into()),
        };
        let own = Access::new(identity, dir.path().to_owned(), (own, config::Https::default())).unwrap();
        assert_eq!(own.urls(), ["tls://a", "tls://b"]);
        assert_eq!(own.ca_file(), Some("/own".into()));
    }
}
