//! Fifty at once: exactly one wins, the rest are told.

use control_plane::state::now;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::camera;
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

/// One of them won with this status; each of the others was told this status and this code.
fn one_won(what: &str, answers: &[(u16, Value)], won: u16, (lost, code): (u16, &str)) {
    assert_eq!(count(answers, won), 1, "{what}: {answers:?}");
    for (status, answer) in answers.iter().filter(|(status, _)| *status != won) {
        assert_eq!(
            (*status, &answer["code"]),
            (lost, &json!(code)),
            "{what}: {answer}"
        );
    }
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
    one_won("edit", &answers, 200, (412, "stale"));
    let (_, winner) = answers.iter().find(|(status, _)| *status == 200).unwrap();
    let (_, now) = world.call("GET", &path, &token, None).await;
    assert_eq!((&now, &now["revision"]), (winner, &json!(2)));
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

/// Licences of the organization of whoever runs the platform.
async fn licences(world: &World, token: &str, count: usize) -> Vec<String> {
    let plan = json!({
        "features": ["recording"], "retention_days": 30, "max_width": 1920, "max_height": 1080,
        "max_bitrate_bps": 4_000_000,
    });
    let body = json!({
        "name": "Standard", "plan": plan, "valid_from": now(), "valid_to": now().plus(86_400_000), "count": count,
    });
    let (status, made) = world.call("POST", "/api/v1/licences", token, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let items = made["items"].as_array().unwrap().iter();
    items.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

async fn cameras(world: &World, token: &str) -> Vec<String> {
    let mut all = Vec::new();
    for index in 0..MANY {
        all.push(camera(world, token, &format!("door-{index}")).await);
    }
    all
}

#[tokio::test]
async fn of_fifty_cameras_one_gets_the_licence() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let (ids, cameras) = (licences(&world, &token, 2).await, cameras(&world, &token).await);
    for (licence, if_match, lost) in [
        (&ids[0], "*", (409, "licence_assigned")),
        (&ids[1], "\"1\"", (412, "stale")),
    ] {
        let path = format!("/api/v1/licences/{licence}/camera");
        // Those that have none yet.
        let (_, list) = world.call("GET", "/api/v1/licences", &token, None).await;
        let taken = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|one| one["camera"].as_str());
        let free: Vec<&String> = cameras.iter().filter(|one| taken != Some(one.as_str())).collect();
        let answers = all_at_once(
            &world,
            &token,
            (Method::PUT, &path),
            ("if-match", if_match),
            |index| json!({"camera": free[index % free.len()]}),
        )
        .await;
        let winner = answers.iter().find(|(status, _)| *status == 200).unwrap().1["camera"].clone();
        one_won(if_match, &answers, 200, lost);
        let (_, now) = world
            .call("GET", &format!("/api/v1/licences/{licence}"), &token, None)
            .await;
        assert_eq!(now["camera"], winner, "{now}");
    }
}

#[tokio::test]
async fn of_fifty_licences_a_camera_gets_one() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let (ids, door) = (
        licences(&world, &token, MANY).await,
        camera(&world, &token, "door").await,
    );
    let requests = ids.iter().map(|licence| {
        let (world, token, body) = (&world, &token, json!({"camera": door}));
        let path = format!("/api/v1/licences/{licence}/camera");
        async move { world.call("PUT", &path, token, Some(body)).await }
    });
    let answers = join_all(requests).await;
    one_won("licence", &answers, 200, (409, "camera_licensed"));
    let (_, usage) = world.call("GET", "/api/v1/licences/usage", &token, None).await;
    assert_eq!(usage["assigned"], 1);
}

#[tokio::test]
async fn of_fifty_of_one_name_one_is_made() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let user = json!({"login": "Ann@example.org", "name": "Ann", "role": "org_user"});
    for (path, body, code) in [
        ("/api/v1/groups", json!({"name": "Yard"}), "name_taken"),
        ("/api/v1/users", user, "login_taken"),
    ] {
        let answers = all_at_once(&world, &token, (Method::POST, path), ("x-nothing", "1"), |_| {
            body.clone()
        })
        .await;
        one_won(path, &answers, 201, (409, code));
    }
}

#[tokio::test]
async fn of_fifty_deletes_one_finds_it() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    for if_match in ["*", "\"1\""] {
        let path = format!("/api/v1/cameras/{}", camera(&world, &token, "door").await);
        let answers = all_at_once(
            &world,
            &token,
            (Method::DELETE, &path),
            ("if-match", if_match),
            |_| json!({}),
        )
        .await;
        one_won(if_match, &answers, 204, (404, "camera_not_found"));
    }
}

/// The second use of a refresh token is a theft: the rest learn it, and the whole family is over.
#[tokio::test]
async fn of_fifty_refreshes_one_wins_and_the_family_ends() {
    let world = World::without_bus().await;
    let sign_in = json!({"login": "admin", "password": world.password()});
    let request = world.http.post(world.url("/api/v1/session")).json(&sign_in);
    let cookie = cookie(&request.send().await.unwrap());
    let refresh = async |cookie: &str| {
        let request = world.http.post(world.url("/api/v1/session/refresh"));
        let answer = request.header("cookie", cookie).send().await.unwrap();
        let (status, next) = (answer.status().as_u16(), self::cookie(&answer));
        (status, answer.json::<Value>().await.unwrap_or_default(), next)
    };
    let answers = join_all((0..MANY).map(|_| refresh(&cookie))).await;
    let next = answers.iter().find(|one| one.0 == 200).unwrap().2.clone();
    let access = answers.iter().find(|one| one.0 == 200).unwrap().1["access_token"].clone();
    let answers: Vec<_> = answers
        .into_iter()
        .map(|(status, answer, _)| (status, answer))
        .collect();
    one_won("refresh", &answers, 200, (401, "session_over"));
    let (status, answer, _) = refresh(&next).await;
    assert_eq!(
        (status, &answer["code"]),
        (401, &json!("session_over")),
        "the winner's successor"
    );
    let (status, _) = world
        .call("GET", "/api/v1/me", access.as_str().unwrap(), None)
        .await;
    assert_eq!(status, 401, "the winner's access token");
}

/// The refresh cookie that an answer sets; empty without one.
fn cookie(answer: &reqwest::Response) -> String {
    let set = answer
        .headers()
        .get("set-cookie")
        .and_then(|value| value.to_str().ok());
    set.and_then(|text| text.split(';').next())
        .unwrap_or_default()
        .to_owned()
}
