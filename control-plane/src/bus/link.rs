//! The connection itself: kept up by a task for as long as the server runs.

use std::sync::Arc;
use std::time::Duration;

use async_nats::client::Client;
use async_nats::{Auth, AuthError, ConnectOptions, Event};
use tokio::sync::watch;

use super::keys::{Keyring, Keys};
use crate::config;
use crate::domain::bus_access::{CONTROL_INBOX, SYSTEM_INBOX};
use crate::state::now;

/// Present state of the connection.
#[derive(Debug)]
pub enum Link {
    /// Not connected, or connected to a server that will not do; says why.
    Down(String),
    /// Connected once and set up; the client reconnects on its own.
    Up(Client),
}

/// As whom to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// The control plane, in the application's account.
    Control,
    /// Who tells the bus what accounts are, in the system account.
    System,
}

impl User {
    const fn inbox(self) -> &'static str {
        match self {
            Self::Control => CONTROL_INBOX,
            Self::System => SYSTEM_INBOX,
        }
    }

    fn auth(self, keys: &Keys, nonce: &[u8]) -> Result<Auth, AuthError> {
        let (token, signature) = match self {
            Self::Control => keys.control(nonce, now()),
            Self::System => keys.system(nonce, now()),
        }
        .map_err(|error| AuthError::new(error.to_string()))?;
        let mut auth = Auth::new();
        auth.jwt = Some(token);
        auth.signature = Some(signature);
        Ok(auth)
    }
}

/// Connects and checks that the server will do. `connections` counts up with each connection made, the
/// first one and those after a loss.
///
/// # Errors
/// One sentence that says what is wrong with the address, the keys or the server.
pub async fn connect(
    config: &config::Bus,
    keyring: &Keyring,
    user: User,
    connections: watch::Sender<u64>,
) -> Result<Client, String> {
    let keys = keyring.keys().map_err(|error| format!("{error:#}"))?;
    let mut options = ConnectOptions::with_auth_callback(move |nonce| {
        let keys = Arc::clone(&keys);
        async move { user.auth(&keys, &nonce) }
    })
    .name("control-plane")
    .custom_inbox_prefix(user.inbox())
    .max_reconnects(None)
    .reconnect_delay_callback(delay)
    .event_callback(move |event| {
        match event {
            Event::Connected => connections.send_modify(|count| *count += 1),
            Event::Disconnected => tracing::warn!(?user, "the connection to the bus is lost"),
            other => tracing::debug!(?user, %other, "bus"),
        }
        std::future::ready(())
    });
    if let Some(ca) = &config.ca_file {
        options = options.add_root_certificates(ca.clone()).require_tls(true);
    }
    let client = options
        .connect(config.urls())
        .await
        .map_err(|error| format!("cannot connect to the bus at {}: {error}", config.url))?;
    // Older servers fail to make buckets and silently drop what they do not know.
    if client.is_server_compatible(2, 11, 0) {
        Ok(client)
    } else {
        Err(format!(
            "the bus runs nats-server {}: version 2.11 or newer is needed",
            client.server_info().version
        ))
    }
}

fn delay(attempts: usize) -> Duration {
    let longest = Duration::from_secs(1);
    Duration::from_millis(50)
        .saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX))
        .min(longest)
}
