//! Plans as they follow one another.

use super::*;

#[test]
fn spreads_cameras_and_then_leaves_them() {
    let nodes = [node(1, Presence::Online), node(2, Presence::Online)];
    let mut cameras: Vec<_> = (1..=4).map(camera).collect();
    let mut kept = Vec::new();
    let first = settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!(first.steps.len(), 4);
    assert!(
        first
            .changed
            .iter()
            .all(|plan| plan.entries.len() == 2 && plan.revision == 1)
    );
    assert!(first.changed[0].entries[0].is_active(NOW));
    let again = settle(&mut cameras, &mut kept, &nodes, NOW.plus(1_000));
    assert!(again.steps.is_empty() && again.changed.is_empty());
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
    cameras[0].wish.switch = false;
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(5_000));
    assert!(kept[0].entries.is_empty());
    cameras[0].wish.switch = true;
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(9_000));
    assert_eq!(kept[0].entries[0].windows[0].start(), NOW.plus(9_000));
    assert_eq!((kept[0].revision, cameras[0].place.epoch), (3, 1));
}

#[test]
fn a_lost_node_loses_its_cameras_when_another_can_take_them() {
    let mut nodes = [node(1, Presence::Online), node(2, Presence::Away)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, NOW);
    nodes[0].presence = Presence::Away;
    assert!(settle(&mut cameras, &mut kept, &nodes, NOW).steps.is_empty());
    nodes[0].presence = Presence::Lost;
    assert!(settle(&mut cameras, &mut kept, &nodes, NOW).steps.is_empty());
    nodes[1].presence = Presence::Online;
    let moved = settle(&mut cameras, &mut kept, &nodes, NOW);
    let held: Vec<_> = cameras[0]
        .place
        .held
        .iter()
        .map(|held| (held.node, held.epoch))
        .collect();
    assert_eq!(held, [(nodes[1].id, 2)]);
    assert_eq!(moved.changed.len(), 2, "both nodes are told");
}

#[test]
fn nodes_record_their_own_organization_only() {
    let nodes = [node(1, Presence::Online)];
    let mut foreign = camera(1);
    foreign.organization = organization(2);
    let outcome = settle(&mut vec![foreign], &mut Vec::new(), &nodes, NOW);
    assert!(outcome.steps.is_empty() && outcome.changed[0].entries.is_empty());
}

#[test]
fn an_edit_reaches_the_plan_and_a_clock_that_steps_back_stops_nothing() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, NOW);
    let before = NOW.plus(-10 * HOUR_MS);
    settle(&mut cameras, &mut kept, &nodes, before);
    assert!(kept[0].entries[0].is_active(before) && kept[0].entries[0].is_active(NOW));
    let revision = kept[0].revision;
    assert!(settle(&mut cameras, &mut kept, &nodes, NOW).changed.is_empty());
    cameras[0].credentials_revision = 2;
    let edited = settle(&mut cameras, &mut kept, &nodes, NOW.plus(1));
    assert_eq!(
        (edited.changed.len(), edited.changed[0].revision),
        (1, revision + 1)
    );
}

fn until(end: UnixMs) -> Permit {
    Permit::Within(TimeRange::new(NOW.plus(-1_000), end).unwrap())
}

#[test]
fn a_window_ends_where_the_permission_does() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    // Beyond the horizon too: a node that is cut off for a month stops by itself.
    let end = NOW.plus(30 * 24 * HOUR_MS);
    cameras[0].permit = until(end);
    let outcome = settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!(outcome.next_change, Some(end));
    assert_eq!(kept[0].entries[0].windows, [TimeRange::new(NOW, end).unwrap()]);
    assert!(!kept[0].entries[0].is_active(end) && kept[0].entries[0].is_active(end.plus(-1)));
    // Renewed in time: the same window with another end.
    let later = end.plus(HOUR_MS);
    cameras[0].permit = until(later);
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(5_000));
    assert_eq!(kept[0].entries[0].windows, [TimeRange::new(NOW, later).unwrap()]);
    // Over, and renewed afterwards: what was not permitted is not planned.
    let after = settle(&mut cameras, &mut kept, &nodes, later);
    assert_eq!((kept[0].entries.len(), after.next_change), (0, None));
    let again = later.plus(HOUR_MS);
    cameras[0].permit = until(again.plus(HOUR_MS));
    settle(&mut cameras, &mut kept, &nodes, again);
    assert_eq!(kept[0].entries[0].windows[0].start(), again);
}

