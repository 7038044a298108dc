//! Cameras that may not be recorded: their plans, and what their ledger says.

use control_plane::state::now;
use serde_json::{Value, json};
use wire::access::Role;
use wire::{CameraId, OrganizationId, UnixMs};

use crate::node::Node;
use crate::people::{camera, organization, organization_of, person};
use crate::support::{Nats, World, poll};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Says whether cameras of an organization need licences.
async fn licensing(world: &World, owner: &str, organization: OrganizationId, need: &str) {
    let path = format!("/api/v1/organizations/{organization}");
    let (status, answer) = world
        .call("PATCH", &path, owner, Some(json!({"licensing": need})))
        .await;
    assert_eq!(status, 200, "{answer}");
}

/// The organization of the platform's owner, where nodes without another one belong; it needs licences now.
async fn home(world: &World, owner: &str) -> OrganizationId {
    let home = organization_of(world, owner).await;
    licensing(world, owner, home, "required").await;
    home
}

/// The id of a new licence that is valid from an hour ago until `valid_to`.
async fn licence(world: &World, token: &str, valid_to: UnixMs) -> String {
    let body = json!({
        "name": "Standard", "valid_from": now().0 - HOUR_MS, "valid_to": valid_to,
        "plan": {"features": ["recording"], "retention_days": 30, "max_width": 3840, "max_height": 2160,
            "max_bitrate_bps": 16_000_000},
    });
    let (status, issued) = world.call("POST", "/api/v1/licences", token, Some(body)).await;
    assert_eq!(status, 201, "{issued}");
    issued["items"][0]["id"].as_str().unwrap().to_owned()
}

async fn assign(world: &World, token: &str, licence: &str, camera: &str) {
    let path = format!("/api/v1/licences/{licence}/camera");
    let (status, answer) = world
        .call("PUT", &path, token, Some(json!({"camera": camera})))
        .await;
    assert_eq!(status, 200, "{answer}");
}

/// The gaps of the last hour, and what is to come.
async fn gaps(world: &World, token: &str, camera: &str) -> Vec<(String, i64, i64)> {
    let (from, to) = (now().0 - HOUR_MS, now().0 + HOUR_MS);
    let path = format!("/player-api/cameras/{camera}/coverage?from={from}&to={to}");
    let (status, ledger) = world.call("GET", &path, token, None).await;
    assert_eq!(status, 200, "{ledger}");
    let stretches = ledger["stretches"].as_array().unwrap().iter();
    let gap = |gap: &Value| {
        let time = |name: &str| gap[name].as_i64().unwrap();
        (
            gap["cause"].as_str().unwrap().to_owned(),
            time("start"),
            time("end"),
        )
    };
    stretches.map(gap).collect()
}

#[tokio::test]
async fn a_lapse_stops_the_recording_and_stands_in_the_ledger() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    let token = world.sign_in().await;
    let node = Node::start(&nats, &world).await;
    home(&world, &token).await;
    let door = camera(&world, &token, "door").await;
    let id: CameraId = door.parse().unwrap();

    // Without a licence: no window, a gap with its cause.
    let first = poll("the camera is held back", async || {
        gaps(&world, &token, &door).await.pop()
    })
    .await;
    assert_eq!(first.0, "unlicensed");
    node.plan_when("a plan without the camera", |plan| plan.entries.is_empty())
        .await;

    // With one: a window that ends when the licence does, which the node sees beforehand.
    let end = now().plus(3_000);
    let licence = licence(&world, &token, end).await;
    assign(&world, &token, &licence, &door).await;
    let plan = node
        .plan_when("the camera is planned", |plan| {
            plan.entries.iter().any(|entry| entry.camera == id)
        })
        .await;
    let (entry, window) = (&plan.entries[0], plan.entries[0].windows[0]);
    assert_eq!((window.end(), entry.continuous), (end, false));
    let held = poll("the gap ends", async || {
        let gaps = gaps(&world, &token, &door).await;
        gaps.first().filter(|gap| gap.2 == window.start().0).cloned()
    })
    .await;
    assert_eq!((held.0.as_str(), held.1), ("unlicensed", first.1));

    // It lapses: the planner is awake at that instant, and the gap begins there.
    node.plan_when("the camera is planned no more", |plan| plan.entries.is_empty())
        .await;
    let lapsed = poll("the lapse stands in the ledger", async || {
        gaps(&world, &token, &door).await.get(1).cloned()
    })
    .await;
    assert_eq!((lapsed.0.as_str(), lapsed.1), ("unlicensed", end.0));

    // Renewed: what was not permitted stays a gap, and no footage is planned into it.
    let later = now().plus(HOUR_MS);
    let path = format!("/api/v1/licences/{licence}/renew");
    let (status, _) = world
        .call("POST", &path, &token, Some(json!({"valid_to": later})))
        .await;
    assert_eq!(status, 200);
    let plan = node
        .plan_when("the camera is planned again", |plan| !plan.entries.is_empty())
        .await;
    let window = plan.entries[0].windows[0];
    assert!(window.start() > end && window.end() == later, "{window:?}");
    poll("the second gap ends", async || {
        let gaps = gaps(&world, &token, &door).await;
        gaps.get(1)
            .filter(|gap| (gap.1, gap.2) == (end.0, window.start().0))
            .cloned()
    })
    .await;
}

