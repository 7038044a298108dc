//! Logins that failed too often, whether there is such a user or not.

use control_plane::domain::lockout::FORGOTTEN_MS;
use control_plane::state::now;
use control_plane::store::failures;
use control_plane::tasks::upkeep;
use serde_json::{Value, json};
use wire::access::Role;

use crate::people::{organization, organization_of, person};
use crate::support::World;

const PASSWORD: &str = "a long enough secret";

async fn attempt(world: &World, login: &str, password: &str) -> reqwest::Response {
    let body = json!({"login": login, "password": password});
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    request.send().await.unwrap()
}

/// Fails ten times at once: as many as are let through.
async fn lock_out(world: &World, login: &str) {
    let attempts = (0..10).map(|_| attempt(world, login, "wrong"));
    for answer in futures::future::join_all(attempts).await {
        assert_eq!(answer.status(), 401, "{login}");
    }
}

/// Status, headers that tell something, and body without what differs by chance.
async fn seen(answer: reqwest::Response) -> (u16, bool, Value) {
    let status = answer.status().as_u16();
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let mut body: Value = answer.json().await.unwrap();
    body["request_id"] = Value::Null;
    let title = body["title"].as_str().unwrap().replace(&wait.to_string(), "N");
    body["title"] = json!(title);
    (status, (880..=900).contains(&wait), body)
}

async fn failed(world: &World, login: &'static str) -> Option<u32> {
    let store = &world.server.state.store;
    let failures = store.read(move |c| failures::get(c, login)).await.unwrap();
    failures.map(|failures| failures.count)
}

#[tokio::test]
async fn ten_failures_lock_out_known_and_unknown_logins_alike() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let (id, token) = person(&world, home, "ann", Role::OrgUser).await;
    lock_out(&world, "nobody").await;
    // More by HTTP would meet the limit of attempts from one address first.
    let store = &world.server.state.store;
    for _ in 0..8 {
        store
            .write(move |c| failures::add(c, "ann", now()))
            .await
            .unwrap();
    }
    for spelling in ["ann", "ANN"] {
        assert_eq!(attempt(&world, spelling, "wrong").await.status(), 401);
    }
    let known = seen(attempt(&world, "ann", PASSWORD).await).await;
    let unknown = seen(attempt(&world, "nobody", PASSWORD).await).await;
    assert_eq!(known, unknown);
    assert_eq!(
        (known.0, known.1, &known.2["code"]),
        (429, true, &json!("account_locked"))
    );
    assert_eq!(
        world.call("GET", "/api/v1/me", &token, None).await.0,
        200,
        "sessions go on"
    );

    let lock = format!("/api/v1/users/{id}/lock");
    assert_eq!(world.call("DELETE", &lock, &token, None).await.0, 403);
    assert_eq!(world.call("DELETE", &lock, &owner, None).await.0, 204);
    assert_eq!(attempt(&world, "ann", PASSWORD).await.status(), 200);
    assert_eq!(failed(&world, "ann").await, None);
}

#[tokio::test]
async fn a_success_clears_and_time_forgets() {
    let world = World::without_bus().await;
    for _ in 0..2 {
        attempt(&world, "admin", "wrong").await;
        attempt(&world, "nobody", "wrong").await;
    }
    assert_eq!(
        (failed(&world, "admin").await, failed(&world, "nobody").await),
        (Some(2), Some(2))
    );
    world.sign_in().await;
    assert_eq!(
        (failed(&world, "admin").await, failed(&world, "nobody").await),
        (None, Some(2))
    );
    let state = &world.server.state;
    assert_eq!(state.store.write(|c| upkeep::forget(c, now())).await.unwrap(), 0);
    let later = now().plus(FORGOTTEN_MS + 1000);
    assert_eq!(
        state
            .store
            .write(move |c| upkeep::forget(c, later))
            .await
            .unwrap(),
        1
    );
    assert_eq!(failed(&world, "nobody").await, None);
}

#[tokio::test]
async fn only_who_manages_the_user_unlocks() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let home = organization_of(&world, &owner).await;
    let other = organization(&world, "Other").await;
    let (ann, _) = person(&world, home, "ann", Role::OrgAdmin).await;
    let (_, bob) = person(&world, home, "bob", Role::OrgAdmin).await;
    let (_, eve) = person(&world, other, "eve", Role::OrgAdmin).await;
    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let admin = me["id"].as_str().unwrap();
    let elsewhere = format!("?organization={other}");
    for (token, path, expected) in [
        (&bob, format!("/api/v1/users/{ann}/lock"), 204),
        (&eve, format!("/api/v1/users/{ann}/lock"), 404),
        (&bob, format!("/api/v1/users/{admin}/lock"), 403),
        (&bob, "/api/v1/users/x/lock".to_owned(), 404),
        (&owner, format!("/api/v1/users/{ann}/lock"), 204),
        (&owner, format!("/api/v1/users/{ann}/lock{elsewhere}"), 404),
    ] {
        assert_eq!(
            world.call("DELETE", &path, token, None).await.0,
            expected,
            "{path}"
        );
    }
}

#[tokio::test]
async fn guesses_inside_a_session_count_too() {
    let world = World::without_bus().await;
    let home = organization_of(&world, &world.sign_in().await).await;
    let (_, token) = person(&world, home, "ann", Role::OrgUser).await;
    let body = json!({"current": "wrong", "new": "another long secret"});
    let (status, problem) = world
        .call("POST", "/api/v1/me/password", &token, Some(body))
        .await;
    assert_eq!((status, &problem["code"]), (403, &json!("wrong_password")));
    assert_eq!(failed(&world, "ann").await, Some(1));
}
