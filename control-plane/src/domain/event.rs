//! Whether a node's event can be true: its own node, sane times, byte ranges that lie inside.
//!
//! A node is trusted with its own cameras' footage, never with the index: what it says ends up in
//! playlists and in byte ranges.

use wire::coverage::Gap;
use wire::event::{Head, NodeEvent, OpenObject, RecordingSession, SealedObject};
use wire::media::Init;
use wire::{NodeId, SegmentTable, TimeRange, Track, UnixMs};

/// Longest object in milliseconds; range queries look this far back.
pub const MAX_OBJECT_MS: i64 = 15 * 60 * 1000;
/// Largest object in bytes: 15 minutes at 36 Mbit/s.
pub const MAX_OBJECT_BYTES: u64 = 4 << 30;
const MAX_GAP_MS: i64 = 366 * 24 * 60 * 60 * 1000;
const MAX_INIT_BYTES: u32 = 1 << 20;
const MAX_SEGMENTS: usize = 2000;
const MAX_TRACKS: usize = 8;
/// Segments' times are rounded to milliseconds one by one.
const ROUNDING_MS: i64 = 100;

/// Why an event will never be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub &'static str);

/// Checks an event that came under `subject_node`'s subject.
///
/// # Errors
/// The reason, for the node's log.
pub fn check(event: &NodeEvent, subject_node: NodeId) -> Result<(), Refusal> {
    require(
        event.node() == subject_node,
        "the event names another node than its subject",
    )?;
    match event {
        NodeEvent::ObjectSealed(object) => sealed(object),
        NodeEvent::Gap(gap) => check_gap(gap),
        NodeEvent::Recording(session) => check_session(session),
    }
}

fn sealed(object: &SealedObject) -> Result<(), Refusal> {
    let range =
        TimeRange::new(object.start, object.end).map_err(|_| Refusal("the object ends before it starts"))?;
    require(is_datable(range), "the object is outside the years 2000 to 2100")?;
    require(
        range.duration_ms() <= MAX_OBJECT_MS,
        "the object is longer than 15 minutes",
    )?;
    require(
        (1..=MAX_OBJECT_BYTES).contains(&object.bytes),
        "the object is empty or larger than 4 GiB",
    )?;
    require(
        digest(&object.sha256).is_some(),
        "the digest is not 64 hexadecimal digits",
    )?;
    require(object.previous != Some(object.id), "the object follows itself")?;
    let end = described(&object.init, &object.tracks, &object.segments, Some(range))?;
    require(!object.segments.0.is_empty(), "the object has no segment")?;
    require(end <= object.bytes, "a segment ends after the object")
}

/// Checks a head that came under `node`'s name.
///
/// # Errors
/// The reason, for the log.
pub fn check_head(head: &Head) -> Result<(), Refusal> {
    require(head.objects.len() <= 64, "the head has too many objects")?;
    head.objects.iter().try_for_each(open)
}

fn open(object: &OpenObject) -> Result<(), Refusal> {
    require(object.previous != Some(object.id), "the object follows itself")?;
    described(&object.init, &object.tracks, &object.segments, None).map(drop)
}

fn check_gap(gap: &Gap) -> Result<(), Refusal> {
    require(is_datable(gap.range), "the gap is outside the years 2000 to 2100")?;
    require(
        gap.range.duration_ms() <= MAX_GAP_MS,
        "the gap is longer than a year",
    )
}

fn check_session(session: &RecordingSession) -> Result<(), Refusal> {
    let times = [session.window_end, session.started, session.ended];
    require(
        times
            .into_iter()
            .flatten()
            .chain([session.window_start])
            .all(|at| at.checked().is_ok()),
        "the session is outside the years 2000 to 2100",
    )?;
    require(
        session.window_end.is_none_or(|end| end > session.window_start),
        "the session's window ends before it starts",
    )?;
    require(
        session.ended.is_some() == session.end_reason.is_some(),
        "a session ends for a reason, and has one only then",
    )?;
    require(
        match (session.started, session.ended) {
            (Some(started), Some(ended)) => ended >= started,
            _ => true,
        },
        "the session ended before it started",
    )?;
    let numbers = [
        session.revision,
        session.epoch,
        session.bytes,
        session.frames,
        session.gaps,
        session.gap_ms,
        session.attempts,
    ];
    require(
        session.revision > 0 && numbers.iter().all(|number| i64::try_from(*number).is_ok()),
        "a number of the session is out of range",
    )
}

/// Checks what playlists are made of; the first byte after the last segment.
fn described(
    init: &Init,
    tracks: &[Track],
    segments: &SegmentTable,
    range: Option<TimeRange>,
) -> Result<u64, Refusal> {
    require(
        (1..=MAX_INIT_BYTES).contains(&init.length),
        "the initialization section is empty or too large",
    )?;
    require(
        init.digest.len() == 32 && is_hex(&init.digest),
        "the initialization section's digest is not 32 hexadecimal digits",
    )?;
    require(
        (1..=MAX_TRACKS).contains(&tracks.len()) && tracks.iter().all(is_playable),
        "the tracks are missing or badly described",
    )?;
    require(segments.0.len() <= MAX_SEGMENTS, "there are too many segments")?;
    ranges(segments, u64::from(init.length), range)
}

fn ranges(segments: &SegmentTable, init_end: u64, range: Option<TimeRange>) -> Result<u64, Refusal> {
    let (mut offset, mut time) = (init_end, None);
    for segment in &segments.0 {
        require(
            segment.length > 0 && segment.duration_ms > 0,
            "a segment is empty",
        )?;
        require(
            segment.offset >= offset && segment.offset <= MAX_OBJECT_BYTES,
            "segments' bytes overlap or are out of order",
        )?;
        let stretch =
            TimeRange::new(segment.start, segment.end()).map_err(|_| Refusal("a segment is empty"))?;
        require(is_datable(stretch), "a segment is outside the years 2000 to 2100")?;
        require(
            time.is_none_or(|end| segment.start.since(end) >= -ROUNDING_MS),
            "segments' times overlap or are out of order",
        )?;
        require(
            range.is_none_or(|range| {
                segment.start.plus(ROUNDING_MS) >= range.start()
                    && segment.end().plus(-ROUNDING_MS) <= range.end()
            }),
            "a segment is outside its object's time",
        )?;
        offset = segment.end_offset();
        time = Some(segment.end());
    }
    Ok(offset)
}

fn is_datable(range: TimeRange) -> bool {
    [range.start(), range.end()]
        .into_iter()
        .all(|at: UnixMs| at.checked().is_ok())
}

/// A codec string goes into playlists as it is, between quotes.
fn is_playable(track: &Track) -> bool {
    let codec = track.codec();
    let spelled =
        (1..=64).contains(&codec.len()) && codec.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    let measured = match track {
        Track::Video {
            width, height, fps, ..
        } => *width <= 32_768 && *height <= 32_768 && fps.is_finite() && *fps >= 0.0,
        Track::Audio { sample_rate_hz, .. } => *sample_rate_hz > 0,
    };
    spelled && measured
}

/// The bytes of a SHA-256 in hexadecimal.
#[must_use]
pub fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A detail as it is kept: one line, not too long.
#[must_use]
pub fn tidy(detail: &str) -> String {
    detail.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn require(holds: bool, otherwise: &'static str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal(otherwise)) }
}

#[cfg(test)]
mod tests;
