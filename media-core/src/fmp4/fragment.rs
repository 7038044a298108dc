//! Chunks: `moof` + `mdat`.
//!
//! Times are converted to ticks one by one and durations are differences of ticks, so that a sample's decode
//! time in the file is its own time, however many came before it. Pictures are not copied: a chunk is its head
//! and the pictures as they came.

use bytes::Bytes;

use super::boxes::{boxed, full, u32, u64, zeros};
use super::init::{AUDIO_ID, VIDEO_ID};
use super::{VIDEO_TIMESCALE, ticks, ticks_to_ms};
use crate::parts::Parts;

/// `sample_depends_on = 2`: an I picture, or sound.
const SYNC: u32 = 0x0200_0000;
/// `sample_depends_on = 1`, `sample_is_non_sync_sample`.
const NON_SYNC: u32 = 0x0101_0000;
/// An object's start is pulled to the end of the object before over this distance, or over what its first
/// picture waits for presentation: with B-frames both are computed from different pictures.
const SNAP_MS: i64 = 5;

/// One access unit to be written.
#[derive(Debug, Clone)]
pub struct Sample {
    /// NAL units with 4-byte lengths, or one raw AAC frame.
    pub data: Bytes,
    /// Decode time, nanoseconds since 1970 UTC.
    pub dts_ns: i64,
    /// Presentation time.
    pub pts_ns: i64,
    /// Decoding can start here.
    pub random_access: bool,
}

/// One finished chunk.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// `moof` + `mdat`.
    pub bytes: Parts,
    /// Capture time of its first picture, milliseconds since 1970 UTC; never before the end of the chunk
    /// before it. With B-frames, where chunks do not end in presentation order: decode time plus the time from
    /// the object's first decoding to its first presentation. [`scan`](super::scan::scan) finds the same, but
    /// for a few pictures' time at the start of an object with B-frames.
    pub start_ms: i64,
    /// Capture time of the end of its last picture; never before `start_ms`.
    pub end_ms: i64,
    /// Pictures inside.
    pub frames: u32,
    /// Its first picture is a random access point.
    pub random_access: bool,
}

/// Samples of one track that wait, and where its timeline stands.
#[derive(Debug, Default)]
struct Pending {
    samples: Vec<Sample>,
    /// Decode times, as many as samples.
    ticks: Vec<i64>,
    /// End of what was written.
    end: i64,
}

impl Pending {
    fn push(&mut self, sample: Sample, timescale: u32) {
        let floor = self.ticks.last().map_or(self.end, |last| last + 1);
        self.ticks.push(ticks(sample.dts_ns, timescale).max(floor));
        self.samples.push(sample);
    }

    fn bytes(&self, count: usize) -> usize {
        self.samples[..count].iter().map(|sample| sample.data.len()).sum()
    }

    /// Forgets the first `count` samples, which end at `end`.
    fn drain(&mut self, count: usize, end: i64) {
        self.samples.drain(..count);
        self.ticks.drain(..count);
        self.end = end;
    }

    fn clear(&mut self) {
        self.samples.clear();
        self.ticks.clear();
    }
}

/// Collects samples and writes them as chunks. One builder serves an attempt: it carries the end of one chunk
/// over into the next, also across objects.
///
/// The last audio frame waits for the next one, which tells its duration, unless the object ends.
#[derive(Debug, Default)]
pub struct FragmentBuilder {
    audio_rate_hz: Option<u32>,
    video: Pending,
    audio: Pending,
    sequence: u32,
    /// First presentation minus first decode time of the object's first chunk, in ticks.
    lag: Option<i64>,
    end_ms: Option<i64>,
    /// The last picture's duration, in ticks.
    interval: i64,
}

impl FragmentBuilder {
    /// For objects without sound (None) or with sound of this sample rate.
    #[must_use]
    pub fn new(audio_rate_hz: Option<u32>) -> Self {
        Self {
            audio_rate_hz,
            interval: i64::from(VIDEO_TIMESCALE) / 25,
            ..Self::default()
        }
    }

    /// A new object begins: sequence numbers start again. Whatever was not finished is dropped.
    pub fn begin_object(&mut self, audio_rate_hz: Option<u32>) {
        if audio_rate_hz != self.audio_rate_hz {
            self.audio.end = i64::MIN;
        }
        self.audio_rate_hz = audio_rate_hz;
        self.sequence = 0;
        self.lag = None;
        self.video.clear();
        self.audio.clear();
    }

    /// Adds a picture, in decode order.
    pub fn push_video(&mut self, sample: Sample) {
        self.video.push(sample, VIDEO_TIMESCALE);
    }

    /// Adds an AAC frame; ignored when the object has no sound.
    pub fn push_audio(&mut self, sample: Sample) {
        if let Some(rate) = self.audio_rate_hz {
            self.audio.push(sample, rate);
        }
    }

