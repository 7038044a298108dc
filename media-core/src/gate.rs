//! The gate between a source and its recording: lets through what a window wants, and keeps in memory what the
//! next one may want from before its start.
//!
//! Pure: units in order of decoding go in, and come out with the word that ends a window. It reads no clock: a
//! window opens and closes by the units' capture times.
//!
//! # Rules
//! * A span opens with the first picture captured at or after its start. What is recorded begins with the
//!   keyframe at or before [`Span::keep_ms`] if it is in memory, otherwise with the oldest one that is; without
//!   any with the next one.
//! * It closes at the first picture, in decode order, captured at or after its end. Sound from after the end is
//!   dropped, and so are pictures that are shown before the end and decoded after that picture.
//! * In memory are whole GOPs, sound included: the one that holds the instant from which footage is kept, and
//!   those after it. Beyond the bound in bytes the oldest go, and a GOP that is larger alone is not kept.
//! * Time that is not continuous empties the memory: footage from before it belongs to no window ahead.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::clock::MS_NS;
use crate::facts::{Span, Spans};
use crate::fanout::AccessUnit;

/// What leaves the gate.
#[derive(Debug, Clone)]
pub enum Passed {
    /// To be recorded.
    Unit(AccessUnit),
    /// The window is over.
    Close {
        /// Decode time of the picture that would have followed.
        next_dts_ns: i64,
    },
}

/// A gate; it opens and closes by itself.
#[derive(Debug)]
pub struct Gate {
    spans: Spans,
    open: Option<Span>,
    /// Capture time of the last picture that was let through.
    last_ns: i64,
    gops: VecDeque<Vec<AccessUnit>>,
    bytes: usize,
    bytes_max: usize,
}

impl Gate {
    /// A gate for these spans, which keeps at most `bytes_max` in memory.
    #[must_use]
    pub fn new(spans: Spans, bytes_max: usize) -> Self {
        Self {
            spans,
            open: None,
            last_ns: i64::MIN,
            gops: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// Other spans count from now on. When none of them is open where the last picture was, the next one closes.
    pub fn set(&mut self, spans: Spans) {
        self.spans = spans;
        if let Some(open) = &mut self.open {
            let at = self.last_ns;
            let goes_on = spans
                .iter()
                .find(|span| is_before(at, span) && starts_by(at, span));
            *open = goes_on.unwrap_or(Span {
                end_ms: Some(i64::MIN),
                ..*open
            });
        }
    }

    /// Bytes in memory.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the next unit; what is to be recorded goes to `out`.
    pub fn push(&mut self, unit: AccessUnit, out: &mut Vec<Passed>) {
        let video = unit.params.is_video();
        if let Some(open) = &self.open {
            if is_before(unit.pts_ns, open) {
                if video {
                    self.last_ns = unit.pts_ns;
                }
                out.push(Passed::Unit(unit));
                return;
            }
            if !video {
                return;
            }
            self.open = None;
            out.push(Passed::Close {
                next_dts_ns: unit.dts_ns,
            });
        }
        self.hold(unit, out);
    }

    /// A unit outside every window.
    fn hold(&mut self, unit: AccessUnit, out: &mut Vec<Passed>) {
        let (at, video) = (unit.pts_ns, unit.params.is_video());
        if unit.discontinuity {
            self.clear();
        }
        let Some(span) = self.spans.iter().find(|span| is_before(at, span)) else {
            return self.clear();
        };
        if unit.keyframe {
            self.gops.push_back(Vec::new());
        }
        let Some(gop) = self.gops.back_mut() else {
            return;
        };
        self.bytes += unit.bytes.len();
        gop.push(unit);
        self.prune(&span);
        if video && starts_by(at, &span) && !self.gops.is_empty() {
            self.open = Some(span);
            self.last_ns = at;
            out.extend(self.gops.drain(..).flatten().map(Passed::Unit));
            self.bytes = 0;
        }
    }

    fn prune(&mut self, span: &Span) {
        let keep = ns(span.keep_ms);
        while let [_, second, ..] = self.gops.make_contiguous()
            && (second.first().is_some_and(|key| key.pts_ns <= keep) || self.bytes > self.bytes_max)
        {
            let gone = self.gops.pop_front().unwrap_or_default();
            self.bytes -= gone.iter().map(|unit| unit.bytes.len()).sum::<usize>();
        }
        if self.bytes > self.bytes_max {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.gops.clear();
        self.bytes = 0;
    }
}

fn ns(ms: i64) -> i64 {
    ms.saturating_mul(MS_NS)
}

fn is_before(at_ns: i64, span: &Span) -> bool {
    span.end_ms.is_none_or(|end| at_ns < ns(end))
}

fn starts_by(at_ns: i64, span: &Span) -> bool {
    at_ns >= ns(span.start_ms)
}
