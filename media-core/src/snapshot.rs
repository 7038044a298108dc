//! Snapshots: one keyframe of a running attempt, decoded, scaled and made a JPEG.
//!
//! On a few threads of its own and within a time limit: recording never waits for a picture. A pipeline lives
//! for one picture; nothing is kept between two.

use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::element;
use crate::fanout::{AccessUnit, CodecParams};
use crate::fmp4::VideoCodec;
use crate::states::StateThreads;

/// Widest picture that is made, in pixels.
pub const MAX_WIDTH: u32 = 3840;
/// Narrowest picture that is made, in pixels.
pub const MIN_WIDTH: u32 = 16;
/// Largest picture that is decoded, in pixels: beyond 8K a decoder's memory would hurt the recording.
const MAX_PIXELS: u64 = 40_000_000;
/// Quality of the JPEG and share of the width, tried in turn until the picture fits.
const STEPS: [(i32, u32); 5] = [(85, 100), (65, 100), (60, 75), (50, 50), (40, 25)];
/// Full-range BT.601, as every reader of JFIF takes it.
const JFIF: &str = "1:4:0:0";

/// How large a snapshot may be.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotLimits {
    /// Pixels; taken into [`MIN_WIDTH`]..=[`MAX_WIDTH`]. A picture is never made wider than it was sent.
    pub max_width: u32,
    /// Bytes of the JPEG.
    pub max_bytes: usize,
    /// From the call to the answer.
    pub time: Duration,
}

/// A picture.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The file.
    pub jpeg: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Capture time, milliseconds since 1970 UTC.
    pub captured_ms: i64,
}

/// Why there is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Too many at once, or the machine is too slow: try again later.
    #[error("no picture could be made in time")]
    Busy,
    /// This keyframe gives no picture; the next one may.
    #[error("the keyframe cannot be decoded: {0}")]
    Undecodable(String),
    /// No picture of this camera fits.
    #[error("the picture is too large")]
    TooLarge,
    /// GStreamer lacks a part; [`Engine::check`](crate::Engine::check) says which.
    #[error("pictures cannot be made on this machine: {0}")]
    Unsupported(String),
}

/// Makes a snapshot of a keyframe.
pub(crate) async fn make(
    threads: &StateThreads,
    unit: AccessUnit,
    limits: SnapshotLimits,
) -> Result<Snapshot, SnapshotError> {
    let deadline = Instant::now() + limits.time;
    let work = threads.run(move || fit(&unit, limits, deadline));
    match tokio::time::timeout(limits.time, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) | Err(_) => Err(SnapshotError::Busy),
    }
}

/// Tries sizes and qualities until one fits. A keyframe is decoded in some 20 ms, so that decoding it again is
/// cheaper than keeping a pipeline.
fn fit(unit: &AccessUnit, limits: SnapshotLimits, deadline: Instant) -> Result<Snapshot, SnapshotError> {
    let CodecParams::Video(track) = &*unit.params else {
        return Err(SnapshotError::Undecodable("it is no picture".to_owned()));
    };
    let (width, height) = track.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(SnapshotError::TooLarge);
    }
    for (quality, percent) in STEPS {
        let widest = limits.max_width.clamp(MIN_WIDTH, MAX_WIDTH).min(width) * percent / 100;
        let size = scaled((width, height), widest);
        let jpeg = encode(unit, track.codec(), size, quality, deadline)?;
        if jpeg.len() <= limits.max_bytes {
            return Ok(Snapshot {
                jpeg,
                width: size.0,
                height: size.1,
                captured_ms: unit.pts_ns.div_euclid(crate::clock::MS_NS),
            });
        }
    }
    Err(SnapshotError::TooLarge)
}

/// The picture's size at this width, in even numbers, since colour has half the resolution.
fn scaled((width, height): (u32, u32), widest: u32) -> (u32, u32) {
    let even = |pixels: u64| u32::try_from(pixels & !1).unwrap_or(u32::MAX).max(2);
    let high = u64::from(height) * u64::from(widest) / u64::from(width.max(1));
    (even(u64::from(widest)), even(high))
}

