//! The line below all points of RTP time against arrival.
//!
//! A packet is never early: every point lies on or above the line `arrival = slope × rtp + offset` that the
//! network's least delay draws, and the slope is the camera's true RTP rate. The line is found from the least
//! delayed packet of each quarter second of the last half minute: the longest edge of their lower convex hull
//! gives the slope, the lowest of them the offset.

use std::collections::VecDeque;

use super::{MS_NS, SECOND_NS};

/// One point is kept for this much time.
const BLOCK_NS: i64 = SECOND_NS / 4;
/// Older points are forgotten, so that a slow drift of the network's delay is followed.
const WINDOW_NS: i64 = 30 * SECOND_NS;
/// The rate is taken as the nominal one unless it moves a point by more than this; it is about what arrival
/// jitters when sockets are read on a tick.
const TOLERANCE_NS: f64 = 40.0 * MS_NS as f64;
/// An edge of the hull shorter than this says nothing of the rate: it may be a burst of buffered packets.
const MIN_SPAN_NS: i64 = 600 * MS_NS;
/// Rates beyond these are no rates.
const SLOPES: std::ops::RangeInclusive<f64> = 0.4..=5.0;

/// RTP time and arrival, both in nanoseconds from origins that never move.
type Point = (i64, i64);

#[derive(Debug, Default)]
pub(super) struct Envelope {
    points: VecDeque<Point>,
    /// The least delayed point since `block_start`.
    block: Option<Point>,
    block_start: i64,
    line: Option<Line>,
    jitter_ns: i64,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    slope: f64,
    through: Point,
}

impl Line {
    fn at(&self, rtp: i64) -> i64 {
        self.through.1 + ((rtp - self.through.0) as f64 * self.slope) as i64
    }

    /// How far a point lies above the line.
    fn above(&self, point: Point) -> i64 {
        point.1 - self.at(point.0)
    }
}

impl Envelope {
    /// Takes a packet. Its RTP time may go back a little.
    pub(super) fn add(&mut self, point: Point) {
        let Some(line) = &mut self.line else {
            self.line = Some(Line {
                slope: 1.0,
                through: point,
            });
            self.block = Some(point);
            self.block_start = point.1;
            return;
        };
        let above = line.above(point);
        self.jitter_ns += (above.abs().min(SECOND_NS) - self.jitter_ns) / 16;
        if above < 0 {
            line.through = point;
        }
        match self.block {
            Some(block) if point.1 - self.block_start < BLOCK_NS => {
                if line.above(block) > line.above(point) {
                    self.block = Some(point);
                }
            }
            block => {
                self.points
                    .extend(block.filter(|block| self.points.back().is_none_or(|last| last.0 < block.0)));
                while self
                    .points
                    .front()
                    .is_some_and(|first| point.1 - first.1 > WINDOW_NS)
                {
                    self.points.pop_front();
                }
                self.block = Some(point);
                self.block_start = point.1;
                self.fit(point);
            }
        }
    }

    /// Arrival of a packet of this RTP time by the least delay; None before the first packet.
    pub(super) fn arrival(&self, rtp: i64) -> Option<i64> {
        self.line.map(|line| line.at(rtp))
    }

    /// True nanoseconds in a nanosecond of RTP time.
    pub(super) fn slope(&self) -> f64 {
        self.line.map_or(1.0, |line| line.slope)
    }

    /// Mean delay beyond the least.
    pub(super) fn jitter_ns(&self) -> i64 {
        self.jitter_ns
    }

    fn fit(&mut self, newest: Point) {
        let slope = self.hull_slope(newest);
        let through = self.points.iter().copied().chain([newest]).min_by(|a, b| {
            let line = Line {
                slope,
                through: newest,
            };
            line.above(*a).cmp(&line.above(*b))
        });
        if let Some(through) = through {
            self.line = Some(Line { slope, through });
        }
    }

    /// The slope of the longest edge of the lower convex hull, or the nominal one.
    fn hull_slope(&self, newest: Point) -> f64 {
        let mut hull: Vec<Point> = Vec::with_capacity(self.points.len() + 1);
        for &point in self.points.iter().chain([&newest]) {
            if hull.last().is_some_and(|last| last.0 >= point.0) {
                continue;
            }
            while let [.., a, b] = hull[..] {
                if slope(a, b) < slope(b, point) {
                    break;
                }
                hull.pop();
            }
            hull.push(point);
        }
        let longest = hull.windows(2).max_by_key(|edge| edge[1].1 - edge[0].1);
        let Some(&[a, b]) = longest else {
            return 1.0;
        };
        let (slope, span) = (slope(a, b), b.1 - a.1);
        let counts = span >= MIN_SPAN_NS && ((slope - 1.0) * span as f64).abs() > TOLERANCE_NS;
        if counts && SLOPES.contains(&slope) {
            slope
        } else {
            1.0
        }
    }
}

fn slope(a: Point, b: Point) -> f64 {
    (b.1 - a.1) as f64 / (b.0 - a.0).max(1) as f64
}
