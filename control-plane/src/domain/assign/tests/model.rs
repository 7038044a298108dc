//! Hundreds of random steps: nodes join, get lost, return, drain, change; cameras come and go.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Event {
    Presence(usize, Presence),
    State(usize, NodeState),
    Removed(usize, bool),
    Labels(usize, u8),
    Sites(usize, u8),
    Most(usize, Option<u64>),
    Tight(usize, Option<Tight>),
    Wanted(usize, usize),
    CameraLabels(usize, u8),
    Pass(i64),
}

const NODES: usize = 6;
const CAMERAS: usize = 24;

fn event() -> impl Strategy<Value = Event> {
    let presence =
        prop_oneof![3 => Just(Presence::Online), 1 => Just(Presence::Away), 1 => Just(Presence::Lost)];
    let state = prop_oneof![
        2 => Just(NodeState::Active),
        1 => Just(NodeState::Cordoned),
        1 => Just(NodeState::Draining),
    ];
    prop_oneof![
        4 => (0..NODES, presence).prop_map(|(n, presence)| Event::Presence(n, presence)),
        3 => (0..NODES, state).prop_map(|(n, state)| Event::State(n, state)),
        1 => (0..NODES, prop::bool::weighted(0.3)).prop_map(|(n, gone)| Event::Removed(n, gone)),
        1 => (0..NODES, 0_u8..4).prop_map(|(n, labels)| Event::Labels(n, labels)),
        1 => (0..NODES, 0_u8..4).prop_map(|(n, sites)| Event::Sites(n, sites)),
        2 => (0..NODES, prop::option::of(0_u64..20)).prop_map(|(n, most)| Event::Most(n, most)),
        2 => (0..NODES, any::<bool>()).prop_map(|(n, is)| Event::Tight(n, is.then(tight))),
        3 => (0..CAMERAS, 0_usize..3).prop_map(|(c, wanted)| Event::Wanted(c, wanted)),
        1 => (0..CAMERAS, 0_u8..4).prop_map(|(c, labels)| Event::CameraLabels(c, labels)),
        6 => (0_i64..70_000).prop_map(Event::Pass),
    ]
}

fn names(bits: u8, of: [&str; 2]) -> Vec<String> {
    let chosen = of
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0);
    chosen.map(|(_, name)| name.to_owned()).collect()
}

struct Model {
    nodes: Vec<Node>,
    places: Vec<Place>,
    now: UnixMs,
    rebalanced: UnixMs,
}

impl Model {
    fn new() -> Self {
        let mut places: Vec<Place> = (1..=CAMERAS as u8).map(place).collect();
        for (place, site) in places.iter_mut().zip(["north", "south", ""].into_iter().cycle()) {
            place.site = site.to_owned();
        }
        Self {
            nodes: (1..=NODES as u8).map(node).collect(),
            places,
            now: NOW,
            rebalanced: NOW,
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Presence(n, presence) => self.nodes[*n].presence = *presence,
            Event::State(n, state) => self.nodes[*n].state = *state,
            Event::Removed(n, gone) => self.nodes[*n].is_removed = *gone,
            Event::Labels(n, labels) => self.nodes[*n].labels = names(*labels, ["gpu", "big"]),
            Event::Sites(n, sites) => self.nodes[*n].sites = names(*sites, ["north", "south"]),
            Event::Most(n, most) => self.nodes[*n].max_cameras = *most,
            Event::Tight(n, tight) => self.nodes[*n].tight = *tight,
            Event::Wanted(c, wanted) => self.places[*c].wanted = *wanted,
            Event::CameraLabels(c, labels) => self.places[*c].labels = names(*labels, ["gpu", "big"]),
            Event::Pass(ms) => self.now = self.now.plus(*ms),
        }
    }

    /// What nodes that report say: those that can reach the camera record.
    fn settled(&self) -> Settled {
        let mut settled = all_settled(&self.places);
        settled.retain(|(node, _, _)| {
            let node = self.nodes.iter().find(|one| one.id == *node);
            node.is_some_and(|node| node.presence == Presence::Online)
        });
        settled
    }

    fn step(&mut self, settled: &Settled) -> Outcome {
        let may_rebalance = self.now.since(self.rebalanced) >= 60_000;
        let outcome = run(&mut self.places, &self.nodes, settled, may_rebalance, self.now);
        if outcome.rebalanced {
            self.rebalanced = self.now;
        }
        outcome
    }

    fn loads(&self) -> HashMap<NodeId, usize> {
        loads(self.places.iter()).into_iter().collect()
    }

    fn node(&self, id: NodeId) -> &Node {
        self.nodes.iter().find(|node| node.id == id).unwrap()
    }

