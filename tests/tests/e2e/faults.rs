//! Each fault of a camera: the status says what is wrong, the neighbours and the memory stay as they are.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::footage::{Footage, ffmpeg, judge};
use tests::sim::Fault;
use tests::wait::wait_for;
use tests::world::{World, now};
use wire::CameraId;
use wire::coverage::GapCause;
use wire::status::StreamState;

/// What the status must come to.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// Footage goes on, maybe with a remark.
    Records,
    /// The remark contains this word.
    Degraded(&'static str),
    /// One of these causes, and a sentence that contains one of these words.
    Failed(&'static [GapCause], &'static [&'static str]),
}

struct Case {
    fault: Fault,
    /// In force before the camera is first read: it only shows when a connection is made.
    from_start: bool,
    expected: Expected,
    /// Seconds in which the status must say so.
    within_s: i64,
}

const fn at_start(fault: Fault, words: &'static [&'static str]) -> Case {
    let expected = Expected::Failed(&[GapCause::Camera, GapCause::Network], words);
    Case {
        fault,
        from_start: true,
        expected,
        within_s: 10,
    }
}

const fn running(fault: Fault, expected: Expected, within_s: i64) -> Case {
    Case {
        fault,
        from_start: false,
        expected,
        within_s,
    }
}

const CAMERA: &[GapCause] = &[GapCause::Camera];
const EITHER: &[GapCause] = &[GapCause::Camera, GapCause::Network];

fn cases() -> Vec<Case> {
    vec![
        at_start(Fault::Refuse, &["503", "Service Unavailable", "refuse"]),
        at_start(Fault::Unauthorized, &["credential", "password"]),
        at_start(Fault::NotFound, &["no such stream", "404"]),
        at_start(Fault::Mute, &["answer", "nothing", "timed out", "silent"]),
        running(Fault::Stall, Expected::Failed(CAMERA, &["nothing", "silent"]), 10),
        running(
            Fault::Drop,
            Expected::Failed(EITHER, &["connect", "lost", "closed"]),
            10,
        ),
        running(
            Fault::Garbage,
            Expected::Failed(CAMERA, &["invalid", "understood"]),
            10,
        ),
        running(
            Fault::Trickle,
            Expected::Failed(CAMERA, &["nothing", "silent"]),
            10,
        ),
        // A keyframe may take half a minute before its absence is worth a word.
        running(Fault::NoKeyframe, Expected::Degraded("keyframe"), 40),
        running(Fault::TimeJump(5_000), Expected::Records, 30),
        running(Fault::TimeJump(-5_000), Expected::Records, 30),
        running(Fault::WrongFps, Expected::Records, 10),
        running(Fault::FastClock, Expected::Records, 10),
        running(Fault::CodecChange, Expected::Records, 30),
        running(Fault::NoSenderReports, Expected::Records, 10),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_s_fault_is_named_and_stays_its_own() {
    let world = World::start("faults").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

fn meets(state: &StreamState, expected: Expected) -> bool {
    match (state, expected) {
        (StreamState::Recording | StreamState::Degraded { .. }, Expected::Records) => true,
        (StreamState::Degraded { detail }, Expected::Degraded(word)) => detail.contains(word),
        (StreamState::Failed { cause, detail, .. }, Expected::Failed(causes, words)) => {
            let detail = detail.to_lowercase();
            causes.contains(cause) && words.iter().any(|word| detail.contains(&word.to_lowercase()))
        }
        _ => false,
    }
}

/// Waits for the expected status; how many milliseconds after `since` it was there.
async fn status(world: &World, id: CameraId, case: &Case) -> Result<()> {
    let since = now();
    let mut last = None;
    let deadline = Duration::from_secs(case.within_s as u64 + 30);
    let met = wait_for("the status that the fault calls for", deadline, async || {
        let state = world.api.camera(id).await?.state;
        let met = state.as_ref().is_some_and(|state| meets(state, case.expected));
        last = state;
        Ok(met.then(now))
    })
    .await
    .with_context(|| format!("{:?}: the last status is {last:?}", case.fault))?;
    let took_ms = met.since(since);
    ensure!(
        took_ms <= case.within_s * 1000,
        "{:?}: the status took {took_ms} ms",
        case.fault
    );
    Ok(())
}

async fn run(world: &World) -> Result<()> {
    let cases = cases();
    let count = (cases.len() + 2).to_string();
    let args = [
        "--cameras",
        &count,
        "--size",
        "320x192",
        "--bitrate",
        "200",
        "--gop",
        "15",
    ];
    let sims = world.simulate("cameras", &args).await?;
    let from = now();
    let mut ids = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        if !case.from_start {
            ids.push((
                index,
                world
                    .api
                    .add(&format!("{:?}", case.fault), &sims.urls[index], &json!({}))
                    .await?,
            ));
        }
    }
    let mut healthy = Vec::new();
    for index in cases.len()..cases.len() + 2 {
        healthy.push((
            index,
            world.api.add("healthy", &sims.urls[index], &json!({})).await?,
        ));
    }
    for (_, id) in ids.iter().chain(&healthy) {
        world.wait_recording(*id).await?;
    }
    let memory_before = world.node.memory_bytes()?;
    for (index, case) in cases.iter().enumerate() {
        sims.fault(index, case.fault).await?;
        if case.from_start {
            ids.push((
                index,
                world
                    .api
                    .add(&format!("{:?}", case.fault), &sims.urls[index], &json!({}))
                    .await?,
            ));
        }
    }
    let checks = ids.iter().map(|(index, id)| status(world, *id, &cases[*index]));
    let mut failures: Vec<String> = futures::future::join_all(checks)
        .await
        .into_iter()
        .filter_map(|check| check.err().map(|error| format!("{error:#}")))
        .collect();
    // Four more connects for each broken camera, or a minute.
    sims.sends_for(cases.len(), 30).await?;
    let memory = world.node.memory_bytes()?;
    if memory > memory_before + 48 * 1024 * 1024 {
        failures.push(format!("the node grew from {memory_before} to {memory} bytes"));
    }
    let stopped_us = now().0 as u64 * 1000;
    for (_, id) in ids.iter().chain(&healthy) {
        world.api.set_recording(*id, false).await?;
    }
    world.wait_settled(Duration::from_secs(120)).await?;
    for (index, id) in &healthy {
        let footage =
            Footage::fetch(&world.api, *id, from, now(), &world.folder().join(id.to_string())).await?;
        if let Err(error) = judge::complete(&footage, &sims.sent(*index).await?, stopped_us - 500_000) {
            failures.push(format!("a neighbour suffered: {error:#}"));
        }
    }
    for (index, id) in ids.iter().filter(|(index, _)| !cases[*index].from_start) {
        if let Err(error) = sound_footage(world, *id, from, cases[*index].fault).await {
            failures.push(format!("{:?}: {error:#}", cases[*index].fault));
        }
    }
    ensure!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Ok(())
}

/// Whatever a camera does: what was recorded of it plays, and its times only go forward.
async fn sound_footage(world: &World, id: CameraId, from: wire::UnixMs, fault: Fault) -> Result<()> {
    let folder = world.folder().join(id.to_string());
    let footage = Footage::fetch(&world.api, id, from, now().plus(10_000), &folder).await?;
    let mut end = None;
    for segment in &footage.segments {
        let start = segment.entry.start.context("a segment without a time")?;
        if let Some(end) = end {
            ensure!(
                start >= end - 1,
                "a segment starts {} ms before the end of the one before",
                end - start
            );
        }
        ensure!(segment.entry.duration_ms() > 0, "an empty segment");
        end = Some(start + segment.entry.duration_ms());
    }
    footage.runs()?;
    for object in &footage.objects {
        ffmpeg::play(&object.file.to_string_lossy())?;
    }
    // A picture after a missing keyframe cannot be decoded without a word; and FFmpeg 5.1 has one for each
    // list with a second initialization section.
    if !matches!(fault, Fault::NoKeyframe | Fault::CodecChange) {
        ffmpeg::play(&footage.url)?;
    }
    Ok(())
}
