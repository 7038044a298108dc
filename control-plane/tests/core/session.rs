//! Signing in, staying in, getting out.

use serde_json::{Value, json};

use crate::support::World;

async fn sign_in(world: &World, login: &str, password: &str) -> reqwest::Response {
    let body = json!({"login": login, "password": password});
    world
        .http
        .post(world.url("/api/v1/session"))
        .json(&body)
        .send()
        .await
        .unwrap()
}

fn cookie(answer: &reqwest::Response) -> (String, String) {
    let header = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    (header.split(';').next().unwrap().to_owned(), header)
}

async fn refresh(world: &World, cookie: &str) -> reqwest::Response {
    world
        .http
        .post(world.url("/api/v1/session/refresh"))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn signs_in_stays_in_and_out() {
    let world = World::without_bus().await;
    let answer = sign_in(&world, "admin", &world.password()).await;
    assert_eq!(answer.status(), 200);
    let (first, attributes) = cookie(&answer);
    for part in [
        "cc_refresh=",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/api/v1/session",
    ] {
        assert!(attributes.contains(part), "{attributes}");
    }
    assert!(!attributes.contains("Secure"), "the address is http");
    let token = answer.json::<Value>().await.unwrap()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let (status, me) = world.call("GET", "/api/v1/me", &token, None).await;
    assert_eq!(
        (status, &me["login"], &me["organization_name"]),
        (200, &json!("admin"), &json!("Home"))
    );

    let (second, _) = cookie(&refresh(&world, &first).await);
    assert_ne!(first, second);
    let (third, _) = cookie(&refresh(&world, &second).await);
    let out = world
        .http
        .delete(world.url("/api/v1/session"))
        .header("cookie", &third)
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 204);
    assert!(cookie(&out).1.contains("Max-Age=0"));
    assert_eq!(refresh(&world, &third).await.status(), 401);
    world.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_used_refresh_token_ends_its_family() {
    let world = World::without_bus().await;
    let (first, _) = cookie(&sign_in(&world, "admin", &world.password()).await);
    let (other_family, _) = cookie(&sign_in(&world, "admin", &world.password()).await);
    let (second, _) = cookie(&refresh(&world, &first).await);
    assert_eq!(refresh(&world, &first).await.status(), 401, "stolen or replayed");
    assert_eq!(
        refresh(&world, &second).await.status(),
        401,
        "the family is revoked"
    );
    assert_eq!(
        refresh(&world, &other_family).await.status(),
        200,
        "other sign-ins go on"
    );
    for nonsense in [
        "cc_refresh=",
        "cc_refresh=x",
        &format!("cc_refresh={}", "A".repeat(43)),
    ] {
        assert_eq!(refresh(&world, nonsense).await.status(), 401);
    }
    assert_eq!(
        refresh(&world, "other=1").await.status(),
        204,
        "nobody is signed in"
    );
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_look_alike() {
    let world = World::without_bus().await;
    let mut bodies = Vec::new();
    for login in ["admin", "nobody"] {
        let answer = sign_in(&world, login, "wrong").await;
        assert_eq!(answer.status(), 401);
        let mut body: Value = answer.json().await.unwrap();
        body["request_id"] = Value::Null;
        bodies.push(body);
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn attempts_with_one_login_are_limited() {
    let world = World::without_bus().await;
    let mut limited = None;
    for _ in 0..20 {
        let answer = sign_in(&world, "admin", &world.password()).await;
        if answer.status() == 429 {
            limited = Some(answer);
            break;
        }
    }
    let answer = limited.expect("20 attempts in a row are limited");
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "too_many_attempts");
    assert_eq!(
        sign_in(&world, "nobody", "wrong").await.status(),
        401,
        "others are let through"
    );
}

#[tokio::test]
async fn of_fifty_refreshes_of_one_token_one_wins() {
    let world = World::without_bus().await;
    let (token, _) = cookie(&sign_in(&world, "admin", &world.password()).await);
    let all = futures::future::join_all((0..50).map(|_| refresh(&world, &token))).await;
    let mut statuses: Vec<u16> = all.iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert_eq!(statuses[1..], [401; 49]);
}

#[tokio::test]
async fn bad_sign_ins_and_tokens_are_refused_clearly() {
    let world = World::without_bus().await;
    let long = "x".repeat(2_000);
    for (body, status) in [
        (json!({}), 400),
        (json!([]), 400),
        (json!({"login": "admin"}), 400),
        (json!({"login": 1, "password": "x"}), 400),
        (json!({"login": "", "password": "x"}), 400),
        (json!({"login": "admin", "password": ""}), 400),
        (json!({"login": "admin", "password": long}), 400),
        (json!({"login": long, "password": "x"}), 400),
        (json!({"login": "admin", "password": "x", "role": "root"}), 400),
        (json!({"login": "admin", "password": "x".repeat(70_000)}), 413),
    ] {
        let answer = world
            .http
            .post(world.url("/api/v1/session"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{body}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(answer.json::<Value>().await.unwrap()["request_id"], id);
    }
    let token = world.sign_in().await;
    let (head, tail) = token.rsplit_once('.').unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.";
    for bad in [
        "",
        "x",
        "a.b.c",
        unsigned,
        head,
        &format!("{head}.{}", tail.to_lowercase()),
        &format!("{token}x"),
    ] {
        let (status, body) = world.call("GET", "/api/v1/me", bad, None).await;
        assert_eq!((status, &body["code"]), (401, &json!("unauthorized")), "{bad}");
    }
    assert_eq!(
        world
            .http
            .get(world.url("/api/v1/me"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[tokio::test]
async fn the_first_start_leaves_private_files_and_the_second_keeps_them() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::without_bus().await;
    let mode = |path: &str| {
        let path = world.dir.path().join("data").join(path);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    for (path, expected) in [
        ("", 0o700),
        ("admin-password", 0o600),
        ("secrets", 0o700),
        ("secrets/jwt", 0o600),
        ("secrets/url", 0o600),
        ("secrets/master", 0o600),
    ] {
        assert_eq!(mode(path), expected, "{path}");
    }
    let (token, password) = (world.sign_in().await, world.password());
    let config = crate::support::config(world.dir.path(), "nats://127.0.0.1:1");
    world.server.stop().await.unwrap();
    let server = control_plane::server::Server::start(config).await.unwrap();
    let again = World {
        base: format!("http://{}", server.address),
        server,
        dir: world.dir,
        http: world.http,
    };
    assert_eq!(again.password(), password);
    assert_eq!(
        again.call("GET", "/api/v1/me", &token, None).await.0,
        200,
        "tokens outlive a restart"
    );
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::support::config(dir.path(), "nats://127.0.0.1:1");
    config.http.public_url = Some("https://cameras.example".parse().unwrap());
    let server = control_plane::server::Server::start(config).await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World {
        base: format!("http://{}", server.address),
        server,
        dir,
        http: reqwest::Client::new(),
    };
    let answer = sign_in(&world, "admin", &world.password()).await;
    assert!(cookie(&answer).1.contains("Secure"));
}
