//! A disk that hangs costs nothing, one that is full or cannot sync costs what it must, and the ledger says so.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::footage::{Footage, ffmpeg, judge};
use tests::wait::wait_for;
use tests::world::camera::Cameras;
use tests::world::disk::{Disk, DiskFault};
use tests::world::{World, now};
use wire::coverage::{GapCause, Stretch};
use wire::{CameraId, UnixMs};

/// Enough that ten seconds do not fit into the sockets' buffers, if nobody read them.
const CAMERAS: &[&str] = &[
    "--cameras",
    "2",
    "--size",
    "640x360",
    "--bitrate",
    "8000",
    "--gop",
    "15",
];
const HANG_S: i64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_for_ten_seconds_costs_no_picture() {
    let mut world = World::start("disk-hangs").await.unwrap();
    let result = hangs(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_a_gap_with_its_cause_and_not_the_end() {
    let mut world = World::start("disk-full").await.unwrap();
    let result = fails(&mut world, DiskFault::Full).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_synced_is_never_footage() {
    let mut world = World::start("disk-sync").await.unwrap();
    let result = fails(&mut world, DiskFault::SyncError).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

struct Recorded {
    disk: Disk,
    sims: Cameras,
    ids: [CameraId; 2],
    from: UnixMs,
}

/// Two cameras on the disk, recorded for some seconds.
async fn record(world: &mut World) -> Result<Recorded> {
    let disk = world.put_node_on_disk()?;
    let sims = world.simulate("cameras", CAMERAS).await?;
    let from = now();
    let mut ids = [CameraId::generate(); 2];
    for (id, url) in ids.iter_mut().zip(&sims.urls) {
        *id = world.api.add("camera", url, &json!({})).await?;
    }
    for id in ids {
        world.wait_recording(id).await?;
    }
    sims.sends_for(0, 8).await?;
    Ok(Recorded {
        disk,
        sims,
        ids,
        from,
    })
}

async fn footage(world: &World, id: CameraId, from: UnixMs) -> Result<Footage> {
    Footage::fetch(&world.api, id, from, now(), &world.folder().join(id.to_string())).await
}

async fn hangs(world: &mut World) -> Result<()> {
    let it = record(world).await?;
    let hung = now();
    it.disk.set(DiskFault::Hang)?;
    // The cameras are read on: what they see now can be shown, from memory.
    wait_for(
        "pictures of the end of the hang",
        Duration::from_secs(30),
        async || {
            let (status, captured, _) = world.api.snapshot(it.ids[0], 320).await?;
            let captured = captured.with_context(|| format!("no picture: {status}"))?;
            Ok((captured.since(hung) > HANG_S * 1000).then_some(()))
        },
    )
    .await?;
    let took_s = now().since(hung) / 1000;
    ensure!(
        took_s < HANG_S + 8,
        "while the disk hangs, pictures are {} s late",
        took_s - HANG_S
    );
    it.disk.set(DiskFault::None)?;
    it.sims.sends_for(0, 8).await?;
    let stopped = now();
    for id in it.ids {
        world.api.set_recording(id, false).await?;
    }
    world.wait_settled(Duration::from_secs(90)).await?;
    for (index, id) in it.ids.into_iter().enumerate() {
        let footage = footage(world, id, it.from).await?;
        let sent = it.sims.sent(index).await?;
        judge::complete(&footage, &sent, stopped.0 as u64 * 1000 - 500_000)?;
        ffmpeg::play(&footage.url)?;
    }
    Ok(())
}

async fn fails(world: &mut World, fault: DiskFault) -> Result<()> {
    let it = record(world).await?;
    let failed = now();
    it.disk.set(fault)?;
    it.sims.sends_for(0, 8).await?;
    let mended = now();
    it.disk.set(DiskFault::None)?;
    it.sims.sends_for(0, 15).await?;
    let stopped = now();
    for id in it.ids {
        world.api.set_recording(id, false).await?;
    }
    world.wait_settled(Duration::from_secs(90)).await?;
    for id in it.ids {
        let footage = footage(world, id, it.from).await?;
        footage.runs()?;
        for object in &footage.objects {
            ffmpeg::play(&object.file.to_string_lossy())?;
        }
        let last_us = footage.frames().last().context("footage")?.capture_us as i64;
        ensure!(last_us / 1000 > stopped.0 - 1_000, "it is not recorded any more");
        let stretches = world.api.coverage(id, it.from, stopped).await?;
        accounted(&stretches, fault, failed, mended)
            .with_context(|| format!("{fault:?} from {failed:?} to {mended:?}: {stretches:?}"))?;
    }
    Ok(())
}

/// The time of the fault is a gap of the disk; other gaps are those of the start.
fn accounted(stretches: &[Stretch], fault: DiskFault, failed: UnixMs, mended: UnixMs) -> Result<()> {
    let mut lost_ms = 0;
    for stretch in stretches {
        let Stretch::Gap {
            start, end, cause, ..
        } = stretch
        else {
            continue;
        };
        ensure!(*cause != GapCause::Unknown, "a gap that nobody explains");
        if *end < failed {
            continue;
        }
        ensure!(*cause == GapCause::Disk, "a gap of cause {cause:?}");
        // An object that cannot be synced is lost from its first second on.
        let earliest = if fault == DiskFault::Full {
            failed.0 - 2_000
        } else {
            0
        };
        ensure!(start.0 >= earliest, "what was written before is lost");
        ensure!(end.0 < mended.0 + 8_000, "the gap outlasts the fault");
        lost_ms += end.0.min(mended.0) - start.0.max(failed.0);
    }
    let all_ms = mended.since(failed);
    ensure!(
        lost_ms > all_ms - 3_000,
        "the gaps are {lost_ms} ms of {all_ms} ms"
    );
    Ok(())
}
