//! What a pipeline says of its first error, without a thread or a descriptor to listen.

use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

/// The first error message of a pipeline.
#[derive(Debug, Clone)]
pub(crate) struct FirstError(Arc<Mutex<Option<String>>>);

impl FirstError {
    /// Keeps the first error message; drops everything else, so that nothing piles up on a bus nobody reads.
    pub(crate) fn watch(pipeline: &gst::Pipeline) -> Self {
        let first = Self(Arc::default());
        let keep = first.clone();
        // Nobody waits on it, so it needs no file descriptors; a thousand cameras would take two thousand.
        let bus = gst::glib::Object::builder::<gst::Bus>()
            .property("enable-async", false)
            .build();
        pipeline.set_bus(Some(&bus));
        bus.set_sync_handler(move |_, message| {
            if let gst::MessageView::Error(said) = message.view() {
                let text = said.error().to_string();
                keep.0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(text);
            }
            gst::BusSyncReply::Drop
        });
        first
    }

    /// What was said, once.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
