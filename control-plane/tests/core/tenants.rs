//! The walls between organizations.

use control_plane::app::{first_start, password};
use control_plane::state::now;
use serde_json::json;

use crate::support::World;

async fn second_organization(world: &World) -> String {
    let hash = password::hash("secret").unwrap();
    let store = &world.server.state.store;
    store
        .write(move |c| first_start::create(c, "Other", "other", hash, now()))
        .await
        .unwrap();
    let body = json!({"login": "other", "password": "secret"});
    let answer = world
        .http
        .post(world.url("/api/v1/session"))
        .json(&body)
        .send()
        .await
        .unwrap();
    answer.json::<serde_json::Value>().await.unwrap()["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn another_organization_finds_nothing() {
    let world = World::without_bus().await;
    let (mine, theirs) = (world.sign_in().await, second_organization(&world).await);
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &mine, Some(body)).await;
    let id = camera["id"].as_str().unwrap();
    for (method, path, body) in [
        ("GET", format!("/api/v1/cameras/{id}"), None),
        (
            "PATCH",
            format!("/api/v1/cameras/{id}"),
            Some(json!({"name": "stolen"})),
        ),
        ("DELETE", format!("/api/v1/cameras/{id}"), None),
        ("POST", format!("/api/v1/cameras/{id}/probe"), None),
    ] {
        let (status, problem) = world.call(method, &path, &theirs, body).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!("camera_not_found")),
            "{method} {path}"
        );
    }
    for path in ["/api/v1/cameras", "/api/v1/nodes"] {
        assert_eq!(
            world.call("GET", path, &theirs, None).await,
            (200, json!({"items": []}))
        );
    }
    let (status, same) = world
        .call("GET", &format!("/api/v1/cameras/{id}"), &mine, None)
        .await;
    assert_eq!((status, &same["name"]), (200, &json!("x")));
}

#[tokio::test]
async fn every_route_wants_a_token() {
    let world = World::without_bus().await;
    let id = "0190f5fe-7c00-7a00-8000-0123456789ab";
    for (method, path) in [
        ("GET", "/api/v1/me".to_owned()),
        ("GET", "/api/v1/cameras".to_owned()),
        ("POST", "/api/v1/cameras".to_owned()),
        ("GET", format!("/api/v1/cameras/{id}")),
        ("PATCH", format!("/api/v1/cameras/{id}")),
        ("DELETE", format!("/api/v1/cameras/{id}")),
        ("POST", format!("/api/v1/cameras/{id}/probe")),
        ("POST", "/api/v1/probe".to_owned()),
        ("GET", "/api/v1/nodes".to_owned()),
    ] {
        let body = Some(json!({}));
        let (status, problem) = world.call(method, &path, "x", body).await;
        assert_eq!(
            (status, &problem["code"]),
            (401, &json!("unauthorized")),
            "{method} {path}"
        );
    }
}
