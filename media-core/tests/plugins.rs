//! The only user of GStreamer in a process forgets the elements that it does not need. A test binary of its own,
//! because that holds for the whole process.

use gstreamer::prelude::*;
use media_core::{Engine, EngineConfig};

#[test]
fn what_is_needed_stays_and_what_is_not_goes() {
    gstreamer::init().unwrap();
    let elements = || {
        gstreamer::ElementFactory::factories_with_type(
            gstreamer::ElementFactoryType::ANY,
            gstreamer::Rank::NONE,
        )
    };
    let before = elements().len();
    let _engine = Engine::new(EngineConfig {
        sole_user: true,
        ..EngineConfig::default()
    })
    .unwrap();
    assert_eq!(Engine::check(), Vec::new());
    // rtspsrc makes them by itself.
    for name in [
        "rtpbin",
        "rtpjitterbuffer",
        "udpsrc",
        "capsfilter",
        "queue",
        "srtpdec",
    ] {
        assert!(gstreamer::ElementFactory::find(name).is_some(), "{name}");
    }
    let unneeded = gstreamer::ElementFactory::find("videotestsrc");
    assert!(unneeded.is_none(), "{:?}", unneeded.and_then(|e| e.plugin_name()));
    let after = elements();
    assert!(after.len() < before / 2, "{before} before, {} after", after.len());
    // What stays still loads.
    for name in ["rtspsrc", "avdec_h264", "jpegenc", "avenc_aac"] {
        gstreamer::ElementFactory::make(name).build().unwrap();
    }
}
