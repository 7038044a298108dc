//! Tokens that live for seconds: a node renews them without a break in its footage, and gets in again after it
//! was off for longer than one lives. A node that is removed stops recording.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::wait::wait_for;
use tests::world::{DEADLINE, World, now};
use wire::coverage::Stretch;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_renewed_in_time_and_after_their_time() {
    let mut world = World::start_with("token", "node_token_s = 6\n").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World) -> Result<()> {
    let sims = world.simulate("camera", &["--gop", "15"]).await?;
    let id = world.api.add("Yard", &sims.urls[0], &json!({})).await?;
    world.wait_recording(id).await?;
    // Five lives of a token, without a break.
    let (since, until) = (now().plus(5_000), now().plus(35_000));
    wait_for("five lives of a token pass", DEADLINE, async || {
        let status = world.status().await?;
        Ok((status.at > until).then_some(()))
    })
    .await?;
    world.wait_settled(DEADLINE).await?;
    let stretches = world.api.coverage(id, since, until).await?;
    let gap = stretches.iter().find(|one| matches!(one, Stretch::Gap { .. }));
    ensure!(gap.is_none(), "{gap:?}");
    // Off for longer than a token lives: the bus lets nobody in with it, the control plane gives another.
    world.node.stop()?;
    let off = now().plus(8_000);
    wait_for("the token ends", DEADLINE, async || {
        Ok((now() > off).then_some(()))
    })
    .await?;
    world.node.resume()?;
    let again = now();
    wait_for("the node is back", DEADLINE, async || {
        let status = world.status().await?;
        Ok((status.at > again).then_some(()))
    })
    .await?;
    world.wait_recording(id).await?;
    world.wait_settled(Duration::from_secs(90)).await?;
    // The bus turns the removed node out; what it asks for a new token then tells it why.
    let node = world.api.nodes().await?[0].id;
    world
        .api
        .remove(&format!("/api/v1/nodes/{node}?force=true"))
        .await?;
    wait_for("the removed node lets go of the camera", DEADLINE, async || {
        let runs = sims.sent(0).await?.runs;
        let last_us = runs.iter().map(|run| run.last_us).max().context("no frame")?;
        Ok((now().0 * 1000 > last_us.cast_signed() + 2_000_000).then_some(()))
    })
    .await?;
    world.node.check_alive()
}
