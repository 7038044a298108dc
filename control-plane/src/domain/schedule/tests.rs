//! Tables by hand, and properties against walks minute by minute.

mod properties;

use rstest::rstest;
use wire::schedule::{Weekday, WeeklyWindow};

use super::*;

const HOUR_MS: i64 = 60 * 60 * 1000;

fn at(text: &str) -> UnixMs {
    text.parse().unwrap()
}

fn range(start: &str, end: &str) -> TimeRange {
    TimeRange::new(at(start), at(end)).unwrap()
}

fn weekly(days: &[Weekday], from: &str, to: &str) -> WeeklyWindow {
    WeeklyWindow {
        days: days.to_vec(),
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

fn daily(from: &str, to: &str) -> Schedule {
    Schedule::Weekly {
        windows: vec![weekly(&Weekday::ALL, from, to)],
    }
}

fn cron(expression: &str, duration_s: u32) -> Schedule {
    Schedule::Cron {
        expression: expression.to_owned(),
        duration_s,
    }
}

fn rule(schedule: &Schedule) -> Rule {
    Rule::try_from(schedule).unwrap()
}

/// The windows as text, without seconds.
fn shown(windows: &[TimeRange]) -> Vec<String> {
    let short = |at: UnixMs| at.to_string().replace(":00.000Z", "Z");
    windows
        .iter()
        .map(|window| format!("{} {}", short(window.start()), short(window.end())))
        .collect()
}

/// What a schedule's windows are in a zone on a day there and on those that it touches.
#[rstest]
// 29 March 2026 has 23 hours in Berlin: 02:00 is 03:00.
#[case::across_the_change("Europe/Berlin", "2026-03-28T23:00:00Z", daily("01:00", "04:00"), &["2026-03-29T00:00Z 2026-03-29T02:00Z"])]
#[case::starts_in_the_skipped_hour("Europe/Berlin", "2026-03-28T23:00:00Z", daily("02:30", "04:00"), &["2026-03-29T01:00Z 2026-03-29T02:00Z"])]
#[case::ends_in_the_skipped_hour("Europe/Berlin", "2026-03-28T23:00:00Z", daily("01:00", "02:30"), &["2026-03-29T00:00Z 2026-03-29T01:00Z"])]
#[case::inside_the_skipped_hour("Europe/Berlin", "2026-03-28T23:00:00Z", daily("02:10", "02:50"), &[])]
#[case::a_single_time_that_is_skipped("Europe/Berlin", "2026-03-28T23:00:00Z", cron("30 2 * * *", 600), &["2026-03-29T01:00Z 2026-03-29T01:10Z"])]
#[case::an_interval_that_is_skipped("Europe/Berlin", "2026-03-28T23:00:00Z", cron("0,30 2,3 * * *", 600), &["2026-03-29T01:00Z 2026-03-29T01:10Z", "2026-03-29T01:30Z 2026-03-29T01:40Z"])]
// 25 October 2026 has 25 hours: 03:00 is 02:00.
#[case::the_hour_twice("Europe/Berlin", "2026-10-24T22:00:00Z", daily("02:00", "03:00"), &["2026-10-25T00:00Z 2026-10-25T02:00Z"])]
#[case::up_to_the_hour_twice("Europe/Berlin", "2026-10-24T22:00:00Z", daily("01:00", "02:00"), &["2026-10-24T23:00Z 2026-10-25T00:00Z"])]
#[case::inside_the_hour_twice("Europe/Berlin", "2026-10-24T22:00:00Z", daily("02:15", "02:45"), &["2026-10-25T00:15Z 2026-10-25T01:45Z"])]
#[case::a_single_time_twice("Europe/Berlin", "2026-10-24T22:00:00Z", cron("30 2 * * *", 600), &["2026-10-25T00:30Z 2026-10-25T00:40Z"])]
#[case::an_interval_twice("Europe/Berlin", "2026-10-24T22:00:00Z", cron("*/30 2 * * *", 600), &[
    "2026-10-25T00:00Z 2026-10-25T00:10Z", "2026-10-25T00:30Z 2026-10-25T00:40Z",
    "2026-10-25T01:00Z 2026-10-25T01:10Z", "2026-10-25T01:30Z 2026-10-25T01:40Z"])]
