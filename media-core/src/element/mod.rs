//! GStreamer elements of our own. None of them starts a thread.
//!
//! * `cccamerasrc`: pads `video` and `audio`, into which the reading thread pushes access units.
//! * `ccfmp4mux`: pads `video` and `audio` in, fragmented MP4 out. Works in any pipeline, such as
//!   `videotestsrc ! x264enc ! h264parse ! ccfmp4mux ! filesink`.
//! * `cchalve`: makes pictures half as large, cheaply.
//! * `ccjfif`: colours as readers of JPEG files assume them.

mod camerasrc;
pub mod facts;
mod halve;
mod jfif;
pub(crate) mod mux;

use gstreamer::glib;
use gstreamer::prelude::*;

pub use camerasrc::CameraSrc;
pub use halve::Halve;
pub use jfif::Jfif;
pub use mux::Fmp4Mux;

/// Registers the elements; repeated calls do nothing.
pub(crate) fn register() -> Result<(), glib::BoolError> {
    for (name, kind) in [
        ("cccamerasrc", CameraSrc::static_type()),
        ("ccfmp4mux", Fmp4Mux::static_type()),
        ("cchalve", Halve::static_type()),
        ("ccjfif", Jfif::static_type()),
    ] {
        if gstreamer::ElementFactory::find(name).is_none() {
            gstreamer::Element::register(None, name, gstreamer::Rank::NONE, kind)?;
        }
    }
    Ok(())
}
