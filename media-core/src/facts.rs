//! What recording hands outward: bytes of footage and facts about them.
//!
//! The types that a recorder is built against. Nothing here touches GStreamer.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use crate::parts::Parts;

/// How RTP reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// Interleaved in the RTSP connection (RFC 2326 §10.12).
    #[default]
    Tcp,
    /// Plain RTP over UDP.
    Udp,
}

/// Which reader takes the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reader {
    /// Retina where it can, rtspsrc for the rest; remembers what the camera needed.
    #[default]
    Auto,
    /// Retina only.
    Retina,
    /// GStreamer's rtspsrc only.
    Rtspsrc,
}

/// A camera's user name and password; `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// What to read. `Debug` does not show the address' path: some cameras want their password there.
#[derive(Clone)]
pub struct SourceSpec {
    /// `rtsp://` or `rtsps://`.
    pub url: Url,
    /// What the camera asks for.
    pub credentials: Option<Credentials>,
    /// How RTP travels.
    pub transport: Transport,
    /// Which reader to use.
    pub reader: Reader,
    /// Record sound when there is some.
    pub audio: bool,
}

impl fmt::Debug for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceSpec")
            .field("host", &self.url.host_str())
            .field("transport", &self.transport)
            .field("reader", &self.reader)
            .field("audio", &self.audio)
            .finish_non_exhaustive()
    }
}

/// How footage is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSettings {
    /// A segment ends at the first keyframe at or after this age; 6 s by default.
    pub segment_target: Duration,
    /// An object ends at the first segment end at or after this age; 60 s by default.
    pub object_target: Duration,
    /// The first object of an attempt is shortened to this age, so that the borders of many cameras
    /// spread over the minute. None leaves it whole.
    pub first_object_target: Option<Duration>,
    /// Longest chunk (`moof` + `mdat`), and so the most that a power cut can lose; 1 s at most.
    pub chunk_max: Duration,
    /// Largest chunk in bytes.
    pub chunk_max_bytes: usize,
    /// A source that sends no packet for this long has failed; 5 s by default.
    pub silence_limit: Duration,
    /// A source that sends no keyframe for this long is reported; its object closes all the same.
    pub keyframe_limit: Duration,
    /// End of the footage recorded before, milliseconds since 1970 UTC: nothing is placed before it.
    pub not_before_ms: Option<i64>,
    /// What is recorded of what the camera sends; all of it by default.
    pub spans: Spans,
}

/// A stretch of capture time that is recorded. Milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Footage from here on is kept in memory and recorded with the span; at or before its start.
    pub keep_ms: i64,
    /// First instant.
    pub start_ms: i64,
    /// First instant after; none when it has no end.
    pub end_ms: Option<i64>,
}

/// The spans that matter now: in order, without overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spans([Option<Span>; 3]);

impl Spans {
    /// All that comes, from the first keyframe on.
    pub const ALWAYS: Self = Self([
        Some(Span {
            keep_ms: i64::MIN,
            start_ms: i64::MIN,
            end_ms: None,
        }),
        None,
        None,
    ]);

    /// The first three of these.
    #[must_use]
    pub fn new(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut out = Self::default();
        for (place, span) in out.0.iter_mut().zip(spans) {
            *place = Some(span);
        }
        out
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Span> {
        self.0.into_iter().flatten()
    }
}

/// What can be changed while an attempt runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjustment {
    /// As in [`RecordSettings`].
    pub spans: Spans,
    /// As in [`RecordSettings`]; of what begins next.
    pub segment_target: Duration,
    /// As in [`RecordSettings`]; of what begins next.
    pub object_target: Duration,
}

impl From<&RecordSettings> for Adjustment {
    fn from(settings: &RecordSettings) -> Self {
        Self {
            spans: settings.spans,
            segment_target: settings.segment_target,
            object_target: settings.object_target,
        }
    }
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self {
            segment_target: Duration::from_secs(6),
            object_target: Duration::from_secs(60),
            first_object_target: None,
            chunk_max: Duration::from_millis(900),
            chunk_max_bytes: 2 * 1024 * 1024,
            silence_limit: Duration::from_secs(5),
            keyframe_limit: Duration::from_secs(30),
            not_before_ms: None,
            spans: Spans::ALWAYS,
        }
    }
}

/// One track of a recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Track {
    /// Pictures.
    Video {
        /// RFC 6381, such as `avc1.64001f`, `hvc1.1.6.L93.B0`.
        codec: String,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// As measured or declared; 0 when unknown.
        fps: f32,
    },
    /// Sound.
    Audio {
        /// RFC 6381, such as `mp4a.40.2`.
        codec: String,
        /// Hertz.
        sample_rate_hz: u32,
        /// Count.
        channels: u16,
    },
}

