//! Which days and hours have footage, in the viewer's time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use wire::api::Day;

/// Milliseconds in a quarter of an hour: every time zone's offset since 2000 is a multiple of it.
pub const QUARTER_MS: i64 = 15 * 60 * 1000;
const QUARTERS_PER_HOUR: i64 = 4;

/// The days of `[from, to)` with footage. `footage_ms` says how much there is in the quarter of an hour
/// with that number since 1970; more than a quarter counts as one.
///
/// Hours are counted from the day's first instant: a day of 23 hours has the bits 0 to 22, one of
/// 25 hours 0 to 24. Days that the zone never had are left out.
#[must_use]
pub fn calendar(from: Date, to: Date, zone: &TimeZone, footage_ms: impl Fn(i64) -> u64) -> Vec<Day> {
    let dates = std::iter::successors(Some(from), |date| date.tomorrow().ok());
    dates
        .take_while(|date| *date < to)
        .filter_map(|date| day(date, zone, &footage_ms))
        .collect()
}

fn day(date: Date, zone: &TimeZone, footage_ms: impl Fn(i64) -> u64) -> Option<Day> {
    let midnight = |date: Date| {
        let zoned = date.to_zoned(zone.clone()).ok()?;
        let first = zoned.start_of_day().ok()?;
        Some(first.timestamp().as_millisecond().div_euclid(QUARTER_MS))
    };
    let (start, end) = (midnight(date)?, midnight(date.tomorrow().ok()?)?);
    let quarter_ms = QUARTER_MS.unsigned_abs();
    let (mut total, mut hours) = (0_u64, 0_u32);
    for quarter in start..end {
        let ms = footage_ms(quarter).min(quarter_ms);
        if ms > 0 {
            total += ms;
            let hour = u32::try_from((quarter - start) / QUARTERS_PER_HOUR).unwrap_or(u32::MAX);
            hours |= 1_u32.checked_shl(hour).unwrap_or(0);
        }
    }
    (total > 0).then(|| Day {
        date: date.to_string(),
        footage_ms: total,
        hours,
    })
}
