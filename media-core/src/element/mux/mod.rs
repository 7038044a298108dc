//! `ccfmp4mux`: fragmented MP4 without a thread.
//!
//! Buffers are taken in the chain functions of its pads and leave from there, unlike with a GstAggregator, which
//! runs a thread for each instance. Timestamps become decode times as they are, so a recording's are nanoseconds
//! since 1970 UTC. The element cuts by itself, by the rules of [`cut`](crate::cut); what it writes it says with
//! [`facts`](super::facts).

mod imp;
mod muxer;
pub(crate) mod settings;

use gstreamer as gst;
use gstreamer::glib;

glib::wrapper! {
    /// The element.
    pub struct Fmp4Mux(ObjectSubclass<imp::Fmp4Mux>) @extends gst::Element, gst::Object;
}
