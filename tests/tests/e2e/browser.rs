//! The browser's tests against a world with footage, a gap and two objects.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::sim::Fault;
use tests::wait::wait_for;
use tests::world::api::LOGIN;
use tests::world::{World, now};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browser() {
    let world = World::start("browser").await.unwrap();
    let result = run(&world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &World) -> Result<()> {
    let sims = world.simulate("camera", &["--gop", "15"]).await?;
    let id = world.api.add("Yard", &sims.urls[0], &json!({})).await?;
    world.wait_recording(id).await?;
    let passes = async |seconds: u64| {
        let end = now().0 + seconds as i64 * 1000;
        wait_for(
            "the camera is recorded for a while",
            Duration::from_secs(seconds + 10),
            async || Ok((now().0 > end).then_some(())),
        )
        .await
    };
    passes(75).await?;
    sims.fault(0, Fault::Drop).await?;
    passes(15).await?;
    sims.fault(0, Fault::None).await?;
    world.wait_recording(id).await?;
    passes(20).await?;
    let (base, password) = (world.api.base.clone(), world.password()?);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let output = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .args(["--test", "--test-reporter=spec"])
            .current_dir(folder)
            .env("CLOUDCAM_URL", base)
            .env("CLOUDCAM_LOGIN", LOGIN)
            .env("CLOUDCAM_PASSWORD", password)
            .output()
    })
    .await?
    .context("node cannot be started: tests/run.sh installs it")?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    ensure!(
        output.status.success(),
        "the browser's tests failed:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
