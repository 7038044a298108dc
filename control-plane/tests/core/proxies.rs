//! Behind a proxy: limits and audit name who asked it, and believe nobody else.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::World;

const FORWARDED: &str = "x-forwarded-for";
/// Of refreshes from one address at once.
const REFRESHES: usize = 120;

/// Requests are from 127.0.0.1.
async fn world(trusted: &[&str]) -> World {
    let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
    World::configured(|config| config.http.trusted_proxies = trusted).await
}

/// Refreshes a session that nobody has, for `client`.
async fn refresh(world: &World, client: &str) -> StatusCode {
    let request = world.http.post(world.url("/api/v1/session/refresh"));
    let request = request.header("cookie", format!("cc_refresh={}", "x".repeat(43)));
    let request = request.header(FORWARDED, client);
    request.send().await.unwrap().status()
}

/// Refreshes until it is too often; how often it was not.
async fn exhaust(world: &World, client: &str) -> usize {
    for count in 0..10 * REFRESHES {
        match refresh(world, client).await {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::TOO_MANY_REQUESTS => return count,
            other => panic!("{other}"),
        }
    }
    panic!("there is no limit");
}

/// Where the last change came from, as the audit log says.
async fn changed_from(world: &World, token: &str, header: Option<&str>) -> String {
    let body = json!({"name": "x", "url": "rtsp://10.0.0.5/", "allow_duplicate": true});
    let request = world.http.post(world.url("/api/v1/cameras")).bearer_auth(token);
    let request = match header {
        Some(text) => request.header(FORWARDED, text),
        None => request,
    };
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{header:?}");
    let path = "/api/v1/audit?action=camera.create&limit=1";
    let (_, log) = world.call("GET", path, token, None).await;
    log["items"][0]["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn limits_are_those_of_who_asked_the_proxy() {
    let world = world(&["127.0.0.0/8", "10.0.0.0/8"]).await;
    assert!(exhaust(&world, "203.0.113.9").await >= REFRESHES);
    // A stranger writes what they like before what the proxy appends.
    let forged = refresh(&world, "198.51.100.4, 203.0.113.9").await;
    assert_eq!(forged, StatusCode::TOO_MANY_REQUESTS);
    let chained = refresh(&world, "203.0.113.9:4711, 10.0.0.2").await;
    assert_eq!(chained, StatusCode::TOO_MANY_REQUESTS);
    let other = refresh(&world, "203.0.113.9, 203.0.113.10").await;
    assert_eq!(other, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_trusted_proxies_the_header_is_nobodys() {
    let world = world(&[]).await;
    assert!(exhaust(&world, "203.0.113.9").await >= REFRESHES);
    let other = refresh(&world, "203.0.113.10").await;
    assert_eq!(other, StatusCode::TOO_MANY_REQUESTS, "the peer is the same");
    let token = world.sign_in().await;
    assert_eq!(
        changed_from(&world, &token, Some("203.0.113.9")).await,
        "127.0.0.1"
    );
}

#[tokio::test]
async fn the_audit_log_names_who_asked_the_proxy() {
    let world = world(&["127.0.0.1"]).await;
    let token = world.sign_in().await;
    for (header, address) in [
        (None, "127.0.0.1"),
        (Some("203.0.113.9"), "203.0.113.9"),
        (Some("192.0.2.1, [2001:db8::7]:443"), "2001:db8::7"),
        (Some("192.0.2.1, unknown"), "127.0.0.1"),
        (Some("\u{e4}, <script>"), "127.0.0.1"),
        (Some(""), "127.0.0.1"),
    ] {
        assert_eq!(changed_from(&world, &token, header).await, address, "{header:?}");
    }
}
