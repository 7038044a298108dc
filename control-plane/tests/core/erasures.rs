//! Footage erased by range: gone from index, calendar and store at once, from nodes when they say so.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wire::access::Role;
use wire::bus::{HEAD_BUCKET, ReplyCode, head_key};
use wire::coverage::{Gap, GapCause};
use wire::event::{Head, NodeEvent, OpenObject, SealedObject};
use wire::{ErasureId, ObjectId, StreamKind, TimeRange, UnixMs};

use crate::camera_fields::{blob, sql};
use crate::node::{Node, Site, T, object, site};
use crate::people::{organization, organization_of, person};
use crate::support::{World, poll};
use crate::upload::{put, stored, upload};

fn path(camera: impl std::fmt::Display) -> String {
    format!("/api/v1/cameras/{camera}/erasures")
}

fn body(from_s: i64, to_s: i64) -> Value {
    json!({"from": T + from_s * 1000, "to": T + to_s * 1000, "reason": "request 17"})
}

async fn index(node: &Node, object: SealedObject) -> SealedObject {
    let event = NodeEvent::ObjectSealed(object.clone());
    node.publish(&event).await;
    node.committed(event.message_id()).await;
    object
}

/// Kind, seconds since `T` and detail of each stretch of the first five minutes.
async fn ledger(site: &Site) -> Vec<(String, i64, i64, String)> {
    let path = format!(
        "/player-api/cameras/{}/coverage?from={T}&to={}",
        site.camera,
        T + 300_000
    );
    let (status, coverage) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(status, 200, "{coverage}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let second = |value: &Value| (value.as_i64().unwrap() - T) / 1000;
    coverage["stretches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let kind = format!("{} {}", text(&one["kind"]), text(&one["cause"]));
            (
                kind.trim().to_owned(),
                second(&one["start"]),
                second(&one["end"]),
                text(&one["detail"]),
            )
        })
        .collect()
}

async fn footage_ms(site: &Site) -> u64 {
    let path = format!(
        "/player-api/cameras/{}/days?from=2026-01-01&to=2026-03-01",
        site.camera
    );
    let (_, days) = site.world.call("GET", &path, &site.token, None).await;
    let days = days["days"].as_array().unwrap();
    days.iter().map(|day| day["footage_ms"].as_u64().unwrap()).sum()
}

fn footage(start: i64, end: i64) -> (String, i64, i64, String) {
    ("footage".to_owned(), start, end, String::new())
}

