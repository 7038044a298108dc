//! Canned footage: 1280×720 at 15 pictures and 2 Mbit a second, with AAC sound at 64 kbit a second.
//!
//! Lengths and times are those of a camera; what is in the pictures does not matter to any function here.

use anyhow::Result;
use bytes::Bytes;
use media_core::Parts;
use media_core::fmp4::{AudioTrack, Fragment, FragmentBuilder, Sample, VideoTrack, init};

/// 2026-01-31T08:00:00Z.
pub(crate) const START_MS: i64 = 1_769_846_400_000;
pub(crate) const START_NS: i64 = START_MS * 1_000_000;
pub(crate) const SECOND_NS: i64 = 1_000_000_000;
pub(crate) const PICTURES_A_SECOND: i64 = 15;
pub(crate) const PICTURE_NS: i64 = SECOND_NS / PICTURES_A_SECOND;
/// A keyframe every two seconds.
pub(crate) const GOP: i64 = 2 * PICTURES_A_SECOND;
pub(crate) const SAMPLE_RATE_HZ: u32 = 48_000;
pub(crate) const SOUND_NS: i64 = 1024 * SECOND_NS / SAMPLE_RATE_HZ as i64;
pub(crate) const KEYFRAME_BYTES: usize = 60_000;
pub(crate) const PICTURE_BYTES: usize = 15_000;
pub(crate) const SOUND_BYTES: usize = 170;
/// As many pictures as a chunk of 0.9 s takes.
const CHUNK: usize = 13;

/// As an encoder writes them (ITU-T H.264 §7.3.2.1, §7.3.2.2).
pub(crate) const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0x50, 0x05, 0xbb, 0x01, 0x6a, 0x02, 0x02, 0x02, 0x80, 0x00, 0x00,
    0x03, 0x00, 0x80, 0x00, 0x00, 0x0f, 0x07, 0x8c, 0x18, 0xcb,
];
pub(crate) const PPS: &[u8] = &[0x68, 0xcb, 0x83, 0xcb, 0x20];
/// AAC-LC, 48 kHz, one channel (ISO/IEC 14496-3 §1.6.2.1).
pub(crate) const AUDIO_CONFIG: &[u8] = &[0x11, 0x88];

/// Pictures and sound, made once: clones share their bytes.
pub(crate) struct Camera {
    keyframe: Bytes,
    picture: Bytes,
    sound: Bytes,
}

impl Camera {
    pub(crate) fn new() -> Self {
        Self {
            keyframe: nal(0x65, KEYFRAME_BYTES),
            picture: nal(0x41, PICTURE_BYTES),
            sound: vec![0x5a; SOUND_BYTES].into(),
        }
    }

    /// Picture `index` since the start.
    pub(crate) fn picture(&self, index: i64) -> Sample {
        let random_access = is_keyframe(index);
        let data = if random_access {
            &self.keyframe
        } else {
            &self.picture
        };
        sample(data, index * PICTURE_NS, random_access)
    }

    /// Frame `index` of sound since the start.
    pub(crate) fn sound(&self, index: i64) -> Sample {
        sample(&self.sound, index * SOUND_NS, true)
    }

    pub(crate) fn pictures(&self, seconds: i64) -> Vec<Sample> {
        (0..seconds * PICTURES_A_SECOND)
            .map(|index| self.picture(index))
            .collect()
    }

    pub(crate) fn sounds(&self, seconds: i64) -> Vec<Sample> {
        let count = seconds * SECOND_NS / SOUND_NS;
        (0..count).map(|index| self.sound(index)).collect()
    }
}

pub(crate) const fn is_keyframe(index: i64) -> bool {
    index % GOP == 0
}

fn sample(data: &Bytes, time_ns: i64, random_access: bool) -> Sample {
    Sample {
        data: data.clone(),
        dts_ns: START_NS + time_ns,
        pts_ns: START_NS + time_ns,
        random_access,
    }
}

/// One NAL unit with its length before it.
fn nal(header: u8, length: usize) -> Bytes {
    let mut data = vec![0x5a; length];
    data[..4].copy_from_slice(&(length as u32 - 4).to_be_bytes());
    data[4] = header;
    data.into()
}

/// Writes `pictures`, and the sound that belongs to them, as chunks.
pub(crate) fn chunks(
    builder: &mut FragmentBuilder,
    pictures: &[Sample],
    sounds: &[Sample],
    mut each: impl FnMut(Fragment),
) {
    let mut sounds = sounds.iter().peekable();
    for chunk in pictures.chunks(CHUNK) {
        let Some(last) = chunk.last() else { continue };
        let end = last.dts_ns + PICTURE_NS;
        chunk
            .iter()
            .for_each(|picture| builder.push_video(picture.clone()));
        while let Some(sound) = sounds.next_if(|sound| sound.dts_ns < end) {
            builder.push_audio(sound.clone());
        }
        if let Some(fragment) = builder.finish(Some(end), false) {
            each(fragment);
        }
    }
}

pub(crate) fn tracks() -> Result<(VideoTrack, AudioTrack)> {
    Ok((VideoTrack::h264(SPS, PPS)?, AudioTrack::aac(AUDIO_CONFIG)?))
}

/// The init and the chunks of a minute without sound.
pub(crate) fn minute() -> Result<(Bytes, Vec<Fragment>)> {
    let (video, _) = tracks()?;
    let mut out = Vec::new();
    let pictures = Camera::new().pictures(60);
    chunks(&mut FragmentBuilder::new(None), &pictures, &[], |chunk| {
        out.push(chunk);
    });
    Ok((init(&video, None), out))
}

/// Bytes of all chunks.
pub(crate) fn length(chunks: &[Fragment]) -> u64 {
    chunks.iter().map(|chunk| Parts::len(&chunk.bytes) as u64).sum()
}

/// Numbers that look random and are the same each time (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number in `0..limit`.
    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit.max(1).unsigned_abs()) as i64
    }
}
