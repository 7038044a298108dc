//! The GStreamer side of `ccfmp4mux`.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;

use super::muxer::{Muxer, Output};
use super::settings;
use crate::element::facts::Order;
use crate::facts::RecordSettings;
use crate::fmp4::{AudioTrack, Sample, VideoTrack};
use crate::parts::Parts;

/// A running muxer and what was pushed.
#[derive(Debug)]
struct Running {
    muxer: Muxer,
    started: bool,
    /// Sink pads that have ended.
    ended: Vec<gst::Pad>,
}

#[derive(Debug, Default)]
pub struct Fmp4Mux {
    src: Mutex<Option<gst::Pad>>,
    settings: Mutex<RecordSettings>,
    /// Held while pushing, so that what two pads caused leaves in order. Queries and upstream events do not
    /// take it.
    running: Mutex<Option<Running>>,
}

#[glib::object_subclass]
impl ObjectSubclass for Fmp4Mux {
    const NAME: &'static str = "CloudcamFmp4Mux";
    type Type = super::Fmp4Mux;
    type ParentType = gst::Element;
}

impl ObjectImpl for Fmp4Mux {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(settings::properties);
        PROPERTIES.as_ref()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, spec: &glib::ParamSpec) {
        if let Ok(value) = value.get::<u64>() {
            settings::set(&mut lock(&self.settings), spec.name(), value);
        }
    }

    fn property(&self, _id: usize, spec: &glib::ParamSpec) -> glib::Value {
        settings::get(&lock(&self.settings), spec.name()).to_value()
    }

    fn constructed(&self) {
        self.parent_constructed();
        let obj = self.obj();
        if let Some(template) = obj.pad_template("src") {
            let src = gst::Pad::from_template(&template);
            if obj.add_pad(&src).is_ok() {
                *lock(&self.src) = Some(src);
            }
        }
    }
}

impl GstObjectImpl for Fmp4Mux {}

impl ElementImpl for Fmp4Mux {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "CloudCam fragmented MP4 muxer",
                "Codec/Muxer",
                "Writes fragmented MP4 on its callers' threads and says where it may be cut",
                "CloudCam",
            )
        });
        Some(&*METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(templates);
        TEMPLATES.as_ref()
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        _name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let name = template.name_template().to_owned();
        if self.obj().static_pad(&name).is_some() {
            return None;
        }
        let pad = gst::Pad::builder_from_template(template)
            .name(name)
            .chain_function(|pad, parent, buffer| {
                let refused = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, refused, |this| this.chain(pad, buffer))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_event(pad, event))
            })
            .build();
        pad.set_active(true).ok()?;
        self.obj().add_pad(&pad).ok()?;
        Some(pad)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        let _ = pad.set_active(false);
        let _ = self.obj().remove_pad(pad);
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        let done = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            *lock(&self.running) = None;
        }
        Ok(done)
    }
}

