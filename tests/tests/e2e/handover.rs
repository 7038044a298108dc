//! Cameras go from one node to another without losing or doubling a frame: while the first one is cut off from the
//! bus and records on, and when it is drained.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::footage::{Footage, ffmpeg};
use tests::sim::h26x::stamps;
use tests::wait::wait_for;
use tests::world::camera::Cameras;
use tests::world::process::Process;
use tests::world::{DEADLINE, World, now};
use wire::{CameraId, UnixMs};

use crate::failover::{SEGMENT_MS, all_recorded, explained, goes_on, recorded_by, settled, statuses};

const SIM: [&str; 6] = ["--size", "320x192", "--gop", "15", "--cameras", "2"];
/// As the world names its first node.
const FIRST: &str = "test node";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_nodes_record_during_a_partition_plays_once() {
    let mut world = World::start("partition").await.unwrap();
    let result = partition(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_node_hands_over_without_losing_a_frame() {
    let world = World::start("drain").await.unwrap();
    let result = drain(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

/// Two nodes with a camera each.
async fn site(world: &World) -> Result<(Process, Cameras, Vec<CameraId>)> {
    let second = world.add_node("second")?;
    wait_for("both nodes are there", DEADLINE, async || {
        Ok((statuses(world).await?.len() == 2).then_some(()))
    })
    .await?;
    let sims = world.simulate("cameras", &SIM).await?;
    let mut cameras = Vec::new();
    for (index, url) in sims.urls.iter().enumerate() {
        cameras.push(world.api.add(&format!("camera {index}"), url, &json!({})).await?);
    }
    all_recorded(world, &cameras, 1, now()).await?;
    Ok((second, sims, cameras))
}

async fn partition(world: &mut World) -> Result<()> {
    let relay = world.route_node()?;
    let (_second, sims, cameras) = site(world).await?;
    let from = now();
    goes_on(&sims, cameras.len(), 8_000).await?;
    let own = recorded_by(world, FIRST).await?;
    ensure!(!own.is_empty(), "the node that is cut off has no camera");
    relay.drop_packets(true);
    let cut = now();
    // Only the second node is heard.
    all_recorded(world, &cameras, 1, cut.plus(5_000)).await?;
    let moved = now();
    goes_on(&sims, cameras.len(), 10_000).await?;
    // So that it is given no camera back: what is moved to it later is another matter.
    let first = node(world, FIRST).await?;
    world.api.patch(&first, &json!({ "state": "cordoned" })).await?;
    let healed = now();
    relay.drop_packets(false);
    settled(world).await?;
    wait_for("the first node lets go of what was moved", DEADLINE, async || {
        let kept = recorded_by(world, FIRST).await?;
        Ok(kept.iter().all(|camera| !own.contains(camera)).then_some(()))
    })
    .await?;
    let until = ended(world, &sims, &cameras).await?;
    for camera in own {
        let nodes = recorders(world, camera, moved, healed).await?;
        ensure!(nodes == 2, "{nodes} nodes recorded while the first was cut off");
    }
    for camera in cameras {
        seamless(world, camera, from, until)
            .await
            .with_context(|| camera.to_string())?;
    }
    Ok(())
}

async fn drain(world: &World) -> Result<()> {
    let (_second, sims, cameras) = site(world).await?;
    let from = now();
    goes_on(&sims, cameras.len(), 8_000).await?;
    let own = recorded_by(world, "second").await?;
    ensure!(!own.is_empty(), "the node that is drained has no camera");
    let path = node(world, "second").await?;
    world.api.patch(&path, &json!({ "state": "draining" })).await?;
    wait_for("the node is drained", DEADLINE, async || {
        let (_, node) = world.api.ask::<Value>(Method::GET, &path, None).await?;
        ensure!(node["drained"] == json!(true), "{}", node["cameras"]);
        Ok(Some(()))
    })
    .await?;
    ensure!(recorded_by(world, FIRST).await?.len() == cameras.len());
    goes_on(&sims, cameras.len(), 8_000).await?;
    let until = ended(world, &sims, &cameras).await?;
    for camera in cameras {
        seamless(world, camera, from, until)
            .await
            .with_context(|| camera.to_string())?;
    }
    Ok(())
}

/// Path of the node of this name.
async fn node(world: &World, name: &str) -> Result<String> {
    let nodes = world.api.nodes().await?;
    let node = nodes.iter().find(|node| node.name == name);
    Ok(format!("/api/v1/nodes/{}", node.context("no such node")?.id))
}

/// Ends the recording; up to when everything must be there.
async fn ended(world: &World, sims: &Cameras, cameras: &[CameraId]) -> Result<UnixMs> {
    let until = now();
    goes_on(sims, cameras.len(), 2_000).await?;
    for camera in cameras {
        world.api.set_recording(*camera, false).await?;
    }
    settled(world).await?;
    Ok(until)
}

/// How many nodes have recorded a camera in the whole of a time.
async fn recorders(world: &World, camera: CameraId, from: UnixMs, to: UnixMs) -> Result<usize> {
    let path = format!("/api/v1/cameras/{camera}/recordings");
    let (_, page) = world.api.ask::<Value>(Method::GET, &path, None).await?;
    let sessions = page["items"].as_array().context("recordings")?;
    let mut nodes: Vec<&str> = Vec::new();
    for session in sessions {
        let time = |name: &str| session[name].as_i64();
        let covers =
            time("started").is_some_and(|at| at <= from.0) && time("ended").is_none_or(|at| at >= to.0);
        nodes.extend(session["node"].as_str().filter(|_| covers));
    }
    nodes.sort_unstable();
    nodes.dedup();
    Ok(nodes.len())
}

/// What is stored has every frame, the playlist has each once, and the ledger knows of nothing but footage. Where one
/// node takes over, the playlist leaves out the other's segment that reaches into the new footage.
async fn seamless(world: &World, camera: CameraId, from: UnixMs, until: UnixMs) -> Result<()> {
    let stored = stored(&world.folder().join("control/objects"), camera)?;
    let within = |us: u64| (from.0..=until.0).contains(&((us / 1_000) as i64));
    let numbers: Vec<u64> = stored
        .iter()
        .filter(|(_, capture_us)| within(**capture_us))
        .map(|(frame, _)| *frame)
        .collect();
    let (first, last) = (numbers.first(), numbers.last());
    let whole = last.context("a frame")? - first.context("a frame")? + 1;
    let seconds = until.since(from) / 1_000;
    ensure!(
        numbers.len() as u64 == whole && whole as i64 >= (seconds - 1) * 15,
        "{} frames of {whole} are stored, from {first:?} to {last:?}, in {seconds} s",
        numbers.len()
    );
    let folder = world.folder().join(camera.to_string());
    let footage = Footage::fetch(&world.api, camera, from, until, &folder).await?;
    let runs = footage.runs()?;
    let frames = footage.frames();
    let times: Vec<i64> = frames
        .iter()
        .map(|stamp| (stamp.capture_us / 1_000) as i64)
        .collect();
    let pause = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    println!("{camera}: {runs:?}, longest pause {pause} ms");
    ensure!(
        runs.len() <= 2 && pause <= SEGMENT_MS,
        "a pause of {pause} ms: {runs:?}"
    );
    ffmpeg::play(&footage.url)?;
    let gaps = explained(world, camera, from, until).await?;
    ensure!(gaps.is_empty(), "{gaps:?}");
    Ok(())
}

/// Number and capture time of every frame of a camera in the object store.
fn stored(folder: &Path, camera: CameraId) -> Result<BTreeMap<u64, u64>> {
    let mut frames = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            frames.extend(stored(&path, camera)?);
        } else if path.to_string_lossy().contains(&camera.to_string()) {
            let found = stamps(&std::fs::read(&path)?);
            frames.extend(found.into_iter().map(|stamp| (stamp.frame, stamp.capture_us)));
        }
    }
    Ok(frames)
}
