//! What holds for every camera, whatever it does.

use proptest::prelude::*;

use super::simulation::{Camera, Run};
use super::*;

fn cameras() -> impl Strategy<Value = Camera> {
    let rates = (
        prop_oneof![Just(25.0), 5.0..60.0_f64],
        0.98..1.02_f64,
        any::<u32>(),
        10_usize..120,
    );
    let network = (0..60 * MS_NS, 0..90 * MS_NS, any::<u64>(), 0..2_000 * MS_NS);
    let reports = prop::option::of((0..8 * SECOND_NS, SECOND_NS..10 * SECOND_NS));
    let jump = prop::option::weighted(
        0.3,
        (
            5_i64..80,
            any::<i32>().prop_map(i64::from),
            -20_000..20_000_i64,
            -20_000..20_000_i64,
        ),
    );
    (
        rates,
        network,
        reports,
        jump,
        any::<bool>(),
        prop::option::of(Just(16_000)),
        -4_000..4_000_i64,
    )
        .prop_map(
            |(
                (fps, rate, first_rtp, gop),
                (delay_ns, jitter_ns, seed, burst_ns),
                reports,
                jump,
                b_frames,
                sound_hz,
                offset,
            )| {
                Camera {
                    seconds: 120,
                    fps,
                    ticks: 90_000.0 / fps * rate,
                    first_rtp,
                    gop,
                    b_frames,
                    reorder_depth: None,
                    offset_ns: offset * MS_NS,
                    reports,
                    delay_ns,
                    jitter_ns,
                    burst_ns,
                    jump: jump.map(|(at, ticks, camera, ours)| (at, ticks, camera * MS_NS, ours * MS_NS)),
                    sound_hz,
                    seed,
                    ..Camera::default()
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Whatever a camera does: nothing is lost, nothing overlaps ([`Run::of`] checks), and without steps the
    /// error stays bounded.
    #[test]
    fn any_camera_gives_a_rising_timeline(camera in cameras()) {
        let run = Run::of(&camera, ClockSettings::default());
        if camera.jump.is_none() {
            let settled = run.error_ms(&camera, 60..120, camera.reports.is_none());
            let by_arrival = (camera.delay_ns + camera.jitter_ns) / MS_NS + 50;
            let bound = if camera.reports.is_some() { 60 } else { by_arrival };
            prop_assert!(settled <= bound, "{settled} ms");
            prop_assert!(run.stats.discontinuities <= 2);
        }
    }

    #[test]
    fn any_numbers_are_survived(units in prop::collection::vec(
        (any::<u32>(), 0..i64::MAX / 4, 0..i64::MAX / 4, any::<[bool; 3]>(), any::<u64>()), 0..200))
    {
        let mut timeline = Timeline::new(ClockSettings::default());
        let spec = TrackSpec { clock_rate_hz: 0, video: true, reorder_depth: None, nominal_ns: -5 };
        let tracks = [timeline.add_track(spec), timeline.add_track(TrackSpec { video: false, ..spec })];
        let mut last = [i64::MIN; 2];
        for (rtp, mono_ns, utc_ns, [keyframe, sound, report], ntp) in units {
            let arrival = Arrival { mono_ns, utc_ns };
            let track = tracks[usize::from(sound)];
            if report {
                timeline.sender_report(track, SenderReport { ntp, rtp }, arrival);
            } else {
                timeline.push(track, rtp, arrival, keyframe, ());
            }
            while let Some(timed) = timeline.pop() {
                prop_assert!(timed.dts_ns > last[timed.track.0]);
                last[timed.track.0] = timed.dts_ns;
            }
        }
    }
}
