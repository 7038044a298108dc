//! The clock against simulated cameras.

use super::simulation::{BEGIN_NS, Camera, Run};
use super::*;

const HOUR: i64 = 3600;

fn run(camera: &Camera) -> Run {
    Run::of(camera, ClockSettings::default())
}

#[test]
fn a_good_camera_is_right_from_the_first_picture() {
    let camera = Camera {
        offset_ns: 800 * MS_NS,
        ..Camera::default()
    };
    let run = run(&camera);
    assert!(
        run.error_ms(&camera, 0..60, false) <= 5,
        "{} ms",
        run.error_ms(&camera, 0..60, false)
    );
    assert_eq!(run.stats.discontinuities, 0);
    assert!((790..=800).contains(&(run.stats.offset_ns.unwrap() / MS_NS)));
    assert!(run.stats.follows_camera);
    assert!(run.video.iter().all(|timed| timed.dts_ns == timed.pts_ns));
}

#[test]
fn without_reports_arrival_decides() {
    let camera = Camera {
        reports: None,
        jitter_ns: 80 * MS_NS,
        ..Camera::default()
    };
    let run = run(&camera);
    assert!(run.error_ms(&camera, 0..60, true) <= 60);
    assert!(run.error_ms(&camera, 10..60, true) <= 30);
    assert_eq!((run.stats.discontinuities, run.stats.follows_camera), (0, false));
}

#[test]
fn a_late_first_report_slews() {
    let camera = Camera {
        offset_ns: 400 * MS_NS,
        reports: Some((4 * SECOND_NS, 5 * SECOND_NS)),
        ..Camera::default()
    };
    let run = run(&camera);
    assert_eq!(run.stats.discontinuities, 0);
    assert!(run.error_ms(&camera, 12..60, false) <= 5);
}

#[test]
fn a_late_first_report_far_off_breaks_once_at_a_keyframe() {
    let camera = Camera {
        offset_ns: 3 * SECOND_NS,
        reports: Some((4 * SECOND_NS, 5 * SECOND_NS)),
        ..Camera::default()
    };
    let run = run(&camera);
    assert_eq!(run.stats.discontinuities, 1);
    assert!(run.error_ms(&camera, 7..60, false) <= 5);
}

#[test]
fn what_a_session_learnt_starts_the_next_one_right() {
    let camera = Camera {
        offset_ns: 3 * SECOND_NS,
        ..Camera::default()
    };
    let prior = run(&camera).prior;
    assert!(prior.is_some());
    let again = Camera {
        reports: Some((9 * SECOND_NS, 5 * SECOND_NS)),
        seed: 9,
        ..camera
    };
    let run = Run::of(
        &again,
        ClockSettings {
            prior,
            ..ClockSettings::default()
        },
    );
    assert_eq!(run.stats.discontinuities, 0);
    assert!(run.error_ms(&again, 0..60, false) <= 60);
}

#[test]
fn a_camera_with_a_wrong_clock_gets_ours() {
    for hours in [-400_000, -1, 1, 24] {
        let camera = Camera {
            offset_ns: hours * HOUR * SECOND_NS + 7 * MS_NS,
            sound_hz: Some(48_000),
            ..Camera::default()
        };
        let run = run(&camera);
        assert!(run.error_ms(&camera, 0..60, true) <= 40, "{hours} h");
        assert_eq!(
            (run.stats.offset_ns.unwrap() + 500 * MS_NS).div_euclid(HOUR * SECOND_NS),
            hours
        );
        assert_eq!(
            (run.stats.follows_camera, run.stats.discontinuities, run.prior),
            (false, 0, None)
        );
        assert!(apart_ms(&run) <= 20);
    }
}

/// Largest distance between the errors of sound and pictures.
fn apart_ms(run: &Run) -> i64 {
    let errors = |track: &[Timed<i64>]| {
        let errors = track.iter().map(|timed| timed.pts_ns - timed.unit);
        (errors.clone().min().unwrap(), errors.max().unwrap())
    };
    let (video, sound) = (errors(&run.video), errors(&run.sound));
    (video.1 - sound.0).max(sound.1 - video.0) / MS_NS
}

#[test]
fn sound_and_pictures_stay_together() {
    for reports in [
        None,
        Some((0, 5 * SECOND_NS)),
        Some((3 * SECOND_NS, 5 * SECOND_NS)),
    ] {
        let camera = Camera {
            reports,
            sound_hz: Some(48_000),
            offset_ns: 20 * MS_NS,
            ..Camera::default()
        };
        let apart = apart_ms(&run(&camera));
        assert!(apart <= 50, "{reports:?}: {apart} ms");
    }
}

