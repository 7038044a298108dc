//! Of which times a node can speak: those in which it had the camera, give or take what clocks are off.
//!
//! A node's credential may be in other hands. What it says of another time would hide what was really recorded
//! then, or that nothing was.

use wire::event::OpenObject;
use wire::{TimeRange, UnixMs};

use super::event::Refusal;

/// How far a node's clock may be off, in milliseconds: it may lack a battery.
pub const MARGIN_MS: i64 = 24 * 60 * 60 * 1000;
/// How long after the end of its assignment a node may still record, in milliseconds: it has to hear of it
/// first.
pub const LEAVING_MS: i64 = 60_000;

/// One assignment of a camera to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Its epoch.
    pub epoch: u64,
    /// When it began.
    pub since: UnixMs,
    /// When it ended; none while it goes on.
    pub ended: Option<UnixMs>,
}

/// All assignments of a camera to one node, ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenure(Vec<Grant>);

impl Tenure {
    /// One more of them.
    pub fn add(&mut self, grant: Grant) {
        self.0.push(grant);
    }

    /// Whether the node was ever given the camera under this epoch.
    #[must_use]
    pub fn has(&self, epoch: u64) -> bool {
        self.grant(epoch).is_some()
    }

    fn grant(&self, epoch: u64) -> Option<&Grant> {
        self.0.iter().find(|grant| grant.epoch == epoch)
    }

    /// Whether footage can be of this time. A node that is cut off records on when its assignment ends, so
    /// that it may be of any time after the first one.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn footage(&self, range: TimeRange, now: UnixMs) -> Result<(), Refusal> {
        if range.end() > now.plus(MARGIN_MS) {
            return Err(Refusal("footage of the future"));
        }
        if range.start() < self.begins() {
            return Err(Refusal("footage from before the node had the camera"));
        }
        Ok(())
    }

    /// Whether a gap can be of this time.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn gap(&self, range: TimeRange, now: UnixMs) -> Result<(), Refusal> {
        if range.end() > now.plus(MARGIN_MS) {
            return Err(Refusal("a gap of the future"));
        }
        if range.start() < self.begins() {
            return Err(Refusal("a gap from before the node had the camera"));
        }
        if self.ends().is_some_and(|end| range.end() > end) {
            return Err(Refusal("a gap from after the node had the camera"));
        }
        Ok(())
    }

    /// Whether a head can name this object now. The index takes what a node recorded on its own after the
    /// end of its assignment; until then there is the footage of the one that has the camera.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn open(&self, object: &OpenObject, now: UnixMs) -> Result<(), Refusal> {
        let grant = self
            .grant(object.epoch)
            .ok_or(Refusal("a head under an epoch that the node was never given"))?;
        let Some(range) = object.segments.range() else {
            return Ok(());
        };
        let is_over = |ended: UnixMs| range.end() > ended.plus(LEAVING_MS);
        if grant.ended.is_some_and(is_over) {
            return Err(Refusal("a head of an assignment that has ended"));
        }
        self.footage(range, now)
            .map_err(|_| Refusal("a head of a time in which the node did not record the camera"))
    }

    /// The earliest time of which the node can speak.
    fn begins(&self) -> UnixMs {
        let first = self.0.iter().map(|grant| grant.since).min();
        first.map_or(UnixMs::MAX, |since| since.plus(-MARGIN_MS))
    }

    /// The latest one; none while it has the camera.
    fn ends(&self) -> Option<UnixMs> {
        let ended: Option<Vec<UnixMs>> = self.0.iter().map(|grant| grant.ended).collect();
        let last = ended?.into_iter().max()?;
        Some(last.plus(MARGIN_MS))
    }
}

#[cfg(test)]
mod tests {
    use wire::media::Init;
    use wire::{ObjectId, Segment, SegmentTable};

    use super::*;

    const NOW: i64 = 1_769_846_400_000;
    const HOUR: i64 = 3_600_000;

    fn grant(epoch: u64, since_h: i64, ended_h: Option<i64>) -> Grant {
        Grant {
            epoch,
            since: at(since_h),
            ended: ended_h.map(at),
        }
    }

    /// So many hours from now.
    fn at(hours: i64) -> UnixMs {
        UnixMs(NOW + hours * HOUR)
    }

    fn range(from_h: i64, to_h: i64) -> TimeRange {
        TimeRange::new(at(from_h), at(to_h)).unwrap()
    }

    fn open(epoch: u64, end: UnixMs) -> OpenObject {
        OpenObject {
            id: ObjectId::from_bytes([1; 16]),
            epoch,
            previous: None,
            init: Init {
                length: 1,
                digest: String::new(),
            },
            tracks: Vec::new(),
            segments: SegmentTable(vec![Segment {
                offset: 1,
                length: 1,
                start: end.plus(-6_000),
                duration_ms: 6_000,
            }]),
        }
    }

    #[test]
    fn footage_and_gaps_are_of_the_time_with_the_camera() {
        let gone = Tenure(vec![grant(1, -100, Some(-90)), grant(3, -80, Some(-70))]);
        let here = Tenure(vec![grant(1, -100, Some(-90)), grant(3, -80, None)]);
        for (tenure, range, footage, gap) in [
            (&here, range(-110, -109), true, true),
            (&here, range(-125, -120), false, false),
            (&here, range(-85, 23), true, true),
            (&here, range(-85, 25), false, false),
            (&gone, range(-85, -47), true, true),
            (&gone, range(-85, -45), true, false),
            (&gone, range(24, 25), false, false),
            (&Tenure::default(), range(-1, 0), false, false),
        ] {
            let now = UnixMs(NOW);
            assert_eq!(tenure.footage(range, now).is_ok(), footage, "{range:?}");
            assert_eq!(tenure.gap(range, now).is_ok(), gap, "{range:?}");
        }
    }

    #[test]
    fn heads_name_what_was_granted() {
        let tenure = Tenure(vec![grant(1, -100, Some(-90)), grant(3, -80, None)]);
        let now = UnixMs(NOW);
        assert!(tenure.has(3) && !tenure.has(2));
        for (epoch, end, can_be) in [
            (3, now, true),
            (3, at(-95), true),
            (3, at(25), false),
            (3, at(-125), false),
            (1, at(-90).plus(LEAVING_MS), true),
            (1, at(-90).plus(LEAVING_MS + 1), false),
            (2, now, false),
            (u64::MAX, now, false),
        ] {
            assert_eq!(
                tenure.open(&open(epoch, end), now).is_ok(),
                can_be,
                "{epoch} {end}"
            );
        }
    }
}
