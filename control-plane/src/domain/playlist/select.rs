//! Which segments a playlist names: those in the range, once each, the higher epoch where two overlap.

use std::collections::{BTreeMap, HashSet};

use wire::event::{OpenObject, SealedObject};
use wire::media::Init;
use wire::{ObjectId, Segment, SegmentTable, TimeRange, Track, UnixMs};

/// Times closer than this are one time: durations are rounded to milliseconds, and less than two
/// pictures of a camera lie between.
pub const TOUCH_MS: i64 = 50;
/// Segments that overlap by no more than this do not exclude each other: times are rounded one by one,
/// and the index takes objects whose own segments overlap that much.
pub const OVERLAP_MS: i64 = 100;

/// An object as playlists and coverage see it, indexed or of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct Footage {
    /// The object.
    pub id: ObjectId,
    /// The assignment's epoch; the higher one wins where two overlap.
    pub epoch: u64,
    /// The object whose last picture this one's first follows without a break.
    pub previous: Option<ObjectId>,
    /// Its initialization section.
    pub init: Init,
    /// Its tracks.
    pub tracks: Vec<Track>,
    /// Its segments, whole ones only.
    pub segments: SegmentTable,
}

impl From<OpenObject> for Footage {
    fn from(object: OpenObject) -> Self {
        Self {
            id: object.id,
            epoch: object.epoch,
            previous: object.previous,
            init: object.init,
            tracks: object.tracks,
            segments: object.segments,
        }
    }
}

impl From<SealedObject> for Footage {
    fn from(object: SealedObject) -> Self {
        Self {
            id: object.id,
            epoch: object.epoch,
            previous: object.previous,
            init: object.init,
            tracks: object.tracks,
            segments: object.segments,
        }
    }
}

impl Footage {
    /// Its segments' times, in order.
    pub fn ranges(&self) -> impl Iterator<Item = TimeRange> {
        let segments = self.segments.0.iter();
        segments.filter_map(|segment| TimeRange::new(segment.start, segment.end()).ok())
    }
}

/// A segment and the object that it lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'a> {
    /// The object.
    pub object: &'a Footage,
    /// The segment.
    pub segment: Segment,
}

/// The segments of `footage` that touch `range`, by time, without overlap.
///
/// Of objects with the same id the first counts: put indexed ones before those of a head. Where segments
/// overlap by more than [`OVERLAP_MS`], the higher epoch stays, then the earlier one; what is left out is
/// still in the index. The choice does not depend on `range`, so that neighbouring ranges agree.
#[must_use]
pub fn select(footage: &[Footage], range: TimeRange) -> Vec<Entry<'_>> {
    let mut seen = HashSet::new();
    let mut entries: Vec<Entry<'_>> = footage
        .iter()
        .filter(|object| seen.insert(object.id))
        .flat_map(|object| {
            let segments = object.segments.0.iter().copied();
            segments.map(move |segment| Entry { object, segment })
        })
        .filter(|entry| is_sound(&entry.segment))
        .collect();
    entries.sort_by_key(|entry| {
        let first = std::cmp::Reverse(entry.object.epoch);
        (first, entry.segment.start, entry.object.id, entry.segment.offset)
    });
    let mut taken: BTreeMap<UnixMs, Entry<'_>> = BTreeMap::new();
    for entry in entries {
        if !collides(&taken, &entry.segment) {
            taken.insert(entry.segment.start, entry);
        }
    }
    let touches =
        |entry: &Entry<'_>| entry.segment.start < range.end() && entry.segment.end() > range.start();
    taken.into_values().filter(touches).collect()
}

/// Whether a player can do anything with it.
fn is_sound(segment: &Segment) -> bool {
    segment.duration_ms > 0
        && segment.length > 0
        && segment.offset.checked_add(segment.length.into()).is_some()
}

/// Whether `segment` overlaps a chosen one. Chosen ones do not overlap each other, so only the
/// neighbours can.
fn collides(taken: &BTreeMap<UnixMs, Entry<'_>>, segment: &Segment) -> bool {
    let before = taken.range(..=segment.start).next_back();
    let after = taken.range(segment.start..).next();
    before.is_some_and(|(&start, entry)| {
        start == segment.start || entry.segment.end().since(segment.start) > OVERLAP_MS
    }) || after.is_some_and(|(&start, _)| segment.end().since(start) > OVERLAP_MS)
}
