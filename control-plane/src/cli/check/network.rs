//! Where the server listens, what others call it, the bus, the time.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use url::Host;

use super::Verdict;
use crate::bus::keys::Keyring;
use crate::bus::{self, User};
use crate::config::Config;
use crate::state::now;

/// How long the bus may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// 2026-01-01: before this program was made.
const BORN_MS: i64 = 1_767_225_600_000;

pub(super) fn address(config: &Config) -> Verdict {
    let bind = config.http.bind;
    match TcpListener::bind(bind) {
        Ok(_) => Verdict::Fine(bind.to_string()),
        Err(error) => Verdict::Failed(anyhow::Error::new(error).context(format!(
            "cannot listen on {bind}: stop what does (a running server?) or set http.bind to another"
        ))),
    }
}

/// Browsers and nodes are told to come to this address.
pub(super) fn public_url(config: &Config) -> Verdict {
    let (bind, given) = (config.http.bind, config.http.public_url.as_ref());
    let url = match config.public_url(bind) {
        Ok(url) => url,
        Err(error) => return Verdict::Failed(error),
    };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if given.is_none() && bind.ip().is_unspecified() {
        return Verdict::Failed(anyhow::anyhow!(
            "{url} leads nowhere: set http.public_url to the address that browsers and nodes use"
        ));
    }
    if is_local && !bind.ip().is_loopback() {
        return Verdict::Doubtful(format!(
            "{url} leads others to themselves: set http.public_url to this machine's name"
        ));
    }
    if !is_local && url.scheme() == "http" {
        return Verdict::Doubtful(format!(
            "{url}: passwords and footage travel unencrypted; put TLS in front and set https://"
        ));
    }
    Verdict::Fine(url.to_string())
}

pub(super) fn clock() -> Verdict {
    let now = now();
    if now.0 < BORN_MS {
        return Verdict::Failed(anyhow::anyhow!("it is {now}: set the clock, and run NTP"));
    }
    Verdict::Fine(now.to_string())
}

pub(super) async fn bus(config: &Config) -> Verdict {
    match asked(config).await {
        Ok(version) => Verdict::Fine(format!("nats-server {version} with JetStream")),
        Err(error) => Verdict::Failed(error),
    }
}

async fn asked(config: &Config) -> anyhow::Result<String> {
    let keyring = Keyring::new(&config.data_dir);
    let connecting = bus::connect(&config.bus, &keyring, User::Control, watch::Sender::default());
    let client = tokio::time::timeout(PATIENCE, connecting)
        .await
        .context("no answer within 5 s: start nats-server or mend bus.url")?
        .map_err(anyhow::Error::msg)?;
    async_nats::jetstream::new(client.clone())
        .query_account()
        .await
        .context(
            "the bus has no JetStream: start nats-server with what `control-plane nats-config` writes",
        )?;
    Ok(client.server_info().version.clone())
}
