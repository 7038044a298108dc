//! Points and ranges of UTC time, in whole milliseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct UnixMs(pub i64);

/// A text that is no time, or one outside the years 2000 to 2100.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// Neither RFC 3339 nor a whole number of milliseconds.
    #[error("not a time: expected RFC 3339 such as 2026-01-31T08:00:00Z, or milliseconds since 1970")]
    Syntax,
    /// No footage can be from then.
    #[error("a time outside the years 2000 to 2100")]
    OutOfRange,
}

impl UnixMs {
    /// 2000-01-01T00:00:00Z, the earliest time taken from outside.
    pub const MIN: Self = Self(946_684_800_000);
    /// 2100-01-01T00:00:00Z, the latest time taken from outside.
    pub const MAX: Self = Self(4_102_444_800_000);

    /// This time, `duration_ms` later; saturates.
    #[must_use]
    pub const fn plus(self, duration_ms: i64) -> Self {
        Self(self.0.saturating_add(duration_ms))
    }

    /// Milliseconds from `earlier` to this time; negative when it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Checks a time that came from outside.
    ///
    /// # Errors
    /// [`InvalidTime::OutOfRange`] outside the years 2000 to 2100.
    pub fn checked(self) -> Result<Self, InvalidTime> {
        if (Self::MIN..=Self::MAX).contains(&self) {
            Ok(self)
        } else {
            Err(InvalidTime::OutOfRange)
        }
    }
}

impl fmt::Display for UnixMs {
    /// RFC 3339 in UTC with milliseconds, as `EXT-X-PROGRAM-DATE-TIME` wants it (RFC 8216 §4.3.2.6).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for UnixMs {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let ms = text.parse().map_err(|_| InvalidTime::OutOfRange)?;
            return Self(ms).checked();
        }
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| InvalidTime::Syntax)?;
        Self(timestamp.as_millisecond()).checked()
    }
}

/// A half-open range of time, `[start, end)`, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawRange", into = "RawRange")]
pub struct TimeRange {
    start: UnixMs,
    end: UnixMs,
}

/// The end of a range is not after its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the range ends at or before its start")]
pub struct EmptyRange;

#[derive(Serialize, Deserialize)]
struct RawRange {
    start: UnixMs,
    end: UnixMs,
}

impl TryFrom<RawRange> for TimeRange {
    type Error = EmptyRange;
    fn try_from(raw: RawRange) -> Result<Self, EmptyRange> {
        Self::new(raw.start, raw.end)
    }
}

impl From<TimeRange> for RawRange {
    fn from(range: TimeRange) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

impl TimeRange {
    /// The range from `start` up to, not including, `end`.
    ///
    /// # Errors
    /// [`EmptyRange`] when `end` is not after `start`.
    pub fn new(start: UnixMs, end: UnixMs) -> Result<Self, EmptyRange> {
        if start < end {
            Ok(Self { start, end })
        } else {
            Err(EmptyRange)
        }
    }

    /// First instant inside.
    #[must_use]
    pub const fn start(&self) -> UnixMs {
        self.start
    }

    /// First instant after.
    #[must_use]
    pub const fn end(&self) -> UnixMs {
        self.end
    }

    /// Its length in milliseconds, at least 1.
    #[must_use]
    pub const fn duration_ms(&self) -> i64 {
        self.end.since(self.start)
    }

    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(&self, at: UnixMs) -> bool {
        self.start <= at && at < self.end
    }

    /// The part that both share, if any.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_and_refuses_the_rest() {
        assert_eq!("2026-01-31T08:00:00.250Z".parse(), Ok(UnixMs(1_769_846_400_250)));
        assert_eq!("1769846400250".parse(), Ok(UnixMs(1_769_846_400_250)));
        assert_eq!(UnixMs(1_769_846_400_250).to_string(), "2026-01-31T08:00:00.250Z");
        for bad in [
            "",
            "NaN",
            "1e9",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-01-31",
        ] {
            assert_eq!(bad.parse::<UnixMs>(), Err(InvalidTime::Syntax), "{bad}");
        }
        for far in [
            "1",
            "-5",
            "99999999999999999999",
            "0001-01-01T00:00:00Z",
            "9998-12-31T00:00:00Z",
        ] {
            assert_eq!(far.parse::<UnixMs>(), Err(InvalidTime::OutOfRange), "{far}");
        }
    }

    #[test]
    fn ranges_are_never_empty() {
        assert!(TimeRange::new(UnixMs(5), UnixMs(5)).is_err());
        assert!(serde_json::from_str::<TimeRange>(r#"{"start":9,"end":3}"#).is_err());
        let range = TimeRange::new(UnixMs(0), UnixMs(10)).unwrap();
        let other = TimeRange::new(UnixMs(10), UnixMs(12)).unwrap();
        assert_eq!(range.intersection(&other), None);
        assert!(range.contains(UnixMs(0)) && !range.contains(UnixMs(10)));
    }
}
