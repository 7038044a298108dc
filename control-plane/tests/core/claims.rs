//! What a node says of epochs and times that are not its own, with a credential that is good: refused, told,
//! and nobody's footage is hidden by it.

use control_plane::state::now;
use serde_json::{Value, json};
use wire::bus::{HEAD_BUCKET, NODE_BUCKET, head_key};
use wire::coverage::{Gap, GapCause};
use wire::event::{Head, NodeEvent, OpenObject, SealedObject};
use wire::{ObjectId, StreamKind, TimeRange, UnixMs};

use crate::node::{Node, Site, object, site};
use crate::people::organization_of;
use crate::raw;
use crate::replays::reasons;
use crate::support::poll;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The camera went from the site's node, which still has its credential, to another one.
async fn moved() -> (Site, Node) {
    let site = site().await;
    let second = Node::start(&site.nats, &site.world).await;
    let path = format!("/api/v1/nodes/{}", site.node.id);
    let draining = json!({"state": "draining"});
    let (status, answer) = site.world.call("PATCH", &path, &site.token, Some(draining)).await;
    assert_eq!(status, 200, "{answer}");
    let path = format!("/api/v1/cameras/{}/placement", site.camera);
    poll("the other node has it", async || {
        for node in [&site.node, &second] {
            node.report_recording().await;
        }
        let (_, placement) = site.world.call("GET", &path, &site.token, None).await;
        let nodes = placement["nodes"].as_array()?;
        (nodes.len() == 1 && nodes[0]["node"] == json!(second.id)).then_some(())
    })
    .await;
    (site, second)
}

fn head(site: &Site, node: &Node, stream: StreamKind, epoch: u64, sealed: SealedObject) -> Head {
    Head {
        camera: site.camera,
        stream,
        node: node.id,
        objects: vec![OpenObject {
            id: sealed.id,
            epoch,
            previous: None,
            init: sealed.init,
            tracks: sealed.tracks,
            segments: sealed.segments,
        }],
    }
}

async fn put(node: &Node, head: &Head) {
    let key = head_key(node.id, head.camera, head.stream);
    let body = serde_json::to_vec(head).unwrap();
    node.put(HEAD_BUCKET, &key, body).await;
}

/// An object of the main stream that grows, as `node` says.
async fn say(site: &Site, node: &Node, epoch: u64, sealed: SealedObject) {
    put(node, &head(site, node, StreamKind::Main, epoch, sealed)).await;
}

