//! The multivariant playlist: which renditions there are, and what playing them takes.

use std::fmt::Write;

use wire::{StreamKind, Track};

use super::select::Entry;

/// A rendition of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Which stream.
    pub stream: StreamKind,
    /// RFC 6381 codec strings, pictures first, one for each kind of codec.
    pub codecs: Vec<String>,
    /// Largest width and height.
    pub resolution: Option<(u32, u32)>,
    /// Highest frame rate; 0 when unknown.
    pub fps: f32,
    /// Bits per second of the heaviest segment.
    pub peak_bps: u64,
    /// Bits per second over all segments.
    pub average_bps: u64,
}

/// What playing `entries` takes; none without any.
#[must_use]
pub fn variant(stream: StreamKind, entries: &[Entry<'_>]) -> Option<Variant> {
    if entries.is_empty() {
        return None;
    }
    let (mut bits, mut ms, mut peak_bps) = (0_u64, 0_u64, 0);
    for Entry { segment, .. } in entries {
        let segment_bits = u64::from(segment.length) * 8;
        bits = bits.saturating_add(segment_bits);
        ms = ms.saturating_add(segment.duration_ms.into());
        peak_bps = peak_bps.max(rate(segment_bits, segment.duration_ms.into()));
    }
    let pictures = || {
        tracks(entries).filter_map(|track| match track {
            Track::Video {
                width, height, fps, ..
            } => Some((*width, *height, *fps)),
            Track::Audio { .. } => None,
        })
    };
    Some(Variant {
        stream,
        codecs: codecs(entries),
        resolution: pictures()
            .map(|(width, height, _)| (width, height))
            .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
            .filter(|(width, height)| *width > 0 && *height > 0),
        fps: pictures()
            .map(|(_, _, fps)| fps)
            .filter(|fps| fps.is_finite())
            .fold(0.0, f32::max),
        peak_bps,
        average_bps: rate(bits, ms),
    })
}

/// The RFC 6381 codec strings of `entries`, pictures first, one for each kind of codec.
#[must_use]
pub fn codecs(entries: &[Entry<'_>]) -> Vec<String> {
    let mut found: Vec<&str> = Vec::new();
    for pictures in [true, false] {
        for track in tracks(entries).filter(|track| matches!(track, Track::Video { .. }) == pictures) {
            let codec = track.codec();
            let kind = |codec: &str| codec.get(..4).map(str::to_owned);
            if is_codec(codec) && found.iter().all(|other| kind(other) != kind(codec)) {
                found.push(codec);
            }
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

/// The multivariant playlist; `url` makes the address of a stream's media playlist.
#[must_use]
pub fn multivariant(variants: &[Variant], url: impl Fn(StreamKind) -> String) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for variant in variants {
        let (peak, average) = (variant.peak_bps.max(1), variant.average_bps.max(1));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}"
        );
        if !variant.codecs.is_empty() {
            let _ = write!(text, ",CODECS=\"{}\"", variant.codecs.join(","));
        }
        if let Some((width, height)) = variant.resolution {
            let _ = write!(text, ",RESOLUTION={width}x{height}");
        }
        if variant.fps > 0.0 {
            let _ = write!(text, ",FRAME-RATE={:.3}", variant.fps);
        }
        let _ = write!(text, "\n{}\n", url(variant.stream));
    }
    text
}

/// The tracks of each object once, as long as its segments stand together.
fn tracks<'a>(entries: &'a [Entry<'a>]) -> impl Iterator<Item = &'a Track> {
    let runs = entries.chunk_by(|one, next| one.object.id == next.object.id);
    runs.filter_map(<[_]>::first)
        .flat_map(|entry| entry.object.tracks.iter())
}

/// What comes from a recorder must not be able to end the quoted string that it is put in.
fn is_codec(text: &str) -> bool {
    text.len() >= 4
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

fn rate(bits: u64, ms: u64) -> u64 {
    bits.saturating_mul(1000).checked_div(ms).unwrap_or(0)
}
