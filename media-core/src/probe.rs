//! The probe: what a camera sends, seen from a few seconds of it. Records nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio_util::task::AbortOnDropHandle;

use crate::clock::ClockSettings;
use crate::engine::Shared;
use crate::facts::{Failure, ProbeReport, SourceSpec, Track};
use crate::fanout::CodecParams;
use crate::record::Timing;
use crate::source::{self, Media, Opened, SourceEvent, SourceUnit};

/// Enough to see two keyframes of most cameras.
const ENOUGH: Duration = Duration::from_secs(6);
/// Kept free of the limit for the answer.
const RESERVE: Duration = Duration::from_millis(200);

/// Probes a camera, on the reading runtime.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    spec: SourceSpec,
    limit: Duration,
) -> Result<ProbeReport, Failure> {
    let deadline = Instant::now() + limit.saturating_sub(RESERVE);
    let (own, work_spec) = (Arc::clone(shared), spec);
    let work = async move {
        let mut opened = source::open(&own, &work_spec).await?;
        look(&mut opened, deadline).await
    };
    // Whoever no longer waits for the answer ends the probe.
    let mut task = AbortOnDropHandle::new(shared.reading.handle().spawn(work));
    match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Failure::Internal("the probe broke down".into())),
        Err(_) => Err(Failure::Unreachable(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}

async fn look(opened: &mut Opened, deadline: Instant) -> Result<ProbeReport, Failure> {
    let mut seen = Seen::default();
    let mut timing = Timing::new(opened, ClockSettings::default());
    let mut until = deadline;
    loop {
        let event = tokio::time::timeout_at(until.into(), opened.events.next()).await;
        match event {
            Err(_) => break,
            Ok(None) if seen.video.is_some() => break,
            Ok(None) => return Err(Failure::Lost("the camera ended the connection".into())),
            Ok(Some(Err(failure))) => return Err(failure),
            Ok(Some(Ok(event))) => {
                if let SourceEvent::Unit(unit) = &event {
                    if seen.video.is_none() {
                        until = deadline.min(Instant::now() + ENOUGH);
                    }
                    seen.unit(unit, opened.video_clock_hz);
                }
                timing.take(event);
                while timing.pop().is_some() {}
                if seen.is_enough(
                    opened.audio_clock_hz.is_some(),
                    timing.stats().offset_ns.is_some(),
                ) {
                    break;
                }
            }
        }
    }
    let offset = timing.stats().offset_ns.map(|ns| ns / crate::clock::MS_NS);
    seen.report(opened.reader, offset).ok_or(Failure::Silent(ENOUGH))
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    video: Option<Arc<CodecParams>>,
    audio: Option<Arc<CodecParams>>,
    bytes: u64,
    frames: u32,
    /// RTP timestamp of the first picture. Times are the camera's: what it sends at first often comes in a
    /// burst.
    first: Option<u32>,
    /// Seconds of the stream so far.
    seconds: f64,
    /// Seconds at which keyframes stand.
    keyframes: Vec<f64>,
}

impl Seen {
    fn unit(&mut self, unit: &SourceUnit, video_clock_hz: u32) {
        self.bytes += unit.bytes.len() as u64;
        if unit.media == Media::Audio {
            self.audio = Some(Arc::clone(&unit.params));
            return;
        }
        let ticks = unit.rtp.wrapping_sub(*self.first.get_or_insert(unit.rtp)) as i32;
        let at = f64::from(ticks) / f64::from(video_clock_hz.max(1));
        self.seconds = self.seconds.max(at);
        self.frames += 1;
        if let CodecParams::Video(track) = &*unit.params
            && track.is_random_access(&unit.bytes)
            && self.keyframes.len() < 16
        {
            self.keyframes.push(at);
        }
        self.video = Some(Arc::clone(&unit.params));
    }

    /// Two keyframes, two seconds, sound and a sender report: nothing more is to be learnt.
    fn is_enough(&self, expects_sound: bool, has_offset: bool) -> bool {
        self.keyframes.len() > 1
            && self.seconds >= 2.0
            && has_offset
            && (!expects_sound || self.audio.is_some())
    }

    fn report(&self, reader: &'static str, clock_offset_ms: Option<i64>) -> Option<ProbeReport> {
        let seconds = self.seconds;
        let rate = |count: f64| if seconds > 0.2 { count / seconds } else { 0.0 };
        let fps = (rate(f64::from(self.frames.saturating_sub(1))) * 100.0).round() / 100.0;
        let Some(CodecParams::Video(video)) = self.video.as_deref() else {
            return None;
        };
        let interval = match self.keyframes[..] {
            [first, second, ..] => Duration::try_from_secs_f64(second - first).ok(),
            _ => None,
        };
        Some(ProbeReport {
            tracks: std::iter::once(video.fact(fps as f32))
                .chain(self.sound())
                .collect(),
            bitrate_bps: rate(self.bytes as f64 * 8.0) as u64,
            keyframe_interval: interval,
            clock_offset_ms,
            reader,
        })
    }

    /// As it is recorded: G.711 becomes AAC of the same rate.
    fn sound(&self) -> Option<Track> {
        match self.audio.as_deref()? {
            CodecParams::Aac(track) => Some(track.fact()),
            CodecParams::Alaw {
                sample_rate_hz,
                channels,
            }
            | CodecParams::Mulaw {
                sample_rate_hz,
                channels,
            } => {
                let (codec, sample_rate_hz, channels) = ("mp4a.40.2".to_owned(), *sample_rate_hz, *channels);
                Some(Track::Audio {
                    codec,
                    sample_rate_hz,
                    channels,
                })
            }
            CodecParams::Video(_) => None,
        }
    }
}
