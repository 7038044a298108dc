//! Objects' bytes: whole, in ranges, and refused.

use control_plane::domain::signing::Grant;
use control_plane::state::now;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wire::UnixMs;

use crate::support::World;

const KEY: &str = "o/c/main/2026/01/31/x.mp4";

/// An address as the store signs it, with an expiry of its own.
fn signed(world: &World, key: &str, body: &[u8], expires: UnixMs) -> String {
    let signer = world.server.state.secrets.keys().signer();
    let sha256 = Sha256::digest(body).into();
    let bytes = body.len() as u64;
    let grant = Grant::Put {
        key,
        bytes,
        sha256: &sha256,
    };
    let path = format!("/objects/{key}");
    let sig = signer.sign(&grant, &path, expires);
    let sha256 = hex::encode(sha256);
    world.url(&format!(
        "{path}?length={bytes}&sha256={sha256}&exp={}&sig={sig}",
        expires.0
    ))
}

async fn put(world: &World, url: &str, body: &[u8]) -> (u16, String) {
    let answer = world.http.put(url).body(body.to_vec()).send().await.unwrap();
    let status = answer.status().as_u16();
    let problem: serde_json::Value = answer.json().await.unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_put_is_taken_once_and_only_as_signed() {
    let world = World::without_bus().await;
    let body = vec![7; 3_000_000];
    let later = now().plus(60_000);
    let good = signed(&world, KEY, &body, later);
    let mut longer = body.clone();
    longer.push(7);
    let expired = signed(&world, KEY, &body, now().plus(-1));
    let other_key = good.replace("x.mp4", "y.mp4");
    let other_length = good.replace("length=3000000", "length=3000001");
    let other_digest = good.replace("sha256=", "sha256=0");
    let tampered = good.replace("sig=", "sig=A");
    let later_expiry = good.replace(&later.0.to_string(), &(later.0 + 1).to_string());
    let bare = good.split('?').next().unwrap();
    for (what, url, sent, status, code) in [
        ("expired", expired.as_str(), &body[..], 403, "address_expired"),
        ("other key", &other_key, &body, 403, "signature_invalid"),
        ("other length", &other_length, &body, 403, "signature_invalid"),
        ("other digest", &other_digest, &body, 403, "signature_invalid"),
        ("tampered", &tampered, &body, 403, "signature_invalid"),
        ("later expiry", &later_expiry, &body, 403, "signature_invalid"),
        ("no signature", bare, b"x", 403, "signature_invalid"),
        ("shorter body", &good, &body[1..], 400, "length_mismatch"),
        ("longer body", &good, &longer, 400, "length_mismatch"),
        ("other body", &good, &vec![8; 3_000_000], 400, "digest_mismatch"),
    ] {
        assert_eq!(put(&world, url, sent).await, (status, code.to_owned()), "{what}");
    }
    assert_eq!(put(&world, &good, &body).await.0, 201);
    assert_eq!(put(&world, &good, &body).await.0, 412, "replayed");
    // A PUT's address reads nothing; a GET's does.
    assert_eq!(world.http.get(&good).send().await.unwrap().status(), 403);
    let url = world.server.state.objects.sign_get(KEY, later).unwrap();
    assert_eq!(put(&world, &url, b"x").await.0, 403);
    let answer = world.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.unwrap() == body);
}

/// The status of a GET whose path is sent as it is: clients tidy `..` away.
async fn raw_status(world: &World, path: &str) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(world.server.address)
        .await
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn keys_name_nothing_else() {
    let world = World::without_bus().await;
    let signer = world.server.state.secrets.keys().signer();
    let expires = now().plus(60_000);
    for key in [
        "../secrets/url",
        "a/../../secrets/url",
        "..%2fsecrets/url",
        "%2e%2e/secrets/url",
        "/etc/passwd",
        "%2fetc/passwd",
        "maintenance",
        "a//b",
        ".incoming/x",
        "",
        "a/b%00",
        "a/%ff",
    ] {
        let sig = signer.sign(&Grant::Get { key }, &format!("/objects/{key}"), expires);
        let status = raw_status(&world, &format!("/objects/{key}?exp={}&sig={sig}", expires.0)).await;
        assert_eq!(status, 404, "{key}");
    }
}

#[tokio::test]
async fn closed_for_maintenance_says_when_to_come_back() {
    let world = World::without_bus().await;
    let flag = world.dir.path().join("data/objects/maintenance");
    std::fs::write(&flag, "").unwrap();
    let url = signed(&world, KEY, b"x", now().plus(60_000));
    let answer = world.http.put(&url).body("x").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    std::fs::remove_file(flag).unwrap();
    assert_eq!(put(&world, &url, b"x").await.0, 201);
}
