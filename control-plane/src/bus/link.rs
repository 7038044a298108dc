//! The connection itself: kept up by a task for as long as the server runs.

use async_nats::ConnectOptions;
use async_nats::client::Client;

use crate::config;

/// Present state of the connection.
#[derive(Debug)]
pub enum Link {
    /// Not connected, or connected to a server that will not do; says why.
    Down(String),
    /// Connected once and set up; the client reconnects on its own.
    Up(Client),
}

/// Connects and checks that the server will do.
///
/// # Errors
/// One sentence that says what is wrong with the address, the credentials or the server.
pub async fn connect(config: &config::Bus) -> Result<Client, String> {
    let mut options = ConnectOptions::new().name("control-plane").max_reconnects(None);
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