#[test]
fn a_renewal_that_comes_before_the_next_look_starts_anew_too() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    cameras[0].permit = until(NOW.plus(HOUR_MS));
    settle(&mut cameras, &mut kept, &nodes, NOW);
    let (renewed, end) = (NOW.plus(3 * HOUR_MS), NOW.plus(9 * HOUR_MS));
    cameras[0].permit = until(end);
    settle(&mut cameras, &mut kept, &nodes, renewed);
    assert_eq!(
        kept[0].entries[0].windows,
        [TimeRange::new(renewed, end).unwrap()]
    );
}

#[test]
fn a_permission_to_come_is_planned_before_it_begins() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1)];
    let mut kept = Vec::new();
    let tomorrow = TimeRange::new(NOW.plus(24 * HOUR_MS), NOW.plus(99 * HOUR_MS)).unwrap();
    cameras[0].permit = Permit::Within(tomorrow);
    let outcome = settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!(outcome.next_change, Some(tomorrow.start()));
    assert_eq!(kept[0].entries[0].windows, [tomorrow]);
    assert!(!kept[0].entries[0].is_active(NOW));
    // Another licence, valid already: recorded from now on.
    cameras[0].permit = until(tomorrow.end());
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(5));
    assert_eq!(kept[0].entries[0].windows[0].start(), NOW.plus(5));
    // Far off: no node is kept busy with it yet.
    cameras[0].permit = Permit::Within(TimeRange::new(NOW.plus(90 * HOUR_MS), tomorrow.end()).unwrap());
    settle(&mut cameras, &mut kept, &nodes, NOW.plus(10));
    assert!(kept[0].entries.is_empty());
}

#[test]
fn cameras_without_permission_take_no_node() {
    let nodes = [node(1, Presence::Online)];
    let mut cameras = vec![camera(1), camera(2)];
    cameras[0].permit = Permit::Never;
    let outcome = settle(&mut cameras, &mut Vec::new(), &nodes, NOW);
    assert_eq!(outcome.steps.len(), 1);
    assert!(cameras[0].place.held.is_empty() && cameras[1].place.held[0].node == nodes[0].id);
    assert_eq!(outcome.changed[0].entries.len(), 1);
}

#[test]
fn erasures_are_planned_until_they_are_done() {
    let nodes = [node(1, Presence::Online), node(2, Presence::Away)];
    let erasure = |byte| Erasure {
        id: wire::ErasureId::from_bytes([byte; 16]),
        camera: CameraId::from_bytes([9; 16]),
        range: TimeRange::new(NOW, NOW.plus(1)).unwrap(),
    };
    let open = [
        (nodes[0].id, erasure(1)),
        (nodes[1].id, erasure(2)),
        (nodes[0].id, erasure(3)),
    ];
    let decide = |erasures: &[(NodeId, Erasure)], kept: &[Plan]| {
        decide(Input {
            cameras: Vec::new(),
            nodes: &nodes,
            settled: &Settled::new(),
            erasures,
            kept,
            may_rebalance: false,
            now: NOW,
        })
    };
    let first = decide(&open, &[]).changed;
    assert_eq!(first[0].erasures, [erasure(1), erasure(3)]);
    assert_eq!(first[1].erasures, [erasure(2)], "away or not");
    assert!(decide(&open, &first).changed.is_empty());
    let then = decide(&open[1..], &first).changed;
    assert_eq!(then.len(), 1);
    assert_eq!((then[0].revision, &then[0].erasures), (2, &vec![erasure(3)]));
}

#[test]
fn a_limit_of_uploads_is_in_the_plan_and_alone_changes_it() {
    let mut nodes = vec![node(1, Presence::Online)];
    let (mut cameras, mut kept) = (vec![camera(1)], Vec::new());
    settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!((kept[0].revision, kept[0].uplink_bps), (1, None));
    nodes[0].uplink_bps = Some(1_000_000);
    settle(&mut cameras, &mut kept, &nodes, NOW);
    assert_eq!((kept[0].revision, kept[0].uplink_bps), (2, Some(1_000_000)));
    assert!(settle(&mut cameras, &mut kept, &nodes, NOW).changed.is_empty());
}

