//! Objects and gaps together cover planned time and never overlap, whatever happens in which order.

use proptest::prelude::*;

use super::*;

const NODE: NodeId = NodeId::from_bytes([9; 16]);
const KEY: StreamKey = StreamKey {
    camera: CameraId::from_bytes([1; 16]),
    stream: StreamKind::Main,
};

/// What the index would hold: gaps by id (the last word counts) and objects.
#[derive(Default)]
struct Index {
    gaps: HashMap<ObjectId, Gap>,
    objects: Vec<TimeRange>,
    row: Option<StreamLedger>,
}

impl Index {
    fn take(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Gap(gap) => {
                    if let Some(before) = self.gaps.get(&gap.id) {
                        assert_eq!(before.range.start(), gap.range.start());
                        assert!(before.range.end() <= gap.range.end(), "a gap never shrinks");
                    }
                    self.gaps.insert(gap.id, gap);
                }
                Change::Coverage(_, row) => self.row = Some(row),
                Change::Gone(_) => self.row = None,
            }
        }
    }

    /// The union as disjoint ranges in order; fails on an overlap.
    fn union(&self) -> Vec<TimeRange> {
        let mut all: Vec<TimeRange> = self
            .gaps
            .values()
            .map(|gap| gap.range)
            .chain(self.objects.clone())
            .collect();
        all.sort_by_key(TimeRange::start);
        for pair in all.windows(2) {
            assert!(pair[0].end() <= pair[1].start(), "overlap: {pair:?}");
        }
        all
    }

    fn covers(&self, range: TimeRange) -> bool {
        let mut at = range.start();
        for part in self.union() {
            if part.start() <= at && part.end() > at {
                at = part.end();
            }
        }
        at >= range.end()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Outage(u8),
    Object(i64),
    Lost(i64),
    Restart(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..60_000_i64).prop_map(Step::Pass),
        (0..4_u8).prop_map(Step::Outage),
        (1..70_000_i64).prop_map(Step::Object),
        (1..70_000_i64).prop_map(Step::Lost),
        (1..600_000_i64).prop_map(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}

fn cause(kind: u8, now: UnixMs) -> Cause {
    let causes = [
        GapCause::Network,
        GapCause::Camera,
        GapCause::Disk,
        GapCause::Node,
    ];
    Cause::new(causes[usize::from(kind) % 4], "test", now)
}

fn run(planned: &Planned, steps: Vec<Step>) -> (Index, TimeRange) {
    let t0 = UnixMs(1_769_846_400_000);
    let map = HashMap::from([(KEY, planned.clone())]);
    let mut index = Index::default();
    let mut now = t0;
    let mut ledger = Ledger::resume(NODE, Vec::new(), HashMap::new(), now);
    index.take(ledger.plan(&map, now));
    for step in steps {
        match step {
            Step::Pass(ms) => now = now.plus(ms),
            Step::Outage(kind) => index.take(ledger.outage(KEY, now, &cause(kind, now.plus(-7_000)))),
            Step::Object(ms) => {
                let range = TimeRange::new(now, now.plus(ms)).unwrap();
                index.take(ledger.opened(KEY, now, &cause(0, now)));
                // Reports in between change nothing while footage is written.
                index.take(ledger.outage(KEY, now.plus(ms / 2), &cause(1, now)));
                now = range.end();
                index.objects.push(range);
                index.take(ledger.sealed(KEY, ObjectId::generate(), range));
            }
            Step::Lost(ms) => {
                index.take(ledger.opened(KEY, now, &cause(0, now)));
                now = now.plus(ms);
                ledger.abandoned(KEY, &cause(2, now));
            }
            Step::Restart(ms) => {
                now = now.plus(ms);
                let rows = index.row.clone().map(|row| (KEY, row)).into_iter().collect();
                ledger = Ledger::resume(NODE, rows, map.clone(), now);
                index.take(ledger.plan(&map, now));
            }
        }
    }
    let end = now.plus(1);
    index.take(ledger.outage(KEY, end, &cause(3, now)));
    (index, TimeRange::new(t0, end).unwrap())
}

proptest! {
    #[test]
    fn continuous_time_is_covered_without_overlap(steps in steps()) {
        let (index, all) = run(&Planned::always(), steps);
        prop_assert!(index.covers(all));
    }

    #[test]
    fn gaps_stay_inside_windows(steps in steps()) {
        let t0 = 1_769_846_400_000_i64;
        let windows: Vec<TimeRange> = (0..400)
            .map(|i| TimeRange::new(UnixMs(t0 + i * 50_000), UnixMs(t0 + i * 50_000 + 20_000)).unwrap())
            .collect();
        let (index, all) = run(&Planned::windows(windows.clone()), steps);
        for window in &windows {
            // Up to the last picture: the rest of a window after it is no gap when it is shorter than one.
            let end = if all.end() > window.end() { window.end().plus(-stream::SEAM_MS) } else { window.end() };
            let window = TimeRange::new(window.start(), end).unwrap();
            if let Some(planned) = window.intersection(&all) {
                prop_assert!(index.covers(planned), "{planned:?}");
            }
        }
        for gap in index.gaps.values() {
            prop_assert!(windows.iter().any(|w| w.intersection(&gap.range) == Some(gap.range)));
        }
    }
}

#[test]
fn a_growing_outage_is_one_gap_and_another_cause_another() {
    let t = |s: i64| UnixMs(1_769_846_400_000 + s * 1000);
    let mut index = Index::default();
    let mut ledger = Ledger::resume(NODE, Vec::new(), HashMap::new(), t(0));
    index.take(ledger.plan(&HashMap::from([(KEY, Planned::always())]), t(0)));
    for s in [30, 60, 90] {
        index.take(ledger.outage(KEY, t(s), &Cause::new(GapCause::Network, "away", t(0))));
    }
    assert_eq!(index.gaps.len(), 1);
    index.take(ledger.outage(KEY, t(120), &Cause::new(GapCause::Camera, "401", t(100))));
    let mut ends: Vec<_> = index.gaps.values().map(|g| (g.range.end(), g.cause)).collect();
    ends.sort();
    assert_eq!(
        ends,
        vec![(t(100), GapCause::Network), (t(120), GapCause::Camera)]
    );
}

#[test]
fn a_removed_stream_is_forgotten_without_a_gap_after_it() {
    let t = |s: i64| UnixMs(1_769_846_400_000 + s * 1000);
    let planned = HashMap::from([(KEY, Planned::always())]);
    let mut index = Index::default();
    let mut ledger = Ledger::resume(NODE, Vec::new(), HashMap::new(), t(0));
    index.take(ledger.plan(&planned, t(0)));
    index.take(ledger.opened(KEY, t(1), &cause(0, t(0))));
    index.take(ledger.plan(&HashMap::new(), t(10)));
    assert!(index.row.is_some(), "its object is still open");
    index.take(ledger.sealed(KEY, ObjectId::generate(), TimeRange::new(t(1), t(10)).unwrap()));
    assert_eq!(index.row, None);
    // Planned again an hour later: the hour between is nobody's.
    index.take(ledger.plan(&planned, t(3600)));
    index.take(ledger.opened(KEY, t(3601), &cause(0, t(3600))));
    assert!(
        index
            .gaps
            .values()
            .all(|g| g.range.end() <= t(1) || g.range.start() >= t(3600))
    );
}