/// Receives the facts of one attempt, in order, from the reading thread.
///
/// An implementation must not block: it hands on and returns. Facts end with exactly one
/// [`Fact::Ended`].
pub trait FactSink: Send + Sync + 'static {
    /// Takes one fact.
    fn fact(&self, fact: Fact);
}

/// Something that happened in an attempt.
#[derive(Debug, Clone)]
pub enum Fact {
    /// The camera answered and plays.
    Playing {
        /// Which reader took it: `retina` or `rtspsrc`.
        reader: &'static str,
    },
    /// A new object begins; its file starts with `init`.
    ObjectOpened {
        /// `ftyp` + `moov`; the same bytes for the same codec parameters.
        init: Bytes,
        /// Tracks inside.
        tracks: Vec<Track>,
        /// Capture time of the first picture, milliseconds since 1970 UTC.
        start_ms: i64,
        /// Its first picture follows the last of the object before it, in this attempt, without a break.
        continues: bool,
    },
    /// More bytes of the open object: one `moof` + `mdat`.
    Chunk(Chunk),
    /// The open object ends with the last chunk.
    ObjectClosed {
        /// Why.
        reason: CloseReason,
    },
    /// Something is wrong although footage arrives, such as no keyframe for 30 s. None: it is over.
    Degraded {
        /// One sentence for people; no secrets.
        detail: Option<String>,
    },
    /// The attempt is over; nothing follows.
    Ended(AttemptEnd),
}

/// One `moof` + `mdat`.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Its bytes.
    pub bytes: Parts,
    /// Capture time of its first picture, milliseconds since 1970 UTC; never before the end of the chunk
    /// before it.
    pub start_ms: i64,
    /// Capture time of the end of its last picture.
    pub end_ms: i64,
    /// It starts with a keyframe and a segment.
    pub starts_segment: bool,
    /// Pictures inside.
    pub frames: u32,
}

/// Why an object was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// It reached its target.
    Target,
    /// Codec parameters changed.
    Parameters,
    /// Time jumped.
    Clock,
    /// The attempt ended.
    Session,
    /// The window was over; the camera is read on.
    Window,
    /// No keyframe came in time.
    NoKeyframe,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It was asked to.
    Stopped,
    /// The camera ended or changed the session in good order, such as new codec parameters that need
    /// another one.
    Finished,
    /// It failed.
    Failed(Failure),
}

/// Why an attempt failed, named by what the supervisor can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection: refused, unreachable, unknown name. Retry soon.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// 401 or 403. Retry seldom.
    #[error("the camera refuses the credentials")]
    Unauthorized,
    /// 404 or 454. Retry seldom.
    #[error("the camera has no such stream")]
    NotFound,
    /// Connected, then nothing for the silence limit. Retry soon.
    #[error("the camera sent nothing for {0:?}")]
    Silent(Duration),
    /// No codec that can be recorded. Retry seldom.
    #[error("unsupported stream: {0}")]
    Unsupported(String),
    /// The connection was cut in mid-stream. Retry soon.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// It sent what cannot be understood. Retry with backoff.
    #[error("the camera sent invalid data: {0}")]
    Invalid(String),
    /// A fault of ours, or of a missing GStreamer plugin.
    #[error("internal: {0}")]
    Internal(String),
}

/// Figures of a running attempt, cheap to read at any time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AttemptStats {
    /// Pictures received.
    pub frames: u64,
    /// Bytes of access units received.
    pub bytes: u64,
    /// RTP packets that did not arrive. What they damaged is recorded all the same.
    pub lost_packets: u64,
    /// Age of the last packet.
    pub packet_age: Option<Duration>,
    /// Age of the last keyframe.
    pub keyframe_age: Option<Duration>,
    /// Camera clock minus ours, by sender reports.
    pub clock_offset_ms: Option<i64>,
    /// Uncertainty of the capture time.
    pub clock_uncertainty_ms: Option<u32>,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeReport {
    /// The tracks, frames per second as measured.
    pub tracks: Vec<Track>,
    /// Over the probe.
    pub bitrate_bps: u64,
    /// When two keyframes were seen.
    pub keyframe_interval: Option<Duration>,
    /// Camera clock minus ours, by sender reports.
    pub clock_offset_ms: Option<i64>,
    /// `retina` or `rtspsrc`.
    pub reader: &'static str,
}
