//! Schedules in the reader's words.

use wire::UnixMs;
use wire::schedule::{Schedule, StreamChoice, Weekday, WeeklyWindow};

/// A day in three letters.
pub(crate) const fn day(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Mon",
        Weekday::Tue => "Tue",
        Weekday::Wed => "Wed",
        Weekday::Thu => "Thu",
        Weekday::Fri => "Fri",
        Weekday::Sat => "Sat",
        Weekday::Sun => "Sun",
    }
}

/// What a job records.
pub(crate) const fn streams(choice: StreamChoice) -> &'static str {
    match choice {
        StreamChoice::Main => "main stream",
        StreamChoice::Sub => "sub stream",
        StreamChoice::Both => "both streams",
    }
}

/// A schedule in a line; `stamp` writes an instant, `duration` a length.
pub(crate) fn schedule(
    schedule: &Schedule,
    stamp: impl Fn(UnixMs) -> String,
    duration: impl Fn(i64) -> String,
) -> String {
    match schedule {
        Schedule::Continuous {} => "Around the clock".to_owned(),
        Schedule::Weekly { windows } => windows.iter().map(window).collect::<Vec<_>>().join("; "),
        Schedule::Cron {
            expression,
            duration_s,
        } => format!(
            "Cron “{expression}”, {} each",
            duration(i64::from(*duration_s) * 1000)
        ),
        Schedule::Once { from, to } => format!("{} – {}", stamp(*from), stamp(*to)),
    }
}

fn window(window: &WeeklyWindow) -> String {
    // The times are `HH:MM`, so they compare as texts.
    let next = if window.to <= window.from {
        " (next day)"
    } else {
        ""
    };
    format!("{} {}–{}{next}", days(&window.days), window.from, window.to)
}

/// `Mon–Fri`, `Mon, Wed, Sat, Sun`, `every day`.
fn days(days: &[Weekday]) -> String {
    let has = |day: &Weekday| days.contains(day);
    if Weekday::ALL.iter().all(has) {
        return "every day".to_owned();
    }
    let mut parts = Vec::new();
    for run in Weekday::ALL
        .chunk_by(|a, b| has(a) == has(b))
        .filter(|run| has(&run[0]))
    {
        match run {
            [first, .., last] if run.len() > 2 => parts.push(format!("{}–{}", day(*first), day(*last))),
            short => parts.extend(short.iter().map(|one| day(*one).to_owned())),
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(schedule_: &Schedule) -> String {
        schedule(schedule_, |at| at.0.to_string(), |ms| format!("{ms} ms"))
    }

    #[test]
    fn they_read_well() {
        let weekly = |days: &[Weekday], from: &str, to: &str| WeeklyWindow {
            days: days.to_vec(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let windows = vec![
            weekly(&Weekday::ALL[..5], "08:00", "18:00"),
            weekly(&[Weekday::Sun, Weekday::Mon, Weekday::Sat], "22:00", "06:00"),
            weekly(&Weekday::ALL, "00:00", "24:00"),
        ];
        assert_eq!(
            words(&Schedule::Weekly { windows }),
            "Mon–Fri 08:00–18:00; Mon, Sat, Sun 22:00–06:00 (next day); every day 00:00–24:00"
        );
        let cron = Schedule::Cron {
            expression: "@daily".to_owned(),
            duration_s: 90,
        };
        assert_eq!(words(&cron), "Cron “@daily”, 90000 ms each");
        let once = Schedule::Once {
            from: UnixMs(1),
            to: UnixMs(2),
        };
        assert_eq!(words(&once), "1 – 2");
    }
}
