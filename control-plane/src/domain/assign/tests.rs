//! Assignment, step by step and at random.

mod model;

use super::*;

const NOW: UnixMs = UnixMs(1_769_846_400_000);

fn node(n: u8) -> Node {
    Node {
        id: NodeId::from_bytes([n; 16]),
        organization: OrganizationId::from_bytes([1; 16]),
        name: format!("node {n}"),
        state: NodeState::Active,
        is_removed: false,
        presence: Presence::Online,
        sites: Vec::new(),
        networks: Vec::new(),
        labels: Vec::new(),
        max_cameras: None,
        uplink_bps: None,
        tight: None,
    }
}

/// What is told of a full disk.
fn tight() -> Tight {
    use wire::status::{Hardware, NodeStatus};
    let status = NodeStatus {
        node: NodeId::from_bytes([1; 16]),
        name: String::new(),
        version: String::new(),
        at: NOW,
        started: NOW,
        plan_revision: None,
        memory_bytes: 0,
        disk_free_bytes: 0,
        spool_bytes: 1_000,
        upload_backlog: 1,
        outbox_backlog: 0,
        streams: Vec::new(),
        erased: Vec::new(),
        hardware: Hardware {
            disk_bytes: 1_000,
            ..Hardware::default()
        },
        cpu_permille: 0,
        upload_bytes_per_s: 0,
        upload_backlog_bytes: 1_000,
    };
    Tight::of(&status).unwrap()
}

fn place(n: u8) -> Place {
    Place {
        id: CameraId::from_bytes([n; 16]),
        site: "north".to_owned(),
        address: Some(IpAddr::from([10, 0, 0, n])),
        labels: Vec::new(),
        wanted: 1,
        epoch: 0,
        held: Vec::new(),
    }
}

fn run(places: &mut [Place], nodes: &[Node], settled: &Settled, may_rebalance: bool, now: UnixMs) -> Outcome {
    let nodes: Vec<&Node> = nodes.iter().collect();
    let mut places: Vec<&mut Place> = places.iter_mut().collect();
    assign(&mut places, &nodes, settled, may_rebalance, now)
}

/// Everything that is open, said to be recorded.
fn all_settled(places: &[Place]) -> Settled {
    let held = places
        .iter()
        .flat_map(|place| place.held.iter().map(|held| (held.node, place.id, held.epoch)));
    held.collect()
}

fn held(place: &Place) -> Vec<(u8, u64)> {
    place
        .held
        .iter()
        .map(|held| (held.node.as_bytes()[0], held.epoch))
        .collect()
}

#[test]
fn a_planned_move_makes_before_it_breaks() {
    let mut nodes = [node(1), node(2)];
    let mut places = [place(1)];
    run(&mut places, &nodes, &Settled::new(), false, NOW);
    assert_eq!(held(&places[0]), [(1, 1)]);
    nodes[0].state = NodeState::Draining;
    let moved = run(&mut places, &nodes, &Settled::new(), false, NOW.plus(1));
    assert_eq!((held(&places[0]), moved.is_moving), (vec![(1, 1), (2, 2)], true));
    let waits = run(&mut places, &nodes, &Settled::new(), false, NOW.plus(1_000));
    assert!(waits.steps.is_empty() && waits.is_moving);
    // The old one's own word is of no account.
    let old = Settled::from([(nodes[0].id, places[0].id, 1), (nodes[1].id, places[0].id, 1)]);
    assert!(
        run(&mut places, &nodes, &old, false, NOW.plus(2_000))
            .steps
            .is_empty()
    );
    let mut told = places.clone();
    run(&mut told, &nodes, &all_settled(&places), false, NOW.plus(3_000));
    assert_eq!(held(&told[0]), [(2, 2)]);
    // Or nobody says so for half a minute.
    run(
        &mut places,
        &nodes,
        &Settled::new(),
        false,
        NOW.plus(HANDOVER_MS + 1),
    );
    assert_eq!(held(&places[0]), [(2, 2)]);
}

#[test]
fn a_lost_node_is_replaced_at_once_and_keeps_what_nobody_took() {
    let mut nodes = [node(1), node(2)];
    nodes[1].max_cameras = Some(1);
    nodes[1].presence = Presence::Away;
    let mut places = [place(1), place(2)];
    run(&mut places, &nodes, &Settled::new(), false, NOW);
    nodes[1].presence = Presence::Online;
    nodes[0].presence = Presence::Lost;
    run(&mut places, &nodes, &Settled::new(), false, NOW.plus(1));
    assert_eq!((held(&places[0]), held(&places[1])), (vec![(2, 2)], vec![(1, 1)]));
    nodes[0].presence = Presence::Online;
    let back = run(&mut places, &nodes, &Settled::new(), true, NOW.plus(2));
    assert!(back.steps.is_empty() && !back.is_moving, "{back:?}");
}

