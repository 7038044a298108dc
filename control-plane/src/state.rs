//! What every handler and task shares.

use std::sync::Arc;

use tokio::sync::Notify;
use url::Url;
use wire::UnixMs;

use crate::app::cameras::Usernames;
use crate::app::events::Facts;
use crate::app::limits::Limiter;
use crate::app::password::Passwords;
use crate::bus::keys::Keyring;
use crate::bus::{Bus, Heads, Nodes, Wake};
use crate::config::Config;
use crate::objects::ObjectStore;
use crate::secrets::Secrets;
use crate::store::Store;

/// The running server's parts; clones share them.
#[derive(Clone, Debug)]
pub struct AppState {
    /// As read at start.
    pub config: Arc<Config>,
    /// Address under which browsers and nodes reach this server; ends in `/`.
    pub public_url: Url,
    /// Keys.
    pub secrets: Arc<Secrets>,
    /// The database.
    pub store: Store,
    /// The objects' bytes.
    pub objects: Arc<dyn ObjectStore>,
    /// The message bus.
    pub bus: Bus,
    /// Its keys.
    pub bus_keys: Arc<Keyring>,
    /// Wakes who tells the bus which nodes are removed.
    pub revoke: Arc<Notify>,
    /// What the index does not have yet.
    pub heads: Heads,
    /// Which nodes are online, and what they said.
    pub nodes: Nodes,
    /// This server among those that share the database; another one after each start.
    pub replica: Arc<str>,
    /// Wakes the planner.
    pub replan: Wake,
    /// Wakes the eraser.
    pub erase: Wake,
    /// Who follows the facts.
    pub facts: Facts,
    /// Password hashing.
    pub passwords: Passwords,
    /// The user names of cameras.
    pub usernames: Arc<Usernames>,
    /// Sign-in attempts.
    pub limiter: Arc<Limiter>,
}

/// The present time, for the shell around the pure code.
#[must_use]
pub fn now() -> UnixMs {
    UnixMs(jiff::Timestamp::now().as_millisecond())
}
