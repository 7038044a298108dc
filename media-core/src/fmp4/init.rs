//! The init: `ftyp` and `moov`.

use bytes::Bytes;

use super::boxes::{boxed, full, u16, u32, zeros};
use super::{AudioTrack, VIDEO_TIMESCALE, VideoCodec, VideoTrack};

pub(super) const VIDEO_ID: u32 = 1;
pub(super) const AUDIO_ID: u32 = 2;

/// Unity, as `tkhd` and `mvhd` want it.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// `ftyp` + `moov` of a file with these tracks; the same bytes for the same tracks.
#[must_use]
pub fn init(video: &VideoTrack, audio: Option<&AudioTrack>) -> Bytes {
    let mut out = Vec::with_capacity(1536);
    boxed(&mut out, b"ftyp", |out| {
        out.extend(b"iso6\0\0\0\0iso6cmfcmp41");
    });
    boxed(&mut out, b"moov", |out| {
        mvhd(out);
        trak(
            out,
            VIDEO_ID,
            VIDEO_TIMESCALE,
            Some((video.width, video.height)),
            |out| {
                video_entry(out, video);
            },
        );
        if let Some(audio) = audio {
            trak(out, AUDIO_ID, audio.sample_rate_hz, None, |out| {
                audio_entry(out, audio);
            });
        }
        boxed(out, b"mvex", |out| {
            trex(out, VIDEO_ID);
            if audio.is_some() {
                trex(out, AUDIO_ID);
            }
        });
    });
    out.into()
}

fn mvhd(out: &mut Vec<u8>) {
    full(out, b"mvhd", 0, 0, |out| {
        zeros(out, 8);
        u32(out, 1000);
        u32(out, 0);
        u32(out, 0x1_0000);
        u16(out, 0x100);
        zeros(out, 10);
        MATRIX.iter().for_each(|value| u32(out, *value));
        zeros(out, 24);
        u32(out, AUDIO_ID + 1);
    });
}

fn trex(out: &mut Vec<u8>, id: u32) {
    full(out, b"trex", 0, 0, |out| {
        u32(out, id);
        u32(out, 1);
        zeros(out, 12);
    });
}

/// `size` is there for pictures.
fn trak(
    out: &mut Vec<u8>,
    id: u32,
    timescale: u32,
    size: Option<(u32, u32)>,
    entry: impl FnOnce(&mut Vec<u8>),
) {
    boxed(out, b"trak", |out| {
        tkhd(out, id, size);
        boxed(out, b"mdia", |out| {
            full(out, b"mdhd", 0, 0, |out| {
                zeros(out, 8);
                u32(out, timescale);
                u32(out, 0);
                u16(out, 0x55c4); // und
                u16(out, 0);
            });
            full(out, b"hdlr", 0, 0, |out| {
                u32(out, 0);
                out.extend(if size.is_some() { b"vide" } else { b"soun" });
                zeros(out, 13);
            });
            boxed(out, b"minf", |out| minf(out, size.is_some(), entry));
        });
    });
}

fn tkhd(out: &mut Vec<u8>, id: u32, size: Option<(u32, u32)>) {
    full(out, b"tkhd", 0, 3, |out| {
        zeros(out, 8);
        u32(out, id);
        zeros(out, 16);
        u16(out, 0);
        u16(out, 0);
        u16(out, if size.is_some() { 0 } else { 0x100 });
        u16(out, 0);
        MATRIX.iter().for_each(|value| u32(out, *value));
        let (width, height) = size.unwrap_or_default();
        u32(out, width << 16);
        u32(out, height << 16);
    });
}

fn minf(out: &mut Vec<u8>, video: bool, entry: impl FnOnce(&mut Vec<u8>)) {
    if video {
        full(out, b"vmhd", 0, 1, |out| zeros(out, 8));
    } else {
        full(out, b"smhd", 0, 0, |out| zeros(out, 4));
    }
    boxed(out, b"dinf", |out| {
        full(out, b"dref", 0, 0, |out| {
            u32(out, 1);
            full(out, b"url ", 0, 1, |_| {});
        });
    });
    boxed(out, b"stbl", |out| {
        full(out, b"stsd", 0, 0, |out| {
            u32(out, 1);
            entry(out);
        });
        full(out, b"stts", 0, 0, |out| u32(out, 0));
        full(out, b"stsc", 0, 0, |out| u32(out, 0));
        full(out, b"stsz", 0, 0, |out| zeros(out, 8));
        full(out, b"stco", 0, 0, |out| u32(out, 0));
    });
}

fn video_entry(out: &mut Vec<u8>, video: &VideoTrack) {
    let (entry, configuration) = match video.codec {
        VideoCodec::H264 => (b"avc1", b"avcC"),
        VideoCodec::H265 => (b"hvc1", b"hvcC"),
    };
    boxed(out, entry, |out| {
        zeros(out, 6);
        u16(out, 1);
        zeros(out, 16);
        u16(out, video.width as u16);
        u16(out, video.height as u16);
        u32(out, 0x48_0000);
        u32(out, 0x48_0000);
        u32(out, 0);
        u16(out, 1);
        zeros(out, 32);
        u16(out, 24);
        u16(out, 0xffff);
        boxed(out, configuration, |out| out.extend(&video.configuration));
    });
}

fn audio_entry(out: &mut Vec<u8>, audio: &AudioTrack) {
    boxed(out, b"mp4a", |out| {
        zeros(out, 6);
        u16(out, 1);
        zeros(out, 8);
        u16(out, audio.channels);
        u16(out, 16);
        u32(out, 0);
        u32(
            out,
            u16::try_from(audio.sample_rate_hz).map_or(0, |rate| u32::from(rate) << 16),
        );
        esds(out, &audio.config);
    });
}

/// ISO/IEC 14496-14 §5.6; the AudioSpecificConfig is at most 64 bytes, so every length fits in 7 bits.
fn esds(out: &mut Vec<u8>, config: &[u8]) {
    let specific = config.len() as u8;
    full(out, b"esds", 0, 0, |out| {
        out.extend([3, 3 + 2 + 13 + 2 + specific + 3, 0, 0, 0]);
        out.extend([4, 13 + 2 + specific, 0x40, 0x15]);
        zeros(out, 11);
        out.extend([5, specific]);
        out.extend(config);
        out.extend([6, 1, 2]);
    });
}
