//! Bad input through the public door: a clear error each, never a 5xx, never a panic.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::footage::Footage;
use tests::wait::wait_for;
use tests::world::{DEADLINE, World, now};
use wire::CameraId;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_a_clear_answer() {
    let mut world = World::start("hostile").await.unwrap();
    let result = run(&mut world).await;
    assert!(result.is_ok(), "{:#}", result.unwrap_err());
}

async fn run(world: &mut World) -> Result<()> {
    let sims = world
        .simulate("camera", &["--size", "320x192", "--gop", "15"])
        .await?;
    let id = world.api.add("camera", &sims.urls[0], &json!({})).await?;
    bodies(world).await?;
    paths(world, id).await?;
    world.wait_recording(id).await?;
    signatures(world, id).await?;
    world.control.check_alive()?;
    world.node.check_alive()?;
    let state = world.api.camera(id).await?.state;
    ensure!(
        matches!(state, Some(wire::status::StreamState::Recording)),
        "{state:?}"
    );
    for process in [&world.control, &world.node] {
        let log = std::fs::read_to_string(process.log())?;
        ensure!(
            !log.contains("panicked"),
            "a panic in {}",
            process.log().display()
        );
    }
    Ok(())
}

/// A clear error: 4xx with a code and a sentence.
fn clear(what: &str, status: StatusCode, answer: &Value) -> Result<()> {
    ensure!(status.is_client_error(), "{what}: {status} {answer}");
    let said = |key: &str| answer[key].as_str().is_some_and(|text| !text.is_empty());
    ensure!(
        said("code") && said("title"),
        "{what}: {status} without code and title: {answer}"
    );
    Ok(())
}

async fn bodies(world: &World) -> Result<()> {
    let urls = [
        "",
        "camera",
        "rtsp://",
        "rtsp:///cam",
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "rtsp://169.254.169.254/latest/meta-data",
        "rtsp://[fd00:ec2::254]/",
        "rtsp://[::ffff:169.254.169.254]/",
        "rtsp://2852039166/",
        "rtsp://0xa9fea9fe/",
        "rtsp://host:99999/",
        "rtsp://ho st/",
        "rtsp://host/\r\nDESCRIBE rtsp://other/ RTSP/1.0",
    ];
    for url in urls {
        let body = json!({ "name": "bad", "url": url });
        for path in ["/api/v1/cameras", "/api/v1/probe"] {
            let body = if path.ends_with("probe") {
                json!({ "url": url })
            } else {
                body.clone()
            };
            let (status, answer) = world.api.ask(Method::POST, path, Some(&body)).await?;
            clear(&format!("{path} {url:?}"), status, &answer)?;
        }
    }
    let others = [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({ "name": "", "url": "rtsp://camera.example/" }),
        json!({ "name": "x".repeat(101), "url": "rtsp://camera.example/" }),
        json!({ "name": "x", "url": format!("rtsp://camera.example/{}", "y".repeat(100_000)) }),
        json!({ "name": "x", "url": "rtsp://camera.example/", "transport": "pigeon" }),
        json!({ "name": "x", "url": "rtsp://camera.example/", "recording": "yes" }),
        json!({ "name": "x", "url": "rtsp://camera.example/", "owner": "me" }),
        json!({ "name": 5, "url": "rtsp://camera.example/" }),
    ];
    for body in others {
        let (status, answer) = world
            .api
            .ask(Method::POST, "/api/v1/cameras", Some(&body))
            .await?;
        let shown: String = body.to_string().chars().take(80).collect();
        clear(&shown, status, &answer)?;
    }
    Ok(())
}

async fn paths(world: &World, id: CameraId) -> Result<()> {
    let ranges = [
        "from=2&to=1",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=0001-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=2026-01-01T00:00:00Z&to=99999-01-01T00:00:00Z",
        "from=NaN&to=NaN",
        "from=1e308&to=-1e308",
        "from=-1&to=9223372036854775808",
        "from=2026-01-01T00:00:00Z",
        "from=&to=",
        "from=2020-01-01T00:00:00Z&to=2090-01-01T00:00:00Z",
    ];
    for range in ranges {
        let path = format!("/player-api/cameras/{id}/coverage?{range}");
        let (status, answer) = world.api.ask::<Value>(Method::GET, &path, None).await?;
        let may_default = !range.contains("&to=");
        if !(may_default && status.is_success()) {
            clear(&path, status, &answer)?;
        }
    }
    for days in [
        "from=2026-13-01&to=2026-14-01&tz=UTC",
        "from=2026-01-01&to=2026-02-01&tz=Mars/Olympus",
        "from=a",
    ] {
        let path = format!("/player-api/cameras/{id}/days?{days}");
        let (status, answer) = world.api.ask::<Value>(Method::GET, &path, None).await?;
        clear(&path, status, &answer)?;
    }
    let foreign = "00000000-0000-7000-8000-000000000000";
    for bad in ["1", "..", "%2e%2e", foreign, "' or 1=1 --", "%00"] {
        for path in [
            format!("/api/v1/cameras/{bad}"),
            format!("/player-api/cameras/{bad}/playback?from=1&to=2"),
        ] {
            let (status, answer) = world.api.ask::<Value>(Method::GET, &path, None).await?;
            ensure!(status.is_client_error(), "{path}: {status} {answer}");
        }
    }
    Ok(())
}

async fn signatures(world: &World, id: CameraId) -> Result<()> {
    let from = now().plus(-60_000);
    let footage = wait_for("a first segment", DEADLINE, async || {
        Footage::fetch(
            &world.api,
            id,
            from,
            now().plus(-1000),
            &world.folder().join("signed"),
        )
        .await
        .map(Some)
    })
    .await?;
    let base = reqwest::Url::parse(&world.api.base)?;
    let object = base.join(&footage.objects.first().context("an object")?.uri)?;
    for url in [object, reqwest::Url::parse(&footage.url)?] {
        let good = world.api.http.get(url.clone()).send().await?.status();
        ensure!(good.is_success(), "{}: {good}", url.path());
        for (name, value) in url.query_pairs() {
            let mut changed = value.to_string();
            let last = changed.pop().context("a value")?;
            changed.push(if last == '1' { '2' } else { '1' });
            let query = url.query_pairs().map(|(key, old)| {
                let value = if key == name {
                    changed.clone()
                } else {
                    old.to_string()
                };
                (key.to_string(), value)
            });
            let mut tampered = url.clone();
            tampered
                .query_pairs_mut()
                .clear()
                .extend_pairs(query.collect::<Vec<_>>());
            let status = world.api.http.get(tampered).send().await?.status();
            ensure!(
                status.is_client_error(),
                "{} with another {name}: {status}",
                url.path()
            );
        }
        let mut bare = url.clone();
        bare.set_query(None);
        let status = world.api.http.get(bare).send().await?.status();
        ensure!(
            status.is_client_error(),
            "{} without a signature: {status}",
            url.path()
        );
        for method in [Method::PUT, Method::DELETE, Method::POST] {
            let status = world
                .api
                .http
                .request(method.clone(), url.clone())
                .body("x")
                .send()
                .await?
                .status();
            ensure!(status.is_client_error(), "{method} {}: {status}", url.path());
        }
    }
    Ok(())
}
