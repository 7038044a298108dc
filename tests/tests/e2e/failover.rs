//! kill -9 of a node: its cameras are recorded elsewhere, and when it returns nothing plays twice.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::footage::{Footage, ffmpeg};
use tests::wait::wait_for;
use tests::world::camera::Cameras;
use tests::world::process::Process;
use tests::world::{World, now};
use wire::coverage::{GapCause, Stretch};
use wire::status::{NodeStatus, StreamState};
use wire::{CameraId, UnixMs};

/// Longest pause with default settings, in milliseconds.
const GAP_MS: i64 = 20_000;
/// A segment and the rest of its GOP.
pub(crate) const SEGMENT_MS: i64 = 7_000;
const SIM: [&str; 6] = ["--size", "320x192", "--gop", "15", "--cameras", "4"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cameras_of_a_lost_node_are_recorded_elsewhere() {
    let mut world = World::start("failover").await.unwrap();
    let result = run(&mut world, 1, GAP_MS).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_on_two_nodes_lose_a_segment_at_most() {
    let mut world = World::start("redundant").await.unwrap();
    let result = run(&mut world, 2, SEGMENT_MS).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

/// What the nodes said last.
pub(crate) async fn statuses(world: &World) -> Result<Vec<NodeStatus>> {
    let nodes = world.api.nodes().await?;
    Ok(nodes.into_iter().filter_map(|node| node.status).collect())
}

/// Which of the cameras a node of this name records, by what it said last.
pub(crate) async fn recorded_by(world: &World, name: &str) -> Result<Vec<CameraId>> {
    let said = statuses(world).await?;
    let node = said.iter().find(|status| status.name == name);
    let streams = node.context("the node does not report")?.streams.iter();
    let recorded = streams.filter(|stream| stream.state == StreamState::Recording);
    Ok(recorded.map(|stream| stream.camera).collect())
}

/// How many nodes record a camera, by what they said after `since`.
fn recorders(statuses: &[NodeStatus], camera: CameraId, since: UnixMs) -> usize {
    let streams = statuses
        .iter()
        .filter(|status| status.at > since)
        .flat_map(|status| &status.streams);
    streams
        .filter(|stream| stream.camera == camera && stream.state == StreamState::Recording)
        .count()
}

pub(crate) async fn all_recorded(
    world: &World,
    cameras: &[CameraId],
    copies: usize,
    since: UnixMs,
) -> Result<()> {
    wait_for("every camera is recorded", Duration::from_secs(60), async || {
        let said = statuses(world).await?;
        let counts: Vec<usize> = cameras
            .iter()
            .map(|camera| recorders(&said, *camera, since))
            .collect();
        ensure!(
            counts.iter().all(|count| *count >= copies),
            "recorded by so many: {counts:?}"
        );
        Ok(Some(()))
    })
    .await
}

pub(crate) async fn goes_on(sims: &Cameras, cameras: usize, ms: u64) -> Result<()> {
    let until_us = (now().0 as u64 + ms) * 1_000;
    wait_for(
        "all cameras go on",
        Duration::from_secs(ms / 1_000 + 30),
        async || {
            for camera in 0..cameras {
                let runs = sims.sent(camera).await?.runs;
                if runs.last().is_none_or(|run| run.last_us < until_us) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        },
    )
    .await
}

pub(crate) async fn settled(world: &World) -> Result<()> {
    let asked = now();
    wait_for(
        "both nodes have delivered everything",
        Duration::from_secs(120),
        async || {
            let said = statuses(world).await?;
            for status in &said {
                ensure!(status.at > asked.plus(1_000), "{} is silent", status.name);
                let (outbox, upload) = (status.outbox_backlog, status.upload_backlog);
                ensure!(
                    outbox == 0 && upload == 0,
                    "{}: {outbox} events, {upload} uploads",
                    status.name
                );
            }
            Ok((said.len() == 2).then_some(()))
        },
    )
    .await
}

async fn run(world: &mut World, copies: usize, longest_ms: i64) -> Result<()> {
    let mut second: Process = world.add_node("second")?;
    wait_for("both nodes are there", Duration::from_secs(60), async || {
        Ok((statuses(world).await?.len() == 2).then_some(()))
    })
    .await?;
    let sims = world.simulate("cameras", &SIM).await?;
    let mut cameras = Vec::new();
    for (index, url) in sims.urls.iter().enumerate() {
        let extra: Value = json!({ "copies": copies });
        cameras.push(world.api.add(&format!("camera {index}"), url, &extra).await?);
    }
    let from = now();
    all_recorded(world, &cameras, copies, from).await?;
    goes_on(&sims, cameras.len(), 20_000).await?;

    let lost = recorded_by(world, "second").await?;
    ensure!(!lost.is_empty(), "the node that is killed has no camera");
    let killed = now();
    second.kill9()?;
    all_recorded(world, &cameras, 1, killed.plus(5_000)).await?;
    goes_on(&sims, cameras.len(), 30_000).await?;
    second.resume()?;
    all_recorded(world, &cameras, copies, now()).await?;
    goes_on(&sims, cameras.len(), 20_000).await?;
    for camera in &cameras {
        world.api.set_recording(*camera, false).await?;
    }
    let until = now();
    settled(world).await?;
    for camera in &cameras {
        // Where another node records it all the time, nobody waits.
        let longest_ms = if lost.contains(camera) {
            longest_ms
        } else {
            SEGMENT_MS
        };
        judge(world, *camera, (from, killed, until), longest_ms)
            .await
            .with_context(|| camera.to_string())?;
    }
    Ok(())
}

/// Each frame once, and no pause longer than allowed.
async fn judge(
    world: &World,
    camera: CameraId,
    (from, killed, until): (UnixMs, UnixMs, UnixMs),
    longest_ms: i64,
) -> Result<()> {
    let folder = world.folder().join(camera.to_string());
    let footage = Footage::fetch(&world.api, camera, from, now(), &folder).await?;
    let runs = footage.runs()?;
    let times: Vec<i64> = footage
        .frames()
        .iter()
        .map(|stamp| (stamp.capture_us / 1_000) as i64)
        .collect();
    let pause = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    println!("{camera}: {runs:?}, longest pause {pause} ms");
    ensure!(pause <= longest_ms, "a pause of {pause} ms: {runs:?}");
    let last = times.last().copied().unwrap_or(0);
    ensure!(until.0 - last < 2_000, "it ends {} ms early", until.0 - last);
    ensure!(last > killed.0, "nothing after the kill");
    ffmpeg::play(&footage.url)?;
    explained(world, camera, from, until).await.map(drop)
}

/// The camera's gaps, each of which somebody explains.
pub(crate) async fn explained(
    world: &World,
    camera: CameraId,
    from: UnixMs,
    until: UnixMs,
) -> Result<Vec<(UnixMs, UnixMs, GapCause)>> {
    let mut gaps = Vec::new();
    for stretch in world.api.coverage(camera, from, until).await? {
        let Stretch::Gap {
            start, end, cause, ..
        } = stretch
        else {
            continue;
        };
        ensure!(cause != GapCause::Unknown, "nobody explains {start} to {end}");
        gaps.push((start, end, cause));
    }
    Ok(gaps)
}
