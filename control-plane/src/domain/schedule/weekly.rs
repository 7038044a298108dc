//! Windows that come back each week.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wire::TimeRange;
use wire::schedule::{Weekday, WeeklyWindow};

use super::civil::{dates, first_at, last_before};
use super::{InvalidSchedule, invalid};

/// Most windows of a week.
const WINDOWS_MAX: usize = 100;
const DAY_MIN: i64 = 24 * 60;

/// Valid windows of a week.
#[derive(Debug, Clone)]
pub(super) struct Weekly(Vec<Window>);

#[derive(Debug, Clone)]
struct Window {
    /// Monday first.
    days: [bool; 7],
    /// Minutes after midnight.
    from: i64,
    /// Minutes after the midnight that `from` counts from, so up to two days.
    to: i64,
}

impl Weekly {
    /// # Errors
    /// The first field that does not do; the sentence counts windows from 1.
    pub(super) fn new(windows: &[WeeklyWindow]) -> Result<Self, InvalidSchedule> {
        if windows.is_empty() || windows.len() > WINDOWS_MAX {
            return Err(invalid(
                "schedule.windows",
                "a weekly schedule has 1 to 100 windows",
            ));
        }
        let numbered = windows.iter().zip(1..);
        numbered
            .map(|(window, number)| Window::new(window, number))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// At least its windows that touch `range`, in any order.
    pub(super) fn touching(&self, zone: &TimeZone, range: TimeRange) -> Vec<TimeRange> {
        // A window begins at most two dates before it ends, and a change of clocks may cost another.
        let on_date = |date: Date| {
            let today = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
            let windows = self.0.iter().filter(move |window| window.days[today]);
            windows.filter_map(move |window| window.on(zone, date))
        };
        dates(zone, range, 3).flat_map(on_date).collect()
    }
}

impl Window {
    fn new(window: &WeeklyWindow, number: u32) -> Result<Self, InvalidSchedule> {
        if window.days.is_empty() || window.days.len() > Weekday::ALL.len() {
            let title = format!("window {number}: name 1 to 7 days");
            return Err(invalid("schedule.windows.days", title));
        }
        let from = minutes(&window.from)
            .filter(|from| *from < DAY_MIN)
            .ok_or_else(|| {
                let title = format!("window {number}: expected a time from 00:00 to 23:59");
                invalid("schedule.windows.from", title)
            })?;
        let to = minutes(&window.to).ok_or_else(|| {
            let title = format!("window {number}: expected a time from 00:00 to 24:00");
            invalid("schedule.windows.to", title)
        })?;
        Ok(Self {
            days: Weekday::ALL.map(|day| window.days.contains(&day)),
            from,
            to: if to <= from { to + DAY_MIN } else { to },
        })
    }

    /// The window that starts on `date`; none when clocks skip all of it.
    fn on(&self, zone: &TimeZone, date: Date) -> Option<TimeRange> {
        let midnight = date.at(0, 0, 0, 0);
        let start = first_at(zone, midnight.checked_add(self.from.minutes()).ok()?)?;
        let end = last_before(zone, midnight.checked_add(self.to.minutes()).ok()?)?;
        TimeRange::new(start, end).ok()
    }
}

/// Minutes after midnight of `HH:MM`, `24:00` included.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= DAY_MIN).then_some(total)
}