#[case::spring_in_new_york("America/New_York", "2026-03-08T05:00:00Z", daily("02:30", "05:00"), &["2026-03-08T07:00Z 2026-03-08T09:00Z"])]
#[case::autumn_in_new_york("America/New_York", "2026-11-01T04:00:00Z", daily("00:30", "01:30"), &["2026-11-01T04:30Z 2026-11-01T06:30Z"])]
// Lord Howe changes by half an hour: on 4 October 2026 02:00 is 02:30, on 5 April 02:00 is 01:30.
#[case::spring_on_lord_howe("Australia/Lord_Howe", "2026-10-03T13:30:00Z", daily("02:15", "03:00"), &["2026-10-03T15:30Z 2026-10-03T16:00Z"])]
#[case::autumn_on_lord_howe("Australia/Lord_Howe", "2026-04-04T13:00:00Z", daily("01:45", "02:00"), &["2026-04-04T14:45Z 2026-04-04T15:30Z"])]
#[case::without_changes("Asia/Kathmandu", "2026-03-28T18:15:00Z", daily("08:00", "09:30"), &["2026-03-29T02:15Z 2026-03-29T03:45Z"])]
#[case::a_single_time_without_changes("Asia/Kathmandu", "2026-03-28T18:15:00Z", cron("15 8 * * *", 60), &["2026-03-29T02:30Z 2026-03-29T02:31Z"])]
#[case::universal("UTC", "2026-03-29T00:00:00Z", daily("02:30", "04:00"), &["2026-03-29T02:30Z 2026-03-29T04:00Z"])]
// Samoa had no 30 December 2011.
#[case::a_date_that_never_was("Pacific/Apia", "2011-12-30T10:00:00Z", cron("0 8 30 12 *", 60), &[])]
#[case::a_window_that_never_was("Pacific/Apia", "2011-12-30T00:00:00Z", Schedule::Weekly { windows: vec![weekly(&[Weekday::Fri], "08:00", "09:00")] }, &[])]
// Newfoundland used to repeat 23:01 to 00:01, across midnight.
#[case::a_repeated_midnight("America/St_Johns", "2010-11-07T02:00:00Z", daily("23:30", "23:45"), &["2010-11-07T02:00Z 2010-11-07T03:15Z"])]
fn days_on_which_clocks_change(
    #[case] name: &str,
    #[case] midnight: &str,
    #[case] schedule: Schedule,
    #[case] expected: &[&str],
) {
    let day = TimeRange::new(at(midnight), at(midnight).plus(20 * HOUR_MS)).unwrap();
    let windows = rule(&schedule).windows(&zone(name).unwrap(), day);
    assert_eq!(shown(&windows), expected);
}

#[test]
fn a_whole_day_is_as_long_as_the_day() {
    let berlin = zone("Europe/Berlin").unwrap();
    for to in ["24:00", "00:00"] {
        let sundays = rule(&Schedule::Weekly {
            windows: vec![weekly(&[Weekday::Sun], "00:00", to)],
        });
        for (month, hours) in [("2026-03", 23), ("2026-10", 25), ("2026-11", 24)] {
            let whole = range(&format!("{month}-20T00:00:00Z"), &format!("{month}-29T23:30:00Z"));
            let lengths: Vec<_> = sundays
                .windows(&berlin, whole)
                .iter()
                .map(|sunday| sunday.duration_ms() / HOUR_MS)
                .collect();
            assert!(lengths.contains(&hours), "{month}: {lengths:?}");
        }
    }
}

#[test]
fn midnight_is_crossed_and_overlaps_become_one() {
    let week = range("2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z");
    let schedule = Schedule::Weekly {
        windows: vec![
            weekly(&[Weekday::Fri], "22:00", "06:00"),
            weekly(&[Weekday::Sat], "05:00", "08:00"),
            weekly(&[Weekday::Sat], "08:00", "09:00"),
            weekly(&[Weekday::Sun], "23:00", "01:00"),
        ],
    };
    let windows = rule(&schedule).windows(&TimeZone::UTC, week);
    assert_eq!(
        shown(&windows),
        [
            // From the Sunday before.
            "2026-06-01T00:00Z 2026-06-01T01:00Z",
            "2026-06-05T22:00Z 2026-06-06T09:00Z",
            "2026-06-07T23:00Z 2026-06-08T00:00Z",
        ]
    );
}

