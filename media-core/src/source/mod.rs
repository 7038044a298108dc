//! Sources: something that is asked for a camera and gives its access units in order of arrival.
//!
//! A source knows RTSP, RTP and codecs. It does not know the timeline, and it never retries.

mod auto;
mod choose;
mod error;
mod retina;
mod rtspsrc;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::Stream;

use crate::clock::{Arrival, SenderReport};
use crate::engine::Shared;
use crate::facts::{Failure, SourceSpec};
use crate::fanout::CodecParams;

pub(crate) use auto::{ended, open};

/// Longest wait for one answer of a camera: short enough that its silence is known within ten seconds.
pub(crate) const STEP_LIMIT: Duration = Duration::from_secs(8);

/// A way of reading cameras.
pub(crate) trait Source: Send + Sync {
    /// As facts name it.
    fn name(&self) -> &'static str;

    /// Connects and starts the stream. Every step ends within [`STEP_LIMIT`].
    fn open<'a>(
        &'a self,
        shared: &'a Arc<Shared>,
        spec: &'a SourceSpec,
    ) -> BoxFuture<'a, Result<Opened, Failure>>;
}

/// The units of a camera that plays; its end is `None` or an error.
pub(crate) type Events = Pin<Box<dyn Stream<Item = Result<SourceEvent, Failure>> + Send>>;

/// A camera that plays.
pub(crate) struct Opened {
    /// Which source.
    pub(crate) reader: &'static str,
    /// Ticks of the pictures' RTP timestamps in a second.
    pub(crate) video_clock_hz: u32,
    /// The same of sound; None when there is none or none is wanted.
    pub(crate) audio_clock_hz: Option<u32>,
    /// What comes.
    pub(crate) events: Events,
}

/// Pictures or sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Media {
    Video,
    Audio,
}

/// One coded picture or packet of sound.
#[derive(Debug)]
pub(crate) struct SourceUnit {
    pub(crate) media: Media,
    /// Raw RTP timestamp.
    pub(crate) rtp: u32,
    pub(crate) arrival: Arrival,
    pub(crate) bytes: Bytes,
    pub(crate) lost_packets: u16,
    /// The same `Arc` as long as nothing changes.
    pub(crate) params: Arc<CodecParams>,
}

/// What a source gives.
#[derive(Debug)]
pub(crate) enum SourceEvent {
    Unit(SourceUnit),
    Report(Media, SenderReport, Arrival),
}

/// The arrival of a packet that came at `at`, on both clocks.
pub(crate) fn arrival(shared: &Shared, at: Instant) -> Arrival {
    let age = at.elapsed();
    let utc = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(age);
    Arrival {
        mono_ns: shared.reading.tick().mono_ns(at),
        utc_ns: i64::try_from(utc.as_nanos()).unwrap_or(i64::MAX),
    }
}
