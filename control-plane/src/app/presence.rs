//! Which nodes report, as far as assignments are concerned.

use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::connection::State;
use wire::status::StreamState;
use wire::{NodeId, UnixMs};

use crate::AppState;
use crate::bus::Nodes;
use crate::domain::assign::{Node, Presence, Settled, Tight};

/// How long a node may be silent and get new cameras: two reports.
const AWAY_AFTER: Duration = Duration::from_secs(10);

/// Watches nodes' reports. While the bus is away nobody can report, and nobody is lost: silence counts from
/// the moment that the bus is back.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    nodes: Nodes,
    /// Since when nodes could report; none while they cannot.
    since: Option<Instant>,
    lost_after: Duration,
}

impl Watch {
    /// For one look, as things are now: a node that was never heard is lost.
    #[must_use]
    pub fn now(state: &AppState) -> Self {
        let lost_after = state.config.nodes.lost_after();
        Self {
            nodes: state.nodes.clone(),
            since: Instant::now().checked_sub(lost_after + AWAY_AFTER),
            lost_after,
        }
    }

    /// Looks whether nodes can report.
    pub fn look(&mut self, state: &AppState, client: &Client) {
        self.nodes = state.nodes.clone();
        self.lost_after = state.config.nodes.lost_after();
        if client.connection_state() == State::Connected {
            self.since.get_or_insert_with(Instant::now);
        } else {
            self.since = None;
        }
    }

    /// Whether a node reports.
    #[must_use]
    pub fn presence(&self, node: NodeId, now: Instant) -> Presence {
        let heard = self.nodes.heard(node);
        if heard.is_some_and(|at| is_within(at, now, AWAY_AFTER.min(self.lost_after))) {
            return Presence::Online;
        }
        let Some(since) = self.since else {
            return Presence::Away;
        };
        let last = heard.map_or(since, |at| at.max(since));
        if is_within(last, now, self.lost_after) {
            Presence::Away
        } else {
            Presence::Lost
        }
    }

    /// A node with what it says of itself.
    #[must_use]
    pub fn seen(&self, node: Node, now: Instant) -> Node {
        Node {
            presence: self.presence(node.id, now),
            tight: self.nodes.online(node.id).and_then(|status| Tight::of(&status)),
            ..node
        }
    }

    /// When a node was heard last.
    #[must_use]
    pub fn last_word(&self, node: NodeId, now: UnixMs) -> Option<UnixMs> {
        self.nodes.last_word(node, now)
    }

    /// The assignments whose nodes say that they record under their epoch, or wait for the next window.
    #[must_use]
    pub fn settled(&self, nodes: &[Node]) -> Settled {
        let mut settled = Settled::new();
        for node in nodes {
            let Some(status) = self.nodes.online(node.id) else {
                continue;
            };
            let is_good = |state: &StreamState| {
                matches!(
                    state,
                    StreamState::Idle | StreamState::Recording | StreamState::Degraded { .. }
                )
            };
            let good = status.streams.iter().filter(|stream| is_good(&stream.state));
            settled.extend(good.map(|stream| (node.id, stream.camera, stream.epoch)));
            for bad in status.streams.iter().filter(|stream| !is_good(&stream.state)) {
                settled.remove(&(node.id, bad.camera, bad.epoch));
            }
        }
        settled
    }
}

fn is_within(at: Instant, now: Instant, most: Duration) -> bool {
    now.saturating_duration_since(at) <= most
}
