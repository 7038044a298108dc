use control_plane::state::now;
use futures::StreamExt;
use serde_json::json;
use wire::bus::*;
use wire::coverage::{Gap, GapCause};
use wire::event::{Head, NodeEvent, OpenObject, SealedObject};
use wire::source::Credentials;
use wire::{CameraId, ObjectId, StreamKind, TimeRange, UnixMs};

use crate::node::{Node, T, camera, object, site};
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
async fn untrue_events_are_refused_and_remembered() {
    let site = site().await;
    let other = Node::start(&site.nats).await;
    let good = object(site.node.id, site.camera, T);
    let spoilt: Vec<(&str, SealedObject)> = vec![
        (
            "another node's camera",
            SealedObject {
                node: other.id,
                ..object(other.id, site.camera, T)
            },
        ),
        ("unknown camera", object(other.id, CameraId::generate(), T)),
        ("node is not the subject", object(site.node.id, site.camera, T)),
        (
            "backwards",
            SealedObject {
                end: UnixMs(T - 1),
                ..object(other.id, site.camera, T)
            },
        ),
    ];
    for (name, object) in spoilt {
        let event = NodeEvent::ObjectSealed(object);
        other.publish(&event).await;
        assert!(!other.refused(event.message_id()).await.is_empty(), "{name}");
    }
    let future_epoch = SealedObject {
        epoch: 2,
        ..object(site.node.id, site.camera, T)
    };
    let event = NodeEvent::ObjectSealed(future_epoch);
    site.node.publish(&event).await;
    site.node.refused(event.message_id()).await;
    site.node
        .publish_raw("nonsense", b"{\"type\":\"x\"".to_vec())
        .await;
    assert!(
        site.node
            .refused("nonsense".to_owned())
            .await
            .contains("cannot be read")
    );

    let event = NodeEvent::ObjectSealed(good.clone());
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;
    assert!(
        other.confirm(&[event.message_id()]).await.committed.is_empty(),
        "not this node's"
    );
    let same_id = SealedObject {
        sha256: "ef".repeat(32),
        start: UnixMs(T + 1),
        ..good
    };
    site.node
        .publish_raw(
            "again",
            serde_json::to_vec(&NodeEvent::ObjectSealed(same_id)).unwrap(),
        )
        .await;
    let messages = vec![String::new(); 501];
    let reply: Reply<ConfirmReply> = site
        .node
        .ask(NodeRequestKind::Confirm, &ConfirmRequest { messages })
        .await;
    assert!(matches!(reply, Reply::Err(error) if error.code == ReplyCode::Invalid));
    for request in ["{", "null", "{\"object\":\"x\"}"] {
        let subject = request_subject(site.node.id, NodeRequestKind::Upload);
        let answer = site.node.client.request(subject, request.into()).await.unwrap();
        let reply: Reply<UploadReply> = serde_json::from_slice(&answer.payload).unwrap();
        assert!(matches!(reply, Reply::Err(error) if error.code == ReplyCode::Invalid));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_delivered_twice_count_once_and_gaps_grow() {
    let site = site().await;
    let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T));
    let body = serde_json::to_vec(&event).unwrap();
    for copy in 0..3 {
        // Other message ids, so that the bus itself does not drop the copies.
        site.node.publish_raw(&format!("copy {copy}"), body.clone()).await;
    }
    let gap = |end| {
        NodeEvent::Gap(Gap {
            id: ObjectId::from_bytes([7; 16]),
            camera: site.camera,
            stream: StreamKind::Main,
            node: site.node.id,
            range: TimeRange::new(UnixMs(T + 60_000), UnixMs(end)).unwrap(),
            cause: GapCause::Camera,
            detail: "no answer\r\n".to_owned(),
        })
    };
    for end in [T + 70_000, T + 90_000, T + 80_000] {
        site.node.publish(&gap(end)).await;
        site.node.committed(gap(end).message_id()).await;
    }
    site.node.committed(event.message_id()).await;
    let organization = site.world.call("GET", "/api/v1/me", &site.token, None).await.1["organization"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let store = &site.world.server.state.store;
    let range = TimeRange::new(UnixMs(T), UnixMs(T + 3_600_000)).unwrap();
    let main = StreamKind::Main;
    let gaps = store
        .gaps_in_range(organization, site.camera, main, range)
        .await
        .unwrap();
    assert_eq!(
        (gaps.len(), gaps[0].range.end(), gaps[0].detail.as_str()),
        (1, UnixMs(T + 90_000), "no answer")
    );
    assert_eq!(
        store
            .objects_in_range(organization, site.camera, main, range)
            .await
            .unwrap()
            .len(),
        1
    );
    let days = store
        .days_in_range(organization, site.camera, main, range)
        .await
        .unwrap();
    assert_eq!(days[0].quarters.iter().sum::<u32>(), 60_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_loses_no_event() {
    let site = site().await;
    let lock = site.world.lock_database();
    let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, T));
    site.node.publish(&event).await;
    let body = json!({"name": "x", "url": "rtsp://10.0.0.6/"});
    let (status, _) = site
        .world
        .call("POST", "/api/v1/cameras", &site.token, Some(body))
        .await;
    assert_eq!(status, 503, "by now the index has tried, too");
    assert!(
        site.node
            .confirm(&[event.message_id()])
            .await
            .committed
            .is_empty()
    );
    drop(lock);
    site.node.committed(event.message_id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_kept_when_they_can_be_true() {
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
    let bucket = site.node.bucket(HEAD_BUCKET).await;
    let put = async |key: String, head: &Head| {
        bucket
            .put(key, serde_json::to_vec(head).unwrap().into())
            .await
            .unwrap();
    };
    let foreign = Head {
        camera: CameraId::generate(),
        ..head.clone()
    };
    put(head_key(foreign.camera, foreign.stream), &foreign).await;
    let mut damaged = head.clone();
    damaged.objects[0].segments.0[1].offset = 0;
    put(head_key(head.camera, StreamKind::Sub), &head).await;
    put(head_key(head.camera, head.stream), &damaged).await;
    put(head_key(head.camera, head.stream), &head).await;
    let heads = &site.world.server.state.heads;
    let kept = poll("the head is kept", async || {
        heads.head(site.camera, StreamKind::Main)
    })
    .await;
    assert_eq!(*kept, head);
    assert!(heads.head(foreign.camera, StreamKind::Main).is_none());
    assert!(heads.head(site.camera, StreamKind::Sub).is_none());
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
        let answers = [Reply::Ok(report), Reply::Err(refusal)];
        for answer in answers {
            let message = requests.next().await.unwrap();
            let request: ProbeRequest = serde_json::from_slice(&message.payload).unwrap();
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
    let node = Node::start(&nats).await;
    node.plan_when("the camera is planned", |plan| plan.entries.len() == 1)
        .await;
    nats.kill();
    poll("the server notices", async || {
        let answer = world.http.get(world.url("/readyz")).send().await.unwrap();
        (answer.status() == 503).then_some(())
    })
    .await;
    nats.resume();
    world.ready().await;
    let node = Node {
        client: nats.client().await,
        ..node
    };
    let node = Node {
        jetstream: async_nats::jetstream::new(node.client.clone()),
        ..node
    };
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
