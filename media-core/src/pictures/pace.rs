//! Which pictures are shown at a rate.
//!
//! By capture time, so that a burst shows no more than a steady stream. Half an interval of slack: a camera
//! whose rate is the one asked for loses no picture to jitter.

/// Chooses pictures so that no more than so many a second are shown.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// None shows all.
    interval_ns: Option<i64>,
    due_ns: Option<i64>,
}

impl Pace {
    /// No more than this many a second; None for all.
    pub(super) fn new(per_second: Option<u16>) -> Self {
        Self {
            interval_ns: per_second.map(|rate| 1_000_000_000 / i64::from(rate.max(1))),
            due_ns: None,
        }
    }

    /// Whether a picture of this capture time is due. What is not due now never will be.
    pub(super) fn wants(&self, pts_ns: i64) -> bool {
        let (Some(interval), Some(due)) = (self.interval_ns, self.due_ns) else {
            return true;
        };
        // Far before what was shown last, time has jumped back.
        pts_ns >= due - interval / 2 || pts_ns < due - 4 * interval.max(1_000_000_000)
    }

    /// The picture of this capture time is shown.
    pub(super) fn take(&mut self, pts_ns: i64) {
        let Some(interval) = self.interval_ns else {
            return;
        };
        // On the grid where that is near; a gap or a jump begins a new one.
        let next = self.due_ns.map_or(pts_ns, |due| due) + interval;
        self.due_ns = Some(if (next - pts_ns - interval).abs() <= interval {
            next
        } else {
            pts_ns + interval
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the pictures at these times are shown.
    fn shown(per_second: u16, times: impl Iterator<Item = i64>) -> usize {
        let mut pace = Pace::new(Some(per_second));
        times
            .filter(|&pts| {
                let wanted = pace.wants(pts);
                if wanted {
                    pace.take(pts);
                }
                wanted
            })
            .count()
    }

    /// Ten seconds at this rate, each picture off by up to a third of its interval.
    fn camera(per_second: i64) -> impl Iterator<Item = i64> {
        let interval = 1_000_000_000 / per_second;
        (0..10 * per_second).map(move |number| {
            let jitter = (number * 7919 % 7 - 3) * interval / 9;
            1_700_000_000_000_000_000 + number * interval + jitter
        })
    }

    #[test]
    fn rates_are_kept_whatever_the_camera_sends() {
        for (camera_rate, asked) in [(15, 15), (25, 15), (30, 10), (15, 5), (60, 25), (25, 1)] {
            let count = shown(asked, camera(camera_rate));
            let wanted = 10 * usize::from(asked);
            assert!(
                count.abs_diff(wanted) <= 1,
                "{camera_rate} → {asked}: {count} instead of {wanted}"
            );
        }
        assert_eq!(shown(15, camera(5)), 50, "none is made up");
    }

    #[test]
    fn a_jump_of_time_stops_nothing_and_bursts_nothing() {
        let ten = |start: i64| (0..10).map(move |number| start + number * 100_000_000);
        let far = 3_600_000_000_000;
        let times = ten(far * 10).chain(ten(far * 11)).chain(ten(far));
        assert!((15..=18).contains(&shown(5, times)));
    }
}
