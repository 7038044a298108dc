//! A camera vanishes for half a minute: it is recorded again within five seconds, its neighbour throughout.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::footage::{Footage, judge};
use tests::sim::Fault;
use tests::world::{World, now};
use wire::coverage::{GapCause, Stretch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_returns_is_recorded_within_five_seconds() {
    let world = World::start("vanish").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &World) -> Result<()> {
    let args = [
        "--cameras",
        "2",
        "--size",
        "320x192",
        "--bitrate",
        "300",
        "--gop",
        "15",
    ];
    let sims = world.simulate("cameras", &args).await?;
    let from = now();
    let vanishing = world.api.add("vanishing", &sims.urls[0], &json!({})).await?;
    let neighbour = world.api.add("neighbour", &sims.urls[1], &json!({})).await?;
    world.wait_recording(vanishing).await?;
    world.wait_recording(neighbour).await?;
    sims.sends_for(1, 10).await?;
    let gone = now();
    sims.fault(0, Fault::Drop).await?;
    sims.sends_for(1, 30).await?;
    let back = now();
    sims.fault(0, Fault::None).await?;
    world.wait_recording(vanishing).await?;
    sims.sends_for(1, 15).await?;
    let stopped_us = now().0 as u64 * 1000;
    world.api.set_recording(vanishing, false).await?;
    world.api.set_recording(neighbour, false).await?;
    let until = now();
    world.wait_settled(Duration::from_secs(90)).await?;
    let footage = Footage::fetch(&world.api, neighbour, from, now(), &world.folder().join("1")).await?;
    judge::complete(&footage, &sims.sent(1).await?, stopped_us - 500_000).context("the neighbour")?;

    let footage = Footage::fetch(&world.api, vanishing, from, now(), &world.folder().join("0")).await?;
    ensure!(footage.runs()?.len() == 2, "{:?}", footage.runs()?);
    let frames = footage.frames();
    let resumed = frames
        .iter()
        .find(|stamp| stamp.capture_us / 1000 > gone.0 as u64 + 5_000);
    let resumed_ms = (resumed.context("footage after the return")?.capture_us / 1000) as i64;
    ensure!(
        resumed_ms - back.0 <= 5_000,
        "recorded again {} ms after the return",
        resumed_ms - back.0
    );
    let last = frames
        .iter()
        .rfind(|stamp| (stamp.capture_us / 1000) as i64 <= gone.0);
    let last_ms = (last.context("footage before")?.capture_us / 1000) as i64;
    ensure!(
        gone.0 - last_ms < 500,
        "the footage ends {} ms before the camera vanished",
        gone.0 - last_ms
    );
    let stretches = world.api.coverage(vanishing, from, until).await?;
    let gap = stretches.iter().find_map(|stretch| match stretch {
        Stretch::Gap {
            start, end, cause, ..
        } if end.since(*start) > 20_000 => Some(*cause),
        _ => None,
    });
    ensure!(
        matches!(gap, Some(GapCause::Camera | GapCause::Network)),
        "the gap's cause is {gap:?} in {stretches:?}"
    );
    Ok(())
}