/// What is played of the last hour, without the signatures.
async fn played(site: &Site) -> Vec<String> {
    let get = async |path: &str| {
        let answer = site.world.http.get(site.world.url(path)).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let (from, to) = (now().plus(-60 * MINUTE).0, now().0);
    let path = format!("/player-api/cameras/{}/playback?from={from}&to={to}", site.camera);
    let (status, playback) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(status, 200, "{playback}");
    let master = get(playback["url"].as_str().unwrap()).await;
    let media = get(master.lines().find(|line| line.contains("main.m3u8")).unwrap()).await;
    let lines = media.lines().filter(|line| line.contains(".mp4"));
    let mut lines: Vec<String> = lines
        .map(|line| line.split('?').next().unwrap().to_owned())
        .collect();
    // Missing time is as many lines as it is long.
    lines.dedup();
    lines
}

/// Says something until it is told that it was refused for this reason.
async fn told(site: &Site, reason: &str, mut again: impl AsyncFnMut()) {
    let home = organization_of(&site.world, &site.token).await;
    poll(reason, async || {
        again().await;
        reasons(site, home)
            .await
            .iter()
            .any(|told| told == reason)
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_former_node_hides_nothing() {
    let (site, second) = moved().await;
    let start = now().0 - 10 * MINUTE;
    let sealed = SealedObject {
        epoch: 2,
        ..object(second.id, site.camera, start)
    };
    let event = NodeEvent::ObjectSealed(sealed.clone());
    second.publish(&event).await;
    second.committed(event.message_id()).await;
    let growing = object(second.id, site.camera, start + MINUTE);
    let both = [sealed.id, growing.id];
    say(&site, &second, 2, growing).await;
    let before = poll("both are played", async || {
        let played = played(&site).await;
        let has = |id: &ObjectId| played.iter().any(|line| line.contains(&id.to_string()));
        both.iter().all(has).then_some(played)
    })
    .await;

    // Epochs that it was never given: above all others, the next one, that of the other node.
    let never = "a head under an epoch that the node was never given";
    for epoch in [u64::MAX, 3, 2] {
        let forged = object(site.node.id, site.camera, start);
        let id = forged.id;
        say(&site, &site.node, epoch, forged.clone()).await;
        told(&site, never, async || {
            say(&site, &site.node, epoch, forged.clone()).await;
        })
        .await;
        passed(&site, &second).await;
        assert!(
            kept(&site, id).is_empty() && played(&site).await == before,
            "{epoch}"
        );
    }
    // Its own, of a time long before it had the camera.
    let early = object(site.node.id, site.camera, now().0 - 400 * DAY);
    let when = "a head of a time in which the node did not record the camera";
    told(&site, when, async || {
        say(&site, &site.node, 1, early.clone()).await;
    })
    .await;
    // Its own, as it may still be on its way while the camera moves; and then as if it had gone on.
    let last = object(site.node.id, site.camera, now().0 - 3 * MINUTE);
    say(&site, &site.node, 1, last.clone()).await;
    poll("what was begun before is played", async || {
        (!kept(&site, last.id).is_empty()).then_some(())
    })
    .await;
    let ended = now().0 - 4 * MINUTE;
    let end = format!("UPDATE assignment SET ended = {ended} WHERE epoch = 1");
    raw::execute(&site.world.server.state.store, end).await.unwrap();
    let over = "a head of an assignment that has ended";
    told(&site, over, async || {
        say(&site, &site.node, 1, last.clone()).await;
    })
    .await;
    poll("it is played no more", async || {
        say(&site, &site.node, 1, last.clone()).await;
        (kept(&site, last.id).is_empty() && played(&site).await == before).then_some(())
    })
    .await;
    // Who has the camera does not know the future either.
    let future = object(second.id, site.camera, now().0 + 2 * DAY);
    let home = organization_of(&site.world, &site.token).await;
    poll("the future is refused", async || {
        say(&site, &second, 2, future.clone()).await;
        let reasons = reasons(&site, home).await;
        let count = reasons.iter().filter(|reason| *reason == when).count();
        (count == 2 && kept(&site, future.id).is_empty()).then_some(())
    })
    .await;
}

/// Waits until every head that was said before is taken or refused.
async fn passed(site: &Site, node: &Node) {
    let last = object(node.id, site.camera, now().0 - MINUTE);
    let (id, head) = (last.id, head(site, node, StreamKind::Sub, 2, last));
    put(node, &head).await;
    poll("what came after it is taken", async || {
        let heads = site.world.server.state.heads.of(site.camera, StreamKind::Sub);
        let mut objects = heads.iter().flat_map(|head| &head.objects);
        objects.any(|object| object.id == id).then_some(())
    })
    .await;
}

/// The nodes whose heads name an object.
fn kept(site: &Site, id: ObjectId) -> Vec<wire::NodeId> {
    let heads = site.world.server.state.heads.of(site.camera, StreamKind::Main);
    let names = heads
        .iter()
        .filter(|head| head.objects.iter().any(|one| one.id == id));
    names.map(|head| head.node).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_statuses_that_are_nobodys_are_told_once() {
    let site = site().await;
    let other = Node::start(&site.nats, &site.world).await;
    let foreign = object(other.id, site.camera, now().0 - MINUTE);
    let whose = "a head of a camera that is not the node's";
    told(&site, whose, async || {
        say(&site, &other, 1, foreign.clone()).await;
    })
    .await;
    let key = head_key(other.id, site.camera, StreamKind::Main);
    told(&site, "a head that cannot be read", async || {
        other.put(HEAD_BUCKET, &key, b"{}".to_vec()).await;
    })
    .await;
    told(&site, "a status that cannot be read", async || {
        other
            .put(NODE_BUCKET, &other.id.to_string(), b"{}".to_vec())
            .await;
    })
    .await;
    for _ in 0..50 {
        say(&site, &other, 1, foreign.clone()).await;
    }
    let last = object(site.node.id, site.camera, now().0 - MINUTE);
    say(&site, &site.node, 1, last.clone()).await;
    poll("what came after it is taken", async || {
        (!kept(&site, last.id).is_empty()).then_some(())
    })
    .await;
    let home = organization_of(&site.world, &site.token).await;
    let mut reasons = reasons(&site, home).await;
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "a head of a camera that is not the node's",
            "a head that cannot be read",
            "a status that cannot be read"
        ]
    );
}

fn gap(site: &Site, from: i64, to: i64) -> NodeEvent {
    NodeEvent::Gap(Gap {
        id: ObjectId::generate(),
        camera: site.camera,
        stream: StreamKind::Main,
        node: site.node.id,
        range: TimeRange::new(UnixMs(from), UnixMs(to)).unwrap(),
        cause: GapCause::Camera,
        detail: String::new(),
    })
}

/// What is unknown of a range.
async fn stretches(site: &Site, from: i64, to: i64) -> Value {
    let path = format!("/player-api/cameras/{}/coverage?from={from}&to={to}", site.camera);
    site.world.call("GET", &path, &site.token, None).await.1["stretches"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_and_footage_are_of_the_time_with_the_camera() {
    let (site, _second) = moved().await;
    // As if it had been there for three days, and had gone two days ago.
    let today = now().0;
    let (since, ended) = (today - 3 * DAY, today - 2 * DAY);
    let tenure = format!(
        "DELETE FROM assignment WHERE epoch = 0; \
         UPDATE assignment SET since = {since}, ended = {ended} WHERE epoch = 1"
    );
    raw::execute(&site.world.server.state.store, tenure)
        .await
        .unwrap();
    let footage = |start: i64| NodeEvent::ObjectSealed(object(site.node.id, site.camera, start));
    // A clock may be off by a day; and who was cut off has recorded on.
    for event in [
        gap(&site, since - DAY + MINUTE, since),
        gap(&site, ended, ended + DAY - MINUTE),
        footage(since - DAY + MINUTE),
        footage(today + DAY - 2 * MINUTE),
    ] {
        site.node.publish(&event).await;
        site.node.committed(event.message_id()).await;
    }
    for (event, reason) in [
        (gap(&site, today + DAY, today + 2 * DAY), "a gap of the future"),
        (
            gap(&site, since - 2 * DAY, since),
            "a gap from before the node had the camera",
        ),
        (
            gap(&site, today - 6 * 60 * MINUTE, today),
            "a gap from after the node had the camera",
        ),
        (footage(today + 2 * DAY), "footage of the future"),
        (
            footage(since - 2 * DAY),
            "footage from before the node had the camera",
        ),
    ] {
        site.node.publish(&event).await;
        assert_eq!(site.node.refused(event.message_id()).await, reason);
        told(&site, reason, async || ()).await;
    }
    let explained = stretches(&site, today - 6 * 60 * MINUTE, today).await;
    let explained = explained.as_array().unwrap();
    assert!(
        explained.iter().all(|stretch| stretch["cause"] != "camera"),
        "{explained:?}"
    );
}