#[test]
fn of_several_jobs_the_least_patient_says_how_failures_are_tried_again() {
    let mut cameras = vec![camera(1)];
    let retry = |alert_after, longest_pause_ms| wire::plan::RetryPolicy {
        alert_after,
        longest_pause_ms,
    };
    let mut jobs = vec![
        job(1, &daily("08:00", "18:00"), "Asia/Kathmandu"),
        job(2, &daily("12:00", "20:00"), "UTC"),
    ];
    (jobs[0].retry, jobs[1].retry) = (retry(20, 30_000), retry(5, 600_000));
    cameras[0].wish.jobs = jobs;
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &[node(1, Presence::Online)], NOW);
    assert_eq!(kept[0].entries[0].retry, retry(5, 30_000));
    assert_eq!(kept[0].entries[0].time_zone, None, "nothing of it repeats");
    cameras[0].wish.switch = false;
    settle(&mut cameras, &mut kept, &[node(1, Presence::Online)], NOW);
    let zone = kept[0].entries[0].time_zone.as_deref();
    assert_eq!(zone, Some("Asia/Kathmandu"), "the oldest job's");
}

#[test]
fn a_pause_cuts_a_window_and_a_cancel_opens_it_anew() {
    let nodes = [node(1, Presence::Online)];
    let now = at("2026-06-03T10:00:00Z");
    let mut cameras = vec![camera(1)];
    cameras[0].wish = Wish {
        jobs: vec![job(1, &daily("08:00", "18:00"), "UTC")],
        ..Wish::default()
    };
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &nodes, now);
    let end = at("2026-06-03T18:00:00Z");
    assert_eq!(
        kept[0].entries[0].windows[0],
        range(now, end),
        "nothing was to be recorded before it was planned"
    );
    let pause = over(1, OverrideKind::Pause, now.plus(1_000), Some(now.plus(HOUR_MS)));
    cameras[0].wish.overrides = vec![pause];
    settle(&mut cameras, &mut kept, &nodes, now.plus(1_001));
    assert_eq!(kept[0].entries[0].windows[0], range(now.plus(HOUR_MS), end));
    cameras[0].wish.overrides.clear();
    settle(&mut cameras, &mut kept, &nodes, now.plus(9_000));
    assert_eq!(kept[0].entries[0].windows[0], range(now.plus(9_000), end));
    assert_eq!(kept[0].entries[0].windows.len(), 3);
    assert_eq!(kept[0].entries[0].afterwards.len(), 7);
}

#[test]
fn the_newest_word_decides() {
    let now = at("2026-06-03T10:00:00Z");
    let mut cameras = vec![camera(1)];
    cameras[0].wish.overrides = vec![
        over(1, OverrideKind::Pause, now, None),
        over(2, OverrideKind::Record, now, Some(now.plus(60_000))),
    ];
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &[node(1, Presence::Online)], now);
    let entry = &kept[0].entries[0];
    assert_eq!(entry.windows, [range(now, now.plus(60_000))]);
    assert!(!entry.continuous && entry.afterwards.is_empty());
    cameras[0].wish.overrides[0].end = Some(now.plus(HOUR_MS));
    settle(&mut cameras, &mut kept, &[node(1, Presence::Online)], now.plus(5));
    let entry = &kept[0].entries[0];
    assert_eq!(entry.windows.len(), 2);
    let far = now.plus(300 * DAY_MS);
    assert!(
        !entry.continuous && entry.is_active(far),
        "goes on when nobody answers"
    );
    assert!(!entry.is_active(now.plus(HOUR_MS - 1)));
}

#[test]
fn very_many_windows_are_joined_and_the_plan_stays_small() {
    let now = at("2026-06-03T10:00:30Z");
    let cron = Schedule::Cron {
        expression: "* * * * *".to_owned(),
        duration_s: 1,
    };
    let mut cameras: Vec<PlanCamera> = (1..=40).map(camera).collect();
    for camera in &mut cameras[1..] {
        camera.wish = Wish {
            jobs: vec![job(1, &cron, "UTC")],
            ..Wish::default()
        };
    }
    let mut kept = Vec::new();
    settle(&mut cameras, &mut kept, &[node(1, Presence::Online)], now);
    let bytes = serde_json::to_vec(&kept[0]).unwrap().len();
    assert!((100_000..512_000).contains(&bytes), "{bytes}");
    assert!(kept[0].entries[0].continuous);
    let dense = &kept[0].entries[1];
    let exact = dense.windows.len() - 1;
    assert!(exact > 60, "more than an hour is exact: {exact}");
    for minute in 0..(9 * 24 * 60) {
        assert!(dense.is_active(now.plus(30_000 + minute * 60_000)), "never less");
    }
    assert!(!dense.is_active(now.plus(60_000)));
    let later = settle(
        &mut cameras,
        &mut kept,
        &[node(1, Presence::Online)],
        now.plus(20 * 60_000),
    );
    assert!(later.changed.is_empty(), "time alone changes it once an hour");
}
