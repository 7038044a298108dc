//! `cccamerasrc`: access units from the reading thread become buffers.
//!
//! Pads come with [`CameraSrc::add_pad_for`]. Units are pushed by whoever calls [`CameraSrc::push`], on its
//! thread; timestamps are nanoseconds since 1970 UTC.

use std::sync::Arc;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;

use crate::element::facts::Order;
use crate::fanout::{AccessUnit, CodecParams};
use crate::fmp4::VideoCodec;

glib::wrapper! {
    /// The element.
    pub struct CameraSrc(ObjectSubclass<imp::CameraSrc>) @extends gst::Element, gst::Object;
}

impl CameraSrc {
    /// A new element; `media_core::init()` must have been called.
    #[must_use]
    pub fn new() -> Self {
        glib::Object::new()
    }

    /// Adds the pad `video` or `audio`.
    ///
    /// # Errors
    /// When it is there already.
    pub fn add_pad_for(&self, video: bool) -> Result<gst::Pad, glib::BoolError> {
        let name = pad_name(video);
        let template = self
            .pad_template(name)
            .ok_or_else(|| glib::bool_error!("no template {name}"))?;
        let pad = gst::Pad::builder_from_template(&template).name(name).build();
        pad.set_active(true)?;
        self.add_pad(&pad)?;
        self.imp().set_pad(video, pad.clone());
        Ok(pad)
    }

    /// Pushes a unit downstream, on the caller's thread. Units without a pad are dropped.
    ///
    /// # Errors
    /// What downstream answers.
    pub fn push(&self, unit: &AccessUnit) -> Result<(), gst::FlowError> {
        self.imp().push(unit)
    }

    /// Tells the muxer something in order with the pictures; false when none was pushed yet.
    pub fn order(&self, order: Order) -> bool {
        self.imp().order(order)
    }

    /// Has a decoder downstream give out what it holds back; a keyframe must follow.
    pub(crate) fn drain(&self) {
        self.imp().drain();
    }

    /// Ends the stream on every pad.
    pub fn end(&self) {
        self.imp().end();
    }
}

impl Default for CameraSrc {
    fn default() -> Self {
        Self::new()
    }
}

fn pad_name(video: bool) -> &'static str {
    if video { "video" } else { "audio" }
}

/// What downstream must know of a stream.
fn caps(params: &CodecParams) -> gst::Caps {
    let g711 = |name: &str, rate: u32, channels: u16| {
        gst::Caps::builder(name)
            .field("rate", rate as i32)
            .field("channels", i32::from(channels))
            .build()
    };
    match params {
        CodecParams::Video(track) => {
            let (name, format) = match track.codec() {
                VideoCodec::H264 => ("video/x-h264", "avc"),
                VideoCodec::H265 => ("video/x-h265", "hvc1"),
            };
            let (width, height) = track.dimensions();
            gst::Caps::builder(name)
                .field("stream-format", format)
                .field("alignment", "au")
                .field("width", width as i32)
                .field("height", height as i32)
                .field(
                    "codec_data",
                    gst::Buffer::from_slice(track.configuration().clone()),
                )
                .build()
        }
        CodecParams::Aac(track) => gst::Caps::builder("audio/mpeg")
            .field("mpegversion", 4i32)
            .field("stream-format", "raw")
            .field("rate", track.sample_rate_hz() as i32)
            .field("channels", i32::from(track.channels()))
            .field("codec_data", gst::Buffer::from_slice(track.config().clone()))
            .build(),
        CodecParams::Alaw {
            sample_rate_hz,
            channels,
        } => g711("audio/x-alaw", *sample_rate_hz, *channels),
        CodecParams::Mulaw {
            sample_rate_hz,
            channels,
        } => g711("audio/x-mulaw", *sample_rate_hz, *channels),
    }
}

mod imp {
    use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

    use super::*;

    #[derive(Debug)]
    struct Out {
        pad: gst::Pad,
        params: Option<Arc<CodecParams>>,
    }

    #[derive(Debug, Default)]
    struct Outs {
        video: Option<Out>,
        audio: Option<Out>,
    }

    #[derive(Debug, Default)]
    pub struct CameraSrc {
        outs: Mutex<Outs>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for CameraSrc {
        const NAME: &'static str = "CloudcamCameraSrc";
        type Type = super::CameraSrc;
        type ParentType = gst::Element;
    }

