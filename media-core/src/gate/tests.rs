//! Made units against the rules: exact ends, pre-roll from a keyframe, bounded memory.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fanout::CodecParams;
use crate::fmp4::VideoTrack;

/// H.264 of some size: any `avcC` will do.
fn video() -> Arc<CodecParams> {
    static PARAMS: std::sync::LazyLock<Arc<CodecParams>> = std::sync::LazyLock::new(|| {
        let hex = "01640015ffe1001c67640015acd941e08feb016a02020280000003008000001e478b16cb01000568ebecb22c";
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        Arc::new(CodecParams::Video(VideoTrack::from_avcc(&bytes).unwrap()))
    });
    PARAMS.clone()
}

fn sound() -> Arc<CodecParams> {
    Arc::new(CodecParams::Alaw {
        sample_rate_hz: 8000,
        channels: 1,
    })
}

fn unit(ms: i64, keyframe: bool, params: Arc<CodecParams>, size: usize) -> AccessUnit {
    AccessUnit {
        pts_ns: ns(ms),
        dts_ns: ns(ms),
        uncertainty_ns: 0,
        keyframe,
        discontinuity: false,
        lost_packets: 0,
        bytes: vec![0; size].into(),
        params,
    }
}

fn span(keep: i64, start: i64, end: Option<i64>) -> Span {
    Span {
        keep_ms: keep,
        start_ms: start,
        end_ms: end,
    }
}

/// Pictures every 100 ms with a keyframe each second, a sound 50 ms after each, from `from` to `to`.
fn play(gate: &mut Gate, from: i64, to: i64, out: &mut Vec<Passed>) {
    for ms in (from..to).step_by(100) {
        gate.push(unit(ms, ms % 1000 == 0, video(), 10), out);
        gate.push(unit(ms + 50, false, sound(), 1), out);
    }
}

/// Pictures and closings, in milliseconds.
fn pictures(out: &[Passed]) -> Vec<i64> {
    out.iter()
        .filter_map(|passed| match passed {
            Passed::Unit(unit) if unit.params.is_video() => Some(unit.pts_ns / MS_NS),
            Passed::Unit(_) => None,
            Passed::Close { .. } => Some(-1),
        })
        .collect()
}

#[test]
fn a_window_opens_with_its_pre_roll_and_closes_before_its_end() {
    let mut gate = Gate::new(Spans::new([span(7_500, 10_000, Some(12_300))]), 1 << 20);
    let mut out = Vec::new();
    play(&mut gate, 100, 9_950, &mut out);
    assert!(out.is_empty(), "nothing before the start");
    assert_eq!(gate.held_bytes(), 30 * 11, "from the keyframe at 7 s on");
    play(&mut gate, 10_000, 20_000, &mut out);
    let seen = pictures(&out);
    assert_eq!(
        seen[..],
        [(7_000..12_300).step_by(100).collect(), vec![-1]].concat()[..]
    );
    let sounds = out
        .iter()
        .filter(|passed| matches!(passed, Passed::Unit(unit) if !unit.params.is_video()));
    assert_eq!(sounds.count(), 53, "each with its pictures");
    assert_eq!(gate.held_bytes(), 0, "no window ahead: nothing is kept");
}

#[test]
fn a_window_that_is_open_begins_with_the_first_keyframe() {
    let mut gate = Gate::new(Spans::ALWAYS, 1 << 20);
    let mut out = Vec::new();
    play(&mut gate, 2_300, 4_000, &mut out);
    assert_eq!(pictures(&out).first(), Some(&3_000));
}

#[test]
fn the_next_window_begins_behind_the_one_before() {
    let spans = [span(0, 0, Some(5_250)), span(2_000, 7_000, None)];
    let mut gate = Gate::new(Spans::new(spans), 1 << 20);
    let mut out = Vec::new();
    play(&mut gate, 0, 8_000, &mut out);
    let expected: Vec<i64> = (0..5_250)
        .step_by(100)
        .chain([-1])
        .chain((6_000..8_000).step_by(100))
        .collect();
    assert_eq!(pictures(&out), expected);
}

