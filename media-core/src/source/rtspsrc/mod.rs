//! Reads by GStreamer's rtspsrc what Retina cannot: RTSPS, and cameras that Retina does not understand.
//!
//! It costs a few threads and about twice the CPU of Retina, so it is never the first choice.
//!
//! # Certificates
//! Cameras come with certificates that they signed themselves, mostly expired and for other names. Any
//! certificate is taken: TLS keeps listeners out here, it does not tell who the camera is. Its password is
//! still only sent as a digest, if the camera asks for one.

mod branch;
mod times;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use futures::StreamExt;
use futures::future::BoxFuture;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use tokio::sync::mpsc;

use super::{Media, Opened, STEP_LIMIT, Source, SourceEvent, arrival};
use crate::engine::Shared;
use crate::facts::{Failure, SourceSpec, Transport};
use branch::Stream;

/// How many events may wait for the reading thread; a tick brings a few.
const QUEUE: usize = 512;
/// Reordering of datagrams takes this long at most.
const JITTER_MS: u32 = 200;

/// The source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rtspsrc;

impl Source for Rtspsrc {
    fn name(&self) -> &'static str {
        "rtspsrc"
    }

    fn open<'a>(
        &'a self,
        shared: &'a Arc<Shared>,
        spec: &'a SourceSpec,
    ) -> BoxFuture<'a, Result<Opened, Failure>> {
        Box::pin(open(shared, spec))
    }
}

/// Between GStreamer's threads and the reading thread.
struct Link {
    shared: Weak<Shared>,
    events: mpsc::Sender<Result<SourceEvent, Failure>>,
    video: OnceLock<Stream>,
    audio: OnceLock<Stream>,
    overrun: AtomicBool,
}

impl Link {
    /// Hands on an event; when the reading thread is behind, it is lost rather than kept.
    fn send(&self, event: SourceEvent) {
        if self.events.try_send(Ok(event)).is_err() && !self.overrun.swap(true, Ordering::Relaxed) {
            tracing::warn!("the reading thread is behind; units of rtspsrc are lost");
        }
    }

    fn fail(&self, failure: Failure) {
        // A full queue is read to its end, where the watchdog or the closed channel ends it.
        let _ = self.events.try_send(Err(failure));
    }
}

/// Stops the pipeline when the events are no longer wanted.
struct Running {
    shared: Arc<Shared>,
    pipeline: gst::Pipeline,
}

impl Drop for Running {
    fn drop(&mut self) {
        let pipeline = self.pipeline.clone();
        if self
            .shared
            .slow_states
            .start_job(move || {
                let _ = pipeline.set_state(gst::State::Null);
            })
            .is_err()
        {
            tracing::warn!("an rtspsrc is left behind: state changes hang");
        }
    }
}

async fn open(shared: &Arc<Shared>, spec: &SourceSpec) -> Result<Opened, Failure> {
    let (events, mut received) = mpsc::channel(QUEUE);
    let link = Arc::new(Link {
        shared: Arc::downgrade(shared),
        events,
        video: OnceLock::new(),
        audio: OnceLock::new(),
        overrun: AtomicBool::new(false),
    });
    let (for_build, build_spec) = (Arc::clone(&link), spec.clone());
    let built = shared
        .slow_states
        .run(move || start(&build_spec, &for_build))
        .await?;
    let pipeline = built.map_err(|error| Failure::Internal(error.message.to_string()))?;
    let running = Running {
        shared: Arc::clone(shared),
        pipeline,
    };
    let first = match tokio::time::timeout(STEP_LIMIT, received.recv()).await {
        Ok(Some(Ok(first))) => first,
        Ok(Some(Err(failure))) => return Err(failure),
        Ok(None) => return Err(Failure::Lost("the stream ended".into())),
        Err(_) => return Err(Failure::Unreachable("the camera does not answer".into())),
    };
    let video_clock_hz = link.video.get().map_or(90_000, |stream| stream.clock_hz);
    let audio_clock_hz = link.audio.get().map(|stream| stream.clock_hz);
    drop(link);
    let rest = futures::stream::unfold((received, running), |(mut received, running)| async move {
        received.recv().await.map(|event| (event, (received, running)))
    });
    let events = futures::stream::once(async { Ok(first) }).chain(rest).boxed();
    Ok(Opened {
        reader: Rtspsrc.name(),
        video_clock_hz,
        audio_clock_hz,
        events,
    })
}

/// Builds and starts the pipeline. Blocks: for a state thread.
fn start(spec: &SourceSpec, link: &Arc<Link>) -> Result<gst::Pipeline, glib::BoolError> {
    let pipeline = gst::Pipeline::new();
    let source = gst::ElementFactory::make("rtspsrc")
        .property("location", spec.url.as_str())
        .property("latency", JITTER_MS)
        .property("tcp-timeout", 10_000_000u64)
        .property("timeout", 0u64)
        .property("user-agent", "CloudCam")
        .property_from_str(
            "protocols",
            match spec.transport {
                Transport::Tcp => "tcp",
                Transport::Udp => "udp",
            },
        )
        .build()?;
    if let Some(credentials) = &spec.credentials {
        source.set_property("user-id", &credentials.username);
        source.set_property("user-pw", &credentials.password);
    }
    source.connect("accept-certificate", false, |_| Some(true.to_value()));
    select_streams(&source, spec.audio, link);
    take_pads(&source, &pipeline, link);
    watch(&pipeline, link);
    pipeline.add(&source)?;
    if let Err(error) = pipeline.set_state(gst::State::Playing) {
        let _ = pipeline.set_state(gst::State::Null);
        return Err(glib::bool_error!("rtspsrc does not start: {error}"));
    }
    Ok(pipeline)
}

