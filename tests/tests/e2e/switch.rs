//! Switching recording off, and deleting a camera, stop it within two seconds.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::wait::wait_for;
use tests::world::camera::Cameras;
use tests::world::{World, now};

/// Within so many microseconds.
const STOPS_US: u64 = 2_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn off_and_deletion_stop_recording_within_two_seconds() {
    let world = World::start("switch").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn sends_after(sims: &Cameras, at_us: u64) -> Result<()> {
    wait_for("the camera is read again", Duration::from_secs(60), async || {
        let runs = sims.sent(0).await?.runs;
        Ok(runs.last().is_some_and(|run| run.last_us > at_us).then_some(()))
    })
    .await
}

/// The camera's last frame went out at most two seconds after `at_us`, and none follows for a while.
async fn stopped(world: &World, sims: &Cameras, at_us: u64) -> Result<()> {
    wait_for("five seconds pass", Duration::from_secs(20), async || {
        let last_us = sims.sent(0).await?.runs.last().context("a run")?.last_us;
        ensure!(
            last_us <= at_us + STOPS_US,
            "still read {} ms later",
            (last_us - at_us) / 1000
        );
        Ok((now().0 as u64 * 1000 > at_us + STOPS_US + 3_000_000).then_some(()))
    })
    .await?;
    world.status().await.map(drop)
}

async fn run(world: &World) -> Result<()> {
    let sims = world
        .simulate("camera", &["--size", "320x192", "--gop", "15"])
        .await?;
    let id = world.api.add("camera", &sims.urls[0], &json!({})).await?;
    world.wait_recording(id).await?;
    sends_after(&sims, now().0 as u64 * 1000 + 5_000_000).await?;

    let off_us = now().0 as u64 * 1000;
    world.api.set_recording(id, false).await?;
    stopped(world, &sims, off_us).await.context("switched off")?;

    let on_us = now().0 as u64 * 1000;
    world.api.set_recording(id, true).await?;
    sends_after(&sims, on_us + 3_000_000)
        .await
        .context("switched on")?;

    let deleted_us = now().0 as u64 * 1000;
    world.api.delete(id).await?;
    stopped(world, &sims, deleted_us).await.context("deleted")?;
    let (status, _) = world
        .api
        .ask::<Value>(Method::GET, &format!("/api/v1/cameras/{id}"), None)
        .await?;
    ensure!(status == 404, "a deleted camera answers {status}");
    Ok(())
}
