//! Days and times of day in the browser's time zone.

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wire::UnixMs;

/// A calendar day of the browser's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl Day {
    /// The day of an instant.
    #[must_use]
    pub fn of(at: UnixMs) -> Self {
        let date = Date::new(&(at.0 as f64).into());
        Self {
            year: date.get_full_year() as i32,
            month: date.get_month() + 1,
            day: date.get_date(),
        }
    }

    /// Today.
    #[must_use]
    pub fn today() -> Self {
        Self::of(now())
    }

    /// Its first instant and the first one after it: 23, 24 or 25 hours.
    #[must_use]
    pub fn range(self) -> (UnixMs, UnixMs) {
        (midnight(self), midnight(self.plus(1)))
    }

    /// So many days later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        let noon = Date::new_with_year_month_day_hr_min_sec(
            self.year as u32,
            self.month as i32 - 1,
            self.day as i32 + days,
            12,
            0,
            0,
        );
        Self::of(UnixMs(noon.get_time() as i64))
    }

    /// `2026-01-31`.
    #[must_use]
    pub fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A month of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        Self {
            year: day.year,
            month: day.month,
        }
    }

    /// So many months later.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        let index = self.year * 12 + self.month as i32 - 1 + months;
        Self {
            year: index.div_euclid(12),
            month: index.rem_euclid(12) as u32 + 1,
        }
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Day {
        Day {
            year: self.year,
            month: self.month,
            day: 1,
        }
    }

    /// Days in it (Gregorian calendar).
    #[must_use]
    pub const fn length(self) -> u32 {
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0) => 29,
            2 => 28,
            _ => 31,
        }
    }

    /// Empty places before its first day in weeks that start on Monday.
    #[must_use]
    pub const fn lead(self) -> u32 {
        // Zeller's congruence, Monday = 0.
        let (year, month) = if self.month < 3 {
            (self.year - 1, self.month + 12)
        } else {
            (self.year, self.month)
        };
        let (k, j) = (year % 100, year / 100);
        let saturday_is_0 = (1 + 13 * (month as i32 + 1) / 5 + k + k / 4 + j / 4 + 5 * j) % 7;
        ((saturday_is_0 + 5) % 7) as u32
    }
}

fn midnight(day: Day) -> UnixMs {
    let date = Date::new_with_year_month_day(day.year as u32, day.month as i32 - 1, day.day as i32);
    UnixMs(date.get_time() as i64)
}

/// The present.
#[must_use]
pub fn now() -> UnixMs {
    UnixMs(Date::now() as i64)
}

/// `08:15:30` in the browser's time zone.
#[must_use]
pub fn clock(at: UnixMs) -> String {
    let date = Date::new(&(at.0 as f64).into());
    format!(
        "{:02}:{:02}:{:02}",
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds()
    )
}

/// `2026-01-31 08:15:30` in the browser's time zone.
#[must_use]
pub fn moment(at: UnixMs) -> String {
    format!("{} {}", Day::of(at).iso(), clock(at))
}

/// The browser's IANA time zone, such as `Europe/Berlin`.
#[must_use]
pub fn zone() -> String {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let zone = Reflect::get(&options, &"timeZone".into())
        .ok()
        .and_then(|zone| zone.as_string());
    zone.unwrap_or_else(|| "UTC".to_owned())
}

/// `Mon 23 Nov, 08:15` in a time zone by its IANA name; in the browser's when it does not know that one.
#[must_use]
pub fn stamp(at: UnixMs, zone: &str) -> String {
    formatted(at, Some(zone))
        .or_else(|| formatted(at, None))
        .unwrap_or_default()
}

/// `Mon 23 Nov, 08:15 – 12:00`, with the day of the end when that is another one.
#[must_use]
pub fn span(start: UnixMs, end: UnixMs, zone: &str) -> String {
    let (from, to) = (stamp(start, zone), stamp(end, zone));
    let same_day = match (from.rsplit_once(", "), to.rsplit_once(", ")) {
        (Some((first, _)), Some((last, time))) if first == last && end.since(start) < 86_400_000 => {
            Some(time)
        }
        _ => None,
    };
    format!("{from} – {}", same_day.unwrap_or(&to))
}

/// [`stamp`] in a camera's time zone, which it names where the browser's clock shows another time.
#[must_use]
pub fn local(at: UnixMs, zone: &str) -> String {
    let shown = stamp(at, zone);
    if shown == stamp(at, &self::zone()) {
        return shown;
    }
    format!("{shown} ({zone})")
}

