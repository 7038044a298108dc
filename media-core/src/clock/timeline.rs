//! The timeline of one session.

use super::{Arrival, ClockSettings, ClockStats, Prior, SenderReport, Timed, TrackId, TrackSpec};

/// Places the units of one session on the recording's timeline; see the [module](super).
///
/// Push everything in order of arrival, and take out what is ready after each push:
/// ```ignore
/// timeline.push(video, rtp, arrival, keyframe, unit);
/// while let Some(timed) = timeline.pop() { … }
/// ```
#[derive(Debug)]
pub struct Timeline<T> {
    settings: ClockSettings,
    _unit: std::marker::PhantomData<T>,
}

impl<T> Timeline<T> {
    /// An empty timeline.
    #[must_use]
    pub fn new(settings: ClockSettings) -> Self {
        let _ = settings; unimplemented!()
    }

    /// Adds a track; before its first unit, at any time.
    pub fn add_track(&mut self, spec: TrackSpec) -> TrackId {
        let _ = spec; unimplemented!()
    }

    /// The track's parameters changed: how far pictures are reordered from here on.
    pub fn set_reorder_depth(&mut self, track: TrackId, depth: Option<u8>) {
        let _ = (track, depth); unimplemented!()
    }

    /// Takes a sender report of `track`.
    pub fn sender_report(&mut self, track: TrackId, report: SenderReport, arrival: Arrival) {
        let _ = (track, report, arrival); unimplemented!()
    }

    /// Takes a unit, in decode order within its track. `rtp` is the raw RTP timestamp. An unknown track's
    /// unit is dropped.
    pub fn push(&mut self, track: TrackId, rtp: u32, arrival: Arrival, random_access: bool, unit: T) {
        let _ = (track, rtp, arrival, random_access, unit); unimplemented!()
    }

    /// The next unit whose place is known, in order of arrival.
    pub fn pop(&mut self) -> Option<Timed<T>> {
        unimplemented!()
    }

    /// Ends the holding of the first units, such as at the end of the session.
    pub fn release(&mut self) {
        unimplemented!()
    }

    /// Figures so far.
    #[must_use]
    pub fn stats(&self) -> ClockStats {
        unimplemented!()
    }

    /// What the next session of this camera should start from.
    #[must_use]
    pub fn prior(&self) -> Option<Prior> {
        let _ = self.settings; unimplemented!()
    }
}