/// Takes the first video and, when wanted, the first sound that can be recorded.
fn select_streams(source: &gst::Element, audio: bool, link: &Arc<Link>) {
    let link = Arc::clone(link);
    source.connect("select-stream", false, move |values| {
        let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
        let taken = caps
            .as_deref()
            .and_then(Stream::of)
            .is_some_and(|stream| match stream.media {
                Media::Video => link.video.set(stream).is_ok(),
                Media::Audio => audio && link.audio.set(stream).is_ok(),
            });
        Some(taken.to_value())
    });
}

/// Builds the ways of the streams and listens to their sender reports.
fn take_pads(source: &gst::Element, pipeline: &gst::Pipeline, link: &Arc<Link>) {
    let manager = Arc::new(Mutex::new(None::<gst::Element>));
    let kept = Arc::clone(&manager);
    source.connect("new-manager", false, move |values| {
        let manager = values.get(1).and_then(|value| value.get::<gst::Element>().ok());
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = manager;
        None
    });
    let (link, pipeline) = (Arc::clone(link), pipeline.downgrade());
    source.connect_pad_added(move |_, pad| {
        let (Some(pipeline), Some(caps)) = (pipeline.upgrade(), pad.current_caps()) else {
            return;
        };
        let Some(stream) = Stream::of(&caps) else { return };
        if let Err(error) = branch::build(&pipeline, pad, &stream, &link) {
            return link.fail(Failure::Internal(error.message.to_string()));
        }
        let manager = manager.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(manager) = manager {
            listen(&manager, &pad.name(), stream.media, &link);
        }
    });
}

/// Hands on the sender reports of the pad `recv_rtp_src_<session>_<ssrc>_<type>`.
fn listen(manager: &gst::Element, pad: &str, media: Media, link: &Arc<Link>) {
    let mut numbers = pad.rsplit('_');
    let (Some(ssrc), Some(session)) = (numbers.nth(1), numbers.next()) else {
        return;
    };
    let (Ok(ssrc), Ok(session)) = (ssrc.parse::<u32>(), session.parse::<u32>()) else {
        return;
    };
    let Some(session) = manager.emit_by_name::<Option<glib::Object>>("get-internal-session", &[&session])
    else {
        return;
    };
    // One may have come before the first packet.
    let source = session.emit_by_name::<Option<glib::Object>>("get-source-by-ssrc", &[&ssrc]);
    if let Some(report) = source.and_then(|source| known_report(&source.property::<gst::Structure>("stats")))
    {
        report_to(link, media, report);
    }
    let link = Arc::clone(link);
    session.connect("on-receiving-rtcp", false, move |values| {
        let buffer = values.get(1).and_then(|value| value.get::<gst::Buffer>().ok())?;
        let report = branch::sender_report(&buffer.map_readable().ok()?)?;
        report_to(&link, media, report);
        None
    });
}

fn known_report(stats: &gst::Structure) -> Option<crate::clock::SenderReport> {
    stats.get::<bool>("have-sr").ok().filter(|have| *have)?;
    let (ntp, rtp) = (
        stats.get::<u64>("sr-ntptime").ok()?,
        stats.get::<u32>("sr-rtptime").ok()?,
    );
    Some(crate::clock::SenderReport { ntp, rtp })
}

fn report_to(link: &Link, media: Media, report: crate::clock::SenderReport) {
    if let Some(shared) = link.shared.upgrade() {
        link.send(SourceEvent::Report(
            media,
            report,
            arrival(&shared, Instant::now()),
        ));
    }
}

/// Errors and the end become failures; nobody else reads the bus.
fn watch(pipeline: &gst::Pipeline, link: &Arc<Link>) {
    let Some(bus) = pipeline.bus() else { return };
    let link = Arc::clone(link);
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => link.fail(failure(&error.error(), &link)),
            // The death of a server is a warning and an end.
            gst::MessageView::Eos(_) => link.fail(Failure::Lost("the camera ended the stream".into())),
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}

fn failure(error: &glib::Error, link: &Link) -> Failure {
    let text = error.message().to_owned();
    match error.kind::<gst::ResourceError>() {
        Some(gst::ResourceError::NotAuthorized) => Failure::Unauthorized,
        Some(gst::ResourceError::NotFound) => Failure::NotFound,
        Some(
            gst::ResourceError::OpenRead | gst::ResourceError::OpenWrite | gst::ResourceError::OpenReadWrite,
        ) => Failure::Unreachable(text),
        Some(gst::ResourceError::Read | gst::ResourceError::Write) if link.video.get().is_some() => {
            Failure::Lost(text)
        }
        Some(_) if link.video.get().is_none() => Failure::Unsupported(text),
        _ => Failure::Invalid(text),
    }
}
