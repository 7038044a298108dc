//! Events: taken once, refused for good, never lost.

use serde_json::json;
use wire::bus::*;
use wire::coverage::{Gap, GapCause};
use wire::event::{Head, NodeEvent, OpenObject, SealedObject};
use wire::{CameraId, ObjectId, StreamKind, TimeRange, UnixMs};

use crate::node::{Node, T, object, site};
use crate::support::poll;

#[tokio::test(flavor = "multi_thread")]
async fn untrue_events_are_refused_and_remembered() {
    let site = site().await;
    let other = Node::start(&site.nats, &site.world).await;
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

/// Footage of two nodes, or of one that came back: in the calendar once, whichever object comes first.
#[tokio::test(flavor = "multi_thread")]
async fn footage_that_overlaps_counts_once() {
    let site = site().await;
    for start in [T + 45_000, T, T + 90_000, T + 30_000] {
        let event = NodeEvent::ObjectSealed(object(site.node.id, site.camera, start));
        site.node.publish(&event).await;
        site.node.committed(event.message_id()).await;
    }
    let path = format!(
        "/player-api/cameras/{}/days?from=2026-01-01&to=2026-03-01",
        site.camera
    );
    let (_, days) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(days["days"][0]["footage_ms"], 150_000, "{days}");
    let path = format!(
        "/player-api/cameras/{}/coverage?from={T}&to={}",
        site.camera,
        T + 150_000
    );
    let (_, coverage) = site.world.call("GET", &path, &site.token, None).await;
    let whole = json!([{"kind": "footage", "start": T, "end": T + 150_000}]);
    assert_eq!(coverage["stretches"], whole);
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
    let put = async |camera: CameraId, stream: StreamKind, head: &Head| {
        let key = head_key(site.node.id, camera, stream);
        let text = serde_json::to_vec(head).unwrap();
        site.node.put(HEAD_BUCKET, &key, text).await;
    };
    let foreign = Head {
        camera: CameraId::generate(),
        ..head.clone()
    };
    put(foreign.camera, foreign.stream, &foreign).await;
    let mut damaged = head.clone();
    damaged.objects[0].segments.0[1].offset = 0;
    put(head.camera, StreamKind::Sub, &head).await;
    put(head.camera, head.stream, &damaged).await;
    put(head.camera, head.stream, &head).await;
    let heads = &site.world.server.state.heads;
    let kept = poll("the head is kept", async || {
        heads.of(site.camera, StreamKind::Main).pop()
    })
    .await;
    assert_eq!(*kept, head);
    assert!(heads.of(foreign.camera, StreamKind::Main).is_empty());
    assert!(heads.of(site.camera, StreamKind::Sub).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_events_that_waited_are_taken_at_once() {
    let site = site().await;
    let events: Vec<_> = (0..1_000)
        .map(|minute| NodeEvent::ObjectSealed(object(site.node.id, site.camera, T + minute * 60_000)))
        .collect();
    let started = std::time::Instant::now();
    for event in &events {
        site.node.publish(event).await;
    }
    let messages: Vec<String> = events.iter().map(NodeEvent::message_id).collect();
    for half in messages.chunks(500) {
        poll("all are committed", async || {
            (site.node.confirm(half).await.committed.len() == half.len()).then_some(())
        })
        .await;
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
