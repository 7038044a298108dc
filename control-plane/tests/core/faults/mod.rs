//! Faults of the database: every request that needs it answers 503, nothing is half-written, and the
//! server recovers without a restart.

mod busy;
mod full;
mod outage;

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{DEADLINE, World, database};

/// A request that would add a camera; its answer, which must come in time.
async fn add(world: &World, token: &str, name: &str) -> Response {
    send(world, "POST", "/api/v1/cameras", token, Some(body(name))).await
}

fn body(name: &str) -> Value {
    json!({"name": name, "url": format!("rtsp://10.0.0.5/{name}"), "recording": true})
}

async fn send(world: &World, method: &str, path: &str, token: &str, body: Option<Value>) -> Response {
    let mut request = world
        .http
        .request(method.parse().unwrap(), world.url(path))
        .bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    tokio::time::timeout(DEADLINE, request.send())
        .await
        .expect("an answer in time")
        .unwrap()
}

/// The answer of a server whose database cannot do what was asked.
async fn assert_unavailable(answer: Response) {
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "database_unavailable", "{problem}");
}

/// Everything that adding a camera writes is there, or nothing of it.
fn assert_whole(url: &str) -> i64 {
    let cameras = database::count(url, "camera");
    let notes = database::count(url, "audit WHERE action = 'camera.create'");
    let windows = database::count(url, "recording_window");
    assert_eq!((cameras, cameras), (notes, windows), "audit rows, windows");
    cameras
}
