//! The supervisor's decisions: tables, and properties over random events.

use std::time::Duration;

use media_core::facts::{AttemptEnd, Failure};
use proptest::prelude::*;

use super::step::{Action, Event, Phase, State, Want};
use crate::spool::intake::AttemptEvent;

fn failed(failure: Failure) -> Event {
    Event::Attempt(AttemptEvent::Ended(AttemptEnd::Failed(failure)))
}

fn lost() -> Failure {
    Failure::Lost("reset".into())
}

/// Drives a camera that fails each attempt after `lives_ms`; the waits between.
fn waits(failure: &Failure, attempts: usize, lives_ms: u64, plays: bool, dice: f64) -> Vec<u64> {
    let mut now = 1_000_000;
    let (mut state, action) = State::default().step(Event::Want(Want::Recording), now, dice);
    assert_eq!(action, Some(Action::Start));
    let mut waits = Vec::new();
    for _ in 0..attempts {
        if plays {
            state = state.step(Event::Attempt(AttemptEvent::Playing), now, dice).0;
            state = state.step(Event::Attempt(AttemptEvent::Footage), now, dice).0;
        }
        now += lives_ms;
        state = state.step(failed(failure.clone()), now, dice).0;
        let due = state.due().unwrap();
        waits.push(due - now);
        now = due;
        let (next, action) = state.step(Event::Due, now, dice);
        assert_eq!(action, Some(Action::Start));
        state = next;
    }
    waits
}

#[test]
fn a_camera_that_is_away_is_tried_at_least_every_four_seconds() {
    for failure in [
        lost(),
        Failure::Unreachable("refused".into()),
        Failure::Silent(Duration::from_secs(5)),
    ] {
        for dice in [0.0, 0.5, 1.0] {
            let waits = waits(&failure, 50, 100, false, dice);
            assert!(
                waits[0] <= 1_500 && waits.iter().all(|wait| (500..4_000).contains(wait)),
                "{waits:?}"
            );
        }
    }
}

#[test]
fn refused_credentials_are_tried_seldom() {
    for failure in [
        Failure::Unauthorized,
        Failure::NotFound,
        Failure::Unsupported("VP8".into()),
    ] {
        let waits = waits(&failure, 10, 100, false, 1.0);
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
        assert!(*waits.last().unwrap() == 60_000, "{waits:?}");
    }
}

#[test]
fn a_camera_that_flaps_is_left_alone_for_longer_and_a_good_one_is_not() {
    let flapping = waits(&lost(), 14, 500, true, 0.5);
    assert!(
        flapping[..9].iter().all(|wait| *wait < 4_000) && *flapping.last().unwrap() >= 22_000,
        "{flapping:?}"
    );
    let good = waits(&lost(), 14, 60_000, true, 0.5);
    assert!(good.iter().all(|wait| *wait == 1_000), "{good:?}");
}

#[test]
fn new_settings_restart_the_attempt_at_once() {
    let (state, _) = State::default().step(Event::Want(Want::Recording), 0, 0.5);
    let (state, action) = state.step(Event::Changed, 10, 0.5);
    assert_eq!((action, &state.phase), (Some(Action::Stop), &Phase::Stopping));
    let (state, action) = state.step(Event::Attempt(AttemptEvent::Ended(AttemptEnd::Stopped)), 20, 0.5);
    assert_eq!(action, Some(Action::Start));
    let state = state.step(failed(Failure::Unauthorized), 30, 0.5).0;
    let (_, action) = state.step(Event::Changed, 40, 0.5);
    assert_eq!(
        action,
        Some(Action::Start),
        "a new password is tried without waiting"
    );
}

fn events() -> impl Strategy<Value = Vec<(Event, u64)>> {
    let event = prop_oneof![
        prop_oneof![Just(Want::Nothing), Just(Want::Ready), Just(Want::Recording)].prop_map(Event::Want),
        Just(Event::Changed),
        Just(Event::Due),
        Just(Event::Attempt(AttemptEvent::Playing)),
        Just(Event::Attempt(AttemptEvent::Footage)),
        Just(Event::Attempt(AttemptEvent::Closed)),
        Just(Event::Attempt(AttemptEvent::Degraded(Some("no keyframe".into())))),
        Just(Event::Attempt(AttemptEvent::Ended(AttemptEnd::Finished))),
        Just(Event::Attempt(AttemptEvent::Ended(AttemptEnd::Stopped))),
        Just(failed(lost())),
        Just(failed(Failure::Unauthorized)),
        Just(failed(Failure::Internal("x".into()))),
    ];
    proptest::collection::vec((event, 0..20_000_u64), 0..120)
}

