//! Fifty at once: exactly one wins, the rest are told.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

const MANY: usize = 50;

/// Sends the same request many times at once; each one's status and body.
async fn all_at_once(
    world: &World,
    token: &str,
    (method, path): (Method, &str),
    header: (&str, &str),
    body: impl Fn(usize) -> Value,
) -> Vec<(u16, Value)> {
    let requests = (0..MANY).map(|index| {
        let request = world
            .http
            .request(method.clone(), world.url(path))
            .bearer_auth(token);
        let request = request.header(header.0, header.1).json(&body(index));
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json().await.unwrap_or_default())
        }
    });
    join_all(requests).await
}

fn count(answers: &[(u16, Value)], status: u16) -> usize {
    answers.iter().filter(|(answered, _)| *answered == status).count()
}

#[tokio::test]
async fn of_fifty_edits_of_one_revision_one_wins() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = json!({"name": "Door", "url": "rtsp://192.0.2.1/1"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    let answers = all_at_once(
        &world,
        &token,
        (Method::PATCH, &path),
        ("if-match", "\"1\""),
        |index| json!({"name": format!("Door {index}")}),
    )
    .await;
    assert_eq!((count(&answers, 200), count(&answers, 412)), (1, MANY - 1));
    let (_, winner) = answers.iter().find(|(status, _)| *status == 200).unwrap();
    let (_, now) = world.call("GET", &path, &token, None).await;
    assert_eq!((&now, &now["revision"]), (winner, &json!(2)));
    let (_, stale) = answers.iter().find(|(status, _)| *status == 412).unwrap();
    assert_eq!(stale["code"], "stale");
    let subject = camera["id"].as_str().unwrap();
    let (_, audit) = world
        .call(
            "GET",
            &format!("/api/v1/audit?subject={subject}&action=camera.change"),
            &token,
            None,
        )
        .await;
    assert_eq!(
        audit["items"].as_array().unwrap().len(),
        1,
        "one change, one entry"
    );
}

#[tokio::test]
async fn of_fifty_unconditional_edits_none_is_lost() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let body = json!({"name": "Door", "url": "rtsp://192.0.2.1/1"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    let path = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    let answers = all_at_once(
        &world,
        &token,
        (Method::PATCH, &path),
        ("if-match", "*"),
        |index| json!({"name": format!("Door {index}")}),
    )
    .await;
    assert_eq!(count(&answers, 200), MANY);
    let (_, now) = world.call("GET", &path, &token, None).await;
    assert_eq!(now["revision"], MANY + 1);
}

#[tokio::test]
async fn fifty_creates_under_one_key_make_one_camera() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let key = ("idempotency-key", "one-of-fifty");
    let answers = all_at_once(
        &world,
        &token,
        (Method::POST, "/api/v1/cameras"),
        key,
        |_| json!({"name": "Door", "url": "rtsp://192.0.2.1/1"}),
    )
    .await;
    assert_eq!(count(&answers, 201), MANY);
    let (_, list) = world.call("GET", "/api/v1/cameras", &token, None).await;
    let made = list["items"].as_array().unwrap();
    assert_eq!(made.len(), 1);
    assert!(answers.iter().all(|(_, answer)| answer["id"] == made[0]["id"]));
    let other = json!({"name": "Gate", "url": "rtsp://192.0.2.2/1"});
    let request = world.http.post(world.url("/api/v1/cameras")).bearer_auth(&token);
    let answer = request.header(key.0, key.1).json(&other).send().await.unwrap();
    assert_eq!(answer.status(), 409, "another request under the same key");
}
