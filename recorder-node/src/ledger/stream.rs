//! The ledger of one stream: a point up to which all is accounted for, and the gap that may still grow.

use wire::coverage::GapCause;
use wire::{ObjectId, TimeRange, UnixMs};

use super::{Cause, Planned};

/// Less than this between the last picture and the end of a window is no gap: pictures come when they come.
pub(super) const SEAM_MS: i64 = 300;

/// A gap of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenGap {
    /// Its id, the same while it grows.
    pub id: ObjectId,
    /// So far.
    pub range: TimeRange,
    /// Why.
    pub cause: GapCause,
    /// For people.
    pub detail: String,
}

/// Up to where a stream is accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamLedger {
    /// All planned time before this is an object or a gap.
    pub end: UnixMs,
    /// The last sealed object.
    pub last_object: Option<ObjectId>,
    /// The gap that ends at `end` and can grow.
    pub open_gap: Option<OpenGap>,
}

impl StreamLedger {
    /// A stream that is planned from `since` on.
    #[must_use]
    pub fn new(since: UnixMs) -> Self {
        Self {
            end: since,
            last_object: None,
            open_gap: None,
        }
    }

    /// Turns planned time from [`end`](Self::end) to `until` into gaps: new ones and grown ones.
    pub(super) fn account(&mut self, planned: &Planned, until: UnixMs, cause: &Cause) -> Vec<OpenGap> {
        let mut gaps = Vec::new();
        let is_seam = |ledger: &Self, piece: &TimeRange| {
            let begins = piece.start() == ledger.end && ledger.open_gap.is_none();
            begins && piece.end() < until && piece.duration_ms() <= SEAM_MS
        };
        for piece in planned.within(self.end, until) {
            if !is_seam(self, &piece) {
                self.piece(piece, cause, &mut gaps);
            }
        }
        self.end = until;
        if self.open_gap.as_ref().is_some_and(|gap| gap.range.end() != until) {
            self.open_gap = None;
        }
        gaps
    }

    fn piece(&mut self, piece: TimeRange, cause: &Cause, gaps: &mut Vec<OpenGap>) {
        let mut from = piece.start();
        if let Some(gap) = self.open_gap.as_mut().filter(|gap| gap.range.end() == from) {
            // Another cause counts from when it was known; before, the old one went on.
            let to = if gap.cause == cause.cause {
                piece.end()
            } else {
                cause.since.clamp(from, piece.end())
            };
            if let Ok(grown) = TimeRange::new(gap.range.start(), to)
                && to > from
            {
                gap.range = grown;
                gaps.push(gap.clone());
            }
            from = to;
        }
        if let Ok(range) = TimeRange::new(from, piece.end()) {
            let gap = OpenGap {
                id: ObjectId::generate(),
                range,
                cause: cause.cause,
                detail: cause.detail.clone(),
            };
            gaps.push(gap.clone());
            self.open_gap = Some(gap);
        }
    }

    pub(super) fn sealed(&mut self, id: ObjectId, range: TimeRange) {
        self.end = self.end.max(range.end());
        self.last_object = Some(id);
        self.open_gap = None;
    }
}
