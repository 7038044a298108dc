//! Which nodes record which camera: by site and reachability, labels and capacity.
//!
//! Pure. Assignments are sticky: one changes only when its node cannot go on, when another number of copies
//! is wanted, or, within bounds, to even out the load. Make before break: a planned move opens the new
//! assignment first, and the old one ends when the new node records, or after half a minute. A node that is
//! lost waits for nobody. A camera that cannot go anywhere stays where it is: better recorded by a node that
//! should not than by none. For the same reason a node whose disk is almost full gets new cameras only when no
//! other can take them. Epochs of a camera only grow.

mod balance;
mod fit;
mod network;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use wire::{CameraId, NodeId, OrganizationId, UnixMs};

pub use fit::{Obstacle, Tight, obstacle, unfit};
pub use network::{InvalidNetwork, Network};

/// How long an old assignment waits for the new node, in milliseconds.
pub const HANDOVER_MS: i64 = 30_000;

/// Why an assignment ends whose node could go on.
const REPLACED: &str = "as many other nodes as should record it";

/// How often cameras are looked at for room that others left.
const PASSES: usize = 8;

/// What its operator lets a node do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// Everything.
    Active,
    /// It keeps its cameras and gets no new ones.
    Cordoned,
    /// It hands its cameras over.
    Draining,
}

/// Whether a node reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    Online,
    /// It does not, but may be restarting: it keeps its cameras and gets no new ones.
    Away,
    /// It has not for long: its cameras move where they can.
    Lost,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Which one.
    pub id: NodeId,
    /// Whose cameras it may record.
    pub organization: OrganizationId,
    /// Its name, for explanations.
    pub name: String,
    /// What its operator lets it do.
    pub state: NodeState,
    /// Whether it was removed.
    pub is_removed: bool,
    /// Whether it reports.
    pub presence: Presence,
    /// The sites that it serves; every one when empty.
    pub sites: Vec<String>,
    /// The networks that it reaches; every one when empty.
    pub networks: Vec<Network>,
    /// Its labels, in lower case.
    pub labels: Vec<String>,
    /// How many cameras it takes at most.
    pub max_cameras: Option<u64>,
    /// Bits a second that its uploads may take: for its plan.
    pub uplink_bps: Option<u64>,
    /// That its disk is almost full, if it is.
    pub tight: Option<Tight>,
}

/// An open assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Who records.
    pub node: NodeId,
    /// Under which epoch.
    pub epoch: u64,
    /// Since when.
    pub since: UnixMs,
}

/// A camera, as far as nodes are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which one.
    pub id: CameraId,
    /// Where it is, in words.
    pub site: String,
    /// Its address; none when it has a name, which is for its node to resolve.
    pub address: Option<IpAddr>,
    /// The labels that its node must have.
    pub labels: Vec<String>,
    /// How many nodes are to record it; none while there is nothing to record.
    pub wanted: usize,
    /// The highest epoch that it ever had.
    pub epoch: u64,
    /// Its open assignments, oldest first.
    pub held: Vec<Held>,
}

/// Assignments whose node says that it records under their epoch, or waits for the next window.
pub type Settled = HashSet<(NodeId, CameraId, u64)>;

/// A change of assignments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A node records a camera from now on.
    Open {
        /// The camera.
        camera: CameraId,
        /// The node.
        node: NodeId,
        /// Under which epoch.
        epoch: u64,
        /// Why there, as a sentence.
        reason: String,
    },
    /// It does no longer.
    Close {
        /// The camera.
        camera: CameraId,
        /// The node.
        node: NodeId,
        /// Under which epoch it did.
        epoch: u64,
        /// Why no longer, as a sentence.
        reason: String,
    },
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What changes, in order.
    pub steps: Vec<Step>,
    /// Whether a camera is on its way from one node to another.
    pub is_moving: bool,
    /// Whether cameras were moved to even out the load.
    pub rebalanced: bool,
}

/// Assigns cameras of one organization, in the order of their ids, to its nodes, in the order of theirs.
/// `places` have their new assignments afterwards.
#[must_use]
pub fn assign(
    places: &mut [&mut Place],
    nodes: &[&Node],
    settled: &Settled,
    may_rebalance: bool,
    now: UnixMs,
) -> Outcome {
    let mut run = Run {
        load: loads(places.iter().map(|place| &**place)),
        nodes,
        settled,
        now,
        steps: Vec::new(),
    };
    let mut too_many = TooMany::new();
    // What one camera leaves may be room for another one.
    for _ in 0..PASSES {
        let before = run.steps.len();
        too_many = run.too_many(places);
        for place in places.iter_mut() {
            run.one(place, &too_many);
        }
        if run.steps.len() == before {
            break;
        }
    }
    let mut moving = is_any_moving(places);
    let before = run.steps.len();
    if may_rebalance && !moving {
        balance::even_out(&mut run, places, &too_many);
        moving = is_any_moving(places);
    }
    Outcome {
        rebalanced: run.steps.len() > before,
        is_moving: moving,
        steps: run.steps,
    }
}

fn is_any_moving(places: &[&mut Place]) -> bool {
    let mut wanted = places.iter().filter(|place| place.wanted > 0);
    wanted.any(|place| place.held.len() > place.wanted)
}

/// How many cameras each node has that are to be recorded.
#[must_use]
pub fn loads<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeMap<NodeId, usize> {
    let mut load = BTreeMap::new();
    for place in places.filter(|place| place.wanted > 0) {
        for held in &place.held {
            *load.entry(held.node).or_default() += 1;
        }
    }
    load
}

/// Assignments of cameras that are too many for their node.
type TooMany = HashSet<(NodeId, CameraId)>;

