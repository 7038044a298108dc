//! What forbids or pauses a recording stops it within two seconds: a pause, a licence that is suspended or taken
//! away, an organization that is suspended.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::world::camera::Cameras;
use tests::world::{World, now};
use wire::CameraId;

use crate::schedule::{assign, cycle, issue, organization};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_forbids_recording_stops_it_within_two_seconds() {
    let world = World::start("stops").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &World) -> Result<()> {
    let args = ["--size", "320x192", "--gop", "15", "--cameras", "4"];
    let sims = world.simulate("cameras", &args).await?;
    let home = organization(world).await?;
    let required = json!({ "licensing": "required" });
    world.api.patch(&home, &required).await?;
    let mut cameras = Vec::new();
    for (index, url) in sims.urls.iter().enumerate() {
        let id = world.api.add(&format!("camera {index}"), url, &json!({})).await?;
        let licence = issue(world, now().plus(DAY_MS)).await?;
        cameras.push((id, licence));
    }
    let post = async |path: String, body: Value| world.api.post(&path, &body).await.map(drop);
    let (paused, suspended, taken) = (&cameras[0], &cameras[1], &cameras[2]);
    tokio::try_join!(
        one(world, (&sims, 0), paused, "a pause", async || {
            let pause = json!({ "kind": "pause", "duration_s": 600 });
            post(format!("/api/v1/cameras/{}/overrides", paused.0), pause).await
        }),
        one(
            world,
            (&sims, 1),
            suspended,
            "a licence that is suspended",
            async || { post(format!("{}/suspend", suspended.1), Value::Null).await }
        ),
        one(
            world,
            (&sims, 2),
            taken,
            "a licence that is taken away",
            async || { world.api.remove(&format!("{}/camera", taken.1)).await }
        ),
    )?;
    let what = "an organization that is suspended";
    one(world, (&sims, 3), &cameras[3], what, async || {
        post(format!("{home}/suspend"), Value::Null).await
    })
    .await
}

/// Recording begins with the licence and ends with `stop`.
async fn one(
    world: &World,
    sim: (&Cameras, usize),
    (camera, licence): &(CameraId, String),
    what: &str,
    stop: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let start = async || assign(world, licence, *camera).await;
    cycle(world, sim, *camera, start, stop)
        .await
        .with_context(|| what.to_owned())
}
