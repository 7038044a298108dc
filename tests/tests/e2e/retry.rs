//! A camera that refuses is tried by its job's policy, and a restart of the node goes on where it was.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::sim::Fault;
use tests::wait::wait_for;
use tests::world::{DEADLINE, World, now};
use wire::status::StreamState;
use wire::{CameraId, UnixMs};

/// What a wait must have left, so that a restart fits into it.
const LEFT_MS: i64 = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_does_not_try_refused_credentials_at_once() {
    let mut world = World::start("retry").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World) -> Result<()> {
    let sims = world
        .simulate("camera", &["--size", "320x192", "--gop", "15"])
        .await?;
    sims.fault(0, Fault::Unauthorized).await?;
    let off = json!({ "recording": false });
    let camera = world.api.add("door", &sims.urls[0], &off).await?;
    let policy = json!({ "alert_after": 2, "longest_pause_s": 20 });
    let always = json!({ "kind": "continuous" });
    world.api.add_job(camera, &always, &policy).await?;
    wait_for("people are told", DEADLINE, async || {
        let path = format!("/api/v1/cameras/{camera}/recordings");
        let (_, page) = world.api.ask::<Value>(Method::GET, &path, None).await?;
        Ok((page["items"][0]["state"] == json!("failing")).then_some(()))
    })
    .await?;
    // What the node says twice, seconds apart, its database has.
    let mut first = (UnixMs(0), UnixMs(0));
    let (retry_at, attempts) = wait_for("a long wait", Duration::from_secs(90), async || {
        let (at, retry_at, attempts) = failed(world, camera).await?;
        ensure!(retry_at.since(at) <= 20_000, "a wait of more than the job's 20 s");
        if first.0 != retry_at {
            first = (retry_at, at);
            return Ok(None);
        }
        let is_kept = at > first.1.plus(1_000);
        Ok((is_kept && retry_at.since(now()) >= LEFT_MS).then_some((retry_at, attempts)))
    })
    .await?;
    ensure!((3..=8).contains(&attempts), "{attempts} attempts");
    world.node.kill9()?;
    world.node.resume()?;
    let started = now();
    let (_, again, attempts) = wait_for("the node says what it waits for", DEADLINE, async || {
        let (at, retry_at, attempts) = failed(world, camera).await?;
        Ok((at > started).then_some((at, retry_at, attempts)))
    })
    .await?;
    ensure!(
        attempts == 0 && again.since(retry_at).abs() <= 500,
        "{attempts} attempts, the next at {again} instead of {retry_at}"
    );
    sims.fault(0, Fault::None).await?;
    world.wait_recording(camera).await
}

/// When the node said how a camera fails, when it tries again, and how often it has.
async fn failed(world: &World, camera: CameraId) -> Result<(UnixMs, UnixMs, u64)> {
    let status = world.status().await?;
    let stream = status.streams.iter().find(|stream| stream.camera == camera);
    let stream = stream.context("the node does not name the camera")?;
    let StreamState::Failed { retry_at, .. } = stream.state else {
        anyhow::bail!("it is {:?}", stream.state);
    };
    Ok((status.at, retry_at, stream.attempts))
}
