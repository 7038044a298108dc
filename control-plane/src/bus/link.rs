//! The connection itself: kept up by a task for as long as the server runs.

use std::time::Duration;

use async_nats::client::Client;
use async_nats::{ConnectOptions, Event};
use tokio::sync::watch;

use crate::config;

/// Present state of the connection.
#[derive(Debug)]
pub enum Link {
    /// Not connected, or connected to a server that will not do; says why.
    Down(String),
    /// Connected once and set up; the client reconnects on its own.
    Up(Client),
}

/// Connects and checks that the server will do. `connections` counts up with each connection made, the
/// first one and those after a loss.
///
/// # Errors
/// One sentence that says what is wrong with the address, the credentials or the server.
pub async fn connect(config: &config::Bus, connections: watch::Sender<u64>) -> Result<Client, String> {
    let mut options = ConnectOptions::new()
        .name("control-plane")
        .max_reconnects(None)
        .reconnect_delay_callback(delay)
        .event_callback(move |event| {
            match event {
                Event::Connected => connections.send_modify(|count| *count += 1),
                Event::Disconnected => tracing::warn!("the connection to the bus is lost"),
                other => tracing::debug!(%other, "bus"),
            }
            std::future::ready(())
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
