use super::*;

const NOW: UnixMs = UnixMs(1_769_846_400_123);

fn organization(n: u8) -> OrganizationId {
    OrganizationId::from_bytes([n; 16])
}

fn node(n: u8, presence: Presence) -> PlanNode {
    PlanNode {
        id: NodeId::from_bytes([n; 16]),
        organization: organization(1),
        presence,
    }
}

fn camera(n: u8) -> PlanCamera {
    PlanCamera {
        id: CameraId::from_bytes([n; 16]),
        organization: organization(1),
        name: format!("camera {n}"),
        source: Source {
            url: format!("rtsp://10.0.0.{n}/"),
            transport: wire::source::Transport::Tcp,
            reader: wire::source::Reader::Auto,
            audio: false,
        },
        credentials_revision: 1,
        has_credentials: false,
        recording: true,
        node: None,
        epoch: 0,
    }
}

/// Applies an outcome as the planner does, and decides again.
fn settle(cameras: &mut [PlanCamera], kept: &mut Vec<Plan>, nodes: &[PlanNode], now: UnixMs) -> Outcome {
    let outcome = decide(cameras.to_vec(), nodes, kept, now);
    for (id, node, epoch) in &outcome.assignments {
        let camera = cameras.iter_mut().find(|camera| camera.id == *id).unwrap();
        (camera.node, camera.epoch) = (Some(*node), *epoch);
    }
    for plan in &outcome.changed {
        kept.retain(|old| old.node != plan.node);
        kept.push(plan.clone());
    }
    outcome
}

#[test]
fn spreads_cameras_and_then_leaves_them() {
    let nodes = [node(1, Presence::Online), node(2, Presence::Online)];
    let mut cameras: Vec<_> = (1..=4).map(camera).collect();
    let mut kept = Vec::new();
    let first = settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!(first.assignments.len(), 4);
    assert!(
        first
            .changed
            .iter()
            .all(|plan| plan.entries.len() == 2 && plan.revision == 1)
    );
    assert!(first.changed[0].entries[0].is_active(NOW));
    let again = settle(&mut cameras, &mut kept, &nodes, NOW.plus(1_000));
    assert!(again.assignments.is_empty() && again.changed.is_empty());
}

#[test]
fn a_window_keeps_its_start_and_reaches_two_days() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, NOW);
    for hours in 0..100 {
        let now = NOW.plus(hours * HOUR_MS / 2);
        settle(&mut cameras, &mut kept, &nodes, now);
        let window = kept[0].entries[0].windows[0];
        assert_eq!(window.start(), NOW);
        assert!(window.end().since(now) >= HORIZON_MS);
    }
    assert_eq!(kept[0].revision, 1 + 49, "one revision an hour");
}

#[test]
fn switching_off_ends_the_entry_and_on_again_starts_anew() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, NOW);
    cameras[0].recording = false;
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(5_000));
    assert!(kept[0].entries.is_empty());
    cameras[0].recording = true;
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(9_000));
    assert_eq!(kept[0].entries[0].windows[0].start(), NOW.plus(9_000));
    assert_eq!((kept[0].revision, cameras[0].epoch), (3, 1));
}

#[test]
fn a_lost_node_loses_its_cameras_when_another_can_take_them() {
    let mut nodes = [node(1, Presence::Online), node(2, Presence::Away)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, NOW);
    nodes[0].presence = Presence::Away;
    assert!(
        settle(&mut cameras, &mut kept, &nodes, NOW)
            .assignments
            .is_empty()
    );
    nodes[0].presence = Presence::Lost;
    assert!(
        settle(&mut cameras, &mut kept, &nodes, NOW)
            .assignments
            .is_empty()
    );
    nodes[1].presence = Presence::Online;
    let moved = settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!(moved.assignments, [(cameras[0].id, nodes[1].id, 2)]);
    assert_eq!(moved.changed.len(), 2, "both nodes are told");
}

#[test]
fn nodes_record_their_own_organization_only() {
    let nodes = [node(1, Presence::Online)];
    let mut foreign = camera(1);
    foreign.organization = organization(2);
    let outcome = decide(vec![foreign], &nodes, &[], NOW);
    assert!(outcome.assignments.is_empty() && outcome.changed[0].entries.is_empty());
}

#[test]
fn an_edit_reaches_the_plan_and_a_clock_that_steps_back_does_not() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, NOW);
    assert!(
        settle(&mut cameras, &mut kept, &nodes, NOW.plus(-10 * HOUR_MS))
            .changed
            .is_empty()
    );
    cameras[0].credentials_revision = 2;
    let edited = settle(&mut cameras, &mut kept, &nodes, NOW.plus(1));
    assert_eq!((edited.changed.len(), edited.changed[0].revision), (1, 2));
}
