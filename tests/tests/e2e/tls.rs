//! A whole installation under a private authority: a node joins, records and uploads over TLS; one that trusts
//! another authority gets nowhere and says why.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::wait::wait_for;
use tests::world::programs::built;
use tests::world::tls::{Authority, Front};
use tests::world::{DEADLINE, World, now};
use wire::coverage::Stretch;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_authority_holds_from_enrolment_to_upload() {
    let (mut world, front) = World::start_tls("tls").await.unwrap();
    let result = run(&mut world, &front).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World, front: &Front) -> Result<()> {
    let identity = std::fs::read_to_string(world.folder().join("node/identity.json"))?;
    ensure!(
        identity.contains("tls://127.0.0.1:"),
        "the node was told a plain bus"
    );
    let sims = world
        .simulate("camera", &["--size", "320x192", "--gop", "15"])
        .await?;
    let id = world.api.add("Yard", &sims.urls[0], &json!({})).await?;
    world.wait_recording(id).await?;
    let (from, until) = (now(), now().plus(10_000));
    wait_for("it is recorded for a while", DEADLINE, async || {
        let runs = sims.sent(0).await?.runs;
        let last_us = runs.last().map_or(0, |run| run.last_us);
        Ok((last_us > (until.0 as u64 + 2_000) * 1_000).then_some(()))
    })
    .await?;
    world.api.set_recording(id, false).await?;
    world.wait_settled(Duration::from_secs(90)).await?;
    let stretches = world.api.coverage(id, from, until).await?;
    let footage = stretches.iter().all(|one| matches!(one, Stretch::Footage { .. }));
    ensure!(footage && !stretches.is_empty(), "{stretches:?}");
    let stored = bytes_below(&world.folder().join("control/objects"))?;
    ensure!(stored > 20_000, "{stored} bytes are stored");
    let taken = front.taken();
    ensure!(taken >= stored, "{taken} of {stored} bytes went through TLS");
    world.node.stop()?;
    strangers(world).await
}

/// Those who trust another authority.
async fn strangers(world: &mut World) -> Result<()> {
    let folder = world.folder();
    let other = folder.join("other.pem");
    Authority::create(&other)?;
    let config = folder.join("stranger.toml");
    let data = folder.join("stranger");
    let text = format!("data_dir = {data:?}\nname = \"stranger\"\n[https]\nca_file = {other:?}\n");
    std::fs::write(&config, text)?;
    let own = std::fs::read_to_string(folder.join("node/identity.json"))?;
    let own: serde_json::Value = serde_json::from_str(&own)?;
    let output = Command::new(built("recorder-node")?)
        .args(["enrol", "--token", "any", "--server"])
        .arg(own["server"].as_str().context("a server")?)
        .arg("--config")
        .arg(&config)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "it joined");
    ensure!(
        said.contains("certificate is not trusted") && said.contains("`https.ca_file`"),
        "it says: {said}"
    );

    let config = folder.join("node.toml");
    let text = std::fs::read_to_string(&config)?;
    std::fs::write(&config, format!("{text}[bus]\nca_file = {other:?}\n"))?;
    let before = std::fs::read(world.node.log())?.len();
    let since = now();
    world.node.resume()?;
    wait_for(
        "the node says that it does not trust the bus",
        DEADLINE,
        async || {
            world.node.check_alive()?;
            let log = std::fs::read(world.node.log())?;
            let said = String::from_utf8_lossy(log.get(before..).unwrap_or_default());
            let mut lines = said.lines();
            let clear =
                |line: &str| line.contains("certificate is not trusted") && line.contains("`bus.ca_file`");
            Ok(lines.any(clear).then_some(()))
        },
    )
    .await?;
    let heard = world
        .api
        .nodes()
        .await?
        .into_iter()
        .filter_map(|node| node.status);
    ensure!(
        heard.map(|status| status.at).all(|at| at < since),
        "it was let in"
    );
    Ok(())
}

fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        bytes += if is_folder {
            bytes_below(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}
