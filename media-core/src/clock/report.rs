//! Sender reports of one track: RTP time against the camera's clock.

use std::collections::VecDeque;

use super::{MS_NS, SECOND_NS};

/// Reports that are kept.
const WINDOW: usize = 8;
/// A report further off than this does not belong to those before it. Some cameras report the timestamp of
/// the picture sent last, which is off by a frame's duration.
const CONSISTENT_NS: i64 = 150 * MS_NS;
/// The rate is taken as the nominal one unless it moves a report by more than this.
const TOLERANCE_NS: f64 = 15.0 * MS_NS as f64;
/// Reports closer together than this say nothing of the rate.
const MIN_SPAN_NS: i64 = 2 * SECOND_NS;
/// A reset costs ten, a consistent report earns one: beyond this, the reports are noise.
const MAX_DISTRUST: u32 = 40;
/// Seconds from 1900 to 1970.
const NTP_TO_UNIX: i64 = 2_208_988_800;

/// RTP time and the camera's clock, nanoseconds.
type Point = (i64, i64);

#[derive(Debug, Default)]
pub(super) struct Reports {
    points: VecDeque<Point>,
    /// A report that contradicts the others, until the next one decides.
    suspect: Option<Point>,
    distrust: u32,
}

impl Reports {
    /// Takes a report. `rate` is the RTP clock's rate by other evidence.
    pub(super) fn add(&mut self, point: Point, rate: f64) {
        if self.agrees(point, rate) {
            self.suspect = None;
            self.distrust = self.distrust.saturating_sub(1);
            if self.points.len() == WINDOW {
                self.points.pop_front();
            }
            self.points.push_back(point);
        } else if let Some(suspect) = self.suspect.take() {
            // The second contradiction in a row: the camera's clock stepped, or its rate changed.
            self.points.clear();
            if plausible(suspect, point) {
                self.points.push_back(suspect);
            }
            self.points.push_back(point);
            self.distrust += 10;
        } else {
            self.suspect = Some(point);
        }
    }

    /// The RTP timestamps jumped: what was reported is void.
    pub(super) fn clear(&mut self) {
        self.points.clear();
        self.suspect = None;
    }

    /// The camera's clock at an RTP time; None without reports that can be believed.
    pub(super) fn camera_ns(&self, rtp: i64, rate: f64) -> Option<i64> {
        let last = self.points.back().filter(|_| self.distrust < MAX_DISTRUST)?;
        let slope = self.slope(rate);
        // Relative to the last report, so that the floats stay small.
        let offsets = self.points.iter().map(|point| deviation(*last, *point, slope));
        let mean = offsets.sum::<i64>() / self.points.len() as i64;
        Some(last.1 + mean + ((rtp - last.0) as f64 * slope) as i64)
    }

    /// Camera nanoseconds in a nanosecond of RTP time.
    pub(super) fn slope(&self, rate: f64) -> f64 {
        let (Some(first), Some(last)) = (self.points.front(), self.points.back()) else {
            return rate;
        };
        let span = last.1 - first.1;
        if span < MIN_SPAN_NS || last.0 <= first.0 {
            return rate;
        }
        let slope = span as f64 / (last.0 - first.0) as f64;
        if ((slope - 1.0) * span as f64).abs() > TOLERANCE_NS {
            slope
        } else {
            1.0
        }
    }

    /// Largest disagreement among the reports.
    pub(super) fn spread_ns(&self, rate: f64) -> i64 {
        let Some(last) = self.points.back() else {
            return 0;
        };
        let slope = self.slope(rate);
        let offsets = self
            .points
            .iter()
            .map(|point| deviation(*last, *point, slope).abs());
        offsets.max().unwrap_or(0)
    }

    fn agrees(&self, point: Point, rate: f64) -> bool {
        match (self.points.len(), self.points.back()) {
            (0, _) | (_, None) => true,
            // Over a few seconds a rate that is still unknown makes more than a step does.
            (1, Some(last)) => {
                deviation(*last, point, rate).abs() <= CONSISTENT_NS + (point.1 - last.1).abs() / 20
            }
            (_, Some(last)) => deviation(*last, point, self.slope(rate)).abs() <= CONSISTENT_NS,
        }
    }
}

/// How far `point` is ahead of the line through `base`.
fn deviation(base: Point, point: Point, slope: f64) -> i64 {
    point
        .1
        .saturating_sub(base.1)
        .saturating_sub(((point.0 - base.0) as f64 * slope) as i64)
}

/// Whether two reports can come from one clock.
fn plausible(a: Point, b: Point) -> bool {
    let slope = (b.1 - a.1) as f64 / (b.0 - a.0).max(1) as f64;
    b.0 > a.0 && (0.2..=5.0).contains(&slope)
}

/// Nanoseconds since 1970 of a 64-bit NTP timestamp (RFC 3550 §4), in the era from 1968 to 2104; None for 0,
/// which senders without a clock send.
pub(super) fn ntp_to_unix_ns(ntp: u64) -> Option<i64> {
    if ntp == 0 {
        return None;
    }
    let era = if ntp >> 63 == 1 { 0 } else { 1_i64 << 32 };
    let seconds = (ntp >> 32) as i64 + era - NTP_TO_UNIX;
    let fraction = ((ntp & 0xffff_ffff) * SECOND_NS as u64) >> 32;
    Some(seconds * SECOND_NS + fraction as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900_and_wraps_in_2036() {
        assert_eq!(ntp_to_unix_ns(0), None);
        assert_eq!(
            ntp_to_unix_ns((NTP_TO_UNIX as u64) << 32 | 1 << 31),
            Some(SECOND_NS / 2)
        );
        assert_eq!(
            ntp_to_unix_ns(1 << 32),
            Some(((1_i64 << 32) + 1 - NTP_TO_UNIX) * SECOND_NS)
        );
    }

    #[test]
    fn one_outlier_is_ignored_and_two_are_a_step() {
        let mut reports = Reports::default();
        let at = |second: i64| (second * SECOND_NS, (1_000_000 + second) * SECOND_NS);
        (0..4).for_each(|n| reports.add(at(n * 5), 1.0));
        reports.add((20 * SECOND_NS, 0), 1.0);
        assert_eq!(reports.camera_ns(at(21).0, 1.0), Some(at(21).1));
        reports.add(at(25), 1.0);
        assert_eq!(reports.camera_ns(at(26).0, 1.0), Some(at(26).1));
        for n in [30, 35] {
            reports.add((at(n).0, at(n).1 + 3 * SECOND_NS), 1.0);
        }
        assert_eq!(reports.camera_ns(at(36).0, 1.0), Some(at(39).1));
    }

    #[test]
    fn a_camera_that_reports_noise_is_not_believed() {
        let mut reports = Reports::default();
        (0..100_i64).for_each(|n| reports.add((n * 5 * SECOND_NS, (n * n % 17) * 1_000 * SECOND_NS), 1.0));
        assert_eq!(reports.camera_ns(500 * SECOND_NS, 1.0), None);
    }
}
