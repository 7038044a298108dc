//! Changes of what somebody has seen: `If-Match` where a request is a step rather than an edit, and what a
//! creation says of its address and revision.

use control_plane::state::now;
use reqwest::Response;
use serde_json::{Value, json};

use crate::people::{camera, organization};
use crate::support::World;

const HOUR_MS: i64 = 60 * 60 * 1000;

async fn send(
    world: &World,
    token: &str,
    (method, path): (&str, &str),
    tag: Option<&str>,
    body: Option<&Value>,
) -> Response {
    let request = world
        .http
        .request(method.parse().unwrap(), world.url(path))
        .bearer_auth(token);
    let request = match tag {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    request.send().await.unwrap()
}

fn header(answer: &Response, name: &str) -> Option<String> {
    let value = answer.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

/// A step is refused with another tag, and taken with the one of now, which changes.
async fn assert_conditional(
    world: &World,
    token: &str,
    path: &str,
    tag: &str,
    body: Option<&Value>,
) -> String {
    let stale = send(world, token, ("POST", path), Some("\"999\""), body).await;
    assert_eq!(stale.status(), 412, "{path}");
    let nonsense = send(world, token, ("POST", path), Some("x"), body).await;
    assert_eq!(nonsense.status(), 400, "{path}");
    let taken = send(world, token, ("POST", path), Some(tag), body).await;
    assert_eq!(taken.status(), 200, "{path}");
    let new = header(&taken, "etag").unwrap();
    assert_ne!(new, tag, "{path}");
    new
}

async fn licence(world: &World, token: &str, count: u16) -> Response {
    let body = json!({
        "name": "Standard", "count": count, "valid_from": now().0 - HOUR_MS, "valid_to": now().0 + HOUR_MS,
        "plan": {"features": ["recording"], "retention_days": 30, "max_width": 1920, "max_height": 1080,
            "max_bitrate_bps": 4_000_000},
    });
    let made = send(world, token, ("POST", "/api/v1/licences"), None, Some(&body)).await;
    assert_eq!(made.status(), 201);
    made
}

#[tokio::test]
async fn steps_of_a_licence_take_if_match() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let made = licence(&world, &token, 1).await;
    let path = header(&made, "location").unwrap();
    let mut tag = header(&made, "etag").unwrap();
    let (status, shown) = world.call("GET", &path, &token, None).await;
    assert_eq!((status, format!("\"{}\"", shown["revision"])), (200, tag.clone()));
    tag = assert_conditional(&world, &token, &format!("{path}/suspend"), &tag, None).await;
    tag = assert_conditional(&world, &token, &format!("{path}/resume"), &tag, None).await;
    let body = json!({"valid_to": now().0 + 2 * HOUR_MS});
    tag = assert_conditional(&world, &token, &format!("{path}/renew"), &tag, Some(&body)).await;
    let (from, to) = (
        camera(&world, &token, "a").await,
        camera(&world, &token, "b").await,
    );
    let body = json!({"camera": from});
    let assigned = send(
        &world,
        &token,
        ("PUT", &format!("{path}/camera")),
        Some(&tag),
        Some(&body),
    )
    .await;
    tag = header(&assigned, "etag").unwrap();
    let body = json!({"from": from, "to": to});
    assert_conditional(&world, &token, &format!("{path}/transfer"), &tag, Some(&body)).await;

    let several = licence(&world, &token, 2).await;
    assert_eq!(header(&several, "location").unwrap(), "/api/v1/licences");
    assert_eq!(header(&several, "etag"), None);
}

#[tokio::test]
async fn steps_of_an_organization_take_if_match() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let path = format!("/api/v1/organizations/{}", organization(&world, "Acme").await);
    let shown = send(&world, &token, ("GET", &path), None, None).await;
    let tag = header(&shown, "etag").unwrap();
    let tag = assert_conditional(&world, &token, &format!("{path}/suspend"), &tag, None).await;
    let tag = assert_conditional(&world, &token, &format!("{path}/resume"), &tag, None).await;
    let deleted = send(&world, &token, ("DELETE", &path), Some(&tag), None).await;
    let tag = header(&deleted, "etag").unwrap();
    assert_conditional(&world, &token, &format!("{path}/restore"), &tag, None).await;
}

#[tokio::test]
async fn an_override_is_ended_as_it_was_seen() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let list = format!("/api/v1/cameras/{camera}/overrides");
    let body = json!({"kind": "pause"});
    let made = send(&world, &token, ("POST", &list), None, Some(&body)).await;
    assert_eq!(made.status(), 201);
    let (path, tag) = (header(&made, "location").unwrap(), header(&made, "etag").unwrap());
    let id = made.json::<Value>().await.unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(path, format!("/api/v1/overrides/{id}"));
    for (given, status) in [
        ("\"2\"", 412),
        ("x", 400),
        (tag.as_str(), 204),
        (tag.as_str(), 412),
    ] {
        let answer = send(&world, &token, ("DELETE", &path), Some(given), None).await;
        assert_eq!(answer.status(), status, "{given}");
    }
    let again = send(&world, &token, ("DELETE", &path), Some("*"), None).await;
    assert_eq!(again.status(), 409, "it is over");
}

#[tokio::test]
async fn an_erasure_says_where_it_stands() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, "door").await;
    let path = format!("/api/v1/cameras/{camera}/erasures");
    let body = json!({"from": now().0 - 2 * HOUR_MS, "to": now().0 - HOUR_MS, "reason": "asked for"});
    let made = send(&world, &token, ("POST", &path), None, Some(&body)).await;
    assert_eq!(
        (made.status().as_u16(), header(&made, "location")),
        (201, Some(path.clone()))
    );
    let made: Value = made.json().await.unwrap();
    let (_, listed) = world.call("GET", &path, &token, None).await;
    assert_eq!(listed["items"], json!([made]));
}
