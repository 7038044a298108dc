//! Probes and logins: what the camera sends, or what is wrong, within ten seconds.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::footage::{Footage, ffmpeg};
use tests::sim::Fault;
use tests::wait::wait_for;
use tests::world::{DEADLINE, World, now};
use wire::bus::ProbeReport;
use wire::{CameraId, Track};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_tell_what_a_camera_sends_or_what_is_wrong() {
    let world = World::start("probe").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

/// Status, answer and how many milliseconds it took.
async fn probe(world: &World, body: &Value) -> Result<(u16, Value, i64)> {
    let asked = now();
    let (status, answer) = world.api.ask(Method::POST, "/api/v1/probe", Some(body)).await?;
    Ok((status.as_u16(), answer, now().since(asked)))
}

async fn run(world: &World) -> Result<()> {
    wait_for("a node is online", DEADLINE, async || {
        world.status().await.map(Some)
    })
    .await?;
    let common = ["--size", "320x192", "--gop", "15", "--login", "user:pass:word @#"];
    for scheme in ["digest", "basic"] {
        let args: Vec<&str> = common
            .into_iter()
            .chain(["--scheme", scheme, "--audio", "aac"])
            .collect();
        let sims = world.simulate(scheme, &args).await?;
        let url = &sims.urls[0];
        let login = json!({ "url": url, "username": "user", "password": "pass:word @#" });
        let (status, answer, took_ms) = probe(world, &login).await?;
        ensure!(status == 200, "{scheme}: {status} {answer}");
        ensure!(took_ms < 10_000, "{scheme}: the probe took {took_ms} ms");
        report(&serde_json::from_value(answer)?)?;

        // A password inside the address, encoded as addresses demand.
        let inside = url.replace("rtsp://", "rtsp://user:pass%3Aword%20%40%23@");
        let id = world.api.add(scheme, &inside, &json!({})).await?;
        let shown = world.api.camera(id).await?.url;
        ensure!(&shown == url, "the address is shown as {shown}");
        world.wait_recording(id).await?;
        snapshots(world, id).await.context(scheme)?;
        // A fixed range: its playlist is complete soon after its end has passed.
        let (from, to) = (now().plus(-60_000), now().plus(5_000));
        wait_for("footage of a camera with a login", DEADLINE, async || {
            let folder = world.folder().join(format!("footage-{scheme}"));
            Footage::fetch(&world.api, id, from, to, &folder).await.map(Some)
        })
        .await?;

        let wrong = json!({ "url": url, "username": "user", "password": "wrong" });
        failed(world, &wrong, &["credential", "password"])
            .await
            .context(scheme)?;
        sims.fault(0, Fault::NotFound).await?;
        failed(world, &login, &["no such stream", "404"]).await?;
        sims.fault(0, Fault::Mute).await?;
        failed(world, &login, &["nothing", "answer"]).await?;
        world.api.delete(id).await?;
    }
    failed(
        world,
        &json!({ "url": "rtsp://127.0.0.1:1/cam" }),
        &["unreachable", "refused", "connect"],
    )
    .await
}

/// The camera's picture, as it is and smaller; none when it is not recorded.
async fn snapshots(world: &World, id: CameraId) -> Result<()> {
    for (asked, size) in [(1920, "320,192"), (160, "160,96")] {
        let before = now();
        let (captured, jpeg) = wait_for("a snapshot", DEADLINE, async || {
            let (status, captured, body) = world.api.snapshot(id, asked).await?;
            ensure!(status == 200, "{status} {}", String::from_utf8_lossy(&body));
            Ok(Some((captured.context("no capture time")?, body)))
        })
        .await?;
        ensure!(
            before.since(captured).abs() < 30_000,
            "captured at {captured}, asked at {before}"
        );
        let file = world.folder().join(format!("snapshot-{asked}.jpg"));
        std::fs::write(&file, &jpeg)?;
        let said = ffmpeg::picture(&file.to_string_lossy())?;
        ensure!(said == format!("mjpeg,{size}"), "{said}");
    }
    world.api.set_recording(id, false).await?;
    wait_for("the camera has no snapshot", DEADLINE, async || {
        let (status, _, body) = world.api.snapshot(id, 160).await?;
        ensure!(status == 404, "{status}");
        let problem: Value = serde_json::from_slice(&body)?;
        ensure!(problem["code"] == "snapshot_not_found", "{problem}");
        Ok(Some(()))
    })
    .await?;
    world.api.set_recording(id, true).await?;
    world.wait_recording(id).await
}

fn report(report: &ProbeReport) -> Result<()> {
    let video = report.tracks.iter().find_map(|track| match track {
        Track::Video {
            codec,
            width,
            height,
            fps,
        } => Some((codec.as_str(), *width, *height, *fps)),
        Track::Audio { .. } => None,
    });
    let (codec, width, height, fps) = video.context("no pictures in the report")?;
    ensure!(
        codec.starts_with("avc1.") && (width, height) == (320, 192),
        "{report:?}"
    );
    ensure!((fps - 15.0).abs() < 1.0, "{report:?}");
    let sound = report
        .tracks
        .iter()
        .any(|track| matches!(track, Track::Audio { .. }));
    ensure!(sound, "no sound in the report");
    let offset_ms = report.clock_offset_ms.context("no clock offset in the report")?;
    ensure!(offset_ms.abs() <= 100, "{report:?}");
    Ok(())
}

async fn failed(world: &World, body: &Value, words: &[&str]) -> Result<()> {
    let (status, answer, took_ms) = probe(world, body).await?;
    let title = answer["title"].as_str().unwrap_or_default().to_lowercase();
    ensure!((400..600).contains(&status) && status != 500, "{status} {answer}");
    ensure!(
        words.iter().any(|word| title.contains(word)),
        "it says {title:?}, expected one of {words:?}"
    );
    ensure!(
        !answer.to_string().contains("wrong\""),
        "the answer shows the password"
    );
    ensure!(took_ms <= 10_000, "the answer took {took_ms} ms");
    Ok(())
}