struct Run<'a> {
    load: BTreeMap<NodeId, usize>,
    nodes: &'a [&'a Node],
    settled: &'a Settled,
    now: UnixMs,
    steps: Vec<Step>,
}

impl Run<'_> {
    fn load(&self, node: NodeId) -> usize {
        self.load.get(&node).copied().unwrap_or(0)
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id).copied()
    }

    fn too_many(&self, places: &[&mut Place]) -> TooMany {
        let mut excess = TooMany::new();
        for node in self.nodes {
            if node
                .max_cameras
                .is_none_or(|most| self.load(node.id) as u64 <= most)
            {
                continue;
            }
            let holds =
                |place: &&&mut Place| place.wanted > 0 && place.held.iter().any(|held| held.node == node.id);
            let own: Vec<CameraId> = places.iter().filter(holds).map(|place| place.id).collect();
            excess.extend(
                fit::too_many(node, &own)
                    .into_iter()
                    .map(|camera| (node.id, camera)),
            );
        }
        excess
    }

    /// Why an assignment should not go on.
    fn wrong(&self, place: &Place, held: &Held, too_many: &TooMany) -> Option<Obstacle> {
        let Some(node) = self.node(held.node) else {
            return Some(Obstacle::Removed);
        };
        let most = || {
            too_many
                .contains(&(held.node, place.id))
                .then(|| Obstacle::Full(node.max_cameras.unwrap_or(0)))
        };
        unfit(place, node).or_else(most)
    }

    fn one(&mut self, place: &mut Place, too_many: &TooMany) {
        let wrong: Vec<(Held, Obstacle)> = place
            .held
            .iter()
            .filter_map(|held| Some((*held, self.wrong(place, held, too_many)?)))
            .collect();
        for _ in (place.held.len() - wrong.len())..place.wanted {
            let Some(node) = self.best(place) else { break };
            let reason = self.reason(place, node, &wrong);
            self.open(place, node, reason);
        }
        self.close_what_is_over(place, &wrong);
    }

    /// The node with the fewest cameras that can take it; of those whose disks are almost full only when there
    /// is no other.
    fn best(&self, place: &Place) -> Option<NodeId> {
        let able = self.nodes.iter().filter(|node| {
            let has_it = place.held.iter().any(|held| held.node == node.id);
            let obstacle = obstacle(place, node, self.load(node.id));
            !has_it && matches!(obstacle, None | Some(Obstacle::Tight(_)))
        });
        let best = able.min_by_key(|node| (node.tight.is_some(), self.load(node.id), node.id));
        best.map(|node| node.id)
    }

    fn reason(&self, place: &Place, node: NodeId, wrong: &[(Held, Obstacle)]) -> String {
        let load = self.load(node);
        let mut choice = format!("of the nodes that could take it, this one had the fewest cameras ({load})");
        if self.node(node).is_some_and(|node| node.tight.is_some()) {
            choice.push_str(", and all of their disks are almost full");
        }
        if let Some((held, obstacle)) = wrong.first() {
            let name = self.node(held.node).map_or("its node", |node| node.name.as_str());
            return format!("{choice}; it came from {name}: {obstacle}");
        }
        if place.held.is_empty() {
            choice
        } else {
            format!("{choice}; it is recorded by {} nodes at once", place.wanted)
        }
    }

    fn open(&mut self, place: &mut Place, node: NodeId, reason: String) {
        place.epoch += 1;
        let held = Held {
            node,
            epoch: place.epoch,
            since: self.now,
        };
        place.held.push(held);
        *self.load.entry(node).or_default() += 1;
        self.steps.push(Step::Open {
            camera: place.id,
            node,
            epoch: place.epoch,
            reason,
        });
    }

    fn close_what_is_over(&mut self, place: &mut Place, wrong: &[(Held, Obstacle)]) {
        let obstacle = |held: &Held| {
            let found = wrong.iter().find(|(other, _)| other.epoch == held.epoch);
            found.map(|(_, obstacle)| obstacle)
        };
        let mut keepers: Vec<Held> = place.held.clone();
        keepers.retain(|held| obstacle(held).is_none());
        // The newest one first: a move is towards it. Of the others, those on busy nodes go.
        keepers.sort_by_key(|held| std::cmp::Reverse(held.epoch));
        if let Some((_, others)) = keepers.split_first_mut() {
            others.sort_by_key(|held| (self.load(held.node), std::cmp::Reverse(held.epoch)));
        }
        keepers.truncate(place.wanted);
        let is_complete = place.wanted > 0 && keepers.len() == place.wanted;
        let is_settled = |held: &Held| {
            self.settled.contains(&(held.node, place.id, held.epoch))
                || self.now.since(held.since) >= HANDOVER_MS
        };
        let is_taken_over = is_complete && keepers.iter().all(is_settled);
        let is_over = |held: &Held| match obstacle(held) {
            Some(Obstacle::Removed) => true,
            Some(Obstacle::Lost) => is_complete,
            _ => is_taken_over && !keepers.contains(held),
        };
        let over: Vec<Held> = place.held.iter().filter(|held| is_over(held)).copied().collect();
        place.held.retain(|held| !over.contains(held));
        for held in over {
            let reason = obstacle(&held).map_or_else(|| REPLACED.to_owned(), ToString::to_string);
            if place.wanted > 0
                && let Some(load) = self.load.get_mut(&held.node)
            {
                *load = load.saturating_sub(1);
            }
            self.steps.push(Step::Close {
                camera: place.id,
                node: held.node,
                epoch: held.epoch,
                reason,
            });
        }
    }
}