#[test]
fn a_full_disk_gets_a_camera_when_no_other_node_can_take_it() {
    let mut nodes = [node(1), node(2)];
    nodes[0].tight = Some(tight());
    let mut places = [place(1), place(2), place(3)];
    run(&mut places[..2], &nodes, &Settled::new(), false, NOW);
    assert_eq!((held(&places[0]), held(&places[1])), (vec![(2, 1)], vec![(2, 1)]));
    // Nor is anything moved there to even out the load, nor away.
    let settled = all_settled(&places);
    let even = run(&mut places[..2], &nodes, &settled, true, NOW.plus(1));
    assert!(even.steps.is_empty(), "{even:?}");
    nodes[1].max_cameras = Some(2);
    let last = run(&mut places, &nodes, &settled, false, NOW.plus(2));
    assert_eq!(held(&places[2]), [(1, 1)]);
    let Step::Open { reason, .. } = &last.steps[0] else {
        panic!("{last:?}");
    };
    assert!(reason.contains("almost full"), "{reason}");
    nodes[1].max_cameras = None;
    let settled = all_settled(&places);
    let stays = run(&mut places, &nodes, &settled, false, NOW.plus(3));
    assert!(stays.steps.is_empty(), "{stays:?}");
}

#[test]
fn constraints_choose_and_explain() {
    let mut place = place(1);
    place.labels = vec!["gpu".to_owned()];
    let sentence = |change: &dyn Fn(&mut Node)| {
        let mut node = node(1);
        node.labels = vec!["gpu".to_owned(), "big".to_owned()];
        change(&mut node);
        obstacle(&place, &node, 3).map(|why| why.to_string())
    };
    assert_eq!(sentence(&|_| ()), None);
    assert_eq!(
        sentence(&|node| node.networks = vec!["10.0.0.0/24".parse().unwrap()]),
        None
    );
    assert_eq!(
        sentence(&|node| node.sites = vec!["south".to_owned(), "north".to_owned()]),
        None
    );
    assert_eq!(sentence(&|node| node.max_cameras = Some(4)), None);
    for (change, part) in [
        (
            (|node| node.sites = vec!["south".to_owned()]) as fn(&mut Node),
            "the site north",
        ),
        (
            |node| node.networks = vec!["10.1.0.0/16".parse().unwrap()],
            "contains 10.0.0.1",
        ),
        (|node| node.labels.clear(), "labels gpu"),
        (|node| node.max_cameras = Some(3), "takes 3 cameras"),
        (|node| node.state = NodeState::Cordoned, "cordoned"),
        (|node| node.state = NodeState::Draining, "draining"),
        (|node| node.presence = Presence::Away, "not reported just now"),
        (|node| node.presence = Presence::Lost, "lost"),
        (|node| node.is_removed = true, "removed"),
    ] {
        let why = sentence(&change).unwrap();
        assert!(why.contains(part), "{why}");
    }
    place.address = None;
    let mut named = node(1);
    named.labels = place.labels.clone();
    named.networks = vec!["10.1.0.0/16".parse().unwrap()];
    assert_eq!(
        obstacle(&place, &named, 0),
        None,
        "names are for the node to resolve"
    );
}

#[test]
fn two_copies_are_on_two_nodes() {
    let mut nodes = [node(1), node(2), node(3)];
    let mut places = [place(1)];
    places[0].wanted = 2;
    run(&mut places, &nodes, &Settled::new(), false, NOW);
    assert_eq!(held(&places[0]), [(1, 1), (2, 2)]);
    nodes[0].presence = Presence::Lost;
    run(&mut places, &nodes, &Settled::new(), false, NOW.plus(1));
    assert_eq!(held(&places[0]), [(2, 2), (3, 3)]);
    places[0].wanted = 1;
    let settled = all_settled(&places);
    run(&mut places, &nodes, &settled, false, NOW.plus(2));
    assert_eq!(held(&places[0]), [(3, 3)]);
}

#[test]
fn load_is_evened_out_a_tenth_at_a_time() {
    let mut places: Vec<Place> = (1..=40).map(place).collect();
    let mut nodes = vec![node(1)];
    run(&mut places, &nodes, &Settled::new(), true, NOW);
    nodes.push(node(2));
    let mut now = NOW;
    let mut rounds = 0;
    loop {
        now = now.plus(60_000);
        let settled = all_settled(&places);
        let moved = run(&mut places, &nodes, &settled, true, now);
        let opened = moved
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Open { .. }))
            .count();
        assert!(opened <= 4, "{opened}");
        let settled = all_settled(&places);
        if moved.steps.is_empty() {
            break;
        }
        assert!(moved.rebalanced);
        let busy = run(&mut places, &nodes, &Settled::new(), true, now.plus(1));
        assert!(busy.steps.is_empty(), "never while one is moving");
        run(&mut places, &nodes, &settled, false, now.plus(5_000));
        rounds += 1;
    }
    let load = loads(places.iter());
    let (one, two) = (load[&nodes[0].id], load[&nodes[1].id]);
    assert!(
        one.abs_diff(two) * 5 <= one.max(two) && one + two == 40,
        "{one} {two}"
    );
    assert!((4..=10).contains(&rounds), "{rounds}");
}

#[test]
fn nobody_moves_to_a_node_that_just_came_back_alone() {
    let mut nodes = [node(1), node(2)];
    let mut places: Vec<Place> = (1..=10).map(place).collect();
    run(&mut places, &nodes, &Settled::new(), true, NOW);
    // Everything starts anew: one node reports before the other.
    nodes[0].presence = Presence::Away;
    nodes[1].presence = Presence::Online;
    assert!(
        run(&mut places, &nodes, &Settled::new(), true, NOW.plus(1))
            .steps
            .is_empty()
    );
}
