//! Geometry of the timeline: times to pixels and back, runs merged, gaps never lost.

use wire::coverage::Stretch;

/// A stretch of time across a number of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Time at the left edge, milliseconds since 1970.
    pub start_ms: f64,
    /// Time at the right edge.
    pub end_ms: f64,
    /// Pixels between.
    pub width: f64,
}

impl Scale {
    /// Pixels from the left edge.
    #[must_use]
    pub fn x(&self, at_ms: f64) -> f64 {
        (at_ms - self.start_ms) / (self.end_ms - self.start_ms) * self.width
    }

    /// The time at a pixel, inside the scale.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let share = if self.width > 0.0 {
            (x / self.width).clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.start_ms + share * (self.end_ms - self.start_ms)
    }

    /// Times of the marks: the roundest step that leaves at least `min_px` between two.
    #[must_use]
    pub fn marks(&self, min_px: f64) -> Vec<f64> {
        const MINUTE: f64 = 60_000.0;
        const STEPS: [f64; 9] = [1.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 360.0];
        let fits = |step: f64| self.x(self.start_ms + step * MINUTE) >= min_px;
        let step = STEPS.into_iter().find(|step| fits(*step)).unwrap_or(360.0) * MINUTE;
        // Counted from the left edge, which is a local midnight or hour: right on days of 23 and 25 hours.
        let count = ((self.end_ms - self.start_ms) / step).floor() as u32;
        (0..=count)
            .map(|index| self.start_ms + f64::from(index) * step)
            .collect()
    }
}

/// How far beside footage a click may be and still mean it, in pixels: on a phone, a pixel of a day is minutes.
const REACH_PX: f64 = 6.0;

/// Where a click at `at_ms` leads: there, or back to the last footage that is under the finger when none
/// is there and none follows under it.
#[must_use]
pub fn reached(stretches: &[Stretch], scale: &Scale, at_ms: f64) -> f64 {
    /// Before the end of footage, so that there is something to play.
    const LAST_MS: f64 = 2_000.0;
    let reach_ms = if scale.width > 0.0 {
        REACH_PX / scale.width * (scale.end_ms - scale.start_ms)
    } else {
        0.0
    };
    let footage = || {
        stretches.iter().filter_map(|stretch| match stretch {
            Stretch::Footage { start, end } => Some((start.0 as f64, end.0 as f64)),
            Stretch::Gap { .. } => None,
        })
    };
    if footage().any(|(start, end)| start <= at_ms + reach_ms && at_ms < end) {
        return at_ms;
    }
    footage()
        .rfind(|(_, end)| *end <= at_ms && at_ms <= end + reach_ms)
        .map_or(at_ms, |(start, end)| (end - LAST_MS).max(start))
}

/// A rectangle to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Left edge in pixels.
    pub x: f64,
    /// Width in pixels, at least 1.
    pub width: f64,
}

/// Bars of footage and of gaps, footage first: a gap of less than a pixel is drawn over it, one pixel wide.
#[must_use]
pub fn bars(stretches: &[Stretch], scale: &Scale) -> (Vec<Bar>, Vec<Bar>) {
    let (mut footage, mut gaps) = (Vec::<Bar>::new(), Vec::<Bar>::new());
    for stretch in stretches {
        // Runs less than a pixel apart are one rectangle: the gap between is drawn over it.
        let (into, apart, start, end) = match stretch {
            Stretch::Footage { start, end } => (&mut footage, 1.0, start, end),
            Stretch::Gap { start, end, .. } => (&mut gaps, 0.0, start, end),
        };
        let left = scale.x(start.0 as f64).max(0.0);
        let right = scale.x(end.0 as f64).min(scale.width);
        if right <= left && (right < 0.0 || left >= scale.width) {
            continue;
        }
        let width = (right - left).max(1.0);
        match into.last_mut() {
            Some(last) if left <= last.x + last.width + apart => {
                last.width = last.width.max(left + width - last.x);
            }
            _ => into.push(Bar { x: left, width }),
        }
    }
    (footage, gaps)
}

/// The stretch at a time.
#[must_use]
pub fn stretch_at(stretches: &[Stretch], at_ms: f64) -> Option<&Stretch> {
    stretches.iter().find(|stretch| {
        let (Stretch::Footage { start, end } | Stretch::Gap { start, end, .. }) = stretch;
        start.0 as f64 <= at_ms && at_ms < end.0 as f64
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::UnixMs;
    use wire::coverage::GapCause;

    use super::*;

    const DAY: Scale = Scale {
        start_ms: 0.0,
        end_ms: 86_400_000.0,
        width: 960.0,
    };

    fn gap(start: i64, end: i64) -> Stretch {
        Stretch::Gap {
            start: UnixMs(start),
            end: UnixMs(end),
            cause: GapCause::Camera,
            detail: String::new(),
        }
    }

    #[test]
    fn a_gap_of_a_second_stays_visible() {
        let stretches = [
            Stretch::Footage {
                start: UnixMs(0),
                end: UnixMs(40_000_000),
            },
            gap(40_000_000, 40_001_000),
            Stretch::Footage {
                start: UnixMs(40_001_000),
                end: UnixMs(86_400_000),
            },
        ];
        let (footage, gaps) = bars(&stretches, &DAY);
        assert_eq!(
            footage.len(),
            1,
            "runs that touch at this scale are one rectangle"
        );
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].width >= 1.0);
    }

    #[test]
    fn marks_keep_their_distance() {
        assert_eq!(DAY.marks(60.0).len(), 13);
        let hour = Scale {
            end_ms: 3_600_000.0,
            ..DAY
        };
        assert_eq!(hour.marks(60.0).len(), 13);
        let phone = Scale { width: 320.0, ..DAY };
        assert!(phone.marks(60.0).len() <= 6);
    }

    proptest! {
        #[test]
        fn pixels_and_times_are_inverse(x in 0.0..960.0_f64) {
            prop_assert!((DAY.x(DAY.at(x)) - x).abs() < 1e-6);
        }

        #[test]
        fn bars_stay_inside_and_in_order(cuts in proptest::collection::btree_set(-10_000_000..100_000_000_i64, 2..60)) {
            let cuts: Vec<i64> = cuts.into_iter().collect();
            let stretches: Vec<Stretch> = cuts.windows(2).enumerate().map(|(i, pair)| {
                if i % 2 == 0 { gap(pair[0], pair[1]) } else { Stretch::Footage { start: UnixMs(pair[0]), end: UnixMs(pair[1]) } }
            }).collect();
            let (footage, gaps) = bars(&stretches, &DAY);
            for bars in [footage, gaps] {
                prop_assert!(bars.iter().all(|bar| bar.x >= 0.0 && bar.x <= DAY.width && bar.width >= 1.0));
                prop_assert!(bars.windows(2).all(|pair| pair[0].x + pair[0].width < pair[1].x));
            }
        }
    }

    #[test]
    fn a_click_beside_footage_means_the_footage_under_the_finger() {
        let day = Scale {
            start_ms: 0.0,
            end_ms: 86_400_000.0,
            width: 328.0,
        };
        let minute = |minute: i64| UnixMs(minute * 60_000);
        let stretches = [Stretch::Footage {
            start: minute(600),
            end: minute(603),
        }];
        let reached = |at: i64| reached(&stretches, &day, minute(at).0 as f64) as i64;
        assert_eq!(reached(601), minute(601).0, "inside");
        assert_eq!(reached(590), minute(590).0, "playback begins at what follows");
        assert_eq!(reached(610), minute(603).0 - 2_000, "under the finger");
        assert_eq!(reached(700), minute(700).0, "far away");
    }
}
