//! What `ccfmp4mux` does, without GStreamer: units in, bytes and facts out.

use std::collections::VecDeque;

use crate::cut::{Cutter, Decision, Health, UnitFacts};
use crate::element::facts::{ElementFact, Order};
use crate::facts::{CloseReason, RecordSettings};
use crate::fmp4::{self, AudioTrack, FragmentBuilder, Sample, VideoTrack};
use crate::parts::Parts;

/// The first pictures wait this long at most for the first sound, so that the first object has both.
const SOUND_WAIT_NS: i64 = 1_000_000_000;
/// And at most this many bytes of them.
const SOUND_WAIT_BYTES: usize = 4 * 1024 * 1024;
/// An object is opened without a sound track when none came for so long: players would wait for it.
const SOUND_LOST_NS: i64 = 10_000_000_000;

/// Something to push downstream.
#[derive(Debug)]
pub(super) enum Output {
    Fact(ElementFact),
    Bytes(Parts),
}

#[derive(Debug)]
struct Unit {
    video: bool,
    sample: Sample,
    discontinuity: bool,
}

/// Sound as known so far.
#[derive(Debug, Default, PartialEq)]
enum Sound {
    /// There is none.
    #[default]
    None,
    /// There will be, but its parameters are unknown.
    Expected,
    Known(AudioTrack),
}

/// Collects units and cuts.
#[derive(Debug)]
pub(super) struct Muxer {
    cutter: Cutter,
    builder: FragmentBuilder,
    video: Option<VideoTrack>,
    sound: Sound,
    /// The tracks of the open object, or of the last one.
    written: Option<(VideoTrack, Option<AudioTrack>)>,
    /// Pictures that wait for sound.
    held: VecDeque<Unit>,
    held_bytes: usize,
    chunk_starts_segment: bool,
    /// The object was closed by order: the next one waits for sound like the first one.
    reopens: bool,
    last_video_ns: Option<i64>,
    last_sound_ns: Option<i64>,
    /// Start of the footage without a break. Sound from before it would be the earliest in the file, and players
    /// take that for the file's start.
    begin_ns: i64,
    interval_ns: Option<i64>,
    out: Vec<Output>,
}

impl Muxer {
    pub(super) fn new(settings: &RecordSettings) -> Self {
        Self {
            cutter: Cutter::new(settings),
            builder: FragmentBuilder::new(None),
            video: None,
            sound: Sound::None,
            written: None,
            held: VecDeque::new(),
            held_bytes: 0,
            chunk_starts_segment: false,
            reopens: false,
            last_video_ns: None,
            last_sound_ns: None,
            begin_ns: i64::MIN,
            interval_ns: None,
            out: Vec::new(),
        }
    }

    /// What is to be pushed since the last call.
    pub(super) fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// There will be sound.
    pub(super) fn expect_sound(&mut self) {
        if self.sound == Sound::None {
            self.sound = Sound::Expected;
        }
    }

    /// There will be no sound, or no more.
    pub(super) fn no_sound(&mut self) {
        if self.sound == Sound::Expected {
            self.sound = Sound::None;
        }
        self.release();
    }

    pub(super) fn set_video(&mut self, track: VideoTrack) {
        if self.video.as_ref() != Some(&track) {
            self.release();
            self.video = Some(track);
        }
    }

    pub(super) fn set_audio(&mut self, track: AudioTrack) {
        self.sound = Sound::Known(track);
    }

    /// A picture; its random access mark is set here.
    pub(super) fn picture(&mut self, mut sample: Sample, discontinuity: bool) {
        let Some(track) = &self.video else { return };
        sample.random_access = track.is_random_access(&sample.data);
        let unit = Unit {
            video: true,
            sample,
            discontinuity,
        };
        let waits = match self.sound {
            Sound::Expected => self.written.is_none(),
            Sound::Known(_) => self.reopens,
            Sound::None => false,
        };
        if waits || !self.held.is_empty() {
            self.hold(unit);
        } else {
            self.step(unit);
        }
    }

    pub(super) fn sound(&mut self, sample: Sample) {
        self.last_sound_ns = Some(sample.dts_ns);
        let unit = Unit {
            video: false,
            sample,
            discontinuity: false,
        };
        if self.held.is_empty() {
            self.step(unit);
        } else {
            self.hold(unit);
            self.release();
        }
    }

