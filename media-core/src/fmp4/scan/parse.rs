//! The boxes of an init and of a `moof`, from bytes that may say anything.

use super::ScannedChunk;
use crate::facts::Track;
use crate::fmp4::{AudioTrack, VideoTrack, ticks_to_ms};

/// A reader of numbers that ends instead of failing.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn u32(&mut self) -> Option<u32> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*value))
    }

    fn u64(&mut self) -> Option<u64> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*value))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }
}

/// The boxes inside `content`; ends at the first that does not fit.
fn boxes(content: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let (header, tail) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, kind @ ..] = *header;
        let length = (u32::from_be_bytes([a, b, c, d]) as usize).checked_sub(8)?;
        let (content, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some((kind, content))
    })
}

fn child<'a>(content: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(content)
        .find(|(found, _)| found == kind)
        .map(|(_, content)| content)
}

/// A track's number and timescale.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrackHead {
    id: u32,
    timescale: u32,
}

/// What the init says.
pub(super) struct Movie {
    pub(super) tracks: Vec<Track>,
    video: TrackHead,
    audio: Option<TrackHead>,
}

impl Movie {
    pub(super) fn parse(moov: &[u8]) -> Result<Self, &'static str> {
        let (mut tracks, mut video, mut audio) = (Vec::new(), None, None);
        for (_, trak) in boxes(moov).filter(|(kind, _)| kind == b"trak").take(3) {
            let (head, track) = parse_trak(trak).ok_or("a track that cannot be read")?;
            let slot = if matches!(track, Track::Video { .. }) {
                &mut video
            } else {
                &mut audio
            };
            if slot.replace(head).is_some() {
                return Err("two tracks of a kind");
            }
            tracks.push(track);
        }
        if child(moov, b"mvex").is_none() {
            return Err("it is not fragmented");
        }
        Ok(Self {
            tracks,
            video: video.ok_or("no video track")?,
            audio,
        })
    }
}

fn parse_trak(trak: &[u8]) -> Option<(TrackHead, Track)> {
    let mut tkhd = Fields(child(trak, b"tkhd")?);
    let wide = tkhd.u32()? >> 24 == 1;
    tkhd.skip(if wide { 16 } else { 8 })?;
    let id = tkhd.u32()?;
    let mdia = child(trak, b"mdia")?;
    let mut mdhd = Fields(child(mdia, b"mdhd")?);
    let wide = mdhd.u32()? >> 24 == 1;
    mdhd.skip(if wide { 16 } else { 8 })?;
    let timescale = mdhd.u32().filter(|timescale| *timescale > 0)?;
    let stsd = child(child(child(mdia, b"minf")?, b"stbl")?, b"stsd")?;
    let (kind, entry) = boxes(stsd.get(8..)?).next()?;
    let track = match &kind {
        b"avc1" => VideoTrack::from_avcc(child(entry.get(78..)?, b"avcC")?)
            .ok()?
            .fact(0.0),
        b"hvc1" => VideoTrack::from_hvcc(child(entry.get(78..)?, b"hvcC")?)
            .ok()?
            .fact(0.0),
        b"mp4a" => AudioTrack::aac(audio_config(child(entry.get(28..)?, b"esds")?)?)
            .ok()?
            .fact(),
        _ => return None,
    };
    Some((TrackHead { id, timescale }, track))
}

/// The AudioSpecificConfig of an `esds` as it is written here: lengths of one byte.
fn audio_config(esds: &[u8]) -> Option<&[u8]> {
    let config = esds.get(4 + 5 + 15..)?;
    match config {
        [5, length, rest @ ..] => rest.get(..usize::from(*length)),
        _ => None,
    }
}

/// One track's part of a `moof`.
#[derive(Debug, Default)]
pub(super) struct Traf {
    pub(super) sizes: Vec<u32>,
    /// First presentation minus first decode time, in ticks.
    pub(super) lag: i64,
    start: i64,
    duration: i64,
    data_offset: u64,
    random_access: bool,
}

/// What a `moof` says.
pub(super) struct Moof {
    pub(super) video: Traf,
    audio: Option<Traf>,
}

impl Moof {
    pub(super) fn parse(moof: &[u8], movie: &Movie) -> Option<Self> {
        let (mut video, mut audio) = (None, None);
        for (_, content) in boxes(moof).filter(|(kind, _)| kind == b"traf") {
            let (id, traf) = parse_traf(content)?;
            let slot = match id {
                id if id == movie.video.id => &mut video,
                id if movie.audio.is_some_and(|audio| audio.id == id) => &mut audio,
                _ => return None,
            };
            if slot.replace(traf).is_some() {
                return None;
            }
        }
        video.map(|video| Self { video, audio })
    }

    pub(super) fn payload_len(&self) -> u64 {
        let sizes = self
            .video
            .sizes
            .iter()
            .chain(self.audio.iter().flat_map(|audio| &audio.sizes));
        sizes.map(|size| u64::from(*size)).sum()
    }

    pub(super) fn data_offset(&self) -> u64 {
        self.video.data_offset
    }

    /// None when its times cannot be.
    pub(super) fn chunk(&self, movie: &Movie, lag: i64, offset: u64, length: u32) -> Option<ScannedChunk> {
        let start = self.video.start.checked_add(lag)?;
        let end = start.checked_add(self.video.duration)?;
        let start_ms = ticks_to_ms(start, movie.video.timescale);
        let end_ms = ticks_to_ms(end, movie.video.timescale);
        let frames = self.video.sizes.len() as u32;
        let random_access = self.video.random_access;
        Some(ScannedChunk {
            offset,
            length,
            start_ms,
            end_ms,
            frames,
            random_access,
        })
    }
}

fn parse_traf(traf: &[u8]) -> Option<(u32, Traf)> {
    let mut tfhd = Fields(child(traf, b"tfhd")?);
    let flags = tfhd.u32()?;
    let id = tfhd.u32()?;
    // default-base-is-moof and nothing else, as it is written here.
    if flags & 0xff_ffff != 0x02_0000 {
        return None;
    }
    let mut tfdt = Fields(child(traf, b"tfdt")?);
    if tfdt.u32()? >> 24 != 1 {
        return None;
    }
    let start = i64::try_from(tfdt.u64()?).ok()?;
    let mut trun = Fields(child(traf, b"trun")?);
    if trun.u32()? != 0x0100_0f01 {
        return None;
    }
    let count = trun.u32()? as usize;
    let data_offset = u64::from(trun.u32()?);
    // Sixteen bytes a sample: the box itself bounds what is allocated.
    if count == 0 || trun.0.len() != count.checked_mul(16)? {
        return None;
    }
    let sizes = Vec::with_capacity(count);
    let mut parsed = Traf {
        sizes,
        start,
        data_offset,
        lag: i64::MAX,
        ..Traf::default()
    };
    for index in 0..count {
        let (duration, size) = (trun.u32()?, trun.u32()?);
        let (flags, offset) = (trun.u32()?, trun.u32()? as i32);
        parsed.lag = parsed.lag.min(parsed.duration + i64::from(offset));
        parsed.duration += i64::from(duration);
        parsed.sizes.push(size);
        if index == 0 {
            parsed.random_access = flags & 0x1_0000 == 0;
        }
    }
    Some((id, parsed))
}