/// [`span`] in a camera's time zone, which it names where the browser's clock shows another time.
#[must_use]
pub fn local_span(start: UnixMs, end: UnixMs, zone: &str) -> String {
    let shown = span(start, end, zone);
    if shown == span(start, end, &self::zone()) {
        return shown;
    }
    format!("{shown} ({zone})")
}

fn formatted(at: UnixMs, zone: Option<&str>) -> Option<String> {
    let options = Object::new();
    let parts = [
        ("weekday", "short"),
        ("day", "numeric"),
        ("month", "short"),
        ("hour", "2-digit"),
        ("minute", "2-digit"),
        ("hourCycle", "h23"),
    ];
    for (name, value) in parts.into_iter().chain(zone.map(|zone| ("timeZone", zone))) {
        Reflect::set(&options, &name.into(), &value.into()).ok()?;
    }
    let class: Function = intl("DateTimeFormat")?;
    // Reflect, because the constructor throws at a zone that the browser does not know.
    let format = Reflect::construct(&class, &Array::of2(&"en-GB".into(), &options)).ok()?;
    let format: Function = Reflect::get(&format, &"format".into()).ok()?.dyn_into().ok()?;
    let text = format
        .call1(&JsValue::UNDEFINED, &JsValue::from_f64(at.0 as f64))
        .ok()?;
    text.as_string()
}

fn intl(name: &str) -> Option<Function> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    Reflect::get(&intl, &name.into()).ok()?.dyn_into().ok()
}

/// The UTC day of an instant, `2026-01-31`.
#[must_use]
pub fn utc_day(at: UnixMs) -> String {
    let text = String::from(Date::new(&(at.0 as f64).into()).to_iso_string());
    text.chars().take(10).collect()
}

/// The IANA time zones that the browser knows, `UTC` first.
#[must_use]
pub fn zones() -> Vec<String> {
    let known = intl("supportedValuesOf")
        .and_then(|list| list.call1(&JsValue::UNDEFINED, &"timeZone".into()).ok())
        .and_then(|list| list.dyn_into::<Array>().ok());
    let named = known
        .into_iter()
        .flat_map(|list| list.iter().collect::<Vec<_>>())
        .filter_map(|zone| zone.as_string())
        .filter(|zone| zone != "UTC");
    std::iter::once("UTC".to_owned()).chain(named).collect()
}

/// `2026-01-31T08:15` in the browser's time zone, as fields for date and time take it.
#[must_use]
pub fn field(at: UnixMs) -> String {
    let date = Date::new(&(at.0 as f64).into());
    format!(
        "{}T{:02}:{:02}",
        Day::of(at).iso(),
        date.get_hours(),
        date.get_minutes()
    )
}

/// The instant that such a field means; none while it is not filled in.
#[must_use]
pub fn instant(field: &str) -> Option<UnixMs> {
    let ms = Date::parse(field);
    ms.is_finite().then_some(UnixMs(ms as i64))
}

/// `2 h 5 min`, `45 s`, `0.2 s`.
#[must_use]
pub fn duration(ms: i64) -> String {
    if ms < 1000 {
        return format!("{:.1} s", ms as f64 / 1000.0);
    }
    let seconds = (ms + 500) / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_start_on_the_right_weekday() {
        // Monday = 0: 2026-11-01 is a Sunday, 2026-06-01 a Monday, 2024-02-01 a Thursday.
        for (year, month, lead) in [
            (2026, 11, 6),
            (2026, 6, 0),
            (2024, 2, 3),
            (2000, 1, 5),
            (2100, 3, 0),
        ] {
            assert_eq!(Month { year, month }.lead(), lead, "{year}-{month}");
        }
        assert_eq!(Month { year: 2024, month: 2 }.length(), 29);
        assert_eq!(Month { year: 2100, month: 2 }.length(), 28);
    }

    #[test]
    fn months_carry_over() {
        let december = Month {
            year: 2026,
            month: 12,
        };
        assert_eq!(december.plus(1), Month { year: 2027, month: 1 });
        assert_eq!(Month { year: 2027, month: 1 }.plus(-1), december);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(44_600), "45 s");
        assert_eq!(duration(125_000), "2 min 5 s");
        assert_eq!(duration(7_500_000), "2 h 5 min");
    }
}
