//! kill -9 of the node at random moments: at most a second is lost each time, and the ledger knows it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng};
use serde_json::json;
use tests::footage::{Footage, ffmpeg};
use tests::wait::{recording_length, wait_for};
use tests::world::camera::Sent;
use tests::world::{World, now};
use wire::coverage::{GapCause, Stretch};
use wire::{CameraId, UnixMs};

const FPS: u64 = 25;
const CAMERAS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_of_the_node_lose_a_second_each() {
    let mut world = World::start("kills").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World) -> Result<()> {
    let seed = std::env::var("CLOUDCAM_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| now().0 as u64);
    println!("CLOUDCAM_SEED={seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let cameras = CAMERAS.to_string();
    let args = [
        "--cameras",
        &cameras,
        "--fps",
        "25",
        "--gop",
        "25",
        "--size",
        "320x192",
        "--bitrate",
        "400",
    ];
    let sims = world.simulate("cameras", &args).await?;
    let mut ids = Vec::new();
    for (index, url) in sims.urls.iter().enumerate() {
        ids.push(world.api.add(&format!("camera {index}"), url, &json!({})).await?);
    }
    let from = now();
    for id in &ids {
        world.wait_recording(*id).await?;
    }
    let kills = if recording_length() < Duration::from_secs(300) {
        6
    } else {
        20
    };
    let mut killed_us = Vec::new();
    for _ in 0..kills {
        // The moment is the point: anywhere in a chunk, a segment, the start or the repair.
        tokio::time::sleep(Duration::from_millis(random.random_range(300..7_000))).await;
        killed_us.push(now().0 as u64 * 1000);
        world.node.kill9()?;
        world.node.resume()?;
    }
    for (index, id) in ids.iter().enumerate() {
        wait_for(
            "the camera sends again after the last kill",
            Duration::from_secs(60),
            async || {
                let runs = sims.sent(index).await?.runs;
                let last = *killed_us.last().context("a kill")?;
                Ok(runs
                    .last()
                    .is_some_and(|run| run.last_us > last + 15_000_000)
                    .then_some(()))
            },
        )
        .await?;
        world.api.set_recording(*id, false).await?;
    }
    let until = now();
    world.wait_settled(Duration::from_secs(120)).await?;
    for (index, id) in ids.iter().enumerate() {
        let sent = sims.sent(index).await?;
        judge(world, *id, &sent, &killed_us, from, until)
            .await
            .with_context(|| format!("camera {index}"))?;
    }
    Ok(())
}

async fn judge(
    world: &World,
    id: CameraId,
    sent: &Sent,
    killed_us: &[u64],
    from: UnixMs,
    until: UnixMs,
) -> Result<()> {
    let folder = world.folder().join(id.to_string());
    let footage = Footage::fetch(&world.api, id, from, now(), &folder).await?;
    footage.runs()?;
    let recorded: std::collections::BTreeSet<u64> =
        footage.frames().iter().map(|stamp| stamp.frame).collect();
    for run in &sent.runs {
        // What the camera sent after the kill was never received.
        let kill = killed_us
            .iter()
            .find(|kill| **kill > sent.epoch_us + run.first * 1_000_000 / FPS);
        let received = kill.map_or(run.last, |kill| {
            let frame = (kill - sent.epoch_us) * FPS / 1_000_000;
            run.last.min(frame)
        });
        let lost: Vec<u64> = (run.first..=received)
            .filter(|frame| !recorded.contains(frame))
            .collect();
        ensure!(
            lost.len() as u64 <= FPS,
            "{} frames of {run:?} are lost, from {:?} to {:?}",
            lost.len(),
            lost.first(),
            lost.last()
        );
        let tail = (received + 1).saturating_sub(lost.len() as u64);
        ensure!(
            lost.iter().all(|frame| *frame >= tail),
            "frames are missing in mid-stream: {lost:?} of {run:?}"
        );
    }
    ffmpeg::play(&footage.url)?;
    covered(&world.api.coverage(id, from, until).await?)
}

/// Footage and gaps follow each other without a hole, and each gap has a cause.
fn covered(stretches: &[Stretch]) -> Result<()> {
    let bounds = |stretch: &Stretch| match stretch {
        Stretch::Footage { start, end } | Stretch::Gap { start, end, .. } => (*start, *end),
    };
    for pair in stretches.windows(2) {
        let (end, start) = (bounds(&pair[0]).1, bounds(&pair[1]).0);
        ensure!(
            end == start,
            "a hole of {} ms after {:?}",
            start.since(end),
            pair[0]
        );
    }
    for stretch in stretches {
        if let Stretch::Gap {
            cause, start, end, ..
        } = stretch
        {
            ensure!(
                *cause != GapCause::Unknown,
                "a gap of {} ms that nobody explains",
                end.since(*start)
            );
        }
    }
    Ok(())
}
