//! What holds for every schedule, zone and range.

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan, Zoned};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const MINUTE_MS: i64 = 60_000;
const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
    // Changed across midnight; skipped a date; changes at midnight.
    "America/St_Johns",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
];

fn any_zone() -> impl Strategy<Value = TimeZone> {
    select(ZONES.to_vec()).prop_map(|name| zone(name).unwrap())
}

/// Any minute, half of them within three days of a change of clocks.
fn any_instant(zone: TimeZone) -> impl Strategy<Value = UnixMs> {
    let anywhere = (UnixMs::MIN.0 / MINUTE_MS)..(UnixMs::MAX.0 / MINUTE_MS);
    (anywhere, any::<bool>(), -4_320..4_320_i64).prop_map(move |(minute, near_change, shift)| {
        let at = UnixMs(minute * MINUTE_MS);
        let change = zone
            .following(Timestamp::from_millisecond(at.0).unwrap())
            .next()
            .filter(|change| near_change && change.timestamp().as_millisecond() < UnixMs::MAX.0);
        change.map_or(at, |change| {
            UnixMs((change.timestamp().as_millisecond() / MINUTE_MS + shift) * MINUTE_MS)
        })
    })
}

fn any_time(last_min: u32) -> impl Strategy<Value = String> {
    (0..=last_min).prop_map(|minutes| format!("{:02}:{:02}", minutes / 60, minutes % 60))
}

fn any_weekly() -> impl Strategy<Value = Schedule> {
    let days = vec(select(Weekday::ALL.to_vec()), 1..7);
    // Small hours, where clocks change, as often as others.
    let from = prop_oneof![any_time(1439), any_time(240)];
    let to = prop_oneof![any_time(1440), any_time(240)];
    let window = (days, from, to).prop_map(|(days, from, to)| weekly(&days, &from, &to));
    vec(window, 1..5).prop_map(|windows| Schedule::Weekly { windows })
}

fn any_cron() -> impl Strategy<Value = Schedule> {
    let minute = select(vec!["*", "0", "30", "*/15", "1,2,40", "17-23", "59"]);
    let hour = select(vec!["*", "2", "1", "0", "*/6", "1,2,3", "9-17", "23"]);
    let day = select(vec!["*", "1", "29", "31", "L", "15W", "*/2"]);
    let month = select(vec!["*", "3", "10", "2", "*/3", "4-11"]);
    let weekday = select(vec!["*", "0", "1-5", "SUN", "5#2", "7"]);
    let duration = prop_oneof![1..120_u32, 1..7_200_u32, 1..604_800_u32];
    (minute, hour, day, month, weekday, duration)
        .prop_map(|(m, h, d, mo, w, duration)| cron(&format!("{m} {h} {d} {mo} {w}"), duration))
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let once = (UnixMs::MIN.0..UnixMs::MAX.0 - 366 * DAY_MS, 1..366 * DAY_MS).prop_map(|(from, length)| {
        Schedule::Once {
            from: UnixMs(from),
            to: UnixMs(from + length),
        }
    });
    prop_oneof![
        1 => Just(Schedule::Continuous {}),
        4 => any_weekly(),
        4 => any_cron(),
        1 => once,
    ]
}

fn any_case() -> impl Strategy<Value = (TimeZone, UnixMs)> {
    any_zone().prop_flat_map(|zone| (Just(zone.clone()), any_instant(zone)))
}

fn wall(zone: &TimeZone, at: UnixMs) -> Zoned {
    Timestamp::from_millisecond(at.0).unwrap().to_zoned(zone.clone())
}

/// Every minute of `range` with what a clock shows then.
fn minutes(zone: &TimeZone, range: TimeRange) -> Vec<(UnixMs, DateTime)> {
    (range.start().0..range.end().0)
        .step_by(60_000)
        .map(|ms| (UnixMs(ms), wall(zone, UnixMs(ms)).datetime()))
        .collect()
}

