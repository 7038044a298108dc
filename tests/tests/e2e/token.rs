//! Tokens that live for seconds: a node renews them without a break in its footage, and gets in again after it
//! was off for longer than one lives. A node that is removed stops recording.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_nats::{Auth, AuthError, ConnectErrorKind, ConnectOptions};
use nkeys::KeyPair;
use serde_json::{Value, json};
use tests::wait::wait_for;
use tests::world::{DEADLINE, World, now};
use wire::UnixMs;
use wire::coverage::Stretch;

/// A removed node lets go of its cameras within this.
const LETS_GO_MS: i64 = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_renewed_in_time_and_after_their_time() {
    let mut world = World::start_with("token", "node_token_s = 6\n").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World) -> Result<()> {
    // The bus says only then why it turns somebody out.
    let conf = world.folder().join("nats.conf");
    let told = std::fs::read_to_string(&conf)?;
    world.bus.kill9()?;
    std::fs::write(&conf, format!("{told}\ndebug: true\n"))?;
    world.bus.resume()?;
    let sims = world.simulate("camera", &["--gop", "15"]).await?;
    let logs = [world.node.log(), world.bus.log()];
    let id = world.api.add("Yard", &sims.urls[0], &json!({})).await?;
    world.wait_recording(id).await?;
    // Five lives of a token, without a break.
    let (since, until) = (now().plus(5_000), now().plus(35_000));
    let before = lengths(&logs)?;
    wait_for("five lives of a token pass", DEADLINE, async || {
        let status = world.status().await?;
        Ok((status.at > until).then_some(()))
    })
    .await?;
    world.wait_settled(DEADLINE).await?;
    let stretches = world.api.coverage(id, since, until).await?;
    let gap = stretches.iter().find(|one| matches!(one, Stretch::Gap { .. }));
    ensure!(gap.is_none(), "{gap:?}");
    let ended = of_tokens(&logs, &before)?;
    ensure!(ended.is_none(), "a token was not renewed in time: {ended:?}");
    let before = lengths(&logs)?;
    let old = std::fs::read_to_string(world.folder().join("node/identity.json"))?;
    // Off for longer than a token lives: the bus lets nobody in with it, the control plane gives another.
    world.node.stop()?;
    let off = now().plus(8_000);
    wait_for("the token ends", DEADLINE, async || {
        Ok((now() > off).then_some(()))
    })
    .await?;
    ensure!(
        !lets_in(&serde_json::from_str(&old)?).await?,
        "the old token counts"
    );
    let ended = of_tokens(&logs, &before)?;
    ensure!(ended.is_some(), "nobody says that the token had ended");
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
    let removed = now();
    world
        .api
        .remove(&format!("/api/v1/nodes/{node}?force=true"))
        .await?;
    let last = wait_for("the removed node lets go of the camera", DEADLINE, async || {
        let runs = sims.sent(0).await?.runs;
        let last_us = runs.iter().map(|run| run.last_us).max().context("no frame")?;
        let last = UnixMs(last_us.cast_signed() / 1_000);
        Ok((now() > last.plus(2_000)).then_some(last))
    })
    .await?;
    let late = last.since(removed);
    ensure!(
        late <= LETS_GO_MS,
        "it let go of the camera {late} ms after its removal"
    );
    world.node.check_alive()
}

/// Whether the bus lets in who has the key and the token of this identity.
async fn lets_in(identity: &Value) -> Result<bool> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
    let (seed, token) = (text(&identity["seed"])?, text(&identity["access"]["jwt"])?);
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        let (seed, token) = (seed.clone(), token.clone());
        async move {
            let key = KeyPair::from_seed(&seed).map_err(AuthError::new)?;
            let mut auth = Auth::new();
            auth.signature = Some(key.sign(&nonce).map_err(AuthError::new)?);
            auth.jwt = Some(token);
            Ok(auth)
        }
    });
    match options.connect(text(&identity["access"]["urls"][0])?).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ConnectErrorKind::AuthorizationViolation => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How long each log is.
fn lengths(logs: &[PathBuf]) -> Result<Vec<usize>> {
    let read = logs.iter().map(std::fs::read);
    Ok(read
        .map(|text| text.map(|text| text.len()))
        .collect::<Result<_, _>>()?)
}

/// The first line since then that says of a token that its time was over.
fn of_tokens(logs: &[PathBuf], before: &[usize]) -> Result<Option<String>> {
    let words = [
        "authentication expired",
        "authentication error",
        "authorization violation",
        "no new token",
    ];
    for (log, before) in logs.iter().zip(before) {
        let text = std::fs::read(log)?;
        let since = String::from_utf8_lossy(text.get(*before..).unwrap_or_default()).to_lowercase();
        let mut lines = since.lines();
        if let Some(line) = lines.find(|line| words.iter().any(|word| line.contains(word))) {
            return Ok(Some(line.to_owned()));
        }
    }
    Ok(None)
}
