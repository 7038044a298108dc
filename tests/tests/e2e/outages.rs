//! Control plane, bus and store go away in turn: nothing is lost, nothing doubled.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tests::footage::{Footage, ffmpeg, judge};
use tests::wait::{recording_length, wait_for};
use tests::world::camera::Cameras;
use tests::world::{World, now};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outages_of_control_plane_bus_and_store_lose_nothing() {
    let mut world = World::start("outages").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

/// The cameras go on for so long: the time that an outage lasts.
async fn lasts(cameras: &Cameras, length: Duration) -> Result<()> {
    let end = now().0 as u64 * 1000 + length.as_micros() as u64;
    wait_for(
        "the outage is over",
        length + Duration::from_secs(10),
        async || {
            let runs = cameras.sent(0).await?.runs;
            Ok(runs.last().is_some_and(|run| run.last_us > end).then_some(()))
        },
    )
    .await
}

async fn run(world: &mut World) -> Result<()> {
    let sims = world
        .simulate(
            "cameras",
            &["--cameras", "2", "--size", "320x192", "--bitrate", "300"],
        )
        .await?;
    let from = now();
    let mut ids = Vec::new();
    for url in &sims.urls {
        ids.push(world.api.add("camera", url, &json!({})).await?);
    }
    for id in &ids {
        world.wait_recording(*id).await?;
    }
    let minute = Duration::from_secs(60).min(recording_length());
    let between = Duration::from_secs(10);
    lasts(&sims, between).await?;
    world.control.kill9()?;
    lasts(&sims, minute).await?;
    world.control.resume()?;
    lasts(&sims, between).await?;
    world.bus.kill9()?;
    lasts(&sims, minute).await?;
    world.bus.resume()?;
    lasts(&sims, between).await?;
    world.set_store_maintenance(true)?;
    lasts(&sims, minute).await?;
    world.set_store_maintenance(false)?;
    lasts(&sims, between).await?;
    // All three at once, a short time.
    world.control.kill9()?;
    world.bus.kill9()?;
    world.bus.resume()?;
    world.control.resume()?;
    lasts(&sims, between).await?;
    let stopped_us = now().0 as u64 * 1000;
    for id in &ids {
        wait_for("recording is switched off", Duration::from_secs(30), async || {
            world.api.set_recording(*id, false).await.map(Some)
        })
        .await?;
    }
    world.wait_settled(Duration::from_secs(180)).await?;
    for (index, id) in ids.iter().enumerate() {
        let folder = world.folder().join(index.to_string());
        let footage = Footage::fetch(&world.api, *id, from, now(), &folder).await?;
        judge::complete(&footage, &sims.sent(index).await?, stopped_us - 500_000)
            .with_context(|| format!("camera {index}"))?;
        ffmpeg::play(&footage.url)?;
        judge::on_time(&footage)?;
    }
    Ok(())
}
