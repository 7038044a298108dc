//! What holds of every plan, against oracles that are written another way.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use wire::plan::PlanEntry;

use super::*;

const MINUTE_MS: i64 = 60_000;
/// Noon before days of 23 and of 25 hours, and an ordinary one; the second lies between two changes.
const ZONES: [(&str, &str); 6] = [
    ("Europe/Berlin", "2026-03-28T11:00:00.250Z"),
    ("Europe/Berlin", "2026-10-24T10:00:00Z"),
    ("America/New_York", "2026-03-07T17:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T02:00:00Z"),
    ("Asia/Kathmandu", "2026-06-01T06:15:00Z"),
    ("UTC", "2026-12-31T23:59:59.999Z"),
];

#[derive(Debug, Clone)]
struct Day {
    days: [bool; 7],
    from: i64,
    to: i64,
}

fn day() -> impl Strategy<Value = Day> {
    let any_day = any::<[bool; 7]>().prop_map(|mut days| {
        days[0] |= !days.iter().any(|day| *day);
        days
    });
    (any_day, 0_i64..288, 0_i64..=288).prop_map(|(days, from, to)| Day {
        days,
        from: from * 5,
        to: to * 5,
    })
}

fn text(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn schedule(windows: &[Day]) -> Schedule {
    let window = |day: &Day| WeeklyWindow {
        days: Weekday::ALL
            .into_iter()
            .zip(day.days)
            .filter(|(_, on)| *on)
            .map(|(day, _)| day)
            .collect(),
        from: text(day.from),
        to: text(day.to),
    };
    Schedule::Weekly {
        windows: windows.iter().map(window).collect(),
    }
}

/// Whether a clock on the wall shows a time of the window: today's, or yesterday's past midnight. Minutes
/// that autumn repeats count both times, as the clock shows them.
fn shows(day: &Day, zone: &TimeZone, at: UnixMs) -> bool {
    let shown = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap());
    let minute = i64::from(shown.hour()) * 60 + i64::from(shown.minute());
    let today = usize::try_from(shown.weekday().to_monday_zero_offset()).unwrap();
    let yesterday = (today + 6) % 7;
    let to = if day.to <= day.from { day.to + 1440 } else { day.to };
    (day.days[today] && (day.from..to).contains(&minute))
        || (day.days[yesterday] && (day.from..to).contains(&(minute + 1440)))
}

/// Whether a clock is within three hours of a change, where what it shows is not the whole truth: the
/// longest stretch that a change can make longer.
fn is_near_change(zone: &TimeZone, at: UnixMs) -> bool {
    let offset = |ms: i64| zone.to_offset(Timestamp::from_millisecond(at.0 + ms).unwrap());
    offset(-3 * HOUR_MS) != offset(3 * HOUR_MS)
}

#[derive(Debug, Clone)]
struct Case {
    zone: usize,
    switch: bool,
    windows: Vec<Vec<Day>>,
    /// Kind, start and length in minutes from the present; no length for one that nobody ended.
    overrides: Vec<(bool, i64, Option<i64>)>,
    /// Minutes from the present.
    permit: Option<(i64, i64)>,
}

fn case() -> impl Strategy<Value = Case> {
    let windows = prop::collection::vec(prop::collection::vec(day(), 1..4), 0..4);
    let one = (
        any::<bool>(),
        -600_i64..600,
        prop::option::weighted(0.8, 1_i64..900),
    );
    let permit = prop::option::of((-3000_i64..3000, 1_i64..30_000));
    (
        0..ZONES.len(),
        any::<bool>(),
        windows,
        prop::collection::vec(one, 0..5),
        permit,
    )
        .prop_map(|(zone, switch, windows, overrides, permit)| Case {
            zone,
            switch,
            windows,
            overrides,
            permit: permit.map(|(from, length)| (from, from + length)),
        })
}

impl Case {
    fn now(&self) -> UnixMs {
        at(ZONES[self.zone].1)
    }

    fn zone(&self) -> TimeZone {
        zone(ZONES[self.zone].0).unwrap()
    }

    fn overrides(&self) -> Vec<PlanOverride> {
        let now = self.now();
        let one = |(n, (record, start, length)): (usize, &(bool, i64, Option<i64>))| {
            let kind = if *record {
                OverrideKind::Record
            } else {
                OverrideKind::Pause
            };
            let start = now.plus(start * MINUTE_MS);
            over(
                n as u8,
                kind,
                start,
                length.map(|length| start.plus(length * MINUTE_MS)),
            )
        };
        let all = self.overrides.iter().enumerate().map(one);
        all.filter(|one| one.end.is_none_or(|end| end > now)).collect()
    }

