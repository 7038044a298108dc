//! Every route that creates, under one `Idempotency-Key`: asked again it makes nothing new, asked for another
//! organization it does not say that it made something there.

use control_plane::http::openapi;
use serde_json::{Value, json};
use wire::OrganizationId;

use super::actors::{Actor, Actors};
use super::resources::{self, Body};
use crate::support::World;

/// Method and path of what may answer 201.
fn creating() -> Vec<(String, String)> {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["responses"].get("201").is_some() {
                routes.push((method.clone(), path.clone()));
            }
        }
    }
    routes
}

async fn post(world: &World, token: &str, (path, key): (&str, &str), body: Option<&Body>) -> (u16, Value) {
    let request = world.http.post(world.url(path)).bearer_auth(token);
    let request = request.header("idempotency-key", key);
    let request = match body {
        Some(Body::Json(body)) => request.json(body),
        Some(Body::Csv(text)) => request.header("content-type", "text/csv").body(text.clone()),
        None => request,
    };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Without what is computed from the time of asking.
fn lasting(mut made: Value) -> Value {
    if let Some(fields) = made.as_object_mut() {
        fields.remove("upcoming");
    }
    made
}

/// How much was done in an organization.
async fn changes(world: &World, token: &str, organization: OrganizationId) -> usize {
    let path = format!("/api/v1/audit?limit=1000&organization={organization}");
    let (status, log) = world.call("GET", &path, token, None).await;
    assert_eq!(status, 200, "{log}");
    log["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn every_creation_is_made_once_and_in_one_organization() {
    let world = World::without_bus().await;
    let actors = Actors::seed(&world).await;
    let owner = actors.token(Actor::Owner).unwrap();
    let (home, ours) = (actors.target(Actor::Owner), actors.target(Actor::OwnerElsewhere));
    let routes = creating();
    assert!(routes.len() >= 11, "{routes:?}");
    for (method, path) in routes {
        assert_eq!(method, "post", "{path}");
        let route = (method.as_str(), path.as_str());
        let asked = resources::asked(&world, &actors, home, Actor::Owner, route).await;
        let (to, body) = ((asked.path.as_str(), path.as_str()), asked.body.as_ref());
        let (status, first) = post(&world, owner, to, body).await;
        assert_eq!(status, 201, "{path}: {first}");
        let before = changes(&world, owner, home.organization).await;
        match post(&world, owner, to, body).await {
            (201, again) => assert_eq!(lasting(again), lasting(first), "{path}"),
            (status, problem) => assert_eq!(
                (status, &problem["code"]),
                (409, &json!("already_created")),
                "{path}: what is shown once"
            ),
        }
        assert_eq!(changes(&world, owner, home.organization).await, before, "{path}");

        let elsewhere = resources::asked(&world, &actors, ours, Actor::OwnerElsewhere, route).await;
        let there = format!("{}?organization={}", elsewhere.path, ours.organization);
        let before = changes(&world, owner, ours.organization).await;
        let (status, problem) = post(&world, owner, (&there, &path), body).await;
        assert_eq!(
            (status, &problem["code"]),
            (409, &json!("idempotency_key_reused")),
            "{path}: {problem}"
        );
        assert_eq!(changes(&world, owner, ours.organization).await, before, "{path}");
    }
}
