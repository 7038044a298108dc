//! Schedules and people's words to the second: what opens, what closes, and how fast.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::footage::{Footage, ffmpeg};
use tests::wait::wait_for;
use tests::world::camera::Cameras;
use tests::world::{World, now};
use wire::status::StreamState;
use wire::{CameraId, UnixMs};

use crate::windows::{CLOCK_MS, MINUTE_MS, clock_says, filled, minute_ahead, node_says, weekly};

const STOPS_MS: i64 = 2_000;
const STARTS_MS: i64 = 3_000;
/// After this, nothing more of a past range is waited for.
const SETTLES_MS: i64 = 20_500;
const GOP_MS: i64 = 1_000;
const SIM: [&str; 4] = ["--size", "320x192", "--gop", "15"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weekly_window_opens_and_closes_at_the_second() {
    let world = World::start("weekly").await.unwrap();
    let result = windows(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_start_and_stop_recording_within_seconds() {
    let world = World::start("overrides").await.unwrap();
    let result = words(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

/// Two cameras: one keeps footage from before its windows, the other does not.
async fn windows(world: &World) -> Result<()> {
    let sims = world
        .simulate("cameras", &[&SIM[..], &["--cameras", "2"]].concat())
        .await?;
    let first = minute_ahead(30_000);
    let windows = [
        (first, first.plus(MINUTE_MS)),
        (first.plus(2 * MINUTE_MS), first.plus(3 * MINUTE_MS)),
    ];
    let mut cameras = Vec::new();
    for (url, pre_roll_s) in sims.urls.iter().zip([0, 5]) {
        let off = json!({ "recording": false });
        let id = world
            .api
            .add(&format!("pre-roll {pre_roll_s}"), url, &off)
            .await?;
        let extra = json!({ "pre_roll_s": pre_roll_s });
        world.api.add_job(id, &weekly(&windows), &extra).await?;
        cameras.push((id, pre_roll_s * 1_000));
    }
    for (id, _) in &cameras {
        node_says(world, *id, "the camera is connected ahead", |state| {
            *state == StreamState::Armed
        })
        .await?;
    }
    ensure!(now() < first, "it was connected too late");
    clock_says(windows[1].1.plus(4_000)).await?;
    for (id, _) in &cameras {
        node_says(world, *id, "the camera is left alone", |state| {
            *state == StreamState::Idle
        })
        .await?;
    }
    world.wait_settled(Duration::from_secs(60)).await?;
    let (from, to) = (first.plus(-MINUTE_MS), now());
    for (id, pre_roll_ms) in cameras {
        let folder = world.folder().join(id.to_string());
        let footage = Footage::fetch(&world.api, id, from, to, &folder).await?;
        filled(&footage, &windows, pre_roll_ms, GOP_MS).with_context(|| format!("pre-roll {pre_roll_ms}"))?;
        ffmpeg::play(&footage.url)?;
    }
    Ok(())
}

/// Times of the first and last frame recorded between `from` and `to`.
async fn recorded(world: &World, camera: CameraId, from: UnixMs, to: UnixMs) -> Result<(i64, i64)> {
    world.wait_settled(Duration::from_secs(60)).await?;
    let folder = world.folder().join(format!("{camera}-{}", from.0));
    let fetch = async || Footage::fetch(&world.api, camera, from, to, &folder).await;
    let footage = match fetch().await {
        Ok(footage) => footage,
        // What is wished for and held back may go on at any time: its playlist ends a while later.
        Err(error) if error.to_string().contains("no end") => {
            clock_says(to.plus(SETTLES_MS)).await?;
            fetch().await?
        }
        Err(error) => return Err(error),
    };
    let frames = footage.frames();
    let times: Vec<i64> = frames
        .iter()
        .map(|stamp| (stamp.capture_us / 1000) as i64)
        .filter(|ms| *ms >= from.0)
        .collect();
    let (first, last) = (times.first(), times.last());
    Ok((*first.context("a frame")?, *last.context("a frame")?))
}

/// Recording of the simulator's camera with that index begins at once, and ends at once when `stop` was said.
pub(crate) async fn cycle(
    world: &World,
    (sims, index): (&Cameras, usize),
    camera: CameraId,
    start: impl AsyncFnOnce() -> Result<()>,
    stop: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let on = now();
    start().await?;
    wait_for(
        "it is recorded for a while",
        Duration::from_secs(30),
        async || {
            let runs = sims.sent(index).await?.runs;
            Ok(runs
                .last()
                .is_some_and(|run| run.last_us > (on.0 as u64 + 8_000) * 1_000)
                .then_some(()))
        },
    )
    .await?;
    let off = now();
    stop().await?;
    wait_for("five seconds pass", Duration::from_secs(20), async || {
        let sent_us = sims.sent(index).await?.runs.last().context("a run")?.last_us;
        let late = (sent_us / 1_000) as i64 - off.0;
        ensure!(late <= STOPS_MS, "still read {late} ms later");
        Ok((now().since(off) > 5_000).then_some(()))
    })
    .await?;
    let (first, last) = recorded(world, camera, on, off.plus(3_000)).await?;
    ensure!(first - on.0 <= STARTS_MS, "first frame after {} ms", first - on.0);
    ensure!(last - off.0 <= STOPS_MS, "last frame {} ms later", last - off.0);
    ensure!(off.0 - last <= 1_000, "it ended {} ms before", off.0 - last);
    println!(
        "started within {} ms, stopped within {} ms",
        first - on.0,
        last - off.0
    );
    Ok(())
}

async fn words(world: &World) -> Result<()> {
    let api = &world.api;
    let sims = world.simulate("camera", &SIM).await?;
    let off = json!({ "recording": false, "allow_duplicate": true });
    let id = api.add("camera", &sims.urls[0], &off).await?;
    let overrides = format!("/api/v1/cameras/{id}/overrides");
    let say = async |body: Value| api.post(&overrides, &body).await.map(drop);

    cycle(
        world,
        (&sims, 0),
        id,
        async || say(json!({ "kind": "record", "duration_s": 600 })).await,
        async || say(json!({ "kind": "stop" })).await,
    )
    .await
    .context("record now, stop now")?;

    let id = api.add("job", &sims.urls[0], &off).await?;
    let schedule = json!({ "kind": "continuous" });
    let job = std::cell::RefCell::new(String::new());
    cycle(
        world,
        (&sims, 0),
        id,
        async || {
            *job.borrow_mut() = api.add_job(id, &schedule, &json!({})).await?;
            Ok(())
        },
        async || {
            api.remove(&format!("/api/v1/recording-jobs/{}", job.borrow()))
                .await
        },
    )
    .await
    .context("a job")?;

    licensed(world, &sims).await.context("a licence")?;

    let id = api.add("removed", &sims.urls[0], &off).await?;
    cycle(
        world,
        (&sims, 0),
        id,
        async || api.set_recording(id, true).await.map(drop),
        async || api.delete(id).await,
    )
    .await
    .context("removed")
}

/// Recorded for as long as its licence lasts.
async fn licensed(world: &World, sims: &Cameras) -> Result<()> {
    let api = &world.api;
    let path = organization(world).await?;
    api.patch(&path, &json!({ "licensing": "required" })).await?;
    let id = api
        .add("licensed", &sims.urls[0], &json!({ "allow_duplicate": true }))
        .await?;
    let lapses = now().plus(25_000);
    let licence = issue(world, lapses).await?;
    assign(world, &licence, id).await?;
    let on = now();
    world.wait_recording(id).await?;
    clock_says(lapses.plus(4_000)).await?;
    // So that its playlist has an end; what was recorded stays.
    api.set_recording(id, false).await?;
    let (first, last) = recorded(world, id, on, now()).await?;
    ensure!(first - on.0 <= STARTS_MS, "first frame after {} ms", first - on.0);
    let before = lapses.0 - last;
    ensure!(
        (-CLOCK_MS..=200).contains(&before),
        "the last frame is {before} ms before the lapse"
    );
    api.patch(&path, &json!({ "licensing": "none" })).await.map(drop)
}

/// Path of the administrator's organization.
pub(crate) async fn organization(world: &World) -> Result<String> {
    let (_, me) = world.api.ask::<Value>(Method::GET, "/api/v1/me", None).await?;
    let id = me["organization"].as_str().context("an organization")?;
    Ok(format!("/api/v1/organizations/{id}"))
}

/// Path of a new licence that ends at `until`.
pub(crate) async fn issue(world: &World, until: UnixMs) -> Result<String> {
    let body = json!({
        "name": "Standard", "valid_from": now().0 - MINUTE_MS, "valid_to": until,
        "plan": {"features": ["recording"], "retention_days": 30, "max_width": 3840, "max_height": 2160,
            "max_bitrate_bps": 16_000_000},
    });
    let issued = world.api.post("/api/v1/licences", &body).await?;
    let id = issued["items"][0]["id"].as_str().context("a licence")?;
    Ok(format!("/api/v1/licences/{id}"))
}

/// Gives a licence to a camera.
pub(crate) async fn assign(world: &World, licence: &str, camera: CameraId) -> Result<()> {
    let (path, body) = (format!("{licence}/camera"), json!({ "camera": camera }));
    let (status, answer) = world.api.ask(Method::PUT, &path, Some(&body)).await?;
    ensure!(status.is_success(), "{status} {answer}");
    Ok(())
}