    /// Does as told.
    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::Close { next_dts_ns } => {
                self.release();
                if self.cutter.finish().is_some() {
                    self.end_chunk(Some(next_dts_ns), true);
                    self.out
                        .push(Output::Fact(ElementFact::Closed(CloseReason::Window)));
                }
                self.reopens = true;
                self.last_video_ns = None;
            }
            Order::Targets { segment, object } => self.cutter.retarget(segment, object),
        }
    }

    /// The stream ends.
    pub(super) fn finish(&mut self) {
        self.release();
        if let Some(reason) = self.cutter.finish() {
            self.end_chunk(None, true);
            self.out.push(Output::Fact(ElementFact::Closed(reason)));
        }
    }

    fn hold(&mut self, unit: Unit) {
        self.held_bytes += unit.sample.data.len();
        let last = unit.sample.dts_ns;
        self.held.push_back(unit);
        let since = self.held.front().map_or(last, |first| first.sample.dts_ns);
        if last - since >= SOUND_WAIT_NS || self.held_bytes >= SOUND_WAIT_BYTES {
            self.release();
        }
    }

    /// Ends the waiting for sound.
    fn release(&mut self) {
        // Without sound so far the object has none; it gets one when sound comes.
        if self.sound == Sound::Expected && !self.held.is_empty() {
            self.sound = Sound::None;
        }
        self.held_bytes = 0;
        self.reopens = false;
        let mut held: Vec<_> = self.held.drain(..).collect();
        // Sound that came while pictures waited belongs between them.
        held.sort_by_key(|unit| unit.sample.dts_ns);
        for unit in held {
            self.step(unit);
        }
    }

    fn step(&mut self, unit: Unit) {
        if unit.video {
            self.measure(unit.sample.dts_ns);
        }
        let decision = self.cutter.step(UnitFacts {
            video: unit.video,
            dts_ns: unit.sample.dts_ns,
            random_access: unit.sample.random_access,
            bytes: unit.sample.data.len(),
            new_parameters: self.new_parameters(unit.video),
            discontinuity: unit.discontinuity,
        });
        self.follow(unit, decision);
    }

    fn follow(&mut self, unit: Unit, decision: Decision) {
        match decision.health {
            Some(Health::NoKeyframe) => self.out.push(Output::Fact(ElementFact::NoKeyframe(true))),
            Some(Health::Well) => self.out.push(Output::Fact(ElementFact::NoKeyframe(false))),
            None => {}
        }
        if decision.end_chunk {
            self.end_chunk(decision.next_dts_ns, decision.close.is_some());
        }
        if let Some(reason) = decision.close {
            self.out.push(Output::Fact(ElementFact::Closed(reason)));
        }
        if decision.end_chunk || decision.open.is_some() {
            self.chunk_starts_segment = decision.starts_segment;
        }
        if !decision.record {
            return;
        }
        match decision.open {
            Some(open) => self.open(unit.sample, open.continues),
            None if unit.video => self.builder.push_video(unit.sample),
            None if unit.sample.dts_ns < self.begin_ns => {}
            None => self.builder.push_audio(unit.sample),
        }
    }

    fn open(&mut self, first: Sample, continues: bool) {
        let Some(video) = self.video.clone() else { return };
        let at = first.dts_ns;
        if !continues {
            self.begin_ns = at;
        }
        let audio = match &self.sound {
            Sound::Known(track) if self.sound_is_alive(at) => Some(track.clone()),
            _ => None,
        };
        self.builder
            .begin_object(audio.as_ref().map(AudioTrack::sample_rate_hz));
        self.builder.push_video(first);
        let start_ms = self.builder.start_ms().unwrap_or(at / 1_000_000);
        let tracks =
            std::iter::once(video.fact(self.fps(&video))).chain(audio.as_ref().map(AudioTrack::fact));
        let tracks = tracks.collect();
        self.out.push(Output::Fact(ElementFact::Opened {
            tracks,
            start_ms,
            continues,
        }));
        self.out
            .push(Output::Bytes(fmp4::init(&video, audio.as_ref()).into()));
        self.written = Some((video, audio));
    }

    fn end_chunk(&mut self, next_dts_ns: Option<i64>, last: bool) {
        let Some(fragment) = self.builder.finish(next_dts_ns, last) else {
            return;
        };
        self.out.push(Output::Fact(ElementFact::Chunk {
            start_ms: fragment.start_ms,
            end_ms: fragment.end_ms,
            starts_segment: self.chunk_starts_segment,
            frames: fragment.frames,
        }));
        self.out.push(Output::Bytes(fragment.bytes));
        self.chunk_starts_segment = false;
    }

    /// Whether the unit's parameters are not those of the open object.
    fn new_parameters(&self, video: bool) -> bool {
        match (&self.written, &self.sound) {
            (None, _) => false,
            (Some((written, _)), _) if video => self.video.as_ref() != Some(written),
            (Some((_, written)), Sound::Known(track)) => written.as_ref() != Some(track),
            _ => false,
        }
    }

    fn sound_is_alive(&self, at: i64) -> bool {
        self.last_sound_ns.is_some_and(|last| at - last < SOUND_LOST_NS)
    }

    fn measure(&mut self, dts_ns: i64) {
        if let Some(last) = self.last_video_ns.replace(dts_ns) {
            let now = (dts_ns - last).max(1);
            self.interval_ns = Some(self.interval_ns.map_or(now, |before| (before * 15 + now) / 16));
        }
    }

    /// As measured; before two pictures, as declared.
    fn fps(&self, track: &VideoTrack) -> f32 {
        let interval = self
            .interval_ns
            .or_else(|| track.frame_interval_ns())
            .filter(|ns| *ns > 0);
        interval.map_or(0.0, |ns| (1e11 / ns as f64).round() as f32 / 100.0)
    }
}
