//! Minutes of each kind of camera, side by side: every frame once, in order, on time.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::footage::{Footage, judge};
use tests::sim::h26x::Codec;
use tests::sim::loops::{self, LoopSpec};
use tests::wait::{recording_length, wait_for};
use tests::world::camera::Cameras;
use tests::world::{World, now};
use wire::CameraId;
use wire::coverage::Stretch;

/// A kind of camera.
struct Kind {
    name: &'static str,
    gst: bool,
    codec: Codec,
    b_frames: u32,
    audio: &'static str,
    extra: Value,
}

const WIDTH: usize = 320;
const HEIGHT: usize = 192;
const FPS: u32 = 15;
const GOP: u32 = 30;
const KBPS: u32 = 300;

impl Kind {
    fn loop_length(&self) -> u32 {
        loops::length(&LoopSpec {
            codec: self.codec,
            width: WIDTH,
            height: HEIGHT,
            fps: FPS,
            gop: GOP,
            bitrate_kbps: KBPS,
            b_frames: self.b_frames,
        })
    }

    async fn start(&self, world: &World) -> Result<Cameras> {
        let codec = if self.codec == Codec::H264 { "h264" } else { "h265" };
        let (size, fps, gop, kbps) = (
            format!("{WIDTH}x{HEIGHT}"),
            FPS.to_string(),
            GOP.to_string(),
            KBPS.to_string(),
        );
        let mut args = vec!["--codec", codec, "--size", &size, "--fps", &fps, "--gop", &gop];
        args.extend(["--bitrate", &kbps, "--audio", self.audio]);
        let b_frames = self.b_frames.to_string();
        if self.gst {
            return world.gst_camera(self.name, &args).await;
        }
        args.extend(["--b-frames", &b_frames, "--packet-writes"]);
        world.simulate(self.name, &args).await
    }
}

fn kinds() -> Vec<Kind> {
    let kind = |name, codec, b_frames, audio, extra| Kind {
        name,
        gst: false,
        codec,
        b_frames,
        audio,
        extra,
    };
    let mut all = vec![
        kind("h264", Codec::H264, 0, "none", json!({})),
        kind("h264-udp", Codec::H264, 0, "none", json!({ "transport": "udp" })),
        kind(
            "h264-rtspsrc",
            Codec::H264,
            0,
            "none",
            json!({ "reader": "rtspsrc" }),
        ),
        kind("h264-b-aac", Codec::H264, 2, "aac", json!({})),
        kind("h264-pcma", Codec::H264, 0, "pcma", json!({})),
        kind("h265", Codec::H265, 0, "none", json!({})),
        kind("h265-pcmu", Codec::H265, 0, "pcmu", json!({})),
    ];
    all.push(Kind {
        gst: true,
        ..kind("gst-h264-aac", Codec::H264, 0, "aac", json!({}))
    });
    all.push(Kind {
        gst: true,
        ..kind("gst-h265", Codec::H265, 0, "none", json!({}))
    });
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minutes_of_every_kind_of_camera_are_whole() {
    let world = World::start("long").await.unwrap();
    let mut running = Vec::new();
    let only = std::env::var("CLOUDCAM_E2E_KIND").ok();
    for kind in kinds()
        .into_iter()
        .filter(|kind| only.as_deref().is_none_or(|only| kind.name == only))
    {
        let cameras = kind.start(&world).await.unwrap();
        let id = world
            .api
            .add(kind.name, &cameras.urls[0], &kind.extra)
            .await
            .unwrap();
        running.push((kind, cameras, id));
    }
    let result = record(&world, &running).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn record(world: &World, running: &[(Kind, Cameras, CameraId)]) -> Result<()> {
    let from = now().plus(-60_000);
    for (_, _, id) in running {
        world.wait_recording(*id).await?;
    }
    let length = recording_length();
    let begun = now();
    for (kind, _, id) in running {
        let what = format!("{} has footage of the whole time", kind.name);
        wait_for(&what, length + Duration::from_secs(60), async || {
            let stretches = world.api.coverage(*id, begun, now()).await?;
            let footage = |stretch: &Stretch| match stretch {
                Stretch::Footage { start, end } => end.since(*start),
                Stretch::Gap { .. } => 0,
            };
            let ms: i64 = stretches.iter().map(footage).sum();
            Ok((ms >= length.as_millis() as i64).then_some(()))
        })
        .await?;
    }
    let stopped_us = now().0 as u64 * 1000;
    for (_, _, id) in running {
        world.api.set_recording(*id, false).await?;
    }
    world.wait_settled(Duration::from_secs(90)).await?;
    let mut failures = Vec::new();
    for (kind, cameras, id) in running {
        let folder = world.folder().join("footage").join(kind.name);
        let footage = Footage::fetch(&world.api, *id, from, now(), &folder)
            .await
            .context(kind.name);
        let verdict = match footage {
            Ok(footage) => judge(kind, cameras, &footage, stopped_us)
                .await
                .context(kind.name),
            Err(error) => Err(error),
        };
        match verdict {
            Ok(()) => println!("{}: whole", kind.name),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    anyhow::ensure!(
        failures.is_empty(),
        "{} kinds failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Ok(())
}

async fn judge(kind: &Kind, cameras: &Cameras, footage: &Footage, stopped_us: u64) -> Result<()> {
    if kind.gst {
        let runs = footage.runs()?;
        anyhow::ensure!(runs.len() == 1, "frames are missing: {runs:?}");
    } else {
        // What was captured half a second before the stop had been received by then.
        judge::complete(footage, &cameras.sent(0).await?, stopped_us - 500_000)?;
    }
    judge::evenly_cut(footage, i64::from(GOP * 1000 / FPS))?;
    judge::playable(footage, WIDTH, kind.loop_length())?;
    let lateness = judge::on_time(footage)?;
    if kind.audio != "none" {
        judge::in_sync(footage, lateness)?;
    }
    Ok(())
}