    impl ObjectImpl for CameraSrc {
        fn constructed(&self) {
            self.parent_constructed();
            self.obj().set_element_flags(gst::ElementFlags::SOURCE);
        }
    }

    impl GstObjectImpl for CameraSrc {}

    impl ElementImpl for CameraSrc {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "CloudCam camera source",
                    "Source/Network",
                    "Access units of a camera, pushed by the reading thread",
                    "CloudCam",
                )
            });
            Some(&*METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let video = gst::Caps::builder_full()
                    .structure(gst::Structure::new_empty("video/x-h264"))
                    .structure(gst::Structure::new_empty("video/x-h265"))
                    .build();
                let audio = gst::Caps::builder_full()
                    .structure(gst::Structure::new_empty("audio/mpeg"))
                    .structure(gst::Structure::new_empty("audio/x-alaw"))
                    .structure(gst::Structure::new_empty("audio/x-mulaw"))
                    .build();
                [("video", video), ("audio", audio)]
                    .into_iter()
                    .filter_map(|(name, caps)| {
                        let (direction, presence) = (gst::PadDirection::Src, gst::PadPresence::Sometimes);
                        gst::PadTemplate::new(name, direction, presence, &caps).ok()
                    })
                    .collect()
            });
            TEMPLATES.as_ref()
        }
    }

    impl CameraSrc {
        fn outs(&self) -> MutexGuard<'_, Outs> {
            self.outs.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(super) fn set_pad(&self, video: bool, pad: gst::Pad) {
            let mut outs = self.outs();
            let out = Some(Out { pad, params: None });
            if video {
                outs.video = out;
            } else {
                outs.audio = out;
            }
        }

        pub(super) fn push(&self, unit: &AccessUnit) -> Result<(), gst::FlowError> {
            let mut outs = self.outs();
            let video = unit.params.is_video();
            let Some(out) = (if video { &mut outs.video } else { &mut outs.audio }) else {
                return Ok(());
            };
            let pad = out.pad.clone();
            let begins = out.params.is_none();
            let changed = out
                .params
                .as_ref()
                .is_none_or(|params| !Arc::ptr_eq(params, &unit.params));
            out.params = Some(Arc::clone(&unit.params));
            // Never across a push: what is downstream may come back here.
            drop(outs);
            if begins {
                let id = format!("cccamerasrc/{}", pad_name(video));
                pad.push_event(gst::event::StreamStart::builder(&id).build());
            }
            if changed {
                pad.push_event(gst::event::Caps::new(&caps(&unit.params)));
            }
            if begins {
                pad.push_event(gst::event::Segment::new(
                    &gst::FormattedSegment::<gst::ClockTime>::new(),
                ));
            }
            pad.push(buffer(unit)).map(drop)
        }

        pub(super) fn order(&self, order: Order) -> bool {
            self.video().is_some_and(|pad| pad.push_event(order.into_event()))
        }

        pub(super) fn drain(&self) {
            if let Some(pad) = self.video() {
                pad.push_event(gstreamer_video::StillFrameEvent::builder(true).build());
            }
        }

        /// The pad of pictures, once one was pushed.
        fn video(&self) -> Option<gst::Pad> {
            let outs = self.outs();
            let begun = outs.video.as_ref().filter(|out| out.params.is_some());
            begun.map(|out| out.pad.clone())
        }

        pub(super) fn end(&self) {
            let pads: Vec<_> = {
                let outs = self.outs();
                let outs = [&outs.video, &outs.audio].into_iter().flatten();
                outs.map(|out| (out.pad.clone(), out.params.is_some())).collect()
            };
            for (pad, begun) in pads {
                if !begun {
                    pad.push_event(gst::event::StreamStart::builder("cccamerasrc/none").build());
                }
                pad.push_event(gst::event::Eos::new());
            }
        }
    }

    fn buffer(unit: &AccessUnit) -> gst::Buffer {
        let mut buffer = gst::Buffer::from_slice(unit.bytes.clone());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(time(unit.pts_ns));
            buffer.set_dts(time(unit.dts_ns));
            if unit.params.is_video() && !unit.keyframe {
                buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
            }
            if unit.discontinuity {
                buffer.set_flags(gst::BufferFlags::DISCONT);
            }
        }
        buffer
    }

    fn time(ns: i64) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(u64::try_from(ns).unwrap_or(0))
    }
}