#[test]
fn a_long_recording_reaches_in_from_before() {
    let noon = range("2026-06-07T12:00:00Z", "2026-06-09T00:00:00Z");
    let mondays = rule(&cron("0 0 * * MON", 604_800));
    assert_eq!(
        mondays.windows(&TimeZone::UTC, noon),
        [noon],
        "each touches the next"
    );
    let mondays = rule(&cron("0 0 * * MON", 604_799));
    let parts = mondays.windows(&TimeZone::UTC, noon);
    assert_eq!(parts[0].end(), at("2026-06-07T23:59:59Z"));
    assert_eq!(parts[1].start(), at("2026-06-08T00:00:00Z"));
}

#[test]
fn next_windows_of_each_kind() {
    let now = at("2026-06-03T10:00:30Z");
    let next = |schedule: &Schedule| rule(schedule).next(&TimeZone::UTC, now, 3);
    let always = next(&Schedule::Continuous {});
    assert_eq!(always.windows, [TimeRange::new(now, always.horizon).unwrap()]);
    let mornings = next(&daily("08:00", "10:30"));
    assert_eq!(mornings.windows[0].start(), now, "the open one begins now");
    assert_eq!(
        shown(&mornings.windows[1..]),
        [
            "2026-06-04T08:00Z 2026-06-04T10:30Z",
            "2026-06-05T08:00Z 2026-06-05T10:30Z"
        ]
    );
    let leap = next(&cron("0 12 29 2 *", 60));
    assert_eq!(
        shown(&leap.windows),
        [
            "2028-02-29T12:00Z 2028-02-29T12:01Z",
            "2032-02-29T12:00Z 2032-02-29T12:01Z",
            "2036-02-29T12:00Z 2036-02-29T12:01Z",
        ]
    );
    let once = Schedule::Once {
        from: at("2088-01-01T00:00:00Z"),
        to: at("2088-01-02T00:00:00Z"),
    };
    assert_eq!(next(&once).windows.len(), 1);
}

#[test]
fn says_when_nothing_follows() {
    let now = at("2026-06-03T10:00:00Z");
    let past = Schedule::Once {
        from: at("2026-06-03T09:00:00Z"),
        to: now,
    };
    for schedule in [cron("0 0 30 2 *", 60), cron("* * 31 4,6 *", 60), past] {
        let upcoming = rule(&schedule).next(&TimeZone::UTC, now, 10);
        assert!(upcoming.windows.is_empty(), "{schedule:?}");
        assert!(upcoming.horizon.since(now) > 9 * 365 * DAY_MS);
    }
    let end = rule(&daily("00:00", "24:00")).next(&TimeZone::UTC, UnixMs::MAX, 10);
    assert!(end.windows.is_empty() && end.horizon == UnixMs::MAX);
}

#[test]
fn dense_schedules_are_no_more_work_than_others() {
    let years = range("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z");
    let berlin = zone("Europe/Berlin").unwrap();
    let minutes = rule(&cron("* * * * *", 60));
    assert_eq!(
        minutes.windows(&berlin, years),
        [years],
        "never interrupted, clocks or not"
    );
    assert_eq!(minutes.next(&berlin, years.start(), 10).windows.len(), 1);
    let one_second = rule(&cron("* * * * *", 1));
    assert_eq!(
        one_second.next(&berlin, years.start(), usize::MAX).windows.len(),
        NEXT_MAX
    );
}

