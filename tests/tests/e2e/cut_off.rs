//! A node whose packets to the bus are dropped records by its plan, and everything is indexed when it returns.
//!
//! `CLOUDCAM_E2E_CUT_OFF` is the least length of the outage in seconds, 240 unless set; it is longer when the plan's
//! two windows and the pauses around them need more.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::footage::{Footage, ffmpeg};
use tests::world::{World, now};
use wire::UnixMs;
use wire::coverage::Stretch;
use wire::status::StreamState;

use crate::windows::{MINUTE_MS, clock_says, filled, minute_ahead, node_says, weekly};

const GOP_MS: i64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_bus_records_by_plan_and_catches_up() {
    let mut world = World::start("cut-off").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

fn outage() -> Duration {
    let given = std::env::var("CLOUDCAM_E2E_CUT_OFF").ok();
    let seconds = given.and_then(|text| text.parse().ok()).unwrap_or(240);
    Duration::from_secs(seconds)
}

async fn run(world: &mut World) -> Result<()> {
    let relay = world.route_node()?;
    let sims = world
        .simulate("camera", &["--size", "320x192", "--gop", "15"])
        .await?;
    let camera = world
        .api
        .add("camera", &sims.urls[0], &json!({ "recording": false }))
        .await?;
    // Two windows that open and close while nothing gets through.
    let minutes = i64::try_from(outage().as_secs() / 240).unwrap_or(1).max(1);
    let first = minute_ahead(30_000);
    let at = |n: i64| first.plus(n * minutes * MINUTE_MS);
    let windows = [(at(0), at(1)), (at(2), at(3))];
    world.api.add_job(camera, &weekly(&windows), &json!({})).await?;
    node_says(world, camera, "the node knows the camera", |state| {
        matches!(
            state,
            StreamState::Idle | StreamState::Connecting | StreamState::Armed
        )
    })
    .await?;

    let cut = now();
    ensure!(cut < first, "the outage begins too late");
    relay.drop_packets(true);
    let outage_ms = i64::try_from(outage().as_millis()).unwrap_or(i64::MAX);
    clock_says(at(3).plus(10_000).max(cut.plus(outage_ms))).await?;
    // A lost node has no status, or an old one.
    let nodes = world.api.nodes().await?;
    let heard = nodes
        .into_iter()
        .filter_map(|node| node.status)
        .map(|status| status.at);
    ensure!(
        heard.max().is_none_or(|at| at < cut.plus(2_000)),
        "the node was heard after the cut"
    );
    relay.drop_packets(false);
    let back = now();
    println!("cut off for {} s", back.since(cut) / 1000);
    world.wait_settled(Duration::from_secs(120)).await?;
    println!("everything delivered {} ms after the return", now().since(back));

    let (from, to) = (first.plus(-MINUTE_MS), at(3).plus(9_000));
    let footage = Footage::fetch(&world.api, camera, from, to, &world.folder().join("footage")).await?;
    filled(&footage, &windows, 0, GOP_MS)?;
    ffmpeg::play(&footage.url)?;
    let stretches = world.api.coverage(camera, from, to).await?;
    complete(&stretches, &windows).context("the ledger")
}

/// Footage in the windows, nothing elsewhere, and no gap.
fn complete(stretches: &[Stretch], windows: &[(UnixMs, UnixMs)]) -> Result<()> {
    ensure!(stretches.len() == windows.len(), "{stretches:?}");
    for (stretch, (opens, closes)) in stretches.iter().zip(windows) {
        let Stretch::Footage { start, end } = stretch else {
            anyhow::bail!("not footage: {stretch:?}");
        };
        ensure!(
            start <= opens && end.since(*closes).abs() < 300,
            "{start} to {end} for {opens} to {closes}"
        );
    }
    Ok(())
}
