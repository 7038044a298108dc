//! Footage beyond a licence's resolution or bitrate: it is recorded all the same, and people are told.

use wire::licence::LicencePlan;
use wire::{TimeRange, Track, UnixMs};

use super::DAY_MS;

/// Shorter footage says nothing of a bitrate: it may be one keyframe and little else. Milliseconds.
const MEASURED_MS: u64 = 10_000;

/// The most that a licence permits of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bits per second.
    pub bitrate_bps: u64,
}

impl From<&LicencePlan> for Limits {
    fn from(plan: &LicencePlan) -> Self {
        Self {
            width: plan.max_width.into(),
            height: plan.max_height.into(),
            bitrate_bps: plan.max_bitrate_bps.into(),
        }
    }
}

/// What a stream has beyond the limits, on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess {
    /// UTC, counted from 1970-01-01.
    pub day: i32,
    /// Pixels; 0 while the picture is within the limits.
    pub width: u32,
    /// Pixels; 0 while the picture is within the limits.
    pub height: u32,
    /// Bits per second; 0 while the bitrate is within the limit.
    pub bitrate_bps: u64,
}

impl Excess {
    /// Of an object.
    #[must_use]
    pub fn of(limits: &Limits, tracks: &[Track], bytes: u64, range: TimeRange) -> Option<Self> {
        let sizes = tracks.iter().filter_map(|track| match track {
            Track::Video { width, height, .. } => Some((*width, *height)),
            Track::Audio { .. } => None,
        });
        let (width, height) = sizes.max().unwrap_or_default();
        let ms = range.duration_ms().unsigned_abs();
        let is_measured = ms >= MEASURED_MS;
        let measured = Self {
            day: day(range.end()),
            width,
            height,
            bitrate_bps: if is_measured {
                bytes.saturating_mul(8_000) / ms
            } else {
                0
            },
        };
        measured.beyond(limits)
    }

    /// What of it is beyond these limits.
    #[must_use]
    pub fn beyond(self, limits: &Limits) -> Option<Self> {
        let (mut rest, mut is_any) = (self, false);
        if self.width > limits.width || self.height > limits.height {
            is_any = true;
        } else {
            (rest.width, rest.height) = (0, 0);
        }
        if self.bitrate_bps > limits.bitrate_bps {
            is_any = true;
        } else {
            rest.bitrate_bps = 0;
        }
        is_any.then_some(rest)
    }

    /// Whether people have to be told who know `before`: once a day, and again when the picture is larger
    /// or another limit is exceeded.
    #[must_use]
    pub const fn is_news(&self, before: &Self) -> bool {
        self.day > before.day
            || self.width > before.width
            || self.height > before.height
            || (self.bitrate_bps > 0 && before.bitrate_bps == 0)
    }

    /// Whether it is of today or yesterday.
    #[must_use]
    pub fn is_recent(&self, now: UnixMs) -> bool {
        self.day >= day(now) - 1
    }

    /// Both, as the day of the later one knows it.
    #[must_use]
    pub fn with(self, before: &Self) -> Self {
        if before.day < self.day {
            return self;
        }
        Self {
            day: before.day,
            width: self.width.max(before.width),
            height: self.height.max(before.height),
            bitrate_bps: self.bitrate_bps.max(before.bitrate_bps),
        }
    }
}

fn day(at: UnixMs) -> i32 {
    i32::try_from(at.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        width: 1920,
        height: 1080,
        bitrate_bps: 4_000_000,
    };

    fn of(size: (u32, u32), bytes: u64, ms: i64) -> Option<Excess> {
        let track = Track::Video {
            codec: "avc1.64001f".to_owned(),
            width: size.0,
            height: size.1,
            fps: 25.0,
        };
        let range = TimeRange::new(UnixMs(2 * DAY_MS), UnixMs(2 * DAY_MS + ms)).unwrap();
        Excess::of(&LIMITS, &[track], bytes, range)
    }

    fn excess(day: i32, width: u32, height: u32, bitrate_bps: u64) -> Excess {
        Excess {
            day,
            width,
            height,
            bitrate_bps,
        }
    }

    #[test]
    fn only_what_is_beyond_counts() {
        assert_eq!(of((1920, 1080), 30_000_000, 60_000), None, "4 Mbit/s");
        assert_eq!(of((2560, 1440), 1, 60_000), Some(excess(2, 2560, 1440, 0)));
        assert_eq!(of((1080, 1920), 1, 60_000), Some(excess(2, 1080, 1920, 0)));
        assert_eq!(
            of((1280, 720), 37_500_000, 60_000),
            Some(excess(2, 0, 0, 5_000_000))
        );
        assert_eq!(of((1280, 720), 37_500_000, 9_000), None, "too short to say");
    }

    #[test]
    fn told_once_a_day_and_when_it_grows() {
        let before = excess(7, 2560, 1440, 0);
        assert!(!excess(7, 2560, 1440, 0).is_news(&before));
        assert!(!excess(6, 2560, 1440, 0).is_news(&before), "late footage");
        assert!(excess(8, 2560, 1440, 0).is_news(&before));
        assert!(excess(7, 3840, 2160, 0).is_news(&before));
        assert!(excess(7, 0, 0, 5_000_000).is_news(&before));
        let both = excess(7, 0, 0, 5_000_000).with(&before);
        assert_eq!(both, excess(7, 2560, 1440, 5_000_000));
        assert!(!excess(7, 0, 0, 9_000_000).is_news(&both));
        assert_eq!(
            excess(8, 0, 0, 5_000_000).with(&before),
            excess(8, 0, 0, 5_000_000)
        );
    }
}
