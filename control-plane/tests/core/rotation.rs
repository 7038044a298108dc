//! Keys are rotated by the program beside a running server; nobody is signed out.

use std::path::Path;
use std::process::{Command, Output};

use control_plane::domain::totp::code_at;
use control_plane::state::now;
use control_plane::store::sealed;
use serde_json::{Value, json};
use wire::access::Role;

use crate::people::{organization_of, person};
use crate::support::{World, poll};

const PASSWORD: &str = "a long enough secret";

async fn rotate(world: &World, options: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_control-plane"));
    command
        .arg("rotate-keys")
        .arg("--config")
        .arg(world.dir.path().join("control.toml"))
        .args(options);
    let Output {
        status,
        stdout,
        stderr,
    } = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8([stdout, stderr].concat()).unwrap();
    (status.code().unwrap(), text)
}

fn files(world: &World) -> Vec<String> {
    let dir = world.dir.path().join("data/secrets");
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    ["jwt", "url", "master"].map(read).to_vec()
}

async fn session(world: &World, body: Value) -> (String, String) {
    let request = world.http.post(world.url("/api/v1/session")).json(&body);
    kept(request.send().await.unwrap()).await
}

async fn refreshed(world: &World, cookie: &str) -> (String, String) {
    let request = world.http.post(world.url("/api/v1/session/refresh"));
    kept(request.header("cookie", cookie).send().await.unwrap()).await
}

/// Access token and cookie of a session.
async fn kept(answer: reqwest::Response) -> (String, String) {
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    (body["access_token"].as_str().unwrap().to_owned(), cookie)
}

async fn status(world: &World, url: &str) -> u16 {
    world.http.get(url).send().await.unwrap().status().as_u16()
}

async fn me(world: &World, token: &str) -> u16 {
    world.call("GET", "/api/v1/me", token, None).await.0
}

/// The key that a token names.
fn head(token: &str) -> &str {
    token.split('.').next().unwrap()
}

/// A second factor of ann; its secret.
async fn second_factor(world: &World, token: &str) -> Vec<u8> {
    let body = json!({"password": PASSWORD});
    let (_, made) = world.call("POST", "/api/v1/me/totp", token, Some(body)).await;
    let secret = totp_rs::Secret::try_from_base32(made["secret"].as_str().unwrap()).unwrap();
    let body = json!({"code": code_at(secret.as_bytes(), now()).unwrap()});
    let (status, _) = world
        .call("POST", "/api/v1/me/totp/confirm", token, Some(body))
        .await;
    assert_eq!(status, 200);
    secret.as_bytes().to_vec()
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_rotation() {
    let world = World::without_bus().await;
    let admin = json!({"login": "admin", "password": world.password()});
    let (token, cookie) = session(&world, admin).await;
    let (_, ann) = person(
        &world,
        organization_of(&world, &token).await,
        "ann",
        Role::OrgUser,
    )
    .await;
    let secret = second_factor(&world, &ann).await;
    let body = json!({"name": "Gate", "url": "rtsp://10.0.0.5/", "username": "root", "password": "planted"});
    let (_, camera) = world.call("POST", "/api/v1/cameras", &token, Some(body)).await;
    let camera = format!("/api/v1/cameras/{}", camera["id"].as_str().unwrap());
    let key = "o/c/main/2026/01/31/0190f5fe-7c00-7a00-8000-0123456789ab.mp4";
    let state = world.server.state.clone();
    let address = state.objects.sign_get(key, now().plus(3_600_000)).unwrap();
    assert_eq!(status(&world, &address).await, 404, "signed, and nothing there");

    let before = files(&world);
    let (code, text) = rotate(&world, &["--dry-run"]).await;
    assert!(code == 0 && text.contains("would make"), "{text}");
    assert_eq!(files(&world), before);

    let (code, text) = rotate(&world, &[]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("encrypted 2 of 2 values"), "{text}");
    assert!(
        before.iter().all(|old| !text.contains(old.trim())),
        "no key is printed"
    );
    let (_, log) = world
        .call("GET", "/api/v1/audit?action=keys.rotate", &token, None)
        .await;
    let entries = log["items"].as_array().unwrap().iter();
    let mut rotated: Vec<&str> = entries.map(|entry| entry["subject"].as_str().unwrap()).collect();
    rotated.sort_unstable();
    assert_eq!(rotated, ["jwt", "master", "url"]);
    let (_, shown) = world.call("GET", &camera, &token, None).await;
    assert_eq!(
        shown["username"], "root",
        "even before the server looks at its files"
    );
    poll("the server takes the new keys", async || {
        (state.secrets.keys().jwt.former.len() == 1).then_some(())
    })
    .await;
    assert_eq!(me(&world, &token).await, 200);
    assert_eq!(status(&world, &address).await, 404, "the address still works");
    let (newer, cookie) = refreshed(&world, &cookie).await;
    assert_ne!(head(&newer), head(&token));
    let code = code_at(&secret, now().plus(30_000)).unwrap();
    session(
        &world,
        json!({"login": "ann", "password": PASSWORD, "code": code}),
    )
    .await;
    let present = state.secrets.keys().master.present.id();
    let values = state.store.read(sealed::of_cameras).await.unwrap();
    assert!(values.iter().all(|(_, value)| value[1..5] == present));

    let (code, text) = rotate(&world, &["--drop-old"]).await;
    assert!(code == 1 && text.contains("15 min"), "{text}");
    assert_eq!(state.secrets.keys().url.all().count(), 2);
    let (code, text) = rotate(&world, &["--drop-old", "--now"]).await;
    assert_eq!(code, 0, "{text}");
    poll("the server forgets the former keys", async || {
        let keys = state.secrets.keys();
        let all = [&keys.jwt, &keys.url, &keys.master];
        all.iter().all(|ring| ring.former.is_empty()).then_some(())
    })
    .await;
    assert_eq!((me(&world, &token).await, me(&world, &newer).await), (401, 200));
    assert_eq!(status(&world, &address).await, 403);
    let (newest, _) = refreshed(&world, &cookie).await;
    let (_, shown) = world.call("GET", &camera, &newest, None).await;
    assert_eq!(shown["username"], "root");
    assert!(files(&world).iter().all(|file| file.lines().count() == 1));
}

#[tokio::test]
async fn one_key_is_rotated_alone_and_nothing_at_all_in_vain() {
    let world = World::without_bus().await;
    let before = files(&world);
    let (code, text) = rotate(&world, &["--url"]).await;
    assert_eq!(code, 0, "{text}");
    let after = files(&world);
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert!(after[1].ends_with(&before[1]) && after[1].lines().count() == 2);
    let (code, text) = rotate(&world, &["--jwt", "--drop-old"]).await;
    assert!(code == 0 && text.contains("no former key"), "{text}");
    assert_eq!(rotate(&world, &["--now"]).await.0, 2, "--now is about --drop-old");
    damage(&world.dir.path().join("data/secrets/master"));
    let damaged = files(&world);
    let (code, text) = rotate(&world, &[]).await;
    assert!(
        code == 1 && text.contains("master") && !text.contains("nonsense"),
        "{text}"
    );
    assert_eq!(files(&world), damaged, "all or nothing");
}

fn damage(path: &Path) {
    std::fs::write(path, "nonsense").unwrap();
}