#[rstest]
#[case::no_windows(Schedule::Weekly { windows: vec![] }, "schedule.windows")]
#[case::many_windows(Schedule::Weekly { windows: vec![weekly(&[Weekday::Mon], "08:00", "09:00"); 101] }, "schedule.windows")]
#[case::no_days(Schedule::Weekly { windows: vec![weekly(&[], "08:00", "09:00")] }, "schedule.windows.days")]
#[case::many_days(Schedule::Weekly { windows: vec![weekly(&[Weekday::Mon; 8], "08:00", "09:00")] }, "schedule.windows.days")]
#[case::from_24(daily("24:00", "09:00"), "schedule.windows.from")]
#[case::from_60(daily("08:60", "09:00"), "schedule.windows.from")]
#[case::from_empty(daily("", "09:00"), "schedule.windows.from")]
#[case::from_short(daily("8:00", "09:00"), "schedule.windows.from")]
#[case::from_signed(daily("+8:00", "09:00"), "schedule.windows.from")]
#[case::from_seconds(daily("08:00:00", "09:00"), "schedule.windows.from")]
#[case::to_beyond(daily("08:00", "24:01"), "schedule.windows.to")]
#[case::to_words(daily("08:00", "noon"), "schedule.windows.to")]
#[case::to_other_digits(daily("08:00", "0٩:00"), "schedule.windows.to")]
#[case::no_expression(cron("", 60), "schedule.expression")]
#[case::seconds(cron("0 * * * * *", 60), "schedule.expression")]
#[case::years(cron("0 * * * * * 2026", 60), "schedule.expression")]
#[case::four_fields(cron("* * * *", 60), "schedule.expression")]
#[case::minute_60(cron("60 * * * *", 60), "schedule.expression")]
#[case::day_0(cron("0 0 0 * *", 60), "schedule.expression")]
#[case::month_13(cron("0 0 * 13 *", 60), "schedule.expression")]
#[case::step_0(cron("*/0 * * * *", 60), "schedule.expression")]
#[case::backwards(cron("0 5-3 * * *", 60), "schedule.expression")]
#[case::alias(cron("@reboot", 60), "schedule.expression")]
#[case::command(cron("0 0 * * * rm", 60), "schedule.expression")]
#[case::long(cron(&"1,".repeat(200), 60), "schedule.expression")]
#[case::not_ascii(cron("0 0 * * ſun", 60), "schedule.expression")]
#[case::no_time(cron("0 * * * *", 0), "schedule.duration_s")]
#[case::too_long(cron("0 * * * *", 604_801), "schedule.duration_s")]
#[case::empty(Schedule::Once { from: UnixMs::MIN, to: UnixMs::MIN }, "schedule.to")]
#[case::backwards_once(Schedule::Once { from: UnixMs::MIN.plus(1), to: UnixMs::MIN }, "schedule.to")]
#[case::years_long(Schedule::Once { from: UnixMs::MIN, to: UnixMs::MIN.plus(366 * DAY_MS + 1) }, "schedule.to")]
#[case::long_ago(Schedule::Once { from: UnixMs(i64::MIN), to: UnixMs::MIN }, "schedule.from")]
#[case::far_off(Schedule::Once { from: UnixMs::MIN, to: UnixMs(i64::MAX) }, "schedule.to")]
fn names_the_field_that_does_not_do(#[case] schedule: Schedule, #[case] field: &str) {
    let error = Rule::try_from(&schedule).unwrap_err();
    assert_eq!(error.field, field, "{error}");
}

#[test]
fn the_longest_of_all_kinds_do() {
    for schedule in [
        cron("@hourly", 604_800),
        cron(" 0 22 * JAN-DEC MON,wed ", 1),
        cron("15 8 L * *", 60),
        cron("0 0 * * FRI#2", 60),
        daily("23:59", "24:00"),
        Schedule::Once {
            from: UnixMs::MAX.plus(-366 * DAY_MS),
            to: UnixMs::MAX,
        },
    ] {
        assert!(Rule::try_from(&schedule).is_ok(), "{schedule:?}");
    }
}

#[test]
fn zones_have_names() {
    assert_eq!(zone("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
    for bad in [
        "",
        "Europe/Atlantis",
        "CEST+2",
        "../etc/passwd",
        "Factory",
        "Etc/Unknown",
        "posix/Europe/Berlin",
        "+02:00",
        &"x".repeat(300),
    ] {
        assert_eq!(zone(bad).unwrap_err().field, "time_zone", "{bad}");
    }
}
