//! Plans, probes and requests over a real bus that comes and goes.

use control_plane::state::now;
use futures::StreamExt;
use serde_json::json;
use wire::bus::*;
use wire::event::NodeEvent;
use wire::source::Credentials;
use wire::{StreamKind, TimeRange, UnixMs};

use crate::node::{Node, T, camera, had_before, object, site};
use crate::support::{Nats, World, poll};

#[tokio::test(flavor = "multi_thread")]
async fn from_a_new_camera_to_a_confirmed_object() {
    let site = site().await;
    let plan = site.node.plan().await.unwrap();
    let entry = &plan.entries[0];
    assert_eq!(
        (entry.camera, entry.epoch, entry.has_credentials),
        (site.camera, 1, true)
    );
    assert_eq!(entry.source.url, "rtsp://10.0.0.5/s1");
    assert!(entry.is_active(now()) && entry.continuous);
    assert!(plan.horizon.since(now()) >= 48 * 3_600_000);
    assert!(!serde_json::to_string(&plan).unwrap().contains("secret"));

    let asked = CredentialsRequest { camera: site.camera };
    let reply: Reply<CredentialsReply> = site.node.ask(NodeRequestKind::Credentials, &asked).await;
    let credentials = Some(Credentials {
        username: "admin".to_owned(),
        password: "secret".to_owned(),
    });
    assert_eq!(
        reply,
        Reply::Ok(CredentialsReply {
            revision: 1,
            credentials
        })
    );

    let object = object(site.node.id, site.camera, T);
    let event = NodeEvent::ObjectSealed(object.clone());
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;
    let range = TimeRange::new(UnixMs(T + 59_999), UnixMs(T + 90_000)).unwrap();
    let me = site.world.call("GET", "/api/v1/me", &site.token, None).await.1;
    let organization = me["organization"].as_str().unwrap().parse().unwrap();
    let store = &site.world.server.state.store;
    let rows = store
        .objects_in_range(organization, site.camera, StreamKind::Main, range)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].id, &rows[0].segments, &rows[0].tracks),
        (object.id, &object.segments, &object.tracks)
    );
    let days = store
        .days_in_range(organization, site.camera, StreamKind::Main, range)
        .await
        .unwrap();
    assert_eq!(days.iter().flat_map(|day| day.quarters).sum::<u32>(), 60_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_reach_the_plan_within_a_second() {
    let site = site().await;
    let path = format!("/api/v1/cameras/{}", site.camera);
    let started = std::time::Instant::now();
    let off = json!({"recording": false});
    site.world.call("PATCH", &path, &site.token, Some(off)).await;
    site.node
        .plan_when("recording is off", |plan| plan.entries.is_empty())
        .await;
    assert!(started.elapsed().as_millis() < 1_000, "{:?}", started.elapsed());
    let on = json!({"recording": true, "password": "other"});
    site.world.call("PATCH", &path, &site.token, Some(on)).await;
    let plan = site
        .node
        .plan_when("recording is on", |plan| !plan.entries.is_empty())
        .await;
    assert_eq!(
        (plan.entries[0].credentials_revision, plan.entries[0].epoch),
        (2, 1)
    );
    site.world.call("DELETE", &path, &site.token, None).await;
    let plan = site
        .node
        .plan_when("the camera is gone", |plan| plan.entries.is_empty())
        .await;
    assert!(plan.revision >= 4);
    let asked = CredentialsRequest { camera: site.camera };
    let reply: Reply<CredentialsReply> = site.node.ask(NodeRequestKind::Credentials, &asked).await;
    assert!(matches!(reply, Reply::Err(error) if error.code == ReplyCode::NotFound));
    let late = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T));
    site.node.publish(&late).await;
    site.node.committed(late.message_id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_asks_a_node_and_tells_what_it_found() {
    let site = site().await;
    let subject = node_subject(site.node.id, ControlRequestKind::Probe);
    let mut requests = site.node.client.subscribe(subject).await.unwrap();
    let client = site.node.client.clone();
    tokio::spawn(async move {
        let report = ProbeReport {
            tracks: Vec::new(),
            bitrate_bps: 2_000_000,
            keyframe_interval_ms: Some(1_000),
            clock_offset_ms: None,
            reader: "retina".to_owned(),
        };
        let refusal = ReplyError {
            code: ReplyCode::Unavailable,
            detail: "the camera refused the password".to_owned(),
        };
        let answers = [
            ("rtsp://10.0.0.5/s1", Reply::Ok(report.clone())),
            ("rtsp://10.0.0.5/s2", Reply::Ok(report)),
            ("rtsp://10.0.0.9/", Reply::Err(refusal)),
        ];
        for (url, answer) in answers {
            let message = requests.next().await.unwrap();
            let request: ProbeRequest = serde_json::from_slice(&message.payload).unwrap();
            assert_eq!(request.source.url, url);
            assert_eq!(request.credentials.unwrap().password, "secret");
            client
                .publish(
                    message.reply.unwrap(),
                    serde_json::to_vec(&answer).unwrap().into(),
                )
                .await
                .unwrap();
        }
    });
    let path = format!("/api/v1/cameras/{}/probe", site.camera);
    let (status, report) = site.world.call("POST", &path, &site.token, None).await;
    assert_eq!((status, &report["reader"]), (200, &json!("retina")), "{report}");
    let sub = format!("{path}?stream=sub");
    let (status, problem) = site.world.call("POST", &sub, &site.token, None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("no_sub_stream")));
    let wrong = format!("{path}?stream=third");
    let (status, problem) = site.world.call("POST", &wrong, &site.token, None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("stream")));
    let saved = format!("/api/v1/cameras/{}", site.camera);
    let body = json!({"sub_url": "rtsp://10.0.0.5/s2"});
    site.world.call("PATCH", &saved, &site.token, Some(body)).await;
    let (status, report) = site.world.call("POST", &sub, &site.token, None).await;
    assert_eq!((status, &report["reader"]), (200, &json!("retina")), "{report}");
    let body = json!({"url": "rtsp://admin:secret@10.0.0.9/"});
    let (status, problem) = site
        .world
        .call("POST", "/api/v1/probe", &site.token, Some(body))
        .await;
    assert_eq!(
        (status, &problem["title"]),
        (502, &json!("the camera refused the password"))
    );
    let (status, nodes) = site.world.call("GET", "/api/v1/nodes", &site.token, None).await;
    assert_eq!((status, &nodes["items"][0]["online"]), (200, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_may_come_late_go_and_come_back() {
    let mut nats = Nats::start();
    nats.kill();
    let world = World::with_bus(&nats.url()).await;
    let token = world.sign_in().await;
    let camera = camera(&world, &token, json!({"name": "x", "url": "rtsp://10.0.0.5/"})).await;
    nats.resume();
    world.ready().await;
    let node = Node::start(&nats, &world).await;
    node.plan_when("the camera is planned", |plan| plan.entries.len() == 1)
        .await;
    had_before(&world, camera, node.id).await;
    nats.kill();
    poll("the server notices", async || {
        let answer = world.http.get(world.url("/readyz")).send().await.unwrap();
        (answer.status() == 503).then_some(())
    })
    .await;
    nats.resume();
    world.ready().await;
    let node = Node::connect(&nats, node.id, node.seed, node.access).await;
    let event = NodeEvent::ObjectSealed(object(node.id, camera, T));
    node.publish(&event).await;
    node.committed(event.message_id()).await;
    nats.lose_everything();
    world.ready().await;
    node.plan_when("the plan is put again", |plan| plan.entries.len() == 1)
        .await;
    let event = NodeEvent::ObjectSealed(object(node.id, camera, T + 60_000));
    poll("the stream is made again", async || {
        node.try_publish(&event).await
    })
    .await;
    node.committed(event.message_id()).await;
    let path = format!("/api/v1/cameras/{camera}");
    world.call("DELETE", &path, &token, None).await;
    node.plan_when("the camera is gone", |plan| plan.entries.is_empty())
        .await;
    world.server.stop().await.unwrap();
}

/// The first words of a server that is too old; no such server can be installed beside a new one.
fn old_bus() -> u16 {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let info = json!({"server_id": "x", "version": "2.9.10", "max_payload": 1_048_576, "headers": true,
                "host": "127.0.0.1", "port": port, "proto": 1, "go": "go1.19", "nonce": "", "client_id": 1});
            let _ = write!(stream, "INFO {info}\r\n");
            let lines = BufReader::new(stream.try_clone().unwrap())
                .lines()
                .map_while(Result::ok);
            for line in lines {
                if line == "PING" {
                    let _ = stream.write_all(b"PONG\r\n");
                }
            }
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_is_too_old_is_refused_with_a_sentence() {
    let world = World::with_bus(&format!("nats://127.0.0.1:{}", old_bus())).await;
    poll("the version is named", async || {
        let answer = world.http.get(world.url("/readyz")).send().await.unwrap();
        assert_eq!(answer.status(), 503);
        let body: serde_json::Value = answer.json().await.unwrap();
        body["bus"]
            .as_str()
            .unwrap()
            .contains("2.9.10: version 2.11 or newer")
            .then_some(())
    })
    .await;
}
