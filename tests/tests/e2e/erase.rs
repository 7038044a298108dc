//! Footage is erased while the node is off, and the node is killed again and again while it carries that out:
//! nothing of the range stays on its disk, the recording goes on, and the node says that it is done.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::jetstream;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tests::footage::ffmpeg;
use tests::wait::wait_for;
use tests::world::{DEADLINE, World, now};
use wire::bus::PLAN_BUCKET;
use wire::plan::{Erasure, Plan};
use wire::{CameraId, ErasureId, NodeId, TimeRange, UnixMs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_erased_while_the_node_is_off_is_gone_when_it_returns() {
    let mut world = World::start("erase").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World) -> Result<()> {
    let sims = world
        .simulate(
            "camera",
            &["--size", "320x192", "--bitrate", "300", "--gop", "15"],
        )
        .await?;
    let camera = world.api.add("erased", &sims.urls[0], &json!({})).await?;
    let from = now();
    // Two objects: one sealed by the stop, one growing when the node is killed.
    recorded_for(world, camera, from, 1).await?;
    world.node.stop()?;
    world.node.resume()?;
    recorded_for(world, camera, now(), 2).await?;
    let node = world.status().await?.node;
    world.node.kill9()?;
    let (sealed, growing) = files(world, camera)?;
    ensure!(!sealed.is_empty() && growing.len() == 1, "{sealed:?} {growing:?}");
    let range = TimeRange::new(from.plus(-60_000), now().plus(-2_000))?;
    let erasure = Erasure {
        id: ErasureId::generate(),
        camera,
        range,
    };
    plan(world, node, erasure).await?;
    let seed = now().0 as u64;
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    for _ in 0..6 {
        world.node.resume()?;
        // The moment is the point: anywhere between the plan and the last file.
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1_500))).await;
        world.node.kill9()?;
    }
    world.node.resume()?;
    wait_for("the node says that it is erased", DEADLINE, async || {
        let erased = world.status().await?.erased;
        Ok(erased.contains(&erasure.id).then_some(()))
    })
    .await?;
    let (kept, growing) = files(world, camera)?;
    ensure!(growing.len() <= 1, "{growing:?}");
    for file in kept {
        let (start, end) = times(&file)?;
        let held = TimeRange::new(start, end)?;
        ensure!(
            held.intersection(&range).is_none(),
            "{} is of {start} to {end}, {range:?} is erased",
            file.display()
        );
    }
    recorded_for(world, camera, now(), 1).await
}

/// Waits until `count` whole segments that begin after `since` are on the camera's timeline.
async fn recorded_for(world: &World, camera: CameraId, since: UnixMs, count: i64) -> Result<()> {
    wait_for("footage comes", DEADLINE, async || {
        let stretches = world.api.coverage(camera, since, now().plus(1_000)).await?;
        let footage_ms: i64 = stretches.iter().filter_map(length_ms).sum();
        Ok((footage_ms >= count * 6_000).then_some(()))
    })
    .await
}

fn length_ms(stretch: &wire::coverage::Stretch) -> Option<i64> {
    match stretch {
        wire::coverage::Stretch::Footage { start, end } => Some(end.since(*start)),
        wire::coverage::Stretch::Gap { .. } => None,
    }
}

/// Puts the erasure into the node's plan, as the control plane does.
async fn plan(world: &World, node: NodeId, erasure: Erasure) -> Result<()> {
    let client = world.bus_client().await?;
    let bucket = jetstream::new(client).get_key_value(PLAN_BUCKET).await?;
    let json = bucket.get(node.to_string()).await?.context("a plan")?;
    let mut plan: Plan = serde_json::from_slice(&json)?;
    plan.revision += 1;
    plan.erasures.push(erasure);
    bucket
        .put(node.to_string(), serde_json::to_vec(&plan)?.into())
        .await?;
    Ok(())
}

/// Sealed and growing files of the camera on the node's disk.
fn files(world: &World, camera: CameraId) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let folder = world.folder().join("node/spool").join(camera.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    Ok(files
        .into_iter()
        .partition(|path| path.extension().is_some_and(|kind| kind == "mp4")))
}

/// Capture times in a file, which its own timeline tells.
fn times(file: &std::path::Path) -> Result<(UnixMs, UnixMs)> {
    let path = file.to_string_lossy();
    let arguments = [
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
        "-select_streams",
        "v",
        &path,
    ];
    let said = String::from_utf8(ffmpeg::silent("ffprobe", &arguments)?)?;
    let mut times: Vec<i64> = Vec::new();
    for line in said.lines() {
        let seconds: f64 = line.trim_end_matches(',').parse()?;
        times.push((seconds * 1_000.0) as i64);
    }
    let first = times.iter().min().context("a picture")?;
    let last = times.iter().max().context("a picture")?;
    Ok((UnixMs(*first), UnixMs(*last + 1)))
}
