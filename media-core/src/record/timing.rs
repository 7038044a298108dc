//! Puts a source's units on the timeline of the recording.

use std::sync::Arc;

use crate::clock::{ClockSettings, ClockStats, Prior, SenderReport, Timeline, TrackId, TrackSpec};
use crate::fanout::{AccessUnit, CodecParams};
use crate::source::{Media, Opened, SourceEvent, SourceUnit};

/// What the timeline carries along.
#[derive(Debug)]
pub(crate) struct RecordedUnit {
    bytes: bytes::Bytes,
    lost_packets: u16,
    params: Arc<CodecParams>,
}

/// The clock of one session.
#[derive(Debug)]
pub(crate) struct Timing {
    timeline: Timeline<RecordedUnit>,
    video: Option<TrackId>,
    audio: Option<TrackId>,
    video_clock_hz: u32,
    audio_clock_hz: Option<u32>,
    video_params: Option<Arc<CodecParams>>,
    /// Sender reports that came before the first unit of their track.
    early: Vec<(Media, SenderReport, crate::clock::Arrival)>,
}

impl Timing {
    pub(crate) fn new(opened: &Opened, settings: ClockSettings) -> Self {
        Self {
            timeline: Timeline::new(settings),
            video: None,
            audio: None,
            video_clock_hz: opened.video_clock_hz,
            audio_clock_hz: opened.audio_clock_hz,
            video_params: None,
            early: Vec::new(),
        }
    }

    /// Takes what a source gave. Returns whether it was a picture at which decoding can start.
    pub(crate) fn take(&mut self, event: SourceEvent) -> bool {
        match event {
            SourceEvent::Report(media, report, arrival) => {
                match self.track(media) {
                    Some(track) => self.timeline.sender_report(track, report, arrival),
                    None if self.early.len() < 4 => self.early.push((media, report, arrival)),
                    None => {}
                }
                false
            }
            SourceEvent::Unit(unit) => self.unit(unit),
        }
    }

    fn unit(&mut self, unit: SourceUnit) -> bool {
        let track = self.track_for(&unit);
        let keyframe = match &*unit.params {
            CodecParams::Video(params) => params.is_random_access(&unit.bytes),
            _ => false,
        };
        // The RTP timestamp is of the first sample, and the packet left after the last one: until a
        // sender report tells better, sound would lag behind the pictures by the packet's length.
        let mut arrival = unit.arrival;
        let sound_ns = nominal_sound_ns(&unit.params, unit.bytes.len());
        arrival.mono_ns -= sound_ns;
        arrival.utc_ns -= sound_ns;
        let carried = RecordedUnit {
            bytes: unit.bytes,
            lost_packets: unit.lost_packets,
            params: unit.params,
        };
        self.timeline.push(track, unit.rtp, arrival, keyframe, carried);
        keyframe
    }

    /// The next unit whose place is known.
    pub(crate) fn pop(&mut self) -> Option<AccessUnit> {
        let timed = self.timeline.pop()?;
        Some(AccessUnit {
            pts_ns: timed.pts_ns,
            dts_ns: timed.dts_ns,
            uncertainty_ns: timed.uncertainty_ns,
            keyframe: timed.random_access && timed.unit.params.is_video(),
            discontinuity: timed.discontinuity.is_some(),
            lost_packets: timed.unit.lost_packets,
            bytes: timed.unit.bytes,
            params: timed.unit.params,
        })
    }

    /// Ends the holding of the first units.
    pub(crate) fn release(&mut self) {
        self.timeline.release();
    }

    pub(crate) fn stats(&self) -> ClockStats {
        self.timeline.stats()
    }

    pub(crate) fn prior(&self) -> Option<Prior> {
        self.timeline.prior()
    }

    fn track(&self, media: Media) -> Option<TrackId> {
        match media {
            Media::Video => self.video,
            Media::Audio => self.audio,
        }
    }

    /// The unit's track, which begins with its first unit, when its parameters are known.
    fn track_for(&mut self, unit: &SourceUnit) -> TrackId {
        if let (Media::Video, CodecParams::Video(params)) = (unit.media, &*unit.params) {
            let same = self
                .video_params
                .as_ref()
                .is_some_and(|known| Arc::ptr_eq(known, &unit.params));
            if !same {
                self.video_params = Some(Arc::clone(&unit.params));
                if let Some(track) = self.video {
                    self.timeline.set_reorder_depth(track, params.reorder_depth());
                }
            }
        }
        if let Some(track) = self.track(unit.media) {
            return track;
        }
        let track = self.timeline.add_track(self.spec(unit));
        match unit.media {
            Media::Video => self.video = Some(track),
            Media::Audio => self.audio = Some(track),
        }
        let early = std::mem::take(&mut self.early);
        let (now, later): (Vec<_>, Vec<_>) = early.into_iter().partition(|(media, ..)| *media == unit.media);
        self.early = later;
        for (_, report, arrival) in now {
            self.timeline.sender_report(track, report, arrival);
        }
        track
    }

    fn spec(&self, unit: &SourceUnit) -> TrackSpec {
        match &*unit.params {
            CodecParams::Video(params) => TrackSpec {
                clock_rate_hz: self.video_clock_hz,
                video: true,
                reorder_depth: params.reorder_depth(),
                nominal_ns: params.frame_interval_ns().unwrap_or(0),
            },
            params => TrackSpec {
                clock_rate_hz: self.audio_clock_hz.unwrap_or(8_000),
                video: false,
                reorder_depth: Some(0),
                nominal_ns: nominal_sound_ns(params, unit.bytes.len()),
            },
        }
    }
}

fn nominal_sound_ns(params: &CodecParams, bytes: usize) -> i64 {
    match params {
        CodecParams::Aac(track) => track.frame_ns(),
        CodecParams::Alaw {
            sample_rate_hz,
            channels,
        }
        | CodecParams::Mulaw {
            sample_rate_hz,
            channels,
        } => {
            let samples = bytes as i64 / i64::from(*channels).max(1);
            samples * crate::clock::SECOND_NS / i64::from(*sample_rate_hz).max(1)
        }
        CodecParams::Video(_) => 0,
    }
}
