//! The way of one stream: RTP packets → depayloader → (parser) → `appsink` → events.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use super::Link;
use super::times::Times;
use crate::clock::SenderReport;
use crate::fanout::CodecParams;
use crate::fmp4::{AudioTrack, VideoTrack};
use crate::source::{Media, SourceEvent, SourceUnit, arrival};

/// A stream as rtspsrc describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) media: Media,
    pub(super) encoding: String,
    pub(super) clock_hz: u32,
}

impl Stream {
    /// From the caps of an RTP stream; None for what is not recorded.
    pub(super) fn of(caps: &gst::CapsRef) -> Option<Self> {
        let structure = caps.structure(0)?;
        let encoding = structure
            .get::<String>("encoding-name")
            .ok()?
            .to_ascii_uppercase();
        let media = match (structure.get::<&str>("media").ok()?, encoding.as_str()) {
            ("video", "H264" | "H265") => Media::Video,
            ("audio", "MPEG4-GENERIC" | "PCMA" | "PCMU") => Media::Audio,
            _ => return None,
        };
        let clock_hz = structure
            .get::<i32>("clock-rate")
            .ok()
            .and_then(|rate| u32::try_from(rate).ok());
        Some(Self {
            media,
            encoding,
            clock_hz: clock_hz.filter(|rate| *rate > 0)?,
        })
    }

    /// The elements after the depayloader's, and the caps they must give.
    fn elements(&self) -> (&'static [&'static str], Option<&'static str>) {
        match self.encoding.as_str() {
            "H264" => (
                &["rtph264depay", "h264parse"],
                Some("video/x-h264,stream-format=avc,alignment=au"),
            ),
            "H265" => (
                &["rtph265depay", "h265parse"],
                Some("video/x-h265,stream-format=hvc1,alignment=au"),
            ),
            "PCMA" => (&["rtppcmadepay"], None),
            "PCMU" => (&["rtppcmudepay"], None),
            _ => (&["rtpmp4gdepay"], None),
        }
    }
}

/// Builds the way of `stream` behind a new pad of rtspsrc.
pub(super) fn build(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    stream: &Stream,
    link: &Arc<Link>,
) -> Result<(), gst::glib::BoolError> {
    let (names, caps) = stream.elements();
    let mut chain = Vec::new();
    for name in names {
        chain.push(gst::ElementFactory::make(name).build()?);
    }
    let appsink = gst_app::AppSink::builder().sync(false).async_(false).build();
    appsink.set_property("enable-last-sample", false);
    if let Some(caps) = caps {
        appsink.set_caps(Some(&caps.parse()?));
    }
    let times = Arc::new(Mutex::new(Times::default()));
    let mut units = Units {
        stream: stream.clone(),
        link: Arc::clone(link),
        times: Arc::clone(&times),
        params: None,
    };
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(move |appsink| {
        if let Ok(sample) = appsink.pull_sample() {
            units.take(&sample);
        }
        Ok(gst::FlowSuccess::Ok)
    });
    appsink.set_callbacks(callbacks.build());
    chain.push(appsink.upcast());
    pipeline.add_many(&chain)?;
    gst::Element::link_many(&chain)?;
    for element in chain.iter().rev() {
        element.sync_state_with_parent()?;
    }
    let first = chain.first().and_then(|first| first.static_pad("sink"));
    let into = first.ok_or_else(|| gst::glib::bool_error!("a depayloader without an input"))?;
    note_packets(&into, times);
    pad.link(&into)
        .map(drop)
        .map_err(|error| gst::glib::bool_error!("{error}"))
}

/// Notes the RTP timestamps of what goes in.
fn note_packets(pad: &gst::Pad, times: Arc<Mutex<Times>>) {
    let note = move |buffer: &gst::BufferRef| {
        if let (Some(pts), Ok(packet)) = (buffer.pts(), buffer.map_readable()) {
            let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
            times.note(pts.nseconds(), &packet, Instant::now());
        }
    };
    pad.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
        move |_, info| {
            match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => note(buffer),
                Some(gst::PadProbeData::BufferList(list)) => list.iter().for_each(&note),
                _ => {}
            }
            gst::PadProbeReturn::Ok
        },
    );
}

/// Makes events of samples.
struct Units {
    stream: Stream,
    link: Arc<Link>,
    times: Arc<Mutex<Times>>,
    params: Option<(gst::Caps, Arc<CodecParams>)>,
}

impl Units {
    fn take(&mut self, sample: &gst::Sample) {
        let (Some(buffer), Some(params)) = (sample.buffer(), self.params(sample)) else {
            return;
        };
        let (Some(pts), Ok(map)) = (buffer.pts().or(buffer.dts()), buffer.map_readable()) else {
            return;
        };
        let found = self
            .times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .find(pts.nseconds(), self.stream.clock_hz);
        let Some((rtp, at)) = found else { return };
        let Some(shared) = self.link.shared.upgrade() else {
            return;
        };
        self.link.send(SourceEvent::Unit(SourceUnit {
            media: self.stream.media,
            rtp,
            arrival: arrival(&shared, at),
            bytes: Bytes::copy_from_slice(&map),
            lost_packets: u16::from(buffer.flags().contains(gst::BufferFlags::DISCONT)),
            params,
        }));
    }

    fn params(&mut self, sample: &gst::Sample) -> Option<Arc<CodecParams>> {
        let caps = sample.caps()?;
        if let Some((known, params)) = &self.params
            && known.as_ref() == caps
        {
            return Some(Arc::clone(params));
        }
        let new = codec_params(caps)?;
        let params = match &self.params {
            Some((_, params)) if **params == new => Arc::clone(params),
            _ => Arc::new(new),
        };
        self.params = Some((caps.to_owned(), Arc::clone(&params)));
        Some(params)
    }
}

fn codec_params(caps: &gst::CapsRef) -> Option<CodecParams> {
    let structure = caps.structure(0)?;
    let data = || {
        let buffer = structure.get::<gst::Buffer>("codec_data").ok()?;
        buffer.into_mapped_buffer_readable().ok()
    };
    let sample_rate_hz = structure
        .get::<i32>("rate")
        .ok()
        .and_then(|rate| u32::try_from(rate).ok());
    let channels = structure
        .get::<i32>("channels")
        .ok()
        .and_then(|count| u16::try_from(count).ok())
        .unwrap_or(1);
    match structure.name().as_str() {
        "video/x-h264" => VideoTrack::from_avcc(&data()?).ok().map(CodecParams::Video),
        "video/x-h265" => VideoTrack::from_hvcc(&data()?).ok().map(CodecParams::Video),
        "audio/x-alaw" => Some(CodecParams::Alaw {
            sample_rate_hz: sample_rate_hz?,
            channels,
        }),
        "audio/x-mulaw" => Some(CodecParams::Mulaw {
            sample_rate_hz: sample_rate_hz?,
            channels,
        }),
        _ => AudioTrack::aac(&data()?).ok().map(CodecParams::Aac),
    }
}

/// The first sender report of an RTCP packet (RFC 3550 §6.4.1).
pub(super) fn sender_report(packet: &[u8]) -> Option<SenderReport> {
    let is_report = packet.first()? >> 6 == 2 && *packet.get(1)? == 200;
    let ntp = u64::from_be_bytes(packet.get(8..16)?.try_into().ok()?);
    let rtp = u32::from_be_bytes(packet.get(16..20)?.try_into().ok()?);
    is_report.then_some(SenderReport { ntp, rtp })
}
