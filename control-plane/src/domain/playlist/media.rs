//! The media playlist: one rendition's segments.

use std::fmt::Write;

use wire::{ObjectId, TimeRange, UnixMs};

use super::select::{Entry, TOUCH_MS};

/// Longest gap segment in milliseconds: as long as segments of footage are, so that gaps do not raise
/// the target duration.
pub const GAP_PIECE_MS: i64 = 6_000;
/// Smallest target duration in seconds. It must not change while a list grows (RFC 8216 §6.2.1), and
/// segments of 6 s are a few milliseconds longer or shorter.
const MIN_TARGET_S: u32 = 7;
/// What the address of a gap segment answers with: an empty `free` box (ISO/IEC 14496-12 §8.1.2).
pub const GAP_BODY: [u8; 8] = [0, 0, 0, 8, b'f', b'r', b'e', b'e'];
/// How long after the end of a range footage of it may still come, in milliseconds: a segment, a GOP
/// and the way here.
const SETTLE_MS: i64 = 20_000;

/// Makes the addresses in a media playlist.
pub trait MediaUrls {
    /// Of an object.
    fn object(&self, id: ObjectId) -> String;
    /// Of a gap segment; answers with [`GAP_BODY`].
    fn gap(&self) -> String;
}

/// Whether more can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The list is complete.
    Vod,
    /// It is growing: ask again.
    Growing,
}

/// Whether a list of `range` is complete at `now`: it is when its last segment reaches the range's end,
/// when nothing of it can come any more, or when nothing is being recorded.
#[must_use]
pub fn ending(entries: &[Entry<'_>], range: TimeRange, now: UnixMs, recording: bool) -> Ending {
    let reached = entries
        .last()
        .is_some_and(|last| last.segment.end() >= range.end());
    if reached || !recording || range.end().plus(SETTLE_MS) <= now {
        Ending::Vod
    } else {
        Ending::Growing
    }
}

/// The media playlist of `entries`, which are in order and do not overlap.
#[must_use]
pub fn media(entries: &[Entry<'_>], ending: Ending, urls: &dyn MediaUrls) -> String {
    let has_gaps = entries.windows(2).any(|pair| gap_ms(&pair[0], &pair[1]) > 0);
    let longest_ms = entries.iter().map(|entry| entry.segment.duration_ms).max();
    let mut text = header(longest_ms.unwrap_or(0), has_gaps, ending);
    let mut before: Option<&Entry<'_>> = None;
    let mut url = String::new();
    for entry in entries {
        if let Some(before) = before {
            gap(&mut text, before, entry, urls);
        }
        if before.is_none_or(|before| before.object.id != entry.object.id) {
            url = urls.object(entry.object.id);
        }
        segment(&mut text, before, entry, &url);
        before = Some(entry);
    }
    if ending == Ending::Vod {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

fn header(longest_ms: u32, has_gaps: bool, ending: Ending) -> String {
    let version = if has_gaps { 8 } else { 7 };
    let target_s = longest_ms.div_ceil(1000).max(MIN_TARGET_S);
    let kind = match ending {
        Ending::Vod => "VOD",
        Ending::Growing => "EVENT",
    };
    format!(
        "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target_s}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{kind}\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    )
}

/// Milliseconds without footage between two segments; 0 when they touch.
fn gap_ms(before: &Entry<'_>, entry: &Entry<'_>) -> i64 {
    match entry.segment.start.since(before.segment.end()) {
        jump if jump > TOUCH_MS => jump,
        _ => 0,
    }
}

fn gap(text: &mut String, before: &Entry<'_>, entry: &Entry<'_>, urls: &dyn MediaUrls) {
    let mut start = before.segment.end();
    let end = start.plus(gap_ms(before, entry));
    while start < end {
        let duration_ms = end.since(start).min(GAP_PIECE_MS);
        let seconds = Seconds(duration_ms);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "#EXT-X-PROGRAM-DATE-TIME:{start}\n#EXT-X-GAP\n#EXTINF:{seconds},\n#EXT-X-BYTERANGE:{}@0\n{}\n",
            GAP_BODY.len(),
            urls.gap()
        );
        start = start.plus(duration_ms);
    }
}

fn segment(text: &mut String, before: Option<&Entry<'_>>, entry: &Entry<'_>, url: &str) {
    let Entry { object, segment } = entry;
    let same_init = before.is_some_and(|before| before.object.init == object.init);
    let jumps = before.is_some_and(|before| gap_ms(before, entry) > 0);
    if before.is_some() && (jumps || !same_init) {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    // Named once for all objects that share it: FFmpeg warns about a second `moov`.
    if !same_init {
        let length = object.init.length;
        let _ = writeln!(text, "#EXT-X-MAP:URI=\"{url}\",BYTERANGE=\"{length}@0\"");
    }
    let _ = write!(
        text,
        "#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:{},\n#EXT-X-BYTERANGE:{}@{}\n{url}\n",
        segment.start,
        Seconds(i64::from(segment.duration_ms)),
        segment.length,
        segment.offset,
    );
}

/// Milliseconds, shown as seconds.
struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}
