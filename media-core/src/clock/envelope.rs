//! The line below all points of RTP time against arrival.
//!
//! A packet is never early: every point lies on or above the line `arrival = slope × rtp + offset` that the
//! network's least delay draws, and the slope is the camera's true RTP rate. The line is found from the least
//! delayed packet of each second of the last half minute: the longest edge of their lower convex hull
//! tells which of them were not late, a regression over those gives the slope, the lowest of all the offset.

use std::collections::VecDeque;

use super::{MS_NS, SECOND_NS};

/// One point is kept for this much time: while there are few, and later.
const BLOCKS_NS: [i64; 2] = [SECOND_NS / 4, SECOND_NS];
/// This many are few.
const FEW: usize = 16;
/// Older points are forgotten, so that a slow drift of the network's delay is followed.
const WINDOW_NS: i64 = 30 * SECOND_NS;
/// The rate is taken as the nominal one unless it moves a point by more than this; it is about what arrival
/// jitters when sockets are read on a tick.
const TOLERANCE_NS: f64 = 40.0 * MS_NS as f64;
/// An edge of the hull shorter than this says nothing of the rate: it may be a burst of buffered packets.
const MIN_SPAN_NS: i64 = 600 * MS_NS;
/// Points this near to the hull's edge say what the rate is.
const NEAR_NS: i64 = 100 * MS_NS;
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
            Some(block) if point.1 - self.block_start < BLOCKS_NS[usize::from(self.points.len() >= FEW)] => {
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
        let slope = self.rate(newest);
        let line = Line {
            slope,
            through: newest,
        };
        let points = self.points.iter().copied().chain([newest]);
        if let Some(through) = points.min_by_key(|point| line.above(*point)) {
            self.line = Some(Line { slope, through });
        }
    }

    /// The true rate, or the nominal one when nothing speaks against it.
    fn rate(&self, newest: Point) -> f64 {
        let Some((a, b)) = self.longest_edge(newest) else {
            return 1.0;
        };
        let edge = Line {
            slope: slope(a, b),
            through: a,
        };
        if b.1 - a.1 < MIN_SPAN_NS || !SLOPES.contains(&edge.slope) {
            return 1.0;
        }
        let (slope, span) = self.regression(edge).unwrap_or((edge.slope, b.1 - a.1));
        if ((slope - 1.0) * span as f64).abs() > TOLERANCE_NS {
            slope
        } else {
            1.0
        }
    }

    /// The longest edge of the lower convex hull: whatever was late is not on it.
    fn longest_edge(&self, newest: Point) -> Option<(Point, Point)> {
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
        let edges = hull.windows(2).map(|edge| (edge[0], edge[1]));
        edges.max_by_key(|(a, b)| b.1 - a.1)
    }

    /// The slope of the points near the line by least squares, and the time that they span.
    fn regression(&self, line: Line) -> Option<(f64, i64)> {
        let near = || {
            self.points
                .iter()
                .filter(|point| (-NEAR_NS..=NEAR_NS).contains(&line.above(**point)))
        };
        let (first, last, count) = (near().next()?, near().next_back()?, near().count() as f64);
        let relative = |point: &Point| ((point.0 - first.0) as f64, (point.1 - first.1) as f64);
        let (sum_x, sum_y) = near()
            .map(relative)
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let (covariance, variance) = near().map(relative).fold((0.0, 0.0), |sum, (x, y)| {
            let x = x - mean_x;
            (sum.0 + x * (y - mean_y), sum.1 + x * x)
        });
        let slope = covariance / variance;
        let span = last.1 - first.1;
        (span >= MIN_SPAN_NS && SLOPES.contains(&slope)).then_some((slope, span))
    }
}

fn slope(a: Point, b: Point) -> f64 {
    (b.1 - a.1) as f64 / (b.0 - a.0).max(1) as f64
}