fn erased(start: i64, end: i64) -> (String, i64, i64, String) {
    let detail = "erased: request 17".to_owned();
    ("gap operator".to_owned(), start, end, detail)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_touches_the_range_goes_whole_and_never_comes_back() {
    let site = site().await;
    let (id, node, world) = (site.node.id, &site.node, &site.world);
    let kept = index(node, object(id, site.camera, T)).await;
    let gone = index(node, object(id, site.camera, T + 60_000)).await;
    let sub = SealedObject {
        stream: StreamKind::Sub,
        ..object(id, site.camera, T + 30_000)
    };
    index(node, sub).await;
    assert_eq!(footage_ms(&site).await, 120_000);

    let dry = format!("{}?dry_run=true", path(site.camera));
    let (status, preview) = world.call("POST", &dry, &site.token, Some(body(70, 80))).await;
    let expected = json!({
        "erased_from": T + 30_000, "erased_to": T + 120_000, "objects": 2, "bytes": 21_600,
        "nodes": [id.to_string()],
    });
    assert_eq!((status, preview), (200, expected));
    assert_eq!(
        ledger(&site).await,
        [footage(0, 120)],
        "a dry run changes nothing"
    );

    let (status, erasure) = world
        .call("POST", &path(site.camera), &site.token, Some(body(70, 80)))
        .await;
    assert_eq!(status, 201, "{erasure}");
    assert_eq!(
        (
            &erasure["erased_from"],
            &erasure["erased_to"],
            &erasure["objects"]
        ),
        (&json!(T + 30_000), &json!(T + 120_000), &json!(2))
    );
    assert_eq!(erasure["nodes"], json!([{"node": id.to_string(), "done": null}]));
    assert_eq!(ledger(&site).await, [footage(0, 60), erased(60, 120)]);
    assert_eq!(footage_ms(&site).await, 60_000);
    let organization = organization_of(world, &site.token).await;
    let store = &world.server.state.store;
    let range = TimeRange::new(UnixMs(T), UnixMs(T + 300_000)).unwrap();
    let left = store
        .objects_in_range(organization, site.camera, StreamKind::Sub, range)
        .await;
    assert!(left.unwrap().is_empty(), "each stream");

    for request in [
        upload(node, gone.id).await.unwrap_err(),
        stored(node, gone.id).await.unwrap_err(),
    ] {
        assert_eq!(request.code, ReplyCode::NotFound);
    }
    let again = NodeEvent::ObjectSealed(gone.clone());
    node.publish_raw("again", serde_json::to_vec(&again).unwrap())
        .await;
    assert!(node.refused(gone.id.to_string()).await.contains("erased"));
    // Ends after the range, so that what goes with it has to be explained, too.
    let late = NodeEvent::ObjectSealed(SealedObject {
        id: ObjectId::generate(),
        ..object(id, site.camera, T + 79_000)
    });
    node.publish(&late).await;
    node.refused(late.message_id()).await;
    assert_eq!(ledger(&site).await, [footage(0, 60), erased(60, 139)]);
    index(node, object(id, site.camera, T + 139_000)).await;
    let gap = NodeEvent::Gap(Gap {
        id: ObjectId::generate(),
        camera: site.camera,
        stream: StreamKind::Main,
        node: id,
        range: TimeRange::new(UnixMs(T + 75_000), UnixMs(T + 250_000)).unwrap(),
        cause: GapCause::Camera,
        detail: "no answer".to_owned(),
    });
    node.publish(&gap).await;
    node.committed(gap.message_id()).await;
    assert!(upload(node, kept.id).await.is_ok(), "what is not touched goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_carry_it_out_until_they_say_so() {
    let site = site().await;
    let (node, world) = (&site.node, &site.world);
    index(node, object(node.id, site.camera, T)).await;
    let key = "erase-once";
    let request = || {
        let post = world.http.post(world.url(&path(site.camera)));
        let post = post.bearer_auth(&site.token).header("idempotency-key", key);
        post.json(&body(10, 20)).send()
    };
    let first: Value = request().await.unwrap().json().await.unwrap();
    let second: Value = request().await.unwrap().json().await.unwrap();
    assert_eq!(first, second);
    let id: ErasureId = first["id"].as_str().unwrap().parse().unwrap();
    let plan = node
        .plan_when("the erasure is planned", |plan| !plan.erasures.is_empty())
        .await;
    let planned = plan.erasures[0];
    assert_eq!((planned.id, planned.camera), (id, site.camera));
    assert_eq!(
        planned.range,
        TimeRange::new(UnixMs(T + 10_000), UnixMs(T + 20_000)).unwrap(),
        "what was asked for: the node finds its own objects"
    );
    let other = Node::start(&site.nats, &site.world).await;
    other.report_erased(vec![id]).await;
    node.report_erased(vec![ErasureId::generate()]).await;
    let (_, list) = world.call("GET", &path(site.camera), &site.token, None).await;
    assert_eq!(list["items"], json!([first]), "only its own word counts");
    node.report_erased(vec![id]).await;
    node.plan_when("the erasure is done", |plan| plan.erasures.is_empty())
        .await;
    let (_, list) = world.call("GET", &path(site.camera), &site.token, None).await;
    assert!(list["items"][0]["nodes"][0]["done"].is_i64(), "{list}");
    let (_, audit) = world
        .call("GET", "/api/v1/audit?action=footage.erase", &site.token, None)
        .await;
    let entries = audit["items"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["subject"], &entries[0]["after"]["reason"]),
        (&json!(site.camera.to_string()), &json!("request 17"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_bytes_go_from_the_store_and_the_account() {
    let site = site().await;
    let (node, world) = (&site.node, &site.world);
    let bytes: Vec<u8> = (0..10_800_u32).map(|i| i as u8).collect();
    let sealed = SealedObject {
        sha256: hex::encode(Sha256::digest(&bytes)),
        ..object(node.id, site.camera, T)
    };
    index(node, sealed.clone()).await;
    let signed = upload(node, sealed.id).await.unwrap();
    assert!((200..300).contains(&put(&site, &signed, bytes).await));
    assert!(stored(node, sealed.id).await.unwrap());
    let organization = organization_of(world, &site.token).await;
    let state = &world.server.state;
    let row = state.store.object_by_id(None, sealed.id).await.unwrap().unwrap();
    let key = control_plane::objects::key(&row);
    assert_eq!(usage(world, &site.token, organization).await, 10_800);
    // A deleted camera's footage is still there to be erased.
    let camera = format!("/api/v1/cameras/{}", site.camera);
    assert_eq!(world.call("DELETE", &camera, &site.token, None).await.0, 204);
    let (status, _) = world
        .call("POST", &path(site.camera), &site.token, Some(body(0, 1)))
        .await;
    assert_eq!(status, 201);
    assert_eq!(usage(world, &site.token, organization).await, 0);
    poll("the bytes are gone", async || {
        state.objects.head(&key).await.unwrap().is_none().then_some(())
    })
    .await;
    node.plan_when("nodes erase it too", |plan| {
        plan.entries.is_empty() && plan.erasures.len() == 1
    })
    .await;
}

async fn usage(world: &World, token: &str, organization: wire::OrganizationId) -> u64 {
    let path = format!("/api/v1/organizations/{organization}");
    let (status, shown) = world.call("GET", &path, token, None).await;
    assert_eq!(status, 200, "{shown}");
    shown["usage"]["stored_bytes"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_still_announces_is_not_shown() {
    let site = site().await;
    let sealed = object(site.node.id, site.camera, T);
    let head = Head {
        camera: site.camera,
        stream: StreamKind::Main,
        node: site.node.id,
        objects: vec![OpenObject {
            id: sealed.id,
            epoch: 1,
            previous: None,
            init: sealed.init,
            tracks: sealed.tracks,
            segments: sealed.segments,
        }],
    };
    let text = serde_json::to_vec(&head).unwrap();
    let key = head_key(site.node.id, site.camera, StreamKind::Main);
    site.node.put(HEAD_BUCKET, &key, text).await;
    poll("the head shows", async || {
        (ledger(&site).await == [footage(0, 60)]).then_some(())
    })
    .await;
    let watch = format!(
        "/player-api/cameras/{}/playback?from={T}&to={}",
        site.camera,
        T + 60_000
    );
    let (status, _) = site.world.call("GET", &watch, &site.token, None).await;
    assert_eq!(status, 200);
    site.world
        .call("POST", &path(site.camera), &site.token, Some(body(59, 70)))
        .await;
    let (status, problem) = site.world.call("GET", &watch, &site.token, None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("footage_not_found")));
    assert_eq!(ledger(&site).await, []);
}

#[tokio::test]
async fn only_who_may_erases_what_is_past() {
    let world = World::without_bus().await;
    let token = world.sign_in().await;
    let home = organization_of(&world, &token).await;
    let camera = crate::people::camera(&world, &token, "Door").await;
    let path = path(&camera);
    let now = control_plane::state::now().0;
    for (from, to, reason, field) in [
        (T, now + 60_000, "a reason", "to"),
        (T, T, "a reason", "to"),
        (T + 1, T, "a reason", "to"),
        (T, T + 31 * 86_400_000 + 1, "a reason", "to"),
        (0, T, "a reason", "from"),
        (T, T + 1, " ab ", "reason"),
        (T, T + 1, "a\u{0}bc", "reason"),
        (T, T + 1, &"x".repeat(501), "reason"),
    ] {
        let body = json!({"from": from, "to": to, "reason": reason});
        for path in [path.clone(), format!("{path}?dry_run=true")] {
            let (status, problem) = world.call("POST", &path, &token, Some(body.clone())).await;
            assert_eq!((status, &problem["field"]), (400, &json!(field)), "{body}");
        }
    }
    let (status, problem) = world
        .call(
            "POST",
            &format!("{path}?dry_run=perhaps"),
            &token,
            Some(body(0, 1)),
        )
        .await;
    assert_eq!((status, &problem["field"]), (400, &json!("dry_run")));

    let (watcher, granted) = person(&world, home, "granted", Role::OrgUser).await;
    let (_, stranger) = person(&world, home, "stranger", Role::OrgUser).await;
    let (_, admin) = person(&world, home, "admin2", Role::OrgAdmin).await;
    let tenant = organization(&world, "Other").await;
    let (_, foreign) = person(&world, tenant, "foreign", Role::OrgAdmin).await;
    let id: wire::CameraId = camera.parse().unwrap();
    let (grant, owner) = (blob(&[1; 16]), blob(home.as_bytes()));
    let (person, camera) = (blob(watcher.as_bytes()), blob(id.as_bytes()));
    let user = "\"user\"";
    sql(
        &world,
        format!(
            "INSERT INTO access_grant (id, organization, {user}, camera, permissions) \
             VALUES ({grant}, {owner}, {person}, {camera}, 15)"
        ),
    )
    .await;
    for (who, expected) in [(&granted, 403), (&stranger, 404), (&foreign, 404), (&admin, 201)] {
        let (status, _) = world.call("POST", &path, who, Some(body(0, 1))).await;
        assert_eq!(status, expected);
        let (status, list) = world.call("GET", &path, who, None).await;
        assert_eq!(status, if expected == 201 { 200 } else { expected });
        if status == 200 {
            assert_eq!(list["items"].as_array().unwrap().len(), 1);
        }
    }
    let across = format!("{path}?organization={tenant}");
    let (status, _) = world.call("POST", &across, &token, Some(body(0, 1))).await;
    assert_eq!(status, 404, "not that organization's camera");
}