    /// What holds after every step. `before` is how it was.
    fn check(&self, before: &[Place], outcome: &Outcome) -> Result<(), TestCaseError> {
        let load = self.loads();
        for (place, was) in self.places.iter().zip(before) {
            let mut nodes: Vec<NodeId> = place.held.iter().map(|held| held.node).collect();
            nodes.sort_unstable();
            nodes.dedup();
            prop_assert_eq!(nodes.len(), place.held.len(), "two copies on one node");
            prop_assert!(place.epoch >= was.epoch);
            let epochs: Vec<u64> = place.held.iter().map(|held| held.epoch).collect();
            prop_assert!(epochs.is_sorted() && epochs.iter().all(|epoch| *epoch <= place.epoch));
            prop_assert_eq!(
                place.epoch - was.epoch,
                opened(outcome, place.id),
                "an epoch each"
            );
            if place.wanted == 0 {
                continue;
            }
            let good = |held: &&Held| unfit(place, self.node(held.node)).is_none();
            let is_over_full = |held: &Held| {
                let most = self.node(held.node).max_cameras;
                most.is_some_and(|most| load[&held.node] as u64 > most)
            };
            let good: Vec<&Held> = place.held.iter().filter(good).collect();
            // Recorded by as many as it should, or nobody else can.
            if good.len() < place.wanted
                || good.iter().any(|held| is_over_full(held)) && good.len() == place.wanted
            {
                for node in &self.nodes {
                    let has_it = place.held.iter().any(|held| held.node == node.id);
                    let why = obstacle(place, node, load.get(&node.id).copied().unwrap_or(0));
                    // Rather there than nowhere.
                    let why = why.filter(|why| !matches!(why, Obstacle::Tight(_)));
                    let is_fine = has_it || why.is_some_and(|why| !why.to_string().is_empty());
                    let waits = good.len() >= place.wanted;
                    prop_assert!(is_fine || waits, "{:?} could go to {}", place, node.name);
                }
            }
        }
        for step in &outcome.steps {
            if let Step::Open { node, reason, .. } = step {
                prop_assert!(!reason.is_empty());
                let node = self.node(*node);
                prop_assert!(
                    node.presence == Presence::Online && node.state == NodeState::Active && !node.is_removed
                );
                prop_assert!(
                    node.max_cameras.is_none_or(|most| load[&node.id] as u64 <= most),
                    "over capacity"
                );
            }
        }
        Ok(())
    }
}

fn opened(outcome: &Outcome, id: CameraId) -> u64 {
    let mine = |step: &&Step| matches!(step, Step::Open { camera, .. } if *camera == id);
    outcome.steps.iter().filter(mine).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_happens(events in prop::collection::vec((event(), any::<bool>()), 300)) {
        let mut model = Model::new();
        for (event, is_heard) in &events {
            model.happen(event);
            let settled = if *is_heard { model.settled() } else { Settled::new() };
            let before = model.places.clone();
            let outcome = model.step(&settled);
            model.check(&before, &outcome)?;
            // Nothing happened: nobody moves.
            let again = model.step(&settled);
            prop_assert!(again.steps.iter().all(|step| !matches!(step, Step::Open { .. })), "{:?}", again.steps);
            let third = model.step(&settled);
            prop_assert!(third.steps.is_empty(), "{:?}", third.steps);
        }
        // Left alone, it comes to rest, and nobody has more than wanted.
        let mut calm = 0;
        for _ in 0..200 {
            model.now = model.now.plus(61_000);
            let settled = model.settled();
            let outcome = model.step(&settled);
            calm = if outcome.steps.is_empty() { calm + 1 } else { 0 };
        }
        prop_assert!(calm > 100, "it came to rest: {}", calm);
        let load = model.loads();
        for place in model.places.iter().filter(|place| place.wanted > 0) {
            // Where none of its nodes is right it stays on all of them: rather twice than not at all.
            let is_right = |held: &&Held| {
                let node = model.node(held.node);
                let has_room = node.max_cameras.is_none_or(|most| load[&held.node] as u64 <= most);
                has_room && unfit(place, node).is_none()
            };
            if place.held.iter().filter(is_right).count() >= place.wanted {
                prop_assert_eq!(place.held.len(), place.wanted);
            }
        }
    }

    #[test]
    fn a_step_moves_little(wanted in prop::collection::vec(1_usize..3, CAMERAS), joins in 1_usize..4) {
        let mut model = Model::new();
        for (place, wanted) in model.places.iter_mut().zip(wanted) {
            place.wanted = wanted;
        }
        for node in &mut model.nodes[3..] {
            node.presence = Presence::Lost;
        }
        model.step(&Settled::new());
        for node in &mut model.nodes[3..3 + joins] {
            node.presence = Presence::Online;
        }
        for _ in 0..40 {
            model.now = model.now.plus(61_000);
            let load = model.loads();
            let outcome = model.step(&model.settled());
            let most: usize = load.values().map(|load| (load / 10).max(1)).sum();
            let opened = outcome.steps.iter().filter(|step| matches!(step, Step::Open { .. })).count();
            prop_assert!(opened <= most, "{} of {:?}", opened, load);
        }
        let load = model.loads();
        let (least, most) = (load.values().min().unwrap(), load.values().max().unwrap());
        prop_assert!(most - least < 2 || (most - least) * 5 <= *most, "{:?}", load);
        prop_assert_eq!(load.len(), 3 + joins);
    }
}