    fn camera(&self) -> PlanCamera {
        let mut camera = camera(1);
        let jobs = self.windows.iter().zip(1..);
        let name = ZONES[self.zone].0;
        camera.wish = Wish {
            switch: self.switch,
            jobs: jobs
                .map(|(windows, n)| job(n, &schedule(windows), name))
                .collect(),
            overrides: self.overrides(),
            has_sub: false,
        };
        camera.permit = match self.permit {
            None => Permit::Always,
            Some((from, to)) => {
                let now = self.now();
                Permit::Within(range(now.plus(from * MINUTE_MS), now.plus(to * MINUTE_MS)))
            }
        };
        camera
    }

    /// Whether it is to be recorded at an instant, asked one by one.
    fn is_due(&self, at: UnixMs) -> bool {
        let zone = self.zone();
        let regular = self.switch || self.windows.iter().flatten().any(|day| shows(day, &zone, at));
        let said = self.overrides();
        let newest = said.iter().rfind(|one| one.covers(at));
        let wanted = newest.map_or(regular, |one| one.kind == OverrideKind::Record);
        let now = self.now();
        let permitted = self
            .permit
            .is_none_or(|(from, to)| now.plus(from * MINUTE_MS) <= at && at < now.plus(to * MINUTE_MS));
        wanted && permitted
    }
}

fn in_order(windows: &[TimeRange]) -> bool {
    windows.windows(2).all(|pair| pair[0].end() <= pair[1].start())
}

fn entry_of(kept: &[Plan]) -> Option<&PlanEntry> {
    kept.first()?.entries.first()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_node_does_what_is_asked_at_every_minute(case in case()) {
        let mut kept = Vec::new();
        let now = case.now();
        settle(&mut vec![case.camera()], &mut kept, &[node(1, Presence::Online)], now);
        let entry = entry_of(&kept);
        let zone = case.zone();
        let reach = horizon(now).plus(6 * DAY_MS).since(now) / MINUTE_MS;
        // Off the full minute, so that what is asked for is clear.
        for minute in (0..reach).step_by(7) {
            let at = now.plus(minute * MINUTE_MS + 30_000);
            if is_near_change(&zone, at) && !case.windows.is_empty() {
                continue;
            }
            let due = case.is_due(at);
            // A permission that begins after the horizon is for a later plan.
            let later = case.permit.is_some_and(|(from, _)| now.plus(from * MINUTE_MS) >= horizon(now));
            let active = entry.is_some_and(|entry| entry.is_active(at));
            prop_assert_eq!(active, due && !later, "{} {:?}", at, entry);
        }
    }

    #[test]
    fn windows_never_overlap_and_time_alone_changes_little(case in case(), steps in prop::collection::vec(0_i64..50, 1..30)) {
        let mut cameras = vec![case.camera()];
        let nodes = [node(1, Presence::Online)];
        let mut kept: Vec<Plan> = Vec::new();
        let mut now = case.now();
        for step in steps {
            now = now.plus(step * MINUTE_MS);
            let overrides = case.overrides();
            cameras[0].wish.overrides = overrides.into_iter().filter(|one| one.end.is_none_or(|end| end > now)).collect();
            let before = kept.clone();
            settle(&mut cameras, &mut kept, &nodes, now);
            if let Some(entry) = entry_of(&kept) {
                prop_assert!(in_order(&entry.windows), "{:?}", entry.windows);
                prop_assert!(in_order(&entry.afterwards), "{:?}", entry.afterwards);
                let mut all = entry.windows.clone();
                all.extend(&entry.afterwards);
                prop_assert!(in_order(&all), "{:?}", entry);
                prop_assert!(!entry.continuous || entry.windows.len() == 1);
            }
            // Nobody changed anything: within the hour the plan stays, unless the last window is over.
            if let (Some(old), Some(new)) = (entry_of(&before), entry_of(&kept))
                && before[0].horizon == kept[0].horizon
            {
                prop_assert_eq!(old, new);
            }
            let again = settle(&mut cameras, &mut kept, &nodes, now);
            prop_assert!(again.changed.is_empty() && again.steps.is_empty(), "{:?}", again.changed);
        }
    }

    #[test]
    fn the_order_of_things_is_of_no_account(cases in prop::collection::vec(case(), 1..6), seed in any::<u64>()) {
        let now = cases[0].now();
        let mut cameras: Vec<PlanCamera> = cases.iter().zip(1..).map(|(case, n)| {
            let mut own = case.camera();
            own.place.id = CameraId::from_bytes([n; 16]);
            own
        }).collect();
        let mut nodes = vec![node(1, Presence::Online), node(2, Presence::Online), node(3, Presence::Away)];
        let plan = |cameras: &[PlanCamera], nodes: &[Node]| {
            let mut kept = Vec::new();
            let outcome = settle(&mut cameras.to_vec(), &mut kept, nodes, now);
            kept.sort_by_key(|plan| plan.node);
            (outcome.steps, kept)
        };
        let first = plan(&cameras, &nodes);
        let turn = usize::try_from(seed % 7).unwrap();
        let count = cameras.len();
        cameras.rotate_left(turn % count);
        nodes.rotate_left(turn % 3);
        for camera in &mut cameras {
            camera.wish.jobs.reverse();
        }
        prop_assert_eq!(plan(&cameras, &nodes), first);
    }

    #[test]
    fn what_should_exist_is_kept_without_overlap(
        cases in prop::collection::vec(case(), 1..8),
        steps in prop::collection::vec(1_i64..200, 8),
    ) {
        // One camera whose wishes change from step to step.
        let mut rows: Vec<Expected> = Vec::new();
        let mut now = cases[0].now();
        for (case, step) in cases.iter().zip(steps) {
            let mut wish = case.camera().wish;
            wish.overrides.clear();
            let past: Vec<Expected> = rows.iter().filter(|row| row.end.is_some_and(|end| end <= now)).copied().collect();
            let wanted = wish.expected(StreamKind::Main, wish.regular(StreamKind::Main, now));
            let changes = reconcile(&not_over(&rows, now), &wanted, now);
            apply(&mut rows, changes);
            prop_assert!(reconcile(&not_over(&rows, now), &wanted, now).is_empty(), "once is enough");
            for row in &past {
                prop_assert!(rows.contains(row), "the past stays");
            }
            rows.sort_by_key(|row| row.start);
            prop_assert!(rows.windows(2).all(|pair| pair[0].end.is_some_and(|end| end <= pair[1].start)), "{:?}", rows);
            for minute in 0..3_000 {
                let at = now.plus(minute * MINUTE_MS);
                if at >= horizon(now) { break; }
                let kept = rows.iter().any(|row| row.start <= at && row.end.is_none_or(|end| at < end));
                prop_assert_eq!(kept, wanted.iter().any(|one| one.range.contains(at)), "{}", at);
            }
            now = now.plus(step * MINUTE_MS);
        }
    }
}