impl Fmp4Mux {
    fn chain(&self, pad: &gst::Pad, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let Some(pts) = buffer.pts().or(buffer.dts()) else {
            gst::element_imp_error!(self, gst::StreamError::Format, ["a buffer without a timestamp"]);
            return Err(gst::FlowError::Error);
        };
        let dts = buffer.dts().unwrap_or(pts);
        let discontinuity = buffer.flags().contains(gst::BufferFlags::DISCONT);
        let sample = Sample {
            dts_ns: ns(dts),
            pts_ns: ns(pts),
            random_access: true,
            data: Bytes::from_owner(Mapped::of(buffer)?),
        };
        self.with(|muxer, _| {
            if pad.name() == "video" {
                muxer.picture(sample, discontinuity);
            } else {
                muxer.sound(sample);
            }
        })
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Caps(caps) => self.take_caps(pad, caps.caps()),
            gst::EventView::Eos(_) => self.pad_ends(pad),
            gst::EventView::FlushStop(_) => {
                *lock(&self.running) = None;
                gst::Pad::event_default(pad, Some(&*self.obj()), event)
            }
            gst::EventView::FlushStart(_) => gst::Pad::event_default(pad, Some(&*self.obj()), event),
            gst::EventView::CustomDownstream(_) => match Order::from_event(&event) {
                Some(order) => self.with(|muxer, _| muxer.order(order)).is_ok(),
                None => true,
            },
            // The output has its own; tags and gaps say nothing that is written.
            _ => true,
        }
    }

    fn take_caps(&self, pad: &gst::Pad, caps: &gst::CapsRef) -> bool {
        let Some(structure) = caps.structure(0) else {
            return false;
        };
        let data = structure
            .get::<gst::Buffer>("codec_data")
            .ok()
            .and_then(|buffer| buffer.into_mapped_buffer_readable().ok());
        let Some(data) = data else {
            gst::element_imp_error!(
                self,
                gst::StreamError::Format,
                ["caps without codec_data: {caps}"]
            );
            return false;
        };
        let result = match structure.name().as_str() {
            "video/x-h264" => {
                VideoTrack::from_avcc(&data).map(|track| self.with(|muxer, _| muxer.set_video(track)))
            }
            "video/x-h265" => {
                VideoTrack::from_hvcc(&data).map(|track| self.with(|muxer, _| muxer.set_video(track)))
            }
            _ => AudioTrack::aac(&data).map(|track| self.with(|muxer, _| muxer.set_audio(track))),
        };
        match result {
            Ok(pushed) => pushed.is_ok(),
            Err(error) => {
                gst::element_imp_error!(self, gst::StreamError::Format, ["{}: {error}", pad.name()]);
                false
            }
        }
    }

    fn pad_ends(&self, pad: &gst::Pad) -> bool {
        let sinks = self.obj().sink_pads();
        let mut all = false;
        let pushed = self.with(|muxer, ended| {
            if !ended.contains(pad) {
                ended.push(pad.clone());
            }
            all = sinks.iter().all(|sink| ended.contains(sink));
            if all {
                muxer.finish();
            } else if pad.name() == "audio" {
                muxer.no_sound();
            }
        });
        if all && let Some(src) = self.src() {
            src.push_event(gst::event::Eos::new());
        }
        pushed.is_ok()
    }

    /// Lets the muxer work and pushes what comes out.
    fn with(
        &self,
        work: impl FnOnce(&mut Muxer, &mut Vec<gst::Pad>),
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let mut guard = lock(&self.running);
        let running = guard.get_or_insert_with(|| {
            let mut muxer = Muxer::new(&lock(&self.settings));
            if self.obj().static_pad("audio").is_some() {
                muxer.expect_sound();
            }
            Running {
                muxer,
                started: false,
                ended: Vec::new(),
            }
        });
        work(&mut running.muxer, &mut running.ended);
        let outputs = running.muxer.take();
        let Some(src) = self.src() else {
            return Err(gst::FlowError::NotLinked);
        };
        if !outputs.is_empty() && !std::mem::replace(&mut running.started, true) {
            start(&src);
        }
        for output in outputs {
            match output {
                Output::Fact(fact) => drop(src.push_event(fact.into_event())),
                Output::Bytes(parts) => drop(src.push_list(list(parts))?),
            }
        }
        Ok(gst::FlowSuccess::Ok)
    }

    fn src(&self) -> Option<gst::Pad> {
        lock(&self.src).clone()
    }
}

/// A readable buffer as the owner of its bytes, so that nothing is copied.
struct Mapped(gst::MappedBuffer<gst::buffer::Readable>);

impl Mapped {
    fn of(buffer: gst::Buffer) -> Result<Self, gst::FlowError> {
        buffer
            .into_mapped_buffer_readable()
            .map(Self)
            .map_err(|_| gst::FlowError::Error)
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// A buffer for each piece: one buffer holds few, and would copy them together.
fn list(parts: Parts) -> gst::BufferList {
    let mut list = gst::BufferList::new_sized(parts.iter().len());
    if let Some(list) = list.get_mut() {
        for part in parts {
            list.add(gst::Buffer::from_slice(part));
        }
    }
    list
}

/// What must come before the first buffer.
fn start(src: &gst::Pad) {
    src.push_event(gst::event::StreamStart::builder("ccfmp4mux").build());
    src.push_event(gst::event::Caps::new(&output_caps()));
    src.push_event(gst::event::Segment::new(&gst::FormattedSegment::<
        gst::format::Bytes,
    >::new()));
}

fn output_caps() -> gst::Caps {
    gst::Caps::builder("video/quicktime")
        .field("variant", "iso-fragmented")
        .build()
}

fn templates() -> Vec<gst::PadTemplate> {
    let avc = gst::Structure::builder("video/x-h264")
        .field("stream-format", "avc")
        .field("alignment", "au")
        .build();
    let hevc = gst::Structure::builder("video/x-h265")
        .field("stream-format", "hvc1")
        .field("alignment", "au")
        .build();
    let video = gst::Caps::builder_full().structure(avc).structure(hevc).build();
    let audio = gst::Caps::builder("audio/mpeg")
        .field("mpegversion", 4i32)
        .field("stream-format", "raw")
        .build();
    let sink =
        |name, caps| gst::PadTemplate::new(name, gst::PadDirection::Sink, gst::PadPresence::Request, caps);
    let src = gst::PadTemplate::new(
        "src",
        gst::PadDirection::Src,
        gst::PadPresence::Always,
        &output_caps(),
    );
    [src, sink("video", &video), sink("audio", &audio)]
        .into_iter()
        .flatten()
        .collect()
}

fn ns(time: gst::ClockTime) -> i64 {
    i64::try_from(time.nseconds()).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
