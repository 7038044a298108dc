//! Wall-clock time against the position of the media element.

/// One segment of the loaded playlist, as hls.js knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Position of its start in seconds.
    pub start_s: f64,
    /// Seconds.
    pub duration_s: f64,
    /// `EXT-X-PROGRAM-DATE-TIME` of its start, milliseconds since 1970.
    pub wall_ms: f64,
    /// Nothing to play (`EXT-X-GAP`).
    pub gap: bool,
}

impl Piece {
    fn end_s(&self) -> f64 {
        self.start_s + self.duration_s
    }

    fn end_ms(&self) -> f64 {
        self.wall_ms + self.duration_s * 1000.0
    }
}

/// Where to seek for a time: inside footage, or the start of the footage that follows; None after the end.
#[must_use]
pub fn position(pieces: &[Piece], wall_ms: f64) -> Option<f64> {
    let piece = pieces
        .iter()
        .find(|piece| !piece.gap && wall_ms < piece.end_ms())?;
    Some(piece.start_s + (wall_ms - piece.wall_ms).max(0.0) / 1000.0)
}

/// The time of a position; None without pieces.
#[must_use]
pub fn wall(pieces: &[Piece], position_s: f64) -> Option<f64> {
    let piece = pieces
        .iter()
        .find(|piece| position_s < piece.end_s())
        .or_else(|| pieces.last())?;
    Some(piece.wall_ms + (position_s - piece.start_s).clamp(0.0, piece.duration_s) * 1000.0)
}

/// The gap around a position: its last instant in wall-clock time and where the footage after it starts.
#[must_use]
pub fn gap_at(pieces: &[Piece], position_s: f64) -> Option<(f64, Option<f64>)> {
    let index = pieces.iter().position(|piece| position_s < piece.end_s())?;
    if !pieces[index].gap {
        return None;
    }
    let after = pieces[index..].iter().find(|piece| !piece.gap);
    let end = after.map_or_else(|| pieces[pieces.len() - 1].end_ms(), |piece| piece.wall_ms);
    Some((end, after.map(|piece| piece.start_s)))
}

/// The last instant of the gap that playback jumped over between two positions: it began right after the first.
#[must_use]
pub fn gap_between(pieces: &[Piece], from_s: f64, to_s: f64) -> Option<f64> {
    /// Playback halts this much before a gap at most.
    const EDGE_S: f64 = 1.0;
    let near = |piece: &&Piece| piece.gap && piece.start_s >= from_s && piece.start_s - from_s < EDGE_S;
    let start = pieces.iter().find(near)?.start_s;
    let (end_ms, after) = gap_at(pieces, start)?;
    (after? <= to_s).then_some(end_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Vec<Piece> {
        [(0.0, false), (6.0, true), (12.0, true), (18.0, false)]
            .map(|(start_s, gap)| Piece {
                start_s,
                duration_s: 6.0,
                wall_ms: 1_000_000.0 + start_s * 1000.0,
                gap,
            })
            .to_vec()
    }

    #[test]
    fn seeking_into_a_gap_lands_behind_it() {
        assert_eq!(position(&pieces(), 1_003_000.0), Some(3.0));
        assert_eq!(position(&pieces(), 1_008_000.0), Some(18.0));
        assert_eq!(position(&pieces(), 1_030_000.0), None);
        assert_eq!(position(&pieces(), 0.0), Some(0.0));
    }

    #[test]
    fn time_and_position_are_inverse_inside_footage() {
        assert_eq!(wall(&pieces(), 19.5), Some(1_019_500.0));
        assert_eq!(wall(&pieces(), 99.0), Some(1_024_000.0));
        assert_eq!(wall(&[], 1.0), None);
    }

    #[test]
    fn gaps_jumped_over_are_found() {
        assert_eq!(gap_between(&pieces(), 5.9, 18.1), Some(1_018_000.0));
        assert_eq!(gap_between(&pieces(), 1.0, 18.1), None, "somebody sought");
        assert_eq!(gap_between(&pieces(), 19.0, 2.0), None);
    }

    #[test]
    fn gaps_are_found_with_their_end() {
        assert_eq!(gap_at(&pieces(), 7.0), Some((1_018_000.0, Some(18.0))));
        assert_eq!(gap_at(&pieces(), 3.0), None);
        assert_eq!(gap_at(&pieces()[..3], 7.0), Some((1_018_000.0, None)));
    }
}
