//! From access units to JPEG files: `cccamerasrc` → decoder → `cchalve` → scaler → `ccjfif` → `jpegenc` → `appsink`.
//!
//! No element of it runs a thread and none queues: what a unit gives has come out when its push returns. The
//! decoder is libav's with one thread, which needs 3.8 CPU-s for 1000 pictures of 720p where OpenH264 needs 9.3.
//! What is not shown is dropped behind the decoder, before it is scaled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use super::pace::Pace;
use crate::element::{CameraSrc, Halve, Jfif};
use crate::errors::FirstError;
use crate::fanout::AccessUnit;
use crate::fmp4::VideoCodec;

/// Why there is no chain.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(String);

impl From<gst::glib::BoolError> for Broken {
    fn from(error: gst::glib::BoolError) -> Self {
        Self(error.message.to_string())
    }
}

/// A JPEG file.
#[derive(Debug)]
pub(crate) struct Coded {
    pub(crate) jpeg: Bytes,
    pub(crate) pts_ns: i64,
}

/// What the decoder's output meets.
#[derive(Debug)]
struct Out {
    pace: Pace,
    /// Nothing is shown.
    skips: bool,
    /// Pictures decoded since [`Chain::decoded`] was asked.
    decoded: u32,
    coded: Vec<Coded>,
}

/// A pipeline that runs.
#[derive(Debug)]
pub(crate) struct Chain {
    pipeline: gst::Pipeline,
    source: CameraSrc,
    halve: Halve,
    size: gst::Element,
    encoder: gst::Element,
    out: Arc<Mutex<Out>>,
    error: FirstError,
}

impl Drop for Chain {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Chain {
    /// Builds and starts it. `per_second`: shows no more than so many, by capture time.
    pub(crate) fn start(codec: VideoCodec, per_second: Option<u16>) -> Result<Self, Broken> {
        let pipeline = gst::Pipeline::new();
        let error = FirstError::watch(&pipeline);
        let source = CameraSrc::new();
        let from = source.add_pad_for(true)?;
        let decoder = make(match codec {
            VideoCodec::H264 => "avdec_h264",
            VideoCodec::H265 => "avdec_h265",
        })?;
        // More threads delay pictures and cost more in all; other cameras are being recorded.
        decoder.set_property("max-threads", 1i32);
        // Nothing from before the first keyframe.
        decoder.set_property("output-corrupt", false);
        let halve = gst::glib::Object::new::<Halve>();
        let (scaler, size) = (make("videoconvertscale")?, make("capsfilter")?);
        let (colours, encoder) = (gst::glib::Object::new::<Jfif>(), make("jpegenc")?);
        let sink = gst_app::AppSink::builder()
            .sync(false)
            .async_(false)
            .wait_on_eos(false)
            .build();
        sink.set_property("enable-last-sample", false);
        let way = [
            &decoder,
            halve.upcast_ref(),
            &scaler,
            &size,
            colours.upcast_ref(),
            &encoder,
            sink.upcast_ref(),
        ];
        pipeline.add(&source)?;
        pipeline.add_many(way)?;
        gst::Element::link_many(way)?;
        let out = Arc::new(Mutex::new(Out {
            pace: Pace::new(per_second),
            skips: false,
            decoded: 0,
            coded: Vec::new(),
        }));
        let into = pad(&decoder, "sink")?;
        from.link(&into).map_err(|error| Broken(error.to_string()))?;
        choose(&pad(&decoder, "src")?, &out);
        collect(&sink, &out);
        let this = Self {
            pipeline,
            source,
            halve,
            size,
            encoder,
            out,
            error,
        };
        this.pipeline
            .set_state(gst::State::Playing)
            .map_err(|error| this.broken(&error))?;
        Ok(this)
    }

    /// What the next unit's pictures are to be made of and made; in even numbers. What the decoder holds back
    /// comes out first.
    pub(crate) fn form(&self, sent: (u32, u32), (width, height): (u32, u32), quality: u8) {
        self.drain();
        self.halve.aim(sent, (width, height));
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", "I420")
            .field("width", width as i32)
            .field("height", height as i32)
            .build();
        self.size.set_property("caps", caps);
        self.encoder.set_property("quality", i32::from(quality));
    }

    /// Decodes a unit. `show`: its picture may be shown, if one is due.
    pub(crate) fn push(&self, unit: &AccessUnit, show: bool) -> Result<(), Broken> {
        self.out().skips = !show;
        self.source.push(unit).map_err(|flow| self.broken(&flow))
    }

    /// Takes what the decoder holds back. The next unit must be a keyframe.
    pub(crate) fn drain(&self) {
        self.source.drain();
    }

    /// Whether a picture of this capture time is due.
    pub(crate) fn wants(&self, pts_ns: i64) -> bool {
        self.out().pace.wants(pts_ns)
    }

    /// The files that came out, in order.
    pub(crate) fn coded(&self) -> Vec<Coded> {
        std::mem::take(&mut self.out().coded)
    }

    /// What the scaler is given.
    #[cfg(test)]
    pub(super) fn halved(&self) -> Option<(i32, i32)> {
        let caps = self.halve.static_pad("src")?.current_caps()?;
        let structure = caps.structure(0)?;
        Some((structure.get("width").ok()?, structure.get("height").ok()?))
    }

    /// How many pictures were decoded since this was asked last.
    pub(crate) fn decoded(&self) -> u32 {
        std::mem::take(&mut self.out().decoded)
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        lock(&self.out)
    }

    fn broken(&self, otherwise: &dyn std::fmt::Display) -> Broken {
        Broken(self.error.take().unwrap_or_else(|| otherwise.to_string()))
    }
}

fn lock(out: &Mutex<Out>) -> MutexGuard<'_, Out> {
    out.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets through what is due.
fn choose(decoded: &gst::Pad, out: &Arc<Mutex<Out>>) {
    let out = Arc::clone(out);
    decoded.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let pts = info.buffer().and_then(|buffer| buffer.pts());
        let pts_ns = pts.map_or(0, nanoseconds);
        let mut out = lock(&out);
        out.decoded += 1;
        if out.skips || !out.pace.wants(pts_ns) {
            return gst::PadProbeReturn::Drop;
        }
        out.pace.take(pts_ns);
        gst::PadProbeReturn::Ok
    });
}

/// Keeps what arrives.
fn collect(sink: &gst_app::AppSink, out: &Arc<Mutex<Out>>) {
    let out = Arc::clone(out);
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let buffer = sample.buffer_owned().ok_or(gst::FlowError::Error)?;
        let pts_ns = buffer.pts().map_or(0, nanoseconds);
        let mapped = buffer
            .into_mapped_buffer_readable()
            .map_err(|_| gst::FlowError::Error)?;
        let jpeg = Bytes::from_owner(mapped);
        lock(&out).coded.push(Coded { jpeg, pts_ns });
        Ok(gst::FlowSuccess::Ok)
    });
    sink.set_callbacks(callbacks.build());
}

fn nanoseconds(time: gst::ClockTime) -> i64 {
    i64::try_from(time.nseconds()).unwrap_or(i64::MAX)
}

fn make(factory: &str) -> Result<gst::Element, Broken> {
    Ok(gst::ElementFactory::make(factory).build()?)
}

fn pad(element: &gst::Element, name: &str) -> Result<gst::Pad, Broken> {
    element
        .static_pad(name)
        .ok_or_else(|| Broken(format!("a decoder without a pad {name}")))
}
