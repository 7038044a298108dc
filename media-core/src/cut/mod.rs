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
//!   there, so recording goes on; after twice the limit the object closes ([`CloseReason::NoKeyframe`]), and
//!   recording resumes with the next keyframe. So a camera with a GOP of 40 s loses nothing, and no object
//!   grows without end.
//! * Pictures without a keyframe to start from (before the first one, after `NoKeyframe`, after a change of
//!   parameters without a keyframe) cannot be decoded: they are dropped and counted in
//!   [`Cutter::dropped`].
//! * Sound never cuts. It goes into the open chunk, and is dropped when no object is open. When its parameters
//!   change, it is dropped until the next keyframe, where the object changes.

#[cfg(test)]
mod tests;

use std::time::Duration;

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
    /// The codec parameters of its track differ from those of the open object.
    pub new_parameters: bool,
    /// Time is not continuous here; only on random access points.
    pub discontinuity: bool,
}

/// What to do about one access unit, in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// Something changed between well and unwell; hand it on as `Fact::Degraded`.
    pub health: Option<Health>,
    /// Finish the open chunk. Its last picture ends where this unit starts, unless the object closes for
    /// [`CloseReason::Clock`]: then it takes its usual duration; see [`Decision::next_dts_ns`].
    pub end_chunk: bool,
    /// With `end_chunk`: what to tell the chunk writer of the picture that follows.
    pub next_dts_ns: Option<i64>,
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
    limits: Limits,
    object_target: i64,
    state: State,
    /// `Health::NoKeyframe` was said last.
    unwell: bool,
    dropped: u64,
}

/// The settings, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    segment: i64,
    object: i64,
    chunk: i64,
    chunk_bytes: usize,
    keyframe: i64,
}

#[derive(Debug, Clone)]
enum State {
    /// No object is open; pictures came since then without a keyframe.
    Waiting {
        since: Option<i64>,
    },
    Recording(Recording),
}

/// An object is open, and in it a segment and a chunk. Times of their first pictures.
#[derive(Debug, Clone, Copy)]
struct Recording {
    object: i64,
    segment: i64,
    chunk: i64,
    chunk_bytes: usize,
    keyframe: i64,
    last: i64,
    /// Between the last two pictures.
    interval: i64,
    /// Sound with other parameters came.
    new_sound: bool,
}

impl Recording {
    fn open(unit: &UnitFacts) -> Self {
        Self {
            object: unit.dts_ns,
            segment: unit.dts_ns,
            chunk: unit.dts_ns,
            chunk_bytes: unit.bytes,
            keyframe: unit.dts_ns,
            last: unit.dts_ns,
            interval: 0,
            new_sound: false,
        }
    }

    fn chunk_is_full(&self, unit: &UnitFacts, limits: &Limits) -> bool {
        let interval = self.interval.max(unit.dts_ns - self.last);
        unit.dts_ns + interval - self.chunk > limits.chunk
            || self.chunk_bytes.saturating_add(unit.bytes) > limits.chunk_bytes
    }

    /// Adds a picture; `new_chunk` when it is the first of one.
    fn add(&mut self, unit: &UnitFacts, new_chunk: bool) {
        if new_chunk {
            self.chunk = unit.dts_ns;
            self.chunk_bytes = 0;
        }
        self.chunk_bytes = self.chunk_bytes.saturating_add(unit.bytes);
        self.interval = unit.dts_ns - self.last;
        self.last = unit.dts_ns;
        if unit.random_access {
            self.keyframe = unit.dts_ns;
        }
    }
}

impl Cutter {
    /// Nothing recorded yet.
    #[must_use]
    pub fn new(settings: &RecordSettings) -> Self {
        let limits = Limits {
            segment: tolerant(settings.segment_target),
            object: tolerant(settings.object_target),
            chunk: ns(settings.chunk_max),
            chunk_bytes: settings.chunk_max_bytes,
            keyframe: ns(settings.keyframe_limit),
        };
        Self {
            object_target: settings.first_object_target.map_or(limits.object, tolerant),
            limits,
            state: State::Waiting { since: None },
            unwell: false,
            dropped: 0,
        }
    }