#[test]
fn a_camera_that_declares_25_and_sends_21_never_drifts() {
    for reports in [None, Some((0, 5 * SECOND_NS))] {
        let camera = Camera {
            fps: 21.0,
            seconds: HOUR,
            reports,
            ..Camera::default()
        };
        let run = run(&camera);
        // Its rate must be seen before it can be followed.
        let errors = [0..4, 4..HOUR].map(|seconds| run.error_ms(&camera, seconds, reports.is_none()));
        assert!(errors[0] <= 200 && errors[1] <= 50, "{reports:?}: {errors:?} ms");
        assert_eq!(run.stats.discontinuities, 0);
    }
}

#[test]
fn a_clock_two_percent_off_never_drifts_through_a_wrap() {
    for rate in [0.98, 1.02] {
        for reports in [None, Some((0, 5 * SECOND_NS))] {
            let camera = Camera {
                ticks: 3600.0 * rate,
                seconds: 3 * HOUR,
                first_rtp: u32::MAX - 90_000 * 1800,
                reports,
                ..Camera::default()
            };
            let run = run(&camera);
            let error = run.error_ms(&camera, 0..3 * HOUR, reports.is_none());
            assert!(error <= 80, "{rate} {reports:?}: {error} ms");
            assert_eq!(run.stats.discontinuities, 0);
        }
    }
}

#[test]
fn timestamps_that_jump_break_once_and_lose_nothing() {
    for reports in [None, Some((0, 5 * SECOND_NS))] {
        for ticks in [-2_000_000_000, -900_000, -45_000, 180_000, 2_000_000_000] {
            let camera = Camera {
                jump: Some((31, ticks, 0, 0)),
                reports,
                ..Camera::default()
            };
            let run = run(&camera);
            assert!(
                run.error_ms(&camera, 0..60, false) <= 70,
                "{ticks} {reports:?}: {} ms",
                run.error_ms(&camera, 0..60, false)
            );
            assert_eq!(run.stats.discontinuities, 1, "{ticks} {reports:?}");
            let broken = run
                .video
                .iter()
                .find(|timed| timed.discontinuity.is_some())
                .unwrap();
            assert_eq!(broken.discontinuity, Some(Discontinuity::Rtp));
            assert_eq!((broken.unit - BEGIN_NS) / SECOND_NS, 32);
        }
    }
}

#[test]
fn a_step_of_the_cameras_clock_is_followed() {
    let forward = Camera {
        jump: Some((31, 0, 3 * SECOND_NS, 0)),
        ..Camera::default()
    };
    let there = run(&forward);
    assert_eq!(there.stats.discontinuities, 1);
    assert!(there.error_ms(&forward, 45..60, false) <= 10);
    let back = Camera {
        jump: Some((31, 0, -3 * SECOND_NS, 0)),
        ..Camera::default()
    };
    let back_run = run(&back);
    assert_eq!(back_run.stats.discontinuities, 1);
    // Time may not go back, so it goes slower until the truth has caught up.
    assert!(back_run.error_ms(&back, 58..60, false) <= 100);
}

#[test]
fn a_step_of_our_clock_matters_only_when_ours_is_followed() {
    let step = Some((31, 0, 0, 3 * SECOND_NS));
    let with_reports = Camera {
        jump: step,
        ..Camera::default()
    };
    let followed = run(&with_reports);
    assert_eq!(followed.stats.discontinuities, 0);
    assert!(followed.error_ms(&with_reports, 0..60, false) <= 10);
    let without = Camera {
        jump: step,
        reports: None,
        ..Camera::default()
    };
    let ours = run(&without);
    assert_eq!(ours.stats.discontinuities, 1);
    assert!(ours.error_ms(&without, 33..60, true) <= 40);
}

#[test]
fn a_burst_of_the_past_is_placed_in_the_past() {
    for reports in [None, Some((0, 5 * SECOND_NS))] {
        let camera = Camera {
            burst_ns: 2 * SECOND_NS,
            reports,
            ..Camera::default()
        };
        let run = run(&camera);
        assert_eq!(run.stats.discontinuities, 0);
        assert!(
            run.error_ms(&camera, -2..60, true) <= 50,
            "{}",
            run.error_ms(&camera, -2..60, true)
        );
    }
}

