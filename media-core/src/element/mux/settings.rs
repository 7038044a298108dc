//! The properties of `ccfmp4mux`: times in nanoseconds, as usual in GStreamer.

use std::time::Duration;

use gstreamer::glib;
use gstreamer::prelude::*;

use crate::facts::RecordSettings;

/// Every property: name, what it is, and its unit.
const TIMES: &[(&str, &str)] = &[
    (
        "segment-target",
        "A segment ends at the first keyframe at or after this age",
    ),
    (
        "object-target",
        "An object ends at the first segment end at or after this age",
    ),
    (
        "first-object-target",
        "The same for the first object; 0: like the others",
    ),
    ("chunk-max", "Longest chunk"),
    (
        "keyframe-limit",
        "Without a keyframe for this long, a fact says so",
    ),
];

/// For the class.
pub(super) fn properties() -> Vec<glib::ParamSpec> {
    let time = |(name, blurb): &(&'static str, &'static str)| {
        glib::ParamSpecUInt64::builder(name)
            .nick(name)
            .blurb(blurb)
            .mutable_ready()
            .build()
    };
    let bytes = glib::ParamSpecUInt64::builder("chunk-max-bytes")
        .nick("chunk-max-bytes")
        .blurb("Largest chunk");
    TIMES
        .iter()
        .map(time)
        .chain([bytes.mutable_ready().build()])
        .collect()
}

/// Sets one; unknown names are none of ours.
pub(super) fn set(settings: &mut RecordSettings, name: &str, value: u64) {
    let time = Duration::from_nanos(value);
    match name {
        "segment-target" => settings.segment_target = time,
        "object-target" => settings.object_target = time,
        "first-object-target" => settings.first_object_target = (value > 0).then_some(time),
        "chunk-max" => settings.chunk_max = time,
        "keyframe-limit" => settings.keyframe_limit = time,
        "chunk-max-bytes" => settings.chunk_max_bytes = usize::try_from(value).unwrap_or(usize::MAX),
        _ => {}
    }
}

/// Reads one.
pub(super) fn get(settings: &RecordSettings, name: &str) -> u64 {
    let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    match name {
        "segment-target" => ns(settings.segment_target),
        "object-target" => ns(settings.object_target),
        "first-object-target" => settings.first_object_target.map_or(0, ns),
        "chunk-max" => ns(settings.chunk_max),
        "keyframe-limit" => ns(settings.keyframe_limit),
        _ => settings.chunk_max_bytes as u64,
    }
}

/// All properties of these settings, to be set on an element.
pub(crate) fn values(settings: &RecordSettings) -> Vec<(&'static str, u64)> {
    let names = TIMES.iter().map(|(name, _)| *name).chain(["chunk-max-bytes"]);
    names.map(|name| (name, get(settings, name))).collect()
}
