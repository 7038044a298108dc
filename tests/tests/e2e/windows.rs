//! What tests of schedules share: minutes on the wall clock, and verdicts on what was recorded of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::footage::Footage;
use tests::wait::wait_for;
use tests::world::{World, now};
use wire::status::StreamState;
use wire::{CameraId, UnixMs};

pub(crate) const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// The simulator's frames, and a little for its clock.
const FRAME_MS: i64 = 67;
/// How far the node may be off when it tells a picture's time.
pub(crate) const CLOCK_MS: i64 = 20;

/// The first minute that begins at least `ahead_ms` from now, with so many minutes of the day after it.
pub(crate) fn minute_ahead(ahead_ms: i64) -> UnixMs {
    UnixMs((now().0 + ahead_ms).div_euclid(MINUTE_MS) * MINUTE_MS + MINUTE_MS)
}

fn clock(at: UnixMs) -> String {
    let minutes = at.0.rem_euclid(DAY_MS) / MINUTE_MS;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A weekly schedule of every day with these windows, at minutes of UTC.
pub(crate) fn weekly(windows: &[(UnixMs, UnixMs)]) -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let windows: Vec<Value> = windows
        .iter()
        .map(|(from, to)| json!({ "days": days, "from": clock(*from), "to": clock(*to) }))
        .collect();
    json!({ "kind": "weekly", "windows": windows })
}

/// Waits until the clock says so.
pub(crate) async fn clock_says(at: UnixMs) -> Result<()> {
    let left = u64::try_from(at.since(now())).unwrap_or(0);
    wait_for(
        "the time has come",
        Duration::from_millis(left + 5_000),
        async || Ok((now() >= at).then_some(())),
    )
    .await
}

/// Waits until the node says of a camera what is asked for.
pub(crate) async fn node_says(
    world: &World,
    camera: CameraId,
    what: &str,
    is: impl Fn(&StreamState) -> bool,
) -> Result<()> {
    wait_for(what, Duration::from_secs(120), async || {
        let status = world.status().await?;
        let stream = status.streams.iter().find(|stream| stream.camera == camera);
        let state = &stream.context("the node does not name the camera")?.state;
        ensure!(is(state), "it is {state:?}");
        Ok(Some(()))
    })
    .await
}

/// The footage fills each window to the frame, begins `pre_roll_ms` before it at a keyframe, and there is none
/// elsewhere.
pub(crate) fn filled(
    footage: &Footage,
    windows: &[(UnixMs, UnixMs)],
    pre_roll_ms: i64,
    gop_ms: i64,
) -> Result<()> {
    let runs = footage.runs()?;
    ensure!(runs.len() == windows.len(), "{runs:?} for {windows:?}");
    let frames = footage.frames();
    for ((first, last), (start, end)) in runs.iter().zip(windows) {
        let captured = |number: u64| {
            let frame = frames.iter().find(|stamp| stamp.frame == number);
            frame.map_or(0, |stamp| (stamp.capture_us / 1000) as i64)
        };
        let early = start.0 - pre_roll_ms - captured(*first);
        ensure!(
            (-CLOCK_MS..=gop_ms + FRAME_MS).contains(&early),
            "it begins {early} ms before the pre-roll of {start}"
        );
        let before_end = end.0 - captured(*last);
        ensure!(
            (-CLOCK_MS..=2 * FRAME_MS).contains(&before_end),
            "the last frame is {before_end} ms before {end}"
        );
    }
    Ok(())
}
