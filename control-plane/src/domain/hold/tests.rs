//! When holds begin and end.

use wire::plan::{CutTargets, PlanEntry};
use wire::source::{Reader, Source, Transport};
use wire::{NodeId, StreamKind};

use super::*;
use crate::domain::assign::Place;
use crate::domain::licence::Permit;
use crate::domain::plan::Wish;

const NOW: UnixMs = UnixMs(1_769_846_400_123);
const ID: CameraId = CameraId::from_bytes([1; 16]);

fn source() -> Source {
    Source {
        url: "rtsp://10.0.0.1/".to_owned(),
        transport: Transport::Tcp,
        reader: Reader::Auto,
        audio: false,
    }
}

fn camera(permit: Permit) -> PlanCamera {
    PlanCamera {
        place: Place {
            id: ID,
            site: String::new(),
            address: None,
            labels: Vec::new(),
            wanted: 0,
            epoch: 1,
            held: Vec::new(),
        },
        organization: OrganizationId::from_bytes([1; 16]),
        name: "door".to_owned(),
        source: source(),
        sub_url: None,
        credentials_revision: 1,
        has_credentials: false,
        cut: CutTargets {
            segment_s: 6,
            object_s: 60,
        },
        wish: Wish {
            switch: true,
            ..Wish::default()
        },
        permit,
        denied: GapCause::Unlicensed,
        copies: 1,
    }
}

fn planned(start: UnixMs, end: UnixMs, continuous: bool) -> Vec<Plan> {
    vec![Plan {
        node: NodeId::from_bytes([1; 16]),
        revision: 1,
        horizon: end,
        erasures: Vec::new(),
        uplink_bps: None,
        entries: vec![PlanEntry {
            camera: ID,
            name: "door".to_owned(),
            stream: StreamKind::Main,
            epoch: 1,
            source: source(),
            credentials_revision: 1,
            has_credentials: false,
            windows: vec![TimeRange::new(start, end).unwrap()],
            continuous,
            afterwards: Vec::new(),
            time_zone: None,
            until: (!continuous).then_some(end),
            pre_roll_ms: 0,
            cut: None,
            retry: wire::plan::RetryPolicy::default(),
        }],
    }]
}

fn hold(start: UnixMs) -> OpenHold {
    OpenHold {
        camera: ID,
        cause: GapCause::Unlicensed,
        start,
    }
}

fn opened(changes: &[Change]) -> UnixMs {
    match changes {
        [Change::Open { hold, .. }] => hold.start,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hold_begins_where_the_nodes_window_ended() {
    let end = NOW.plus(-3_600_000);
    let lapsed = Permit::Within(TimeRange::new(UnixMs(0), end).unwrap());
    let kept = planned(UnixMs(5), end, false);
    // The control plane was away for an hour; the node stopped by itself.
    assert_eq!(opened(&changes(&[camera(lapsed)], &[], &kept, &[], NOW)), end);
    // Taken away in the middle of a window, never planned, recorded around the clock until now.
    for kept in [
        planned(UnixMs(5), NOW.plus(1), false),
        Vec::new(),
        planned(UnixMs(5), end, true),
    ] {
        assert_eq!(
            opened(&changes(&[camera(Permit::Never)], &[], &kept, &[], NOW)),
            NOW
        );
    }
}

#[test]
fn a_hold_ends_where_the_next_window_begins() {
    let open = [hold(UnixMs(5))];
    let begun = NOW.plus(-20);
    let valid = camera(Permit::Within(TimeRange::new(begun, NOW.plus(99)).unwrap()));
    let closed = |end| [Change::Close { hold: open[0], end }];
    let after = planned(begun, NOW.plus(99), false);
    assert_eq!(
        changes(std::slice::from_ref(&valid), &open, &[], &after, NOW),
        closed(begun)
    );
    // No node takes it: from now on that is another cause's time.
    assert_eq!(changes(&[valid], &open, &[], &[], NOW), closed(NOW));
}

#[test]
fn a_hold_ends_with_the_wish_to_record() {
    let mut off = camera(Permit::Never);
    off.wish.switch = false;
    let closed = [Change::Close {
        hold: hold(UnixMs(5)),
        end: NOW,
    }];
    assert_eq!(changes(&[off], &[hold(UnixMs(5))], &[], &[], NOW), closed);
    assert_eq!(changes(&[], &[hold(UnixMs(5))], &[], &[], NOW), closed, "deleted");
    assert_eq!(changes(&[camera(Permit::Always)], &[], &[], &[], NOW), []);
}

#[test]
fn another_cause_is_another_hold() {
    let mut suspended = camera(Permit::Never);
    assert_eq!(
        changes(
            std::slice::from_ref(&suspended),
            &[hold(UnixMs(5))],
            &[],
            &[],
            NOW
        ),
        []
    );
    suspended.denied = GapCause::Operator;
    let both = changes(&[suspended], &[hold(UnixMs(5))], &[], &[], NOW);
    let [Change::Close { end, .. }, Change::Open { hold, .. }] = both.as_slice() else {
        panic!("{both:?}");
    };
    assert_eq!((*end, hold.start, hold.cause), (NOW, NOW, GapCause::Operator));
}
