//! Coverage and calendar, by examples and against oracles.

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use wire::coverage::{Gap, GapCause, Stretch};
use wire::{CameraId, NodeId, ObjectId, StreamKind, TimeRange, UnixMs};

use super::*;

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(UnixMs(start), UnixMs(end)).unwrap()
}

fn gap(start: i64, end: i64, cause: GapCause) -> Gap {
    Gap {
        id: ObjectId::from_bytes([1; 16]),
        camera: CameraId::from_bytes([2; 16]),
        stream: StreamKind::Main,
        node: NodeId::from_bytes([3; 16]),
        range: range(start, end),
        cause,
        detail: cause_text(cause),
    }
}

fn cause_text(cause: GapCause) -> String {
    format!("{cause:?}")
}

fn bounds(stretch: &Stretch) -> (i64, i64) {
    match stretch {
        Stretch::Footage { start, end } | Stretch::Gap { start, end, .. } => (start.0, end.0),
    }
}

fn cause(stretch: &Stretch) -> Option<GapCause> {
    match stretch {
        Stretch::Footage { .. } => None,
        Stretch::Gap { cause, .. } => Some(*cause),
    }
}

#[test]
fn footage_gaps_and_what_nobody_explains() {
    let stretches = coverage(
        range(0, 100_000),
        [
            range(40_000, 50_000),
            range(10_000, 20_000),
            range(20_010, 30_000),
        ],
        &[
            gap(28_000, 35_000, GapCause::Camera),
            gap(33_000, 38_000, GapCause::Disk),
        ],
        &[range(5_000, 49_000), range(52_000, 60_000)],
    );
    let told: Vec<_> = stretches.iter().map(|s| (bounds(s), cause(s))).collect();
    assert_eq!(
        told,
        [
            ((5_000, 10_000), Some(GapCause::Unknown)),
            ((10_000, 30_000), None),
            ((30_000, 35_000), Some(GapCause::Camera)),
            ((35_000, 38_000), Some(GapCause::Disk)),
            ((38_000, 40_000), Some(GapCause::Unknown)),
            ((40_000, 50_000), None),
            ((52_000, 60_000), Some(GapCause::Unknown)),
        ]
    );
}

#[test]
fn a_gap_reaches_back_to_where_its_plan_began() {
    let told = |gap_start| -> Vec<_> {
        let gaps = [gap(gap_start, 20_000, GapCause::Node)];
        coverage(range(0, 20_000), [], &gaps, &[range(1_000, 30_000)])
            .iter()
            .map(bounds)
            .collect()
    };
    assert_eq!(told(1_007), [(1_000, 20_000)]);
    assert_eq!(told(500), [(500, 20_000)]);
    assert_eq!(told(3_001), [(1_000, 3_001), (3_001, 20_000)]);
}

#[test]
fn nothing_planned_and_nothing_recorded_is_nothing() {
    assert_eq!(coverage(range(0, 10), [], &[], &[]), []);
}

#[test]
fn nobody_explains_the_edges_of_a_switch_nor_the_last_minute() {
    let windows = [range(0, 30_000), range(40_000, 43_000), range(50_000, 1_000_000)];
    let said = due(&windows, UnixMs(200_000));
    assert_eq!(
        said,
        [range(0, 28_000), range(40_000, 41_000), range(50_000, 140_000)]
    );
}

proptest! {
    #[test]
    fn covers_everything_planned_without_overlap(
        footage in proptest::collection::vec((0..2_000_i64, 1..300_i64), 0..30),
        gaps in proptest::collection::vec((0..2_000_i64, 1..300_i64), 0..30),
        planned in (0..1_000_i64, 1..1_000_i64),
    ) {
        let whole = range(100, 1_900);
        let planned = range(planned.0, planned.0 + planned.1);
        let footage: Vec<_> = footage.iter().map(|(s, l)| range(*s, s + l)).collect();
        let gaps: Vec<_> = gaps.iter().map(|(s, l)| gap(*s, s + l, GapCause::Node)).collect();
        let stretches = coverage(whole, footage.clone(), &gaps, &[planned]);
        for pair in stretches.windows(2) {
            prop_assert!(bounds(&pair[0]).1 <= bounds(&pair[1]).0);
        }
        for at in (whole.start().0..whole.end().0).map(UnixMs) {
            let found: Vec<_> = stretches.iter()
                .filter(|s| bounds(s).0 <= at.0 && at.0 < bounds(s).1).collect();
            prop_assert!(found.len() <= 1);
            let said = found.first().map(|stretch| cause(stretch));
            if footage.iter().any(|one| one.contains(at)) {
                prop_assert_eq!(said, Some(None));
            } else if gaps.iter().any(|one| one.range.contains(at)) {
                // Tiny holes between two runs count as footage.
                prop_assert!(matches!(said, Some(None | Some(GapCause::Node))));
            } else if planned.contains(at) {
                let reached = gaps.iter().any(|one| {
                    (0..=REACTION_MS).contains(&one.range.start().since(at))
                });
                let right = match said {
                    Some(None | Some(GapCause::Unknown)) => true,
                    Some(Some(GapCause::Node)) => reached,
                    _ => false,
                };
                prop_assert!(right, "{:?}", said);
            } else {
                prop_assert!(matches!(said, None | Some(None)));
            }
        }
    }
}

fn quarter(text: &str) -> i64 {
    text.parse::<UnixMs>().unwrap().0.div_euclid(QUARTER_MS)
}

#[test]
fn long_short_and_odd_days() {
    let always = |_| 900_000;
    for (zone, day, next, hours) in [
        ("Europe/Berlin", date(2026, 3, 29), date(2026, 3, 30), 23),
        ("Europe/Berlin", date(2026, 10, 25), date(2026, 10, 26), 25),
        ("Asia/Kathmandu", date(2026, 6, 1), date(2026, 6, 2), 24),
        ("UTC", date(2026, 6, 1), date(2026, 6, 2), 24),
    ] {
        let zone = TimeZone::get(zone).unwrap();
        let days = calendar(day, next, &zone, always);
        assert_eq!(days.len(), 1);
        assert_eq!(days[0].date, day.to_string());
        assert_eq!(days[0].footage_ms, hours * 3_600_000);
        assert_eq!(days[0].hours, (1 << hours) - 1);
    }
    // A day of 24.5 hours: the half hour is the 25th.
    let zone = TimeZone::get("Australia/Lord_Howe").unwrap();
    let days = calendar(date(2026, 4, 5), date(2026, 4, 6), &zone, always);
    assert_eq!((days[0].footage_ms, days[0].hours), (88_200_000, (1 << 25) - 1));
}

#[test]
fn footage_falls_into_the_local_day() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let only = quarter("2026-01-31T23:30:00Z");
    let days = calendar(date(2026, 1, 1), date(2026, 3, 1), &zone, |quarter| {
        u64::from(quarter == only) * 2_000_000
    });
    assert_eq!(days.len(), 1);
    assert_eq!(days[0].date, "2026-02-01");
    assert_eq!((days[0].footage_ms, days[0].hours), (900_000, 1));
}