#[tokio::test]
async fn whatever_takes_the_licence_away_stops_the_recording() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    let token = world.sign_in().await;
    let node = Node::start(&nats, &world).await;
    let home = home(&world, &token).await;
    let door = camera(&world, &token, "door").await;
    let licence = licence(&world, &token, now().plus(HOUR_MS)).await;
    let planned = async |count: usize| {
        let what = format!("{count} cameras are planned");
        node.plan_when(&what, |plan| plan.entries.len() == count).await
    };
    assign(&world, &token, &licence, &door).await;
    planned(1).await;
    let call = async |method: &str, action: &str, body: Option<Value>| {
        let path = format!("/api/v1/licences/{licence}{action}");
        let (status, answer) = world.call(method, &path, &token, body).await;
        assert_eq!(status, 200, "{answer}");
    };
    call("POST", "/suspend", None).await;
    planned(0).await;
    call("POST", "/resume", None).await;
    planned(1).await;
    let plan = |feature: &str| {
        Some(
            json!({"plan": {"features": [feature], "retention_days": 30, "max_width": 3840,
            "max_height": 2160, "max_bitrate_bps": 16_000_000}}),
        )
    };
    call("PATCH", "", plan("live")).await;
    planned(0).await;
    call("PATCH", "", plan("recording")).await;
    planned(1).await;
    call("DELETE", "/camera", None).await;
    planned(0).await;
    licensing(&world, &token, home, "none").await;
    assert!(
        planned(1).await.entries[0].continuous,
        "without need of licences around the clock"
    );
}

#[tokio::test]
async fn a_suspended_organization_records_nothing() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    let token = world.sign_in().await;
    let node = Node::start(&nats, &world).await;
    let door = camera(&world, &token, "door").await;
    node.plan_when("the camera is planned", |plan| plan.entries.len() == 1)
        .await;
    let path = format!("/api/v1/organizations/{}", organization_of(&world, &token).await);
    let (status, answer) = world.call("POST", &format!("{path}/suspend"), &token, None).await;
    assert_eq!(status, 200, "{answer}");
    node.plan_when("nothing is planned", |plan| plan.entries.is_empty())
        .await;
    let gap = poll("the gap stands in the ledger", async || {
        gaps(&world, &token, &door).await.pop()
    })
    .await;
    assert_eq!(gap.0, "operator");
    let (status, answer) = world.call("POST", &format!("{path}/resume"), &token, None).await;
    assert_eq!(status, 200, "{answer}");
    let plan = node
        .plan_when("the camera is planned", |plan| plan.entries.len() == 1)
        .await;
    let resumed = plan.entries[0].windows[0].start();
    assert!(resumed.0 > gap.1);
    poll("the gap ends there", async || {
        let gaps = gaps(&world, &token, &door).await;
        gaps.first()
            .filter(|ended| (ended.1, ended.2) == (gap.1, resumed.0))
            .cloned()
    })
    .await;
}

#[tokio::test]
async fn one_organizations_lapse_is_not_anothers() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    let owner = world.sign_in().await;
    home(&world, &owner).await;
    let other = organization(&world, "Other").await;
    let (_, stranger) = person(&world, other, "admin@other", Role::OrgAdmin).await;
    licensing(&world, &owner, other, "required").await;
    let (mine, theirs) = (
        camera(&world, &owner, "door").await,
        camera(&world, &stranger, "door").await,
    );
    let mine_gap = poll("mine is held back", async || {
        gaps(&world, &owner, &mine).await.pop()
    })
    .await;
    let theirs_gap = poll("theirs is held back", async || {
        gaps(&world, &stranger, &theirs).await.pop()
    })
    .await;
    assert_eq!(
        (mine_gap.0.as_str(), theirs_gap.0.as_str()),
        ("unlicensed", "unlicensed")
    );
    let licence = licence(&world, &owner, now().plus(HOUR_MS)).await;
    assign(&world, &owner, &licence, &mine).await;
    // One that goes on ends at the moment of asking.
    poll("mine has ended", async || {
        let gap = gaps(&world, &owner, &mine).await.pop()?;
        (now().0 - gap.2 > 500).then_some(())
    })
    .await;
    let still = gaps(&world, &stranger, &theirs).await.pop().unwrap();
    poll("theirs goes on", async || {
        let gap = gaps(&world, &stranger, &theirs).await.pop()?;
        (gap.1 == still.1 && gap.2 > still.2).then_some(())
    })
    .await;
    let (from, to) = (now().0 - HOUR_MS, now().0);
    let path = format!("/player-api/cameras/{theirs}/coverage?from={from}&to={to}");
    assert_eq!(world.call("GET", &path, &owner, None).await.0, 404);
}