fn make_element(name: &str) -> Result<gst::Element, SnapshotError> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|error| SnapshotError::Unsupported(error.to_string()))
}

/// A pipeline that is stopped however its use ends.
struct Running(gst::Pipeline);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

fn filter(caps: gst::Caps) -> Result<gst::Element, SnapshotError> {
    let filter = make_element("capsfilter")?;
    filter.set_property("caps", caps);
    Ok(filter)
}

/// What leads from the keyframe to the JPEG.
fn chain(
    codec: VideoCodec,
    (width, height): (u32, u32),
    quality: i32,
) -> Result<[gst::Element; 7], SnapshotError> {
    let decoder = make_element(match codec {
        VideoCodec::H264 => "avdec_h264",
        VideoCodec::H265 => "avdec_h265",
    })?;
    // One picture gains nothing from more threads, and other cameras are being recorded.
    decoder.set_property("max-threads", 1i32);
    let raw = gst::Caps::builder("video/x-raw");
    let scaled = raw
        .field("format", "BGRx")
        .field("width", width as i32)
        .field("height", height as i32)
        .build();
    let jfif = gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("colorimetry", JFIF)
        .build();
    let encoder = make_element("jpegenc")?;
    encoder.set_property("quality", quality);
    // From I420 to I420 `videoconvert` changes nothing but the label, so the way leads over RGB.
    Ok([
        decoder,
        make_element("videoscale")?,
        make_element("videoconvert")?,
        filter(scaled)?,
        make_element("videoconvert")?,
        filter(jfif)?,
        encoder,
    ])
}

/// One run: the keyframe in, a JPEG out.
fn encode(
    unit: &AccessUnit,
    codec: VideoCodec,
    size: (u32, u32),
    quality: i32,
    deadline: Instant,
) -> Result<Vec<u8>, SnapshotError> {
    let broken = |error: &dyn std::fmt::Display| SnapshotError::Unsupported(error.to_string());
    let source = gst_app::AppSrc::builder()
        .caps(&element::caps(&unit.params))
        .format(gst::Format::Time)
        .build();
    let sink = gst_app::AppSink::builder().sync(false).build();
    let mut elements: Vec<gst::Element> = vec![source.clone().upcast()];
    elements.extend(chain(codec, size, quality)?);
    elements.push(sink.clone().upcast());
    let pipeline = Running(gst::Pipeline::new());
    pipeline.0.add_many(&elements).map_err(|error| broken(&error))?;
    gst::Element::link_many(&elements).map_err(|error| broken(&error))?;
    pipeline
        .0
        .set_state(gst::State::Playing)
        .map_err(|error| broken(&error))?;
    let mut buffer = gst::Buffer::from_slice(unit.bytes.clone());
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(gst::ClockTime::ZERO);
    }
    let _ = source.push_buffer(buffer);
    let _ = source.end_of_stream();
    picture(&pipeline.0, &sink, deadline)
}

/// Waits for the JPEG, for the end without one, or for the deadline.
fn picture(
    pipeline: &gst::Pipeline,
    sink: &gst_app::AppSink,
    deadline: Instant,
) -> Result<Vec<u8>, SnapshotError> {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = gst::ClockTime::from_nseconds(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
    if let Some(sample) = sink.try_pull_sample(left) {
        let map = sample.buffer().and_then(|buffer| buffer.map_readable().ok());
        let jpeg = map.ok_or_else(|| SnapshotError::Undecodable("the picture is empty".to_owned()))?;
        return Ok(jpeg.to_vec());
    }
    let error = pipeline
        .bus()
        .and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    match error.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(SnapshotError::Undecodable(error.error().to_string())),
        _ if Instant::now() >= deadline => Err(SnapshotError::Busy),
        _ => Err(SnapshotError::Undecodable(
            "the decoder made no picture of it".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_even_and_never_nothing() {
        assert_eq!(scaled((1920, 1080), 640), (640, 360));
        assert_eq!(scaled((1920, 1080), 641), (640, 360));
        assert_eq!(scaled((2560, 16), 320), (320, 2));
        assert_eq!(scaled((4, 3), 1), (2, 2));
    }
}
