//! Tells that a node says what is not so, or not its own: once in a while, whatever it sends.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use wire::{NodeId, UnixMs};

use crate::AppState;
use crate::store::facts::{self, FactKind};
use crate::store::{Connection, StoreError, nodes};

/// How long the same reason of the same node is not told again.
const QUIET: Duration = Duration::from_secs(60);
/// Facts that are looked at for it.
const LOOKED_AT: u32 = 200;
/// Reasons of nodes that are remembered before those of the past are forgotten.
const REMEMBERED: usize = 10_000;

/// Tells it in the caller's transaction, unless that was told just now. `message` is what was refused, as
/// the node calls it.
///
/// # Errors
/// Those of the database.
pub fn tell(
    connection: &mut Connection,
    node: NodeId,
    message: &str,
    reason: &str,
    now: UnixMs,
) -> Result<(), StoreError> {
    let Some(organization) = nodes::owner(connection, node)? else {
        return Ok(());
    };
    let about = (FactKind::NodeRefused, node);
    let quiet = now.plus(-(QUIET.as_millis() as i64));
    let recent = facts::latest(connection, organization, about, quiet, LOOKED_AT)?;
    if recent.iter().any(|before| before["reason"] == reason) {
        return Ok(());
    }
    let body = json!({"message": message, "reason": reason});
    facts::add(
        connection,
        organization,
        FactKind::NodeRefused,
        None,
        Some(node),
        &body,
        now,
    )
}

/// What was refused of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Who said it.
    pub node: NodeId,
    /// Under which key.
    pub key: String,
    /// Why it is not taken; the same words each time.
    pub reason: &'static str,
}

/// Tells what is refused outside of transactions. Nodes say as much as they like: what was told just now does
/// not reach the database.
#[derive(Debug, Default)]
pub struct Refusals {
    told: HashMap<(NodeId, &'static str), Instant>,
}

impl Refusals {
    /// Logs and tells them. What cannot be told now is told when it comes again.
    pub async fn tell(&mut self, state: &AppState, refused: Vec<Refused>, now: UnixMs) {
        let at = Instant::now();
        let mut new = refused;
        new.retain(|one| self.is_new(one, at));
        if new.is_empty() {
            return;
        }
        for one in &new {
            tracing::warn!(node = %one.node, key = one.key, reason = one.reason, "refused what a node says");
        }
        let told: Vec<(NodeId, &'static str)> = new.iter().map(|one| (one.node, one.reason)).collect();
        let tell = move |c: &mut Connection| {
            new.iter()
                .try_for_each(|one| tell(c, one.node, &one.key, one.reason, now))
        };
        if let Err(error) = state.store.write(tell).await {
            tracing::warn!(%error, "what was refused is not told");
            for one in told {
                self.told.remove(&one);
            }
        }
    }

    /// Whether it was not told just now; from here on it was.
    fn is_new(&mut self, one: &Refused, at: Instant) -> bool {
        let is_recent = |told: &Instant| at.saturating_duration_since(*told) < QUIET;
        let key = (one.node, one.reason);
        if self.told.get(&key).is_some_and(is_recent) {
            return false;
        }
        if self.told.len() >= REMEMBERED {
            self.told.retain(|_, told| is_recent(told));
        }
        self.told.insert(key, at);
        true
    }
}