proptest! {
    /// Never two attempts at a time, never one that is not wanted, never stuck while wanted.
    #[test]
    fn attempts_are_one_wanted_and_coming(events in events()) {
        let (mut state, mut now, mut running, mut wanted) = (State::default(), 0, false, Want::Nothing);
        for (event, passed) in events {
            now += passed;
            // An attempt only speaks while it runs.
            if matches!(event, Event::Attempt(_)) && !running {
                continue;
            }
            if matches!(event, Event::Attempt(AttemptEvent::Ended(_))) {
                running = false;
            }
            if let Event::Want(want) = event {
                wanted = want;
            }
            let (next, action) = state.step(event, now, 0.5);
            state = next;
            match action {
                Some(Action::Start) => {
                    prop_assert!(wanted > Want::Nothing && !running);
                    running = true;
                }
                Some(Action::Stop) => prop_assert!(running),
                None => {}
            }
            let attempt = matches!(state.phase, Phase::Attempting { .. } | Phase::Stopping);
            prop_assert_eq!(attempt, running);
            prop_assert!(wanted == Want::Nothing || state.phase != Phase::Idle);
            if let Some(due) = state.due() {
                prop_assert!(wanted > Want::Nothing && due <= now + 60_000);
            }
        }
    }
}

#[test]
fn the_plan_bounds_the_waits() {
    let mut state = State::default();
    state.longest_ms = 700;
    let (mut state, _) = state.step(Event::Want(Want::Recording), 0, 1.0);
    for now in 0..20 {
        state = state.step(failed(Failure::Unauthorized), now * 1_000, 1.0).0;
        assert_eq!(state.due(), Some(now * 1_000 + 700));
        state = state.step(Event::Due, now * 1_000 + 700, 1.0).0;
    }
}

#[test]
fn what_refuses_is_tried_as_seldom_as_the_plan_says() {
    let mut state = State::default();
    state.longest_ms = 600_000;
    let (mut state, _) = state.step(Event::Want(Want::Recording), 0, 1.0);
    let (mut now, mut waits) = (0, Vec::new());
    for _ in 0..12 {
        state = state.step(failed(Failure::NotFound), now, 1.0).0;
        let due = state.due().unwrap();
        waits.push(due - now);
        now = due;
        state = state.step(Event::Due, now, 1.0).0;
    }
    assert_eq!(waits.last(), Some(&600_000), "{waits:?}");
    assert!(waits[0] <= 2_500, "{waits:?}");
}

#[test]
fn a_restart_waits_for_what_is_left_and_goes_on_counting() {
    let state = State::resumed(7, Failure::Unauthorized, 5_000);
    let (state, action) = state.step(Event::Want(Want::Recording), 1_000, 0.5);
    assert_eq!((action, state.due()), (None, Some(5_000)));
    assert_eq!(state.failure, Some(Failure::Unauthorized), "people still see why");
    let (state, action) = state.step(Event::Due, 4_999, 0.5);
    assert_eq!(action, None);
    let (state, action) = state.step(Event::Due, 5_000, 0.5);
    assert_eq!(action, Some(Action::Start));
    let state = state.step(failed(Failure::Unauthorized), 5_100, 0.5).0;
    assert_eq!((state.failures(), state.due()), (8, Some(5_100 + 48_000)));

    let changed = State::resumed(7, Failure::Unauthorized, 5_000);
    let changed = changed.step(Event::Want(Want::Recording), 0, 0.5).0;
    let (changed, action) = changed.step(Event::Changed, 10, 0.5);
    assert_eq!(
        (action, changed.failures()),
        (Some(Action::Start), 0),
        "a new password"
    );
}

#[test]
fn a_window_opens_and_closes_without_another_connection() {
    let (state, action) = State::default().step(Event::Want(Want::Ready), 0, 0.5);
    assert_eq!(action, Some(Action::Start));
    let state = state.step(Event::Attempt(AttemptEvent::Playing), 10, 0.5).0;
    for round in 1..4 {
        let (state, action) = state
            .clone()
            .step(Event::Want(Want::Recording), round * 20_000, 0.5);
        assert_eq!((action, state.playing), (None, true));
        let state = state
            .step(Event::Attempt(AttemptEvent::Footage), round * 20_000, 0.5)
            .0;
        let state = state
            .step(Event::Attempt(AttemptEvent::Closed), round * 20_000 + 9_000, 0.5)
            .0;
        let (state, action) = state.step(Event::Want(Want::Ready), round * 20_000 + 9_000, 0.5);
        assert_eq!((action, state.phase), (None, Phase::Attempting { footage: None }));
    }
}
