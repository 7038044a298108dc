//! Playlists of recorded footage (RFC 8216): pure text from segments.
//!
//! Nothing here reads a clock, a database or a signature key: the caller says what time it is and makes
//! the addresses.
//!
//! **Gaps.** A stretch without footage is a run of `EXT-X-GAP` segments (RFC 8216bis §4.4.4.7, version 8)
//! of at most [`GAP_PIECE_MS`], followed by `EXT-X-DISCONTINUITY`. The sum of all durations is then the
//! time that passed: a position in the playlist and the wall clock never drift apart. hls.js and the
//! parsers know the tag and load nothing. FFmpeg up to 5.1 does not know it and loads the segment: its
//! address must therefore answer with bytes that a demuxer skips, an empty `free` box
//! ([`GAP_BODY`]), named by an exact byte range, because FFmpeg takes the end of the range of the
//! segment before for one without. An address that answers 404, an empty body and a `data:` address
//! were tried: each makes FFmpeg warn or stop.
//!
//! **Growing lists.** For a fixed first instant a list only grows at its end, so the media sequence
//! starts at 0 and stays. (Footage that a cut-off node delivers late fills a gap and does change it.)

mod media;
mod multivariant;
mod select;
#[cfg(test)]
mod tests;

pub use media::{Ending, GAP_BODY, GAP_PIECE_MS, MediaUrls, ending, media};
pub use multivariant::{Variant, codecs, multivariant, variant};
pub use select::{Entry, Footage, OVERLAP_MS, TOUCH_MS, select};