fn not_over(rows: &[Expected], now: UnixMs) -> Vec<Expected> {
    let rows = rows.iter().filter(|row| row.end.is_none_or(|end| end > now));
    rows.copied().collect()
}

fn apply(rows: &mut Vec<Expected>, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Put(new) => {
                rows.retain(|row| row.start != new.start);
                rows.push(new);
            }
            Change::Remove(start) => rows.retain(|row| row.start != start),
        }
    }
}

/// Days of 23 and 25 hours: as long as the clock says, to the minute.
#[test]
fn days_on_which_clocks_change_have_their_own_length() {
    for (name, noon, hours) in [
        ("Europe/Berlin", "2026-03-28T11:00:00Z", 23),
        ("Europe/Berlin", "2026-10-24T10:00:00Z", 25),
        ("America/New_York", "2026-03-07T17:00:00Z", 23),
        ("America/New_York", "2026-10-31T16:00:00Z", 25),
    ] {
        let mut camera = camera(1);
        let whole = Schedule::Weekly {
            windows: vec![WeeklyWindow {
                days: vec![Weekday::Sun],
                from: "00:00".to_owned(),
                to: "24:00".to_owned(),
            }],
        };
        camera.wish = Wish {
            jobs: vec![job(1, &whole, name)],
            ..Wish::default()
        };
        let now = at(noon);
        let entry = planned(camera, now);
        let zone = zone(name).unwrap();
        let sunday = |at: UnixMs| {
            let shown = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap());
            shown.weekday() == jiff::civil::Weekday::Sunday
        };
        let minutes = (0..2880).map(|minute| now.plus(minute * MINUTE_MS));
        let (mut planned, mut shown) = (0, 0);
        for at in minutes {
            assert_eq!(entry.is_active(at), sunday(at), "{name} {at}");
            planned += i64::from(entry.is_active(at));
            shown += i64::from(sunday(at));
        }
        assert_eq!((planned, shown), (hours * 60, hours * 60), "{name}");
    }
}

/// Most of a year without a newer plan: each minute as a clock on the wall has it, days of 23 and 25 hours included.
#[test]
fn a_plan_that_is_months_old_keeps_to_the_clock_on_the_wall() {
    for (name, noon) in [
        ("Europe/Berlin", "2026-03-20T11:00:00Z"),
        ("Europe/Berlin", "2026-10-10T10:00:00Z"),
        ("America/New_York", "2026-02-20T17:00:00Z"),
    ] {
        let mut camera = camera(1);
        camera.wish = Wish {
            jobs: vec![job(1, &daily("22:00", "06:00"), name)],
            ..Wish::default()
        };
        let now = at(noon);
        let entry = planned(camera, now);
        let zone = zone(name).unwrap();
        let night = |at: UnixMs| {
            let shown = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap());
            !(6..22).contains(&shown.hour())
        };
        for quarter in 0..(300 * 24 * 4) {
            let at = now.plus(quarter * 15 * MINUTE_MS);
            assert_eq!(entry.is_active(at), night(at), "{name} {at}");
        }
    }
}