/// A weekly schedule's minutes, found by walking a clock.
fn walked_weekly(windows: &[WeeklyWindow], zone: &TimeZone, range: TimeRange) -> Vec<TimeRange> {
    let around = TimeRange::new(range.start().plus(-4 * DAY_MS), range.end().plus(4 * DAY_MS)).unwrap();
    let clock = minutes(zone, around);
    // Skipped dates too: of a window that begins on one, what is left comes after the change. Dates that the
    // walk shows in part say nothing.
    let (first, last) = (clock[0].1.date(), clock[clock.len() - 1].1.date());
    let dates: Vec<_> = first.series(1.day()).take_while(|date| *date <= last).collect();
    let mut found = Vec::new();
    for date in &dates[1..dates.len() - 2] {
        for window in windows {
            let today = Weekday::ALL[date.weekday().to_monday_zero_offset() as usize];
            if !window.days.contains(&today) {
                continue;
            }
            let time = |text: &str| {
                let minutes = text[..2].parse::<i64>().unwrap() * 60 + text[3..].parse::<i64>().unwrap();
                date.at(0, 0, 0, 0).checked_add(minutes.minutes()).unwrap()
            };
            let (from, mut to) = (time(&window.from), time(&window.to));
            if to <= from {
                to = to.checked_add(1.day()).unwrap();
            }
            let first = clock.iter().find(|(_, shown)| *shown >= from).unwrap().0;
            let last = clock.iter().rev().find(|(_, shown)| *shown < to).unwrap().0;
            let window = TimeRange::new(first, last.plus(MINUTE_MS)).ok();
            found.extend(window.and_then(|window| window.intersection(&range)));
        }
    }
    merged(found)
}