    /// Pictures waiting.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.video.samples.len()
    }

    /// What [`Fragment::start_ms`] of the open chunk will be; None when no picture waits.
    #[must_use]
    pub fn start_ms(&self) -> Option<i64> {
        let (sample, start) = (self.video.samples.first()?, *self.video.ticks.first()?);
        let (lag, snap) = match self.lag {
            Some(lag) => (lag, 0),
            None => {
                let lag = (ticks(sample.pts_ns, VIDEO_TIMESCALE) - start).max(0);
                (lag, SNAP_MS.max(ticks_to_ms(lag, VIDEO_TIMESCALE)))
            }
        };
        let ms = ticks_to_ms(start + lag, VIDEO_TIMESCALE);
        Some(self.end_ms.filter(|end| ms <= end + snap).unwrap_or(ms))
    }

    /// Writes what was collected. `next_dts_ns` is the decode time of the picture that follows; None gives the
    /// last picture the duration of the one before it, as at the end of an attempt and before a
    /// discontinuity. `last` ends the object. None when no picture waits.
    pub fn finish(&mut self, next_dts_ns: Option<i64>, last: bool) -> Option<Fragment> {
        let start_ms = self.start_ms()?;
        let (first, first_ticks) = (self.video.samples.first()?, *self.video.ticks.first()?);
        let shown = self
            .video
            .samples
            .iter()
            .map(|sample| ticks(sample.pts_ns, VIDEO_TIMESCALE))
            .min()?;
        let lag = *self.lag.get_or_insert((shown - first_ticks).max(0));
        let random_access = first.random_access;
        let frames = self.video.samples.len();
        let last_ticks = *self.video.ticks.last()?;
        if let [.., before, last] = self.video.ticks[..] {
            self.interval = last - before;
        }
        let video_end = next_dts_ns
            .map_or(last_ticks + self.interval, |ns| ticks(ns, VIDEO_TIMESCALE))
            .max(last_ticks + 1);
        self.interval = (video_end - last_ticks).min(i64::from(VIDEO_TIMESCALE));
        let (sounds, audio_end) = self.sounds(last);
        self.sequence += 1;
        let bytes = self.write(frames, video_end, sounds, audio_end);
        self.video.drain(frames, video_end);
        if sounds > 0 {
            self.audio.drain(sounds, audio_end);
        }
        let end_ms = ticks_to_ms(video_end + lag, VIDEO_TIMESCALE).max(start_ms);
        self.end_ms = Some(end_ms);
        Some(Fragment {
            bytes,
            start_ms,
            end_ms,
            frames: frames as u32,
            random_access,
        })
    }

    /// How many audio frames go into this chunk, and where they end.
    fn sounds(&self, last: bool) -> (usize, i64) {
        match self.audio.ticks[..] {
            [] => (0, 0),
            [.., end] if last => (self.audio.ticks.len(), end + 1024),
            [.., end] => (self.audio.ticks.len() - 1, end),
        }
    }

    fn write(&self, frames: usize, video_end: i64, sounds: usize, audio_end: i64) -> Parts {
        let (video_bytes, audio_bytes) = (self.video.bytes(frames), self.audio.bytes(sounds));
        let mut out = Vec::with_capacity(200 + 16 * (frames + sounds));
        let (mut video_at, mut audio_at) = (0, 0);
        boxed(&mut out, b"moof", |out| {
            full(out, b"mfhd", 0, 0, |out| u32(out, self.sequence));
            video_at = traf(out, VIDEO_ID, &self.video, frames, video_end);
            if sounds > 0 {
                audio_at = traf(out, AUDIO_ID, &self.audio, sounds, audio_end);
            }
        });
        // Offsets count from the first byte of `moof`, which is the first byte here.
        let payload = out.len() + 8;
        set(&mut out, video_at, payload);
        if sounds > 0 {
            set(&mut out, audio_at, payload + video_bytes);
        }
        u32(
            &mut out,
            u32::try_from(8 + video_bytes + audio_bytes).unwrap_or(u32::MAX),
        );
        out.extend_from_slice(b"mdat");
        let data = |sample: &Sample| sample.data.clone();
        let pictures = self.video.samples[..frames].iter().map(data);
        // Frames of sound are many and small.
        let mut sound = Vec::with_capacity(audio_bytes);
        let frames_of_sound = self.audio.samples[..sounds].iter();
        frames_of_sound.for_each(|sample| sound.extend_from_slice(&sample.data));
        let sound = (sounds > 0).then(|| sound.into());
        std::iter::once(out.into()).chain(pictures).chain(sound).collect()
    }
}

fn set(out: &mut [u8], at: usize, value: usize) {
    out[at..at + 4].copy_from_slice(&(value as u32).to_be_bytes());
}

/// Writes a `traf` and tells where its data offset stands.
fn traf(out: &mut Vec<u8>, id: u32, track: &Pending, count: usize, end: i64) -> usize {
    let times = &track.ticks[..count];
    let mut offset_at = 0;
    boxed(out, b"traf", |out| {
        full(out, b"tfhd", 0, 0x02_0000, |out| u32(out, id)); // default-base-is-moof
        full(out, b"tfdt", 1, 0, |out| {
            u64(out, times.first().copied().unwrap_or(0).max(0) as u64);
        });
        // Data offset; duration, size, flags and composition offset of each sample.
        full(out, b"trun", 1, 0x0f01, |out| {
            u32(out, count as u32);
            offset_at = out.len();
            zeros(out, 4);
            let ends = times.iter().skip(1).chain(std::iter::once(&end));
            for ((sample, start), end) in track.samples.iter().zip(times).zip(ends) {
                u32(out, u32::try_from(end - start).unwrap_or(u32::MAX));
                u32(out, sample.data.len() as u32);
                u32(
                    out,
                    if sample.random_access || id == AUDIO_ID {
                        SYNC
                    } else {
                        NON_SYNC
                    },
                );
                let offset = if id == AUDIO_ID {
                    0
                } else {
                    composition(sample, *start)
                };
                u32(out, offset as u32);
            }
        });
    });
    offset_at
}

/// Presentation minus decode time, signed as in `trun` version 1.
fn composition(sample: &Sample, start: i64) -> i32 {
    // What is in order stays in order: a decode time raised by a tick must not show as an offset.
    if sample.pts_ns == sample.dts_ns {
        return 0;
    }
    let offset = ticks(sample.pts_ns, VIDEO_TIMESCALE) - start;
    offset.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}