#[test]
fn reordered_pictures_get_rising_decode_times_and_true_capture_times() {
    for reorder_depth in [None, Some(1)] {
        let camera = Camera {
            b_frames: true,
            gop: 49,
            reorder_depth,
            ..Camera::default()
        };
        let run = run(&camera);
        assert!(run.error_ms(&camera, 0..60, false) <= 5);
        assert!(run.video.iter().all(|timed| timed.dts_ns <= timed.pts_ns));
        let lag = |timed: &Timed<i64>| (timed.pts_ns - timed.dts_ns + MS_NS) / (40 * MS_NS);
        let pattern: Vec<_> = run.video[..7].iter().map(lag).collect();
        assert_eq!(pattern, [1, 3, 0, 0, 3, 0, 0][..]);
        assert!(
            run.video
                .windows(2)
                .all(|pair| pair[1].dts_ns - pair[0].dts_ns >= 35 * MS_NS)
        );
    }
}

#[test]
fn nothing_is_placed_before_the_floor() {
    let floor = BEGIN_NS + 300 * MS_NS;
    let camera = Camera {
        burst_ns: SECOND_NS,
        ..Camera::default()
    };
    let run = Run::of(
        &camera,
        ClockSettings {
            not_before_ns: Some(floor),
            ..ClockSettings::default()
        },
    );
    assert!(run.video.iter().all(|timed| timed.dts_ns >= floor));
    assert!(run.error_ms(&camera, 20..60, false) <= 10);
    let mistaken = ClockSettings {
        not_before_ns: Some(BEGIN_NS + 2 * HOUR * SECOND_NS),
        ..ClockSettings::default()
    };
    assert!(Run::of(&camera, mistaken).error_ms(&camera, 0..60, false) <= 10);
}

#[test]
fn sockets_that_are_read_on_a_tick_cost_no_more_than_the_tick() {
    let read = Camera {
        tick_ns: 100 * MS_NS,
        jitter_ns: 5 * MS_NS,
        ..Camera::default()
    };
    let followed = run(&read);
    assert!(followed.error_ms(&read, 0..60, false) <= 5);
    let read = Camera {
        reports: None,
        ..read
    };
    let ours = run(&read);
    assert!(ours.error_ms(&read, 0..60, true) <= 100);
    assert_eq!(ours.stats.discontinuities, 0);
}

#[test]
fn a_stall_that_ends_in_a_burst_moves_nothing() {
    for reports in [None, Some((0, 5 * SECOND_NS))] {
        let camera = Camera {
            stall: Some((31, 4)),
            reports,
            ..Camera::default()
        };
        let run = run(&camera);
        let error = run.error_ms(&camera, 0..60, true);
        assert!(error <= 45, "{reports:?}: {error} ms");
        assert_eq!(run.stats.discontinuities, 0);
    }
}

#[test]
fn a_camera_that_slows_down_at_night_is_right_again_soon() {
    for reports in [None, Some((0, 5 * SECOND_NS))] {
        let camera = Camera {
            slows: Some((60, 10.0)),
            seconds: 180,
            reports,
            ..Camera::default()
        };
        let run = run(&camera);
        let errors = [0..60, 60..110, 110..180].map(|seconds| run.error_ms(&camera, seconds, true));
        assert!(
            errors[0] <= 45 && errors[1] <= 9000 && errors[2] <= 60,
            "{reports:?}: {errors:?} ms"
        );
    }
}

#[test]
fn two_pictures_of_one_timestamp_follow_each_other() {
    let mut timeline = Timeline::new(ClockSettings::default());
    let spec = TrackSpec {
        clock_rate_hz: 90_000,
        video: true,
        reorder_depth: Some(0),
        nominal_ns: 0,
    };
    let video = timeline.add_track(spec);
    for index in 0..100_i64 {
        let mono_ns = index / 2 * 40 * MS_NS;
        let arrival = Arrival {
            mono_ns,
            utc_ns: BEGIN_NS + mono_ns,
        };
        timeline.push(video, (index / 2 * 3600) as u32, arrival, index == 0, index);
    }
    let placed: Vec<_> = std::iter::from_fn(|| timeline.pop()).collect();
    assert_eq!(placed.len(), 100);
    for timed in placed {
        let expected = BEGIN_NS + timed.unit / 2 * 40 * MS_NS + timed.unit % 2 * MS_NS;
        assert_eq!((timed.dts_ns, timed.pts_ns), (expected, expected));
    }
}
