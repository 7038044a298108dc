//! Events that come again, late, forged or from somebody else: each fact counts once, as it was said first.

use control_plane::store::facts::{self, FactKind};
use serde_json::json;
use wire::coverage::{Gap, GapCause};
use wire::event::{NodeEvent, SealedObject};
use wire::{ObjectId, OrganizationId, StreamKind, TimeRange, UnixMs};

use crate::node::{Node, Site, T, object, site};
use crate::people::organization_of;

/// What the index knows of the camera around its objects: object, bytes, recorded milliseconds.
async fn indexed(site: &Site, organization: OrganizationId) -> (Vec<(ObjectId, u64)>, u32) {
    let store = &site.world.server.state.store;
    let (camera, stream) = (site.camera, StreamKind::Main);
    let range = TimeRange::new(UnixMs(T), UnixMs(T + 600_000)).unwrap();
    let rows = store.objects_in_range(organization, camera, stream, range).await;
    let days = store.days_in_range(organization, camera, stream, range).await;
    let objects = rows.unwrap().into_iter().map(|row| (row.id, row.bytes));
    let recorded = days.unwrap().into_iter().flat_map(|day| day.quarters).sum();
    (objects.collect(), recorded)
}

/// Publishes something as `message`, as after the bus forgot what it had seen.
async fn replay(node: &Node, message: &str, event: &NodeEvent) {
    node.publish_raw(message, serde_json::to_vec(event).unwrap())
        .await;
}

/// Publishes an object that is good, and waits until it and all before it were taken.
async fn settle(site: &Site, start: i64) -> SealedObject {
    let object = object(site.node.id, site.camera, start);
    let event = NodeEvent::ObjectSealed(object.clone());
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;
    object
}

/// Why events of a node were refused, oldest first.
pub(crate) async fn reasons(site: &Site, organization: OrganizationId) -> Vec<String> {
    let look = move |c: &mut _| facts::after(c, organization, 0, 1000);
    let (all, _) = site.world.server.state.store.read(look).await.unwrap();
    let refused = all.iter().filter(|fact| fact.kind == FactKind::NodeRefused);
    refused
        .map(|fact| fact.data["reason"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_counts_once_as_it_was_said_first() {
    let site = site().await;
    let home = organization_of(&site.world, &site.token).await;
    let first = settle(&site, T).await;
    let known = NodeEvent::ObjectSealed(first.clone());
    let before = indexed(&site, home).await;
    assert_eq!(before, (vec![(first.id, first.bytes)], 60_000));

    // The same again, when the bus does not know it any more.
    replay(&site.node, "again", &known).await;
    // The same id, other footage.
    let changed = |change: &dyn Fn(&mut SealedObject)| {
        let mut forged = first.clone();
        change(&mut forged);
        NodeEvent::ObjectSealed(forged)
    };
    let digest = changed(&|object| object.sha256 = "ee".repeat(32));
    replay(&site.node, "forged", &digest).await;
    // An epoch that the node was never given.
    let epoch = changed(&|object| {
        object.id = ObjectId::generate();
        object.epoch = 7;
    });
    replay(&site.node, "epoch", &epoch).await;
    let second = settle(&site, T + 60_000).await;
    assert_eq!(
        indexed(&site, home).await,
        (vec![(first.id, first.bytes), (second.id, second.bytes)], 120_000)
    );
    assert_eq!(
        reasons(&site, home).await,
        [
            "another object has this id",
            "the camera was never assigned to this node under this epoch"
        ]
    );
    let confirmed = site.node.confirm(&[known.message_id()]).await;
    assert_eq!(confirmed.committed, [known.message_id()], "{confirmed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_says_nothing_with_what_it_overheard() {
    let site = site().await;
    let home = organization_of(&site.world, &site.token).await;
    let thief = Node::start(&site.nats, &site.world).await;
    let first = settle(&site, T).await;
    let overheard = NodeEvent::ObjectSealed(first.clone());
    replay(&thief, "overheard", &overheard).await;
    // As its own, it is of a camera that it never had.
    let mut own = first.clone();
    own.node = thief.id;
    own.id = ObjectId::generate();
    let own = NodeEvent::ObjectSealed(own);
    thief.publish(&own).await;
    thief.refused(own.message_id()).await;
    let second = settle(&site, T + 60_000).await;
    assert_eq!(
        indexed(&site, home).await.0,
        [(first.id, first.bytes), (second.id, second.bytes)]
    );
    let reasons = reasons(&site, home).await;
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    let confirmed = site.node.confirm(&[overheard.message_id()]).await;
    assert_eq!(confirmed.committed, [overheard.message_id()], "{confirmed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_never_shrinks() {
    let site = site().await;
    let gap = |end: i64, detail: &str| {
        NodeEvent::Gap(Gap {
            id: ObjectId::from_bytes([9; 16]),
            camera: site.camera,
            stream: StreamKind::Main,
            node: site.node.id,
            range: TimeRange::new(UnixMs(T), UnixMs(T + end)).unwrap(),
            cause: GapCause::Network,
            detail: detail.to_owned(),
        })
    };
    for (end, detail) in [(5_000, "begun"), (30_000, "over")] {
        let event = gap(end, detail);
        site.node.publish(&event).await;
        site.node.committed(event.message_id()).await;
    }
    replay(&site.node, "late", &gap(5_000, "begun")).await;
    settle(&site, T + 60_000).await;
    let (from, to) = (T, T + 30_000);
    let path = format!("/player-api/cameras/{}/coverage?from={from}&to={to}", site.camera);
    let (_, ledger) = site.world.call("GET", &path, &site.token, None).await;
    let stretches = ledger["stretches"].as_array().unwrap();
    assert_eq!(stretches.len(), 1, "{ledger}");
    assert_eq!(
        (
            &stretches[0]["cause"],
            &stretches[0]["detail"],
            &stretches[0]["end"]
        ),
        (&json!("network"), &json!("over"), &json!(to)),
        "{ledger}"
    );
}
