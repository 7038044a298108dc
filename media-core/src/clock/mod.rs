//! The camera's clock: RTP timestamps, RTCP sender reports and arrival become capture UTC.
//!
//! [`Timeline`] is a pure state machine: it takes access units and sender reports in order of arrival and
//! gives the same units back, in the same order, with their place on the recording's timeline. It reads no
//! clock, opens no socket and knows no codec; whoever drives it says when a packet arrived.
//!
//! # Times
//! Every time is `i64` nanoseconds since 1970-01-01 UTC. Each unit is placed on its own, never by adding
//! durations up, so rounding cannot accumulate. RTP timestamps are taken as the raw 32 bits of the packet
//! and unwrapped here.
//!
//! # What time a picture gets
//! * A sender report is there and the camera's clock is plausible (within 5 s of ours at first; given up
//!   beyond 10 s; taken again within 1 s): the camera's clock, from the report nearest before the unit and the
//!   RTP clock's true rate as the reports measure it.
//! * The camera's clock is implausible: the reports still tie sound to pictures, but the time is that of
//!   arrival on our clock. [`ClockStats::offset_ns`] tells how far off the camera is.
//! * No report: arrival on our clock, less the jitter: the line below all (RTP, arrival) points of the last
//!   half minute, whose slope is the RTP clock's true rate (Moon, Skelly, Towsley 1999). Network delay is
//!   never negative, so the least delayed packets are the true ones.
//!
//! The first units are held for up to [`ClockSettings::hold_ns`] (or until a report has come), so that a
//! recording starts right instead of being corrected. After that the timeline moves towards the truth by at
//! most 5 % of real time, 25 % when it is more than half a second ahead and may not go back.
//!
//! # Discontinuities
//! When the timeline is more than [`ClockSettings::step_ns`] off, or RTP timestamps jump, the pictures are
//! still decodable: time runs on at the rate so far until the next random access point, which then carries
//! [`Timed::discontinuity`] and stands at the true time, or right after its predecessor when that is later.
//! No picture is lost to a clock, and no two overlap.
//!
//! # Reordered pictures
//! RTP timestamps are presentation times, sent in decode order (RFC 6184 §5.1). With B-frames they go back
//! and forth. The presentation timeline is one strictly rising function of the RTP timestamp; the decode time
//! of a picture is the presentation time of the picture that stands `depth` places earlier in presentation
//! order, where `depth` is what the stream's parameters say or what was seen so far. So decode times rise
//! strictly, `decode ≤ presentation` always holds, and without B-frames both are the same. Should more
//! reordering show up than was known, decode times still rise, and the few pictures concerned have a
//! presentation time before their decode time, which `trun` version 1 can express.

mod envelope;
#[cfg(test)]
mod properties;
mod report;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod timeline;
mod track;

pub use timeline::Timeline;

/// One second.
pub const SECOND_NS: i64 = 1_000_000_000;
/// One millisecond.
pub const MS_NS: i64 = 1_000_000;

/// When a packet arrived, on both clocks of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Nanoseconds on a clock that never steps, from any origin.
    pub mono_ns: i64,
    /// Nanoseconds since 1970 UTC by the local clock, which may step.
    pub utc_ns: i64,
}

/// A track of the timeline, as [`Timeline::add_track`] numbered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackId(pub(crate) usize);

/// What is known of a track beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSpec {
    /// Ticks of the RTP timestamp in a second: 90,000 for video. What is below 1000 is taken as 90,000.
    pub clock_rate_hz: u32,
    /// Pictures: discontinuities happen only at this track's random access points. Without a video track
    /// every unit of the first track is one.
    pub video: bool,
    /// How many pictures can precede one in decode order and follow it in presentation order; None when the
    /// parameters do not say. Sound: 0.
    pub reorder_depth: Option<u8>,
    /// Nominal duration of a unit, used until two have been seen; 0 when unknown.
    pub nominal_ns: i64,
}

/// An RTCP sender report (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    /// The 64-bit NTP timestamp; 0 means that the sender has no clock.
    pub ntp: u64,
    /// The RTP timestamp of the same instant.
    pub rtp: u32,
}

/// How a timeline is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSettings {
    /// The first units wait this long at most for a sender report; 700 ms by default.
    pub hold_ns: i64,
    /// A larger error is mended by a discontinuity, a smaller one by slewing; 1 s by default.
    pub step_ns: i64,
    /// Nothing is placed before this time: the end of the footage recorded before, if there is some.
    /// Ignored when it is more than an hour ahead of the local clock.
    pub not_before_ns: Option<i64>,
    /// What the session before learnt, so that this one starts right.
    pub prior: Option<Prior>,
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self {
            hold_ns: 700 * MS_NS,
            step_ns: SECOND_NS,
            not_before_ns: None,
            prior: None,
        }
    }
}

/// What one session hands to the next one of the same camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prior {
    /// Camera clock minus arrival on our clock, when the camera's clock was followed.
    pub offset_ns: i64,
}

/// Why time is not continuous at a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discontinuity {
    /// The RTP timestamps jumped.
    Rtp,
    /// The camera's clock or ours stepped, or the first sender report showed another time.
    Clock,
}

/// A unit with its place on the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed<T> {
    /// Its track.
    pub track: TrackId,
    /// What was pushed.
    pub unit: T,
    /// As pushed.
    pub random_access: bool,
    /// Decode time; strictly rising within a track, by at least a millisecond.
    pub dts_ns: i64,
    /// Presentation time, which is the capture time.
    pub pts_ns: i64,
    /// How far the capture time may be off.
    pub uncertainty_ns: i64,
    /// Time is not continuous here; only on random access points of the video track.
    pub discontinuity: Option<Discontinuity>,
}

/// Figures of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockStats {
    /// Camera clock minus ours by the last sender report; None without one.
    pub offset_ns: Option<i64>,
    /// Whether the camera's clock is followed.
    pub follows_camera: bool,
    /// Uncertainty of the last unit's capture time.
    pub uncertainty_ns: Option<i64>,
    /// Discontinuities so far.
    pub discontinuities: u64,
    /// Sender reports that were used.
    pub reports: u64,
}
