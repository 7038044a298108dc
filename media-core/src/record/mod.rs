//! One attempt to record a camera: source, clock, pipeline, facts.
//!
//! An attempt never retries and never writes; whoever starts it does.

use std::sync::Arc;

use crate::facts::AttemptStats;
use crate::fanout::{Gop, Subscription};

/// A running attempt. Dropping it stops it.
#[derive(Debug)]
pub struct Attempt {}

impl Attempt {
    /// Asks for a graceful end: the last chunk, then `ObjectClosed` (Session), then `Ended` (Stopped). Returns
    /// at once; repeated calls do nothing.
    pub fn stop(&self) {
        unimplemented!()
    }

    /// Figures of now.
    #[must_use]
    pub fn stats(&self) -> AttemptStats {
        unimplemented!()
    }

    /// The units since the last keyframe; None before the first, or when the GOP is larger than is kept.
    #[must_use]
    pub fn last_gop(&self) -> Option<Arc<Gop>> {
        unimplemented!()
    }

    /// A new consumer of access units. It begins with the last GOP.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        unimplemented!()
    }
}
