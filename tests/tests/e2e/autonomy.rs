//! A node that is started while neither bus nor control plane is there records by the plan that it kept, however
//! old that is, and everything is accounted for when they return.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::jetstream;
use serde_json::json;
use tests::footage::{Footage, ffmpeg};
use tests::wait::wait_for;
use tests::world::camera::Cameras;
use tests::world::{DEADLINE, World, now};
use wire::bus::PLAN_BUCKET;
use wire::coverage::GapCause;
use wire::plan::Plan;
use wire::{CameraId, TimeRange, UnixMs};

use crate::failover::explained;
use crate::windows::{clock_says, filled, minute_ahead, weekly};

const SIM: [&str; 6] = ["--size", "320x192", "--gop", "15", "--login", "user:secret"];
const GOP_MS: i64 = 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A kill takes the last chunk, and a start until the first picture takes a while.
const GAP_MS: i64 = 15_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_starts_with_nobody_there_records_by_the_plan_it_kept() {
    let mut world = World::start("alone").await.unwrap();
    let result = kept_plan(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_whose_horizon_is_long_past_is_followed() {
    let mut world = World::start("old-plan").await.unwrap();
    let result = old_plan(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

/// The address with what the camera asks for: the node must have kept that too.
fn with_login(url: &str) -> String {
    url.replacen("rtsp://", "rtsp://user:secret@", 1)
}

/// Bus and control plane go, then the node is killed and started; when that was.
async fn alone(world: &mut World) -> Result<(UnixMs, UnixMs)> {
    world.control.kill9()?;
    world.bus.kill9()?;
    let killed = now();
    world.node.kill9()?;
    world.node.resume()?;
    Ok((killed, now()))
}

fn together(world: &mut World) -> Result<()> {
    world.bus.resume()?;
    world.control.resume()
}

/// Waits until a camera has sent for so long since `since`.
async fn sends(sims: &Cameras, camera: usize, since: UnixMs, ms: i64) -> Result<()> {
    let until_us = (since.0 + ms) as u64 * 1_000;
    wait_for("the camera is read", DEADLINE, async || {
        let runs = sims.sent(camera).await?.runs;
        Ok(runs
            .last()
            .is_some_and(|run| run.last_us > until_us)
            .then_some(()))
    })
    .await
}

async fn kept_plan(world: &mut World) -> Result<()> {
    let sims = world.simulate("camera", &SIM).await?;
    let camera = world
        .api
        .add("door", &with_login(&sims.urls[0]), &json!({}))
        .await?;
    world.wait_recording(camera).await?;
    let from = now();
    sends(&sims, 0, from, 8_000).await?;
    let (killed, started) = alone(world).await?;
    sends(&sims, 0, started, 15_000).await?;
    together(world)?;
    let until = ended(world, camera).await?;
    one_pause(world, camera, (from, killed, until)).await
}

/// Recording is switched off once somebody answers; up to when everything must be there.
async fn ended(world: &World, camera: CameraId) -> Result<UnixMs> {
    let until = wait_for("recording is switched off", DEADLINE, async || {
        let until = now();
        world.api.set_recording(camera, false).await?;
        Ok(Some(until))
    })
    .await?;
    world.wait_settled(Duration::from_secs(90)).await?;
    Ok(until)
}

/// All that was sent is there but for a moment at the kill, and the node explains that.
async fn one_pause(
    world: &World,
    camera: CameraId,
    (from, killed, until): (UnixMs, UnixMs, UnixMs),
) -> Result<()> {
    let folder = world.folder().join(camera.to_string());
    let footage = Footage::fetch(&world.api, camera, from, now(), &folder).await?;
    let runs = footage.runs()?;
    ensure!(runs.len() <= 2, "more than the kill is missing: {runs:?}");
    let frames = footage.frames();
    let last_ms = frames.last().context("a frame")?.capture_us as i64 / 1_000;
    ensure!(
        until.0 - last_ms < 1_000,
        "it ends {} ms early",
        until.0 - last_ms
    );
    ffmpeg::play(&footage.url)?;
    for (start, end, cause) in explained(world, camera, from, until.plus(-1_000)).await? {
        ensure!(
            cause == GapCause::Node && start >= killed.plus(-1_500) && end <= killed.plus(GAP_MS),
            "a gap of cause {cause:?} from {start} to {end}; killed at {killed}"
        );
    }
    Ok(())
}

async fn old_plan(world: &mut World) -> Result<()> {
    let args = [&SIM[..], &["--cameras", "2"]].concat();
    let sims = world.simulate("cameras", &args).await?;
    let always = world
        .api
        .add("always", &with_login(&sims.urls[0]), &json!({}))
        .await?;
    let off = json!({ "recording": false });
    let weekly_id = world.api.add("weekly", &with_login(&sims.urls[1]), &off).await?;
    // Half a day from now, so that the planner knows the camera and records nothing of it meanwhile.
    let later = minute_ahead(DAY_MS / 2);
    let schedule = weekly(&[(later, later.plus(60_000))]);
    world.api.add_job(weekly_id, &schedule, &json!({})).await?;
    world.wait_recording(always).await?;
    let from = now();
    let opens = now().plus(20_000);
    let window = (opens, opens.plus(15_000));
    age(world, weekly_id, window).await?;
    let (killed, _) = alone(world).await?;
    ensure!(now() < opens, "the window opens too early");
    clock_says(window.1.plus(8_000)).await?;
    together(world)?;
    let until = ended(world, always).await?;
    one_pause(world, always, (from, killed, until))
        .await
        .context("around the clock")?;
    let folder = world.folder().join("weekly");
    let footage = Footage::fetch(&world.api, weekly_id, from, until, &folder).await?;
    filled(&footage, &[window], 0, GOP_MS).context("the weekly pattern")?;
    ffmpeg::play(&footage.url)
}

/// Gives the node a plan that ended nine days ago, with `window` in the week after that, and waits until it
/// follows it.
async fn age(world: &World, weekly: CameraId, window: (UnixMs, UnixMs)) -> Result<()> {
    let node = world.status().await?.node;
    let client = world.bus_client().await?;
    let bucket = jetstream::new(client).get_key_value(PLAN_BUCKET).await?;
    let revision = wait_for("both cameras are planned", DEADLINE, async || {
        let json = bucket.get(node.to_string()).await?.context("a plan")?;
        let mut plan: Plan = serde_json::from_slice(&json)?;
        ensure!(plan.entries.len() == 2, "{} are", plan.entries.len());
        plan.revision += 1;
        plan.horizon = now().plus(-9 * DAY_MS);
        for entry in &mut plan.entries {
            if entry.camera == weekly {
                let a_week_ago = |at: UnixMs| at.plus(-7 * DAY_MS);
                entry.windows = Vec::new();
                entry.afterwards = vec![TimeRange::new(a_week_ago(window.0), a_week_ago(window.1))?];
                entry.time_zone = None;
            } else {
                ensure!(entry.continuous, "not around the clock");
                entry.windows = vec![TimeRange::new(plan.horizon.plus(-DAY_MS), plan.horizon)?];
            }
        }
        bucket
            .put(node.to_string(), serde_json::to_vec(&plan)?.into())
            .await?;
        Ok(Some(plan.revision))
    })
    .await?;
    wait_for("the node follows it", DEADLINE, async || {
        Ok((world.status().await?.plan_revision == Some(revision)).then_some(()))
    })
    .await
}
