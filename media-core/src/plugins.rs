//! Which GStreamer elements are needed, and where they come from.

use std::collections::HashSet;

use gstreamer::Registry;
use gstreamer::prelude::*;

/// An element that this machine lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingPlugin {
    /// Name of the element.
    pub element: &'static str,
    /// Debian and Ubuntu package that brings it.
    pub package: &'static str,
    /// What does not work without it.
    pub purpose: &'static str,
}

const NEEDED: &[(&str, &str, &str)] = &[
    ("appsink", "gstreamer1.0-plugins-base", "pictures"),
    (
        "audioconvert",
        "gstreamer1.0-plugins-base",
        "recording G.711 sound",
    ),
    ("alawdec", "gstreamer1.0-plugins-good", "recording G.711 sound"),
    ("mulawdec", "gstreamer1.0-plugins-good", "recording G.711 sound"),
    ("avenc_aac", "gstreamer1.0-libav", "recording G.711 sound"),
    ("avdec_h264", "gstreamer1.0-libav", "pictures of H.264 cameras"),
    ("avdec_h265", "gstreamer1.0-libav", "pictures of H.265 cameras"),
    ("videoconvertscale", "gstreamer1.0-plugins-base", "pictures"),
    ("jpegenc", "gstreamer1.0-plugins-good", "pictures"),
    ("rtspsrc", "gstreamer1.0-plugins-good", "rtsps:// cameras"),
    ("rtph264depay", "gstreamer1.0-plugins-good", "rtsps:// cameras"),
    ("rtph265depay", "gstreamer1.0-plugins-good", "rtsps:// cameras"),
    (
        "rtpmp4gdepay",
        "gstreamer1.0-plugins-good",
        "sound of rtsps:// cameras",
    ),
    (
        "rtppcmadepay",
        "gstreamer1.0-plugins-good",
        "sound of rtsps:// cameras",
    ),
    (
        "rtppcmudepay",
        "gstreamer1.0-plugins-good",
        "sound of rtsps:// cameras",
    ),
    ("h264parse", "gstreamer1.0-plugins-bad", "rtsps:// cameras"),
    ("h265parse", "gstreamer1.0-plugins-bad", "rtsps:// cameras"),
    (
        "aacparse",
        "gstreamer1.0-plugins-good",
        "sound of rtsps:// cameras",
    ),
];

/// What is missing of the above; everything when GStreamer does not start.
pub(crate) fn missing() -> Vec<MissingPlugin> {
    let started = crate::init().is_ok();
    NEEDED
        .iter()
        .filter(|(element, ..)| !started || gstreamer::ElementFactory::find(element).is_none())
        .map(|(element, package, purpose)| MissingPlugin {
            element,
            package,
            purpose,
        })
        .collect()
}

/// Plugins of which `rtspsrc` makes elements by itself.
const OF_RTSPSRC: &[&str] = &["coreelements", "rtpmanager", "rtp", "rtsp", "srtp", "tcp", "udp"];

/// Forgets the elements that are not needed: what GStreamer keeps of everything that is installed takes 2 MB. Those
/// of a plugin come back when it is loaded.
pub(crate) fn forget_others() {
    let registry = Registry::get();
    let needed: HashSet<_> = NEEDED.iter().map(|(element, ..)| *element).collect();
    for plugin in registry.plugins() {
        let name = plugin.plugin_name();
        // Those without a file are part of GStreamer itself.
        if plugin.filename().is_none() || OF_RTSPSRC.contains(&name.as_str()) {
            continue;
        }
        for feature in registry.features_by_plugin(&name) {
            if !needed.contains(feature.name().as_str()) {
                registry.remove_feature(&feature);
            }
        }
    }
}