    /// Decides about the next unit.
    pub fn step(&mut self, unit: UnitFacts) -> Decision {
        match &mut self.state {
            State::Recording(recording) if !unit.video => {
                recording.new_sound |= unit.new_parameters;
                if recording.new_sound {
                    return Decision::default();
                }
                recording.chunk_bytes = recording.chunk_bytes.saturating_add(unit.bytes);
                Decision {
                    record: true,
                    ..Decision::default()
                }
            }
            State::Waiting { .. } if !unit.video => Decision::default(),
            State::Recording(recording) => {
                let recording = *recording;
                if unit.random_access {
                    self.keyframe(&unit, recording)
                } else {
                    self.picture(&unit, recording)
                }
            }
            State::Waiting { since } => {
                let since = *since.get_or_insert(unit.dts_ns);
                if unit.random_access {
                    let health = self.well();
                    self.open(
                        &unit,
                        Decision {
                            health,
                            ..Decision::default()
                        },
                        false,
                    )
                } else {
                    self.dropped += 1;
                    Decision {
                        health: self.overdue(unit.dts_ns - since),
                        ..Decision::default()
                    }
                }
            }
        }
    }

    /// The attempt ends: whether an object is open, to be closed with its last chunk.
    pub fn finish(&mut self) -> Option<CloseReason> {
        let open = matches!(self.state, State::Recording(_));
        self.state = State::Waiting { since: None };
        open.then_some(CloseReason::Session)
    }

    /// Cuts by other targets from now on.
    pub fn retarget(&mut self, segment: Duration, object: Duration) {
        let before = self.limits.object;
        self.limits.segment = tolerant(segment);
        self.limits.object = tolerant(object);
        // The first object's own target stays.
        if self.object_target == before {
            self.object_target = self.limits.object;
        }
    }

    /// Pictures that were dropped for want of a keyframe.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A keyframe while an object is open.
    fn keyframe(&mut self, unit: &UnitFacts, mut recording: Recording) -> Decision {
        let health = self.well();
        let segment_ends = unit.dts_ns - recording.segment >= self.limits.segment;
        let close = if unit.discontinuity {
            Some(CloseReason::Clock)
        } else if unit.new_parameters || recording.new_sound {
            Some(CloseReason::Parameters)
        } else if segment_ends && unit.dts_ns - recording.object >= self.object_target {
            Some(CloseReason::Target)
        } else {
            None
        };
        let continuous = !unit.discontinuity;
        if close.is_some() {
            let next_dts_ns = continuous.then_some(unit.dts_ns);
            let decision = Decision {
                health,
                end_chunk: true,
                next_dts_ns,
                close,
                ..Decision::default()
            };
            return self.open(unit, decision, continuous);
        }
        let end_chunk = segment_ends || recording.chunk_is_full(unit, &self.limits);
        recording.add(unit, end_chunk);
        if segment_ends {
            recording.segment = unit.dts_ns;
        }
        self.state = State::Recording(recording);
        Decision {
            health,
            end_chunk,
            next_dts_ns: end_chunk.then_some(unit.dts_ns),
            starts_segment: segment_ends,
            record: true,
            ..Decision::default()
        }
    }

    /// Any other picture while an object is open.
    fn picture(&mut self, unit: &UnitFacts, mut recording: Recording) -> Decision {
        let without_keyframe = unit.dts_ns - recording.keyframe;
        let health = self.overdue(without_keyframe);
        let close = if unit.new_parameters {
            Some(CloseReason::Parameters)
        } else if without_keyframe >= self.limits.keyframe.saturating_mul(2) {
            Some(CloseReason::NoKeyframe)
        } else {
            None
        };
        let end_chunk = close.is_some() || recording.chunk_is_full(unit, &self.limits);
        if close.is_some() {
            self.dropped += 1;
            self.object_target = self.limits.object;
            self.state = State::Waiting {
                since: Some(recording.keyframe),
            };
        } else {
            recording.add(unit, end_chunk);
            self.state = State::Recording(recording);
        }
        Decision {
            health,
            end_chunk,
            next_dts_ns: end_chunk.then_some(unit.dts_ns),
            close,
            record: close.is_none(),
            ..Decision::default()
        }
    }

    fn open(&mut self, unit: &UnitFacts, so_far: Decision, continues: bool) -> Decision {
        if so_far.close.is_some() {
            self.object_target = self.limits.object;
        }
        self.state = State::Recording(Recording::open(unit));
        Decision {
            open: Some(Open { continues }),
            starts_segment: true,
            record: true,
            ..so_far
        }
    }

    fn well(&mut self) -> Option<Health> {
        std::mem::take(&mut self.unwell).then_some(Health::Well)
    }

    fn overdue(&mut self, without_keyframe: i64) -> Option<Health> {
        let news = without_keyframe >= self.limits.keyframe && !self.unwell;
        self.unwell |= news;
        news.then_some(Health::NoKeyframe)
    }
}

fn ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX / 4)
}

/// A target less the tolerance: a tenth of a second, or a tenth of a short target.
fn tolerant(target: Duration) -> i64 {
    let target = ns(target);
    target - (target / 10).min(100_000_000)
}