#[test]
fn other_spans_take_effect_at_once() {
    let mut gate = Gate::new(Spans::new([span(50_000, 60_000, None)]), 1 << 20);
    let mut out = Vec::new();
    play(&mut gate, 0, 3_500, &mut out);
    assert!(out.is_empty());
    // Record now: what is in memory comes along.
    gate.set(Spans::new([span(3_500, 3_500, None)]));
    play(&mut gate, 3_500, 5_000, &mut out);
    assert_eq!(pictures(&out).first(), Some(&3_000));
    // Another end, then none at all.
    gate.set(Spans::new([span(3_500, 3_500, Some(100_000))]));
    play(&mut gate, 5_000, 6_000, &mut out);
    gate.set(Spans::default());
    play(&mut gate, 6_000, 7_000, &mut out);
    let seen = pictures(&out);
    assert_eq!(seen[seen.len() - 2..], [5_900, -1]);
}

#[test]
fn pictures_out_of_order_never_pass_the_end() {
    let mut gate = Gate::new(Spans::new([span(0, 0, Some(1_000))]), 1 << 20);
    let mut out = Vec::new();
    for (index, pts) in [
        0, 300, 100, 200, 600, 400, 500, 900, 700, 800, 1_200, 1_000, 1_100,
    ]
    .into_iter()
    .enumerate()
    {
        let mut picture = unit(pts, pts == 0, video(), 1);
        picture.dts_ns = ns(index as i64 * 100 - 200);
        gate.push(picture, &mut out);
    }
    assert_eq!(
        pictures(&out),
        [0, 300, 100, 200, 600, 400, 500, 900, 700, 800, -1]
    );
}

#[test]
fn a_jump_of_the_clock_empties_the_memory() {
    let mut gate = Gate::new(Spans::new([span(0, 100_000, None)]), 1 << 20);
    let mut out = Vec::new();
    play(&mut gate, 0, 5_000, &mut out);
    let mut jumped = unit(99_000, true, video(), 10);
    jumped.discontinuity = true;
    gate.push(jumped, &mut out);
    play(&mut gate, 99_100, 101_000, &mut out);
    assert_eq!(pictures(&out).first(), Some(&99_000));
}

proptest! {
    /// Whatever comes: memory stays bounded, what passes starts at a keyframe, comes in order and once, and ends
    /// with its window.
    #[test]
    fn memory_is_bounded_and_what_passes_belongs(
        units in proptest::collection::vec((1_i64..200, 0_u8..8, 0_usize..400, any::<bool>()), 1..300),
        spans in proptest::collection::vec((0_i64..8_000, 1_i64..5_000, 0_i64..6_000), 0..4),
        max in 200_usize..2_000,
    ) {
        let mut at = 0;
        let spans: Vec<Span> = spans.into_iter().map(|(pause, length, pre_roll)| {
            let start = at + pause;
            at = start + length;
            span(start - pre_roll, start, Some(at))
        }).take(3).collect();
        let mut gate = Gate::new(Spans::new(spans.clone()), max);
        let (mut ms, mut out) = (0, Vec::new());
        for (passed, kind, size, discontinuity) in units {
            ms += passed;
            let params = if kind < 6 { video() } else { sound() };
            let mut next = unit(ms, kind == 0, params, size);
            next.discontinuity = discontinuity && kind == 0;
            gate.push(next, &mut out);
            prop_assert!(gate.held_bytes() <= max);
        }
        let mut begins = true;
        let mut last = i64::MIN;
        for passed in &out {
            match passed {
                Passed::Unit(unit) => {
                    prop_assert!(!begins || unit.keyframe);
                    begins = false;
                    prop_assert!(unit.pts_ns > last, "in order, once");
                    last = unit.pts_ns;
                    let ms = unit.pts_ns / MS_NS;
                    prop_assert!(spans.iter().any(|span| ms < span.end_ms.unwrap()));
                }
                Passed::Close { .. } => begins = true,
            }
        }
    }
}
