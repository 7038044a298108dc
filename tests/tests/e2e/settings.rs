//! A camera's settings show in its footage: length of segments, sound or none.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::footage::{Footage, ffmpeg};
use tests::wait::wait_for;
use tests::world::{World, now};
use wire::CameraId;

const GOP_MS: i64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_and_sound_are_as_the_camera_is_set() {
    let world = World::start("settings").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &World) -> Result<()> {
    let args = [
        "--cameras",
        "2",
        "--size",
        "320x192",
        "--gop",
        "15",
        "--audio",
        "aac",
    ];
    let sims = world.simulate("cameras", &args).await?;
    let from = now();
    let quick = json!({ "segment_s": 2, "object_s": 10, "audio": false });
    let mut cameras: Vec<CameraId> = Vec::new();
    for (url, extra) in sims.urls.iter().zip([quick, json!({})]) {
        let name = format!("camera {}", cameras.len());
        cameras.push(world.api.add(&name, url, &extra).await?);
    }
    for (index, camera) in cameras.iter().enumerate() {
        world.wait_recording(*camera).await?;
        let until_us = (from.0 as u64 + 26_000) * 1_000;
        wait_for(
            "it is recorded for a while",
            Duration::from_secs(60),
            async || {
                let runs = sims.sent(index).await?.runs;
                Ok(runs
                    .last()
                    .is_some_and(|run| run.last_us > until_us)
                    .then_some(()))
            },
        )
        .await?;
    }
    for camera in &cameras {
        world.api.set_recording(*camera, false).await?;
    }
    world.wait_settled(Duration::from_secs(90)).await?;
    let sound = [(2_000, false), (6_000, true)];
    for (camera, (segment_ms, audible)) in cameras.into_iter().zip(sound) {
        let folder = world.folder().join(camera.to_string());
        let footage = Footage::fetch(&world.api, camera, from, now(), &folder).await?;
        cut(&footage, segment_ms).with_context(|| format!("segments of {segment_ms} ms"))?;
        for object in &footage.objects {
            let codec = ffmpeg::property(&object.file, "a", "codec_name")?;
            ensure!(codec == if audible { "aac" } else { "" }, "sound: {codec:?}");
        }
        ffmpeg::play(&footage.url)?;
    }
    Ok(())
}

/// All segments but those that end an object are as long as asked for, to a GOP.
fn cut(footage: &Footage, segment_ms: i64) -> Result<()> {
    let pairs = footage.segments.windows(2);
    let whole = pairs.filter(|pair| pair[0].entry.uri == pair[1].entry.uri);
    let lengths: Vec<i64> = whole.map(|pair| pair[0].entry.duration_ms()).collect();
    ensure!(!lengths.is_empty(), "no segment is whole");
    for ms in &lengths {
        ensure!(
            (segment_ms - 100..=segment_ms + GOP_MS).contains(ms),
            "one lasts {ms} ms of {lengths:?}"
        );
    }
    Ok(())
}
