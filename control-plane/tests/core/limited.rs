//! How often strangers and callers may ask, and that others are not held up by it.

use std::num::NonZeroU32;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::World;

const ME: &str = "/api/v1/cameras";

async fn get(world: &World, token: &str) -> Response {
    world
        .http
        .get(world.url(ME))
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
}

/// Asks until it is too often; how often it was not, and the refusal.
async fn exhaust(world: &World, token: &str, usual: StatusCode, most: usize) -> (usize, Response) {
    for count in 0..most {
        let answer = get(world, token).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return (count, answer);
        }
        assert_eq!(answer.status(), usual);
    }
    panic!("{most} requests and no limit");
}

async fn assert_wait(refusal: Response) {
    let seconds: u64 = refusal.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let problem: Value = refusal.json().await.unwrap();
    assert_eq!(problem["code"], "too_many_attempts");
}

#[tokio::test]
async fn each_service_key_has_a_limit_of_its_own() {
    let per_s = NonZeroU32::new(5).unwrap();
    let world = World::configured(|config| config.http.requests_per_s = per_s).await;
    let token = world.sign_in().await;
    let key = async || {
        let body = json!({"name": "machine", "scopes": ["cameras:view_live"]});
        let (status, made) = world
            .call("POST", "/api/v1/service-keys", &token, Some(body))
            .await;
        assert_eq!(status, 201, "{made}");
        made["secret"].as_str().unwrap().to_owned()
    };
    let (busy, quiet) = (key().await, key().await);
    let (count, refusal) = exhaust(&world, &busy, StatusCode::OK, 2_000).await;
    assert!(count >= 50, "ten seconds' worth at once: {count}");
    assert_wait(refusal).await;
    assert_eq!(get(&world, &quiet).await.status(), 200, "another key");
    assert_eq!(get(&world, &token).await.status(), 200, "a person");
}

#[tokio::test]
async fn strangers_are_slowed_down_and_nobody_else() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let (count, refusal) = exhaust(&world, "nobody", StatusCode::UNAUTHORIZED, 6_000).await;
    assert!(count >= 600, "{count}");
    assert_wait(refusal).await;
    assert_eq!(get(&world, &token).await.status(), 200, "from the same address");
}