/// A cron schedule's windows, found by croner's own search.
fn searched_cron(text: &str, duration_s: u32, zone: &TimeZone, range: TimeRange) -> Vec<TimeRange> {
    let expression: croner::Cron = text.parse().unwrap();
    let duration_ms = i64::from(duration_s) * 1000;
    let mut at = wall(zone, range.start().plus(-duration_ms));
    let mut found = Vec::new();
    while let Ok(next) = expression.find_next_occurrence(&at, false) {
        let start = UnixMs(next.timestamp().as_millisecond());
        if start >= range.end() {
            break;
        }
        let window = TimeRange::new(start, start.plus(duration_ms)).unwrap();
        found.extend(window.intersection(&range));
        at = next;
    }
    merged(found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn windows_are_in_order_apart_and_inside(
        schedule in any_schedule(), (zone, start) in any_case(), length in 1..40 * DAY_MS,
    ) {
        let range = TimeRange::new(start, start.plus(length)).unwrap();
        let windows = rule(&schedule).windows(&zone, range);
        for window in &windows {
            prop_assert!(range.start() <= window.start() && window.end() <= range.end());
        }
        for pair in windows.windows(2) {
            prop_assert!(pair[0].end() < pair[1].start());
        }
    }

    #[test]
    fn two_halves_are_the_whole(
        schedule in any_schedule(), (zone, cut) in any_case(),
        before in 1..9 * DAY_MS, after in 1..9 * DAY_MS,
    ) {
        let rule = rule(&schedule);
        let part = |from, to| rule.windows(&zone, TimeRange::new(from, to).unwrap());
        let (from, to) = (cut.plus(-before), cut.plus(after));
        let joined = merged([part(from, cut), part(cut, to)].concat());
        prop_assert_eq!(part(from, to), joined);
    }

    #[test]
    fn next_windows_are_the_first_of_the_range(schedule in any_schedule(), (zone, after) in any_case()) {
        let rule = rule(&schedule);
        let upcoming = rule.next(&zone, after, 10);
        prop_assert!(upcoming.windows.len() <= 10);
        if let (Some(first), Some(last)) = (upcoming.windows.first(), upcoming.windows.last()) {
            prop_assert!(first.start() >= after);
            if last.end() < upcoming.horizon {
                let range = TimeRange::new(after.max(UnixMs::MIN), last.end().plus(1)).unwrap();
                prop_assert_eq!(&rule.windows(&zone, range), &upcoming.windows);
            }
        }
    }

    #[test]
    fn arbitrary_texts_are_refused_or_work(
        expression in ".{0,40}", duration in any::<u32>(), from in ".{0,6}", to in ".{0,6}",
        name in ".{0,20}", start in any::<i64>(), end in any::<i64>(), after in any::<i64>(),
    ) {
        let schedules = [
            cron(&expression, duration),
            daily(&from, &to),
            Schedule::Once { from: UnixMs(start), to: UnixMs(end) },
        ];
        let zone = zone(&name).unwrap_or(TimeZone::UTC);
        for rule in schedules.iter().filter_map(|schedule| Rule::try_from(schedule).ok()) {
            prop_assert!(rule.next(&zone, UnixMs(after), 3).windows.len() <= 3);
        }
    }

    #[test]
    fn texts_like_expressions_are_refused_or_work(
        expression in "[0-9*/,LW#?+-]{1,6}( [0-9*/,LW#?+A-Z-]{1,6}){4}", (zone, start) in any_case(),
    ) {
        if let Ok(rule) = Rule::try_from(&cron(&expression, 90)) {
            let week = TimeRange::new(start, start.plus(7 * DAY_MS)).unwrap();
            prop_assert!(rule.windows(&zone, week).len() <= 8 * 1_440);
            prop_assert!(rule.next(&zone, start, 3).windows.len() <= 3);
        }
    }
}

/// A change of clocks, and the minute of the day at which it comes.
fn any_change() -> impl Strategy<Value = (TimeZone, UnixMs, i64)> {
    let changing = ZONES
        .into_iter()
        .filter(|name| !["UTC", "Asia/Kathmandu"].contains(name));
    let zone = select(changing.collect::<Vec<_>>()).prop_map(|name| zone(name).unwrap());
    (zone, UnixMs::MIN.0..at("2012-01-01T00:00:00Z").0).prop_map(|(zone, start)| {
        let start = Timestamp::from_millisecond(start).unwrap();
        let change = zone.following(start).next().map(|change| change.timestamp());
        let change = UnixMs(change.unwrap_or(start).as_millisecond() / MINUTE_MS * MINUTE_MS);
        let shown = wall(&zone, change.plus(-MINUTE_MS));
        let minute = i64::from(shown.hour()) * 60 + i64::from(shown.minute()) + 1;
        (zone, change, minute)
    })
}

fn text_of(minute: i64) -> String {
    let minute = minute.rem_euclid(1_440);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

proptest! {
    // Each begins and ends near a change of clocks; the walk takes thousands of steps.
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn weekly_windows_near_a_change_are_what_a_clock_shows(
        (zone, change, minute) in any_change(), from in -150..150_i64, to in -150..150_i64,
    ) {
        let windows = vec![weekly(&Weekday::ALL, &text_of(minute + from), &text_of(minute + to))];
        let range = TimeRange::new(change.plus(-12 * HOUR_MS), change.plus(12 * HOUR_MS)).unwrap();
        let found = rule(&Schedule::Weekly { windows: windows.clone() }).windows(&zone, range);
        prop_assert_eq!(found, walked_weekly(&windows, &zone, range));
    }

    #[test]
    fn cron_windows_near_a_change_are_what_croner_finds(
        // Croner gives up where a whole date is skipped.
        (zone, change, minute) in any_change().prop_filter("no skipped date", |(zone, ..)| {
            zone.iana_name() != Some("Pacific/Apia")
        }),
        near in -150..150_i64, step in 1..30_i64, duration_s in 1..7_200_u32, is_fixed in any::<bool>(),
    ) {
        let minute = (minute + near).rem_euclid(1_440);
        let (hour, minute) = (minute / 60, minute % 60);
        let expression = if is_fixed {
            format!("{minute} {hour} * * *")
        } else {
            format!("*/{step} {hour},{} * * *", (hour + 1) % 24)
        };
        let range = TimeRange::new(change.plus(-12 * HOUR_MS), change.plus(12 * HOUR_MS)).unwrap();
        let searched = searched_cron(&expression, duration_s, &zone, range);
        let found = rule(&cron(&expression, duration_s)).windows(&zone, range);
        prop_assert_eq!(found, searched, "{}", expression);
    }
}

proptest! {
    // A walk takes thousands of steps.
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn weekly_windows_are_what_a_clock_shows(schedule in any_weekly(), (zone, start) in any_case()) {
        let range = TimeRange::new(start, start.plus(2 * DAY_MS)).unwrap();
        let range = within_years(range).unwrap();
        let Schedule::Weekly { windows } = &schedule else { unreachable!() };
        prop_assert_eq!(rule(&schedule).windows(&zone, range), walked_weekly(windows, &zone, range));
    }

    #[test]
    fn cron_windows_are_what_croner_finds(schedule in any_cron(), (zone, start) in any_case()) {
        let range = TimeRange::new(start, start.plus(3 * DAY_MS)).unwrap();
        let range = within_years(range).unwrap();
        let Schedule::Cron { expression, duration_s } = &schedule else { unreachable!() };
        let searched = searched_cron(expression, *duration_s, &zone, range);
        prop_assert_eq!(rule(&schedule).windows(&zone, range), searched);
    }
}
