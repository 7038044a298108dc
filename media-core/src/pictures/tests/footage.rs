//! Real footage: a moving picture, encoded by FFmpeg with x264 or x265.

use std::process::Command;
use std::sync::Arc;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::fanout::{AccessUnit, CodecParams};
use crate::fmp4::{VideoCodec, VideoTrack};

/// Capture time of the first picture.
pub(super) const START_NS: i64 = 1_760_000_000_000_000_000;
/// Pictures a second.
pub(super) const RATE: i64 = 15;
/// A keyframe every so many.
pub(super) const GOP: usize = 15;

/// Capture time of this picture, milliseconds.
pub(super) fn captured_ms(number: usize) -> i64 {
    START_NS / 1_000_000 + number as i64 * 1_000 / RATE
}

/// Without pictures that come out of order.
pub(super) fn footage(codec: VideoCodec, size: (u32, u32), frames: usize) -> Vec<AccessUnit> {
    let encoder: &[&str] = match codec {
        VideoCodec::H264 => &["libx264", "-bf", "0"],
        VideoCodec::H265 => &[
            "libx265",
            "-x265-params",
            "log-level=none:bframes=0:keyint=15:min-keyint=15:scenecut=0:open-gop=0",
            "-tag:v",
            "hvc1",
        ],
    };
    encoded(size, frames, encoder)
}

/// With two pictures that nothing refers to between each two others.
pub(super) fn reordered(frames: usize) -> Vec<AccessUnit> {
    let encoder = ["libx264", "-bf", "2", "-b_strategy", "0", "-b-pyramid", "none"];
    encoded((320, 180), frames, &encoder)
}

/// Encoded by FFmpeg, taken apart by `qtdemux`.
fn encoded((width, height): (u32, u32), frames: usize, encoder: &[&str]) -> Vec<AccessUnit> {
    crate::init().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("footage.mp4");
    let (picture, number) = (
        format!("testsrc2=size={width}x{height}:rate={RATE}"),
        frames.to_string(),
    );
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &picture, "-frames:v", &number])
        .args(["-pix_fmt", "yuv420p", "-g", "15", "-sc_threshold", "0"])
        .args(["-preset", "ultrafast", "-c:v"])
        .args(encoder)
        .arg(&file)
        .status();
    assert!(
        status.unwrap().success(),
        "this test needs ffmpeg with {encoder:?}"
    );
    let description = format!(
        "filesrc location={} ! qtdemux ! appsink name=out sync=false",
        file.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let out = pipeline
        .by_name("out")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut units: Vec<AccessUnit> = Vec::new();
    let mut params = None;
    let mut first_pts = None;
    while let Some(sample) = out.try_pull_sample(gst::ClockTime::from_seconds(20)) {
        let params = params.get_or_insert_with(|| described(sample.caps().unwrap()));
        let buffer = sample.buffer().unwrap();
        let ns = |time: Option<gst::ClockTime>| time.unwrap().nseconds() as i64;
        let first = *first_pts.get_or_insert(ns(buffer.pts()));
        units.push(AccessUnit {
            pts_ns: START_NS + ns(buffer.pts()) - first,
            dts_ns: START_NS + ns(buffer.dts()) - first,
            uncertainty_ns: 0,
            keyframe: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            discontinuity: false,
            lost_packets: 0,
            bytes: bytes::Bytes::copy_from_slice(&buffer.map_readable().unwrap()),
            params: Arc::clone(params),
        });
    }
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!(units.len(), frames);
    let keyframes = units.iter().filter(|unit| unit.keyframe).count();
    assert_eq!(keyframes, frames.div_ceil(GOP), "a keyframe a second");
    units
}

fn described(caps: &gst::CapsRef) -> Arc<CodecParams> {
    let structure = caps.structure(0).unwrap();
    let data = structure.get::<gst::Buffer>("codec_data").unwrap();
    let data = data.map_readable().unwrap();
    let track = match structure.name().as_str() {
        "video/x-h264" => VideoTrack::from_avcc(&data),
        _ => VideoTrack::from_hvcc(&data),
    };
    Arc::new(CodecParams::Video(track.unwrap()))
}

/// Width and height that a JPEG file says of itself; also checks its begin and end.
pub(super) fn jpeg_size(jpeg: &[u8]) -> (u32, u32) {
    assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
    let mut at = 2;
    loop {
        let [0xff, marker, high, low] = jpeg[at..at + 4] else {
            panic!("no marker at {at}");
        };
        if marker == 0xc0 {
            let two = |at: usize| u32::from(jpeg[at]) << 8 | u32::from(jpeg[at + 1]);
            return (two(at + 7), two(at + 5));
        }
        at += 2 + (usize::from(high) << 8 | usize::from(low));
    }
}
