//! Pages, health and a database that is away.

use crate::support::World;

#[tokio::test]
async fn pages_come_with_a_strict_policy_and_programs_never_get_one() {
    let world = World::without_bus().await;
    for path in ["/", "/player/", "/cameras/1", "/player/some/where"] {
        let answer = world.http.get(world.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe-inline"));
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    }
    for path in [
        "/missing.js",
        "/api/v1/x",
        "/player-api/x",
        "/../etc/passwd.txt",
        "/api/",
    ] {
        let answer = world.http.get(world.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let answer = world.http.post(world.url("/")).send().await.unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["allow"].to_str().unwrap()
        ),
        (405, "GET, HEAD")
    );
}

#[tokio::test]
async fn health_without_a_bus() {
    let world = World::without_bus().await;
    let answer = world.http.get(world.url("/healthz")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = world.http.get(world.url("/readyz")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!((&body["ready"], &body["database"]), (&false.into(), &"ok".into()));
    assert_ne!(body["bus"], "ok");
    world.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_gone_answers_503() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let lock = world.lock_database();
    let body = serde_json::json!({"name": "x", "url": "rtsp://10.0.0.5/"});
    let request = world
        .http
        .post(world.url("/api/v1/cameras"))
        .bearer_auth(&token)
        .json(&body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "database_unavailable");
    assert!(
        !problem.to_string().contains("locked"),
        "internal text stays inside"
    );
    drop(lock);
    let (status, _) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    assert_eq!(status, 201);
}
