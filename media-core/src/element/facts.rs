//! What `ccfmp4mux` says about its output, beside the bytes, and what it is told beside the units.
//!
//! Facts travel as custom downstream events, in order with the buffers: an [`ElementFact::Opened`] before the
//! buffer of an init, an [`ElementFact::Chunk`] before the buffer of a chunk.

use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;

use crate::facts::{CloseReason, Track};

/// Names of the events' structures.
const NAME: &str = "cloudcam-fmp4-fact";
const ORDER: &str = "cloudcam-fmp4-order";

/// Something that happened in the muxer.
#[derive(Debug, Clone, PartialEq)]
pub enum ElementFact {
    /// An object begins; its init is the next buffer.
    Opened {
        /// Its tracks.
        tracks: Vec<Track>,
        /// Milliseconds since 1970 UTC.
        start_ms: i64,
        /// It follows the object before without a break.
        continues: bool,
    },
    /// The next buffer is a chunk.
    Chunk {
        /// Milliseconds since 1970 UTC.
        start_ms: i64,
        /// Milliseconds since 1970 UTC.
        end_ms: i64,
        /// It starts with a keyframe and a segment.
        starts_segment: bool,
        /// Pictures inside.
        frames: u32,
    },
    /// The object is complete.
    Closed(CloseReason),
    /// No keyframe came in time; false: it is over.
    NoKeyframe(bool),
}

#[derive(Debug, Clone, glib::Boxed)]
#[boxed_type(name = "CloudcamFmp4Fact")]
struct Boxed(ElementFact);

impl ElementFact {
    /// The fact as an event.
    #[must_use]
    pub fn into_event(self) -> gst::Event {
        let structure = gst::Structure::builder(NAME).field("fact", Boxed(self)).build();
        gst::event::CustomDownstream::new(structure)
    }

    /// The fact in an event, if it is one.
    #[must_use]
    pub fn from_event(event: &gst::EventRef) -> Option<Self> {
        let structure = event.structure().filter(|structure| structure.name() == NAME)?;
        structure.get::<Boxed>("fact").ok().map(|boxed| boxed.0)
    }
}

/// What the muxer is told, in order with the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// End the open object; another one begins with the next keyframe.
    Close {
        /// Decode time of the picture that would have followed: the last one is shown until then.
        next_dts_ns: i64,
    },
    /// Cut by these targets from now on.
    Targets {
        /// Of a segment.
        segment: Duration,
        /// Of an object.
        object: Duration,
    },
}

#[derive(Debug, Clone, glib::Boxed)]
#[boxed_type(name = "CloudcamFmp4Order")]
struct BoxedOrder(Order);

impl Order {
    /// The order as an event.
    #[must_use]
    pub fn into_event(self) -> gst::Event {
        let structure = gst::Structure::builder(ORDER)
            .field("order", BoxedOrder(self))
            .build();
        gst::event::CustomDownstream::new(structure)
    }

    /// The order in an event, if it is one.
    #[must_use]
    pub fn from_event(event: &gst::EventRef) -> Option<Self> {
        let structure = event.structure().filter(|structure| structure.name() == ORDER)?;
        structure.get::<BoxedOrder>("order").ok().map(|boxed| boxed.0)
    }
}
