//! The cut: where chunks, segments and objects begin and end.
//!
//! [`Cutter`] is a pure state machine: facts of one access unit in, decisions out. It holds no bytes, reads
//! no clock and writes nothing. All times are decode times in nanoseconds since 1970 UTC, as
//! [`Timed::dts_ns`](crate::clock::Timed) gives them.
//!
//! # Rules
//! * A segment ends at the first keyframe at or after its target (6 s), an object at the first segment end at
//!   or after its target (60 s, or the first object's own), or at a keyframe with new codec parameters or
//!   with a clock discontinuity. Ages are compared with a tenth of a second of tolerance: mapped time
//!   breathes by milliseconds, and a 6 s GOP must not make 12 s segments.
//! * A chunk ends before the picture that would stretch it beyond `chunk_max` or `chunk_max_bytes`, and at
//!   every segment's end. One picture alone may exceed both.
//! * No keyframe for `keyframe_limit` (30 s) is reported. The pictures still depend on a keyframe that is
//!   there, so recording goes on, and the object closes ([`CloseReason::NoKeyframe`]) when it also reaches
//!   its own target. A camera with a GOP of 40 s loses nothing; one that never sends a keyframe again is
//!   given up after a minute. Recording then resumes with the next keyframe.
//! * Pictures without a keyframe to start from (before the first one, after `NoKeyframe`, after a change of
//!   parameters without a keyframe) cannot be decoded: they are dropped and counted in
//!   [`Cutter::dropped`].
//! * Sound never cuts. It goes into the open chunk, and is dropped when no object is open.

use crate::facts::{CloseReason, RecordSettings};

/// Facts of one access unit, in the order in which the units are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitFacts {
    /// A picture; otherwise sound.
    pub video: bool,
    /// Decode time, nanoseconds since 1970 UTC.
    pub dts_ns: i64,
    /// A picture at which decoding can start.
    pub random_access: bool,
    /// Its size.
    pub bytes: usize,
    /// The codec parameters (of any track) differ from those of the unit before.
    pub new_parameters: bool,
    /// Time is not continuous here.
    pub discontinuity: bool,
}

/// What to do about one access unit, in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// Something changed between well and unwell; hand it on as `Fact::Degraded`.
    pub health: Option<Health>,
    /// Finish the open chunk, whose last picture ends where this unit starts.
    pub end_chunk: bool,
    /// Then close the open object.
    pub close: Option<CloseReason>,
    /// Then open an object; the unit is its first picture.
    pub open: Option<Open>,
    /// The unit starts a segment, and so a chunk.
    pub starts_segment: bool,
    /// Then add the unit to the open chunk; otherwise drop it.
    pub record: bool,
}

/// An object begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// It follows the object before it without a break.
    pub continues: bool,
}

/// Whether keyframes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// None came for the limit.
    NoKeyframe,
    /// One came again.
    Well,
}

/// The state of the cut.
#[derive(Debug, Clone)]
pub struct Cutter {
    settings: RecordSettings,
}

impl Cutter {
    /// Nothing recorded yet.
    #[must_use]
    pub fn new(settings: &RecordSettings) -> Self {
        Self { settings: *settings }
    }

    /// Decides about the next unit.
    pub fn step(&mut self, unit: UnitFacts) -> Decision {
        let _ = unit; unimplemented!()
    }

    /// The attempt ends: whether an object is open, to be closed with its last chunk.
    pub fn finish(&mut self) -> Option<CloseReason> {
        let _ = self.settings; unimplemented!()
    }

    /// Pictures that were dropped for want of a keyframe.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        unimplemented!()
    }
}
