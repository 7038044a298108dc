//! The end of an organization: all of it goes, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use control_plane::state::now;
use control_plane::store::{Connection, Store, StoreError, doomed, erase, objects};
use serde_json::{Value, json};
use wire::bus::*;
use wire::event::NodeEvent;
use wire::{NodeId, OrganizationId};

use crate::filler::{Filler, SHARED, TABLES};
use crate::node::{Node, T, had_before, object};
use crate::organizations::{Tenant, tenant};
use crate::people::camera;
use crate::raw;
use crate::support::{Nats, World, database, poll};

fn erase_all(connection: &mut Connection, id: OrganizationId) -> Result<(), StoreError> {
    while erase::footage(connection, id, 2, now())? {}
    erase::rest(connection, id, now())?;
    while erase::log(connection, id, 2)? {}
    assert_eq!(erase::orphan(connection)?, None);
    Ok(())
}

type Dump = BTreeMap<String, BTreeSet<String>>;

fn without_remains(mut dump: Dump) -> Dump {
    dump.remove("doomed_object");
    dump.remove("erased_node");
    dump
}

#[tokio::test]
async fn erasing_one_leaves_every_row_of_another_and_none_of_its_own() {
    for seed in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        let store = Store::open(&database::url_of(dir.path())).unwrap();
        let (mut mine, mut theirs) = (Filler::new(seed), Filler::new(1_000 + seed));
        let organization = mine.organization;
        let (before, between, after, (objects, nodes)) = store
            .write(move |c| {
                assert_eq!(raw::tables(c)?, TABLES.map(str::to_owned).into(), "a new table");
                theirs.fill(c)?;
                let before = raw::dump(c)?;
                mine.fill(c)?;
                let between = raw::dump(c)?;
                erase_all(c, OrganizationId::from_bytes(organization))?;
                let left = (mine.ids["object"].len(), mine.ids["node"].len());
                Ok((before, between, raw::dump(c)?, left))
            })
            .await
            .unwrap();
        for (table, rows) in &before {
            let filled = !rows.is_empty() && between[table].len() > rows.len();
            assert!(
                filled || SHARED.contains(&table.as_str()),
                "{table} is in the test"
            );
        }
        assert_eq!(after["doomed_object"].len(), objects, "seed {seed}");
        assert_eq!(after["erased_node"].len(), nodes, "seed {seed}");
        assert_eq!(without_remains(after), without_remains(before), "seed {seed}");
    }
}

/// An object of an organization's camera in the object store and the index; its file.
async fn stored(world: &World, id: OrganizationId, camera: &str) -> PathBuf {
    let sealed = object(NodeId::generate(), camera.parse().unwrap(), T);
    let row = objects::ObjectRow {
        id: sealed.id,
        organization: id,
        camera: sealed.camera,
        stream: sealed.stream,
        node: sealed.node,
        epoch: 1,
        previous: None,
        start: sealed.start,
        end: sealed.end,
        bytes: 3,
        sha256: [0; 32],
        init: sealed.init,
        tracks: sealed.tracks,
        segments: sealed.segments,
        state: control_plane::store::ObjectState::Stored,
    };
    let file = world
        .dir
        .path()
        .join("data/objects")
        .join(control_plane::objects::key(&row));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "abc").unwrap();
    let store = &world.server.state.store;
    store
        .write(move |c| objects::insert_all(c, std::slice::from_ref(&row), now()))
        .await
        .unwrap();
    file
}

pub(crate) async fn erase_now(world: &World, owner: &str, tenant: &Tenant, name: &str) {
    let path = format!("{}?grace_days=0&confirm={name}", tenant.path);
    let (status, gone) = world.call("DELETE", &path, owner, None).await;
    assert_eq!((status, &gone["state"]), (200, &json!("deleting")), "{gone}");
}

pub(crate) async fn erased(world: &World, owner: &str, tenant: &Tenant) {
    poll("the organization is erased", async || {
        (world.call("GET", &tenant.path, owner, None).await.0 == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_erased_one_leaves_one_entry_and_no_footage() {
    let world = World::without_bus().await;
    let owner = world.sign_in().await;
    let (acme, beta) = (
        tenant(&world, &owner, "Acme").await,
        tenant(&world, &owner, "Beta").await,
    );
    let door = camera(&world, &acme.admin, "door").await;
    let gate = camera(&world, &beta.admin, "gate").await;
    let (mine, theirs) = (
        stored(&world, acme.id, &door).await,
        stored(&world, beta.id, &gate).await,
    );
    let flag = world.dir.path().join("data/objects/maintenance");
    std::fs::write(&flag, "").unwrap();
    erase_now(&world, &owner, &acme, "Acme").await;
    erased(&world, &owner, &acme).await;
    let left = async || world.server.state.store.read(doomed::left).await.unwrap();
    assert!(mine.is_file(), "the store is away");
    assert_eq!(left().await, 1, "and the object is not forgotten");
    std::fs::remove_file(flag).unwrap();
    let folder = world.dir.path().join(format!("data/objects/{}", acme.id));
    poll("the object and its folders are gone", async || {
        (!folder.exists()).then_some(())
    })
    .await;
    assert!(theirs.is_file());
    assert_eq!(left().await, 1, "until no late upload can bring it back");

    for token in [&acme.admin, &acme.user] {
        assert_eq!(world.call("GET", "/api/v1/me", token, None).await.0, 401);
    }
    let inside = format!("/api/v1/audit?organization={}", acme.id);
    assert_eq!(world.call("GET", &inside, &owner, None).await.0, 404);
    let (_, log) = world
        .call("GET", "/api/v1/audit?action=organization.erase", &owner, None)
        .await;
    let (_, me) = world.call("GET", "/api/v1/me", &owner, None).await;
    let [entry] = log["items"].as_array().unwrap().as_slice() else {
        panic!("one entry: {log}");
    };
    assert_eq!(
        (&entry["subject"], &entry["actor"], &entry["actor_kind"]),
        (&json!(acme.id.to_string()), &me["id"], &json!("user"))
    );
    for blank in ["actor_name", "address", "request_id", "before", "after"] {
        assert_eq!(entry[blank], Value::Null, "{blank}");
    }
    let rows = world.server.state.store.read(raw::dump).await.unwrap();
    let named: Vec<&String> = rows
        .iter()
        .filter(|(table, _)| !matches!(table.as_str(), "doomed_object" | "idempotency"))
        .flat_map(|(_, rows)| rows)
        .filter(|row| row.contains(&hex::encode(acme.id.as_bytes())) || row.contains(&acme.id.to_string()))
        .collect();
    assert_eq!(named.len(), 1, "{named:?}");
    assert_eq!(world.call("GET", &beta.path, &beta.admin, None).await.0, 200);
    assert_eq!(
        world
            .call("GET", &format!("/api/v1/cameras/{gate}"), &beta.admin, None)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn what_no_late_upload_can_bring_back_is_forgotten() {
    let world = World::without_bus().await;
    let file = world.dir.path().join("data/objects/a/b.mp4");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "abc").unwrap();
    let state = &world.server.state;
    let dooms = |c: &mut Connection| {
        for key in ["a/b.mp4", "a/never-was-there.mp4"] {
            doomed::doom(c, key, now().plus(-2 * 60 * 60 * 1000))?;
        }
        Ok(())
    };
    state.store.write(dooms).await.unwrap();
    state.erase.notify_one();
    poll("both are forgotten", async || {
        (state.store.read(doomed::left).await.unwrap() == 0).then_some(())
    })
    .await;
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_recording_before_its_organization_is_erased() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    world.ready().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    let node = Node::enrol(&nats, &world, &acme.admin).await;
    node.report().await;
    let door = camera(&world, &acme.admin, "door").await;
    node.plan_when("the camera is planned", |plan| !plan.entries.is_empty())
        .await;

    let step = async |step: &str| {
        let path = format!("{}/{step}", acme.path);
        assert_eq!(world.call("POST", &path, &owner, None).await.0, 200, "{step}");
    };
    step("suspend").await;
    node.plan_when("nothing is planned", |plan| plan.entries.is_empty())
        .await;
    step("resume").await;
    node.plan_when("the camera is planned again", |plan| !plan.entries.is_empty())
        .await;

    let door = door.parse().unwrap();
    had_before(&world, door, node.id).await;
    let sealed = object(node.id, door, T);
    let event = NodeEvent::ObjectSealed(sealed.clone());
    node.publish(&event).await;
    node.committed(event.message_id()).await;
    let upload = async || {
        let request = UploadRequest { object: sealed.id };
        node.ask::<_, UploadReply>(NodeRequestKind::Upload, &request)
            .await
    };
    assert!(matches!(upload().await, Reply::Ok(_)));
    let full = json!({"quotas": {"storage_bytes": 0}});
    world.call("PATCH", &acme.path, &owner, Some(full)).await;
    let Reply::Err(refused) = upload().await else {
        panic!("the quota is reached");
    };
    assert_eq!(refused.code, ReplyCode::Unavailable);
    assert!(refused.detail.contains("quota"), "{refused}");
    let (_, shown) = world.call("GET", &acme.path, &acme.admin, None).await;
    assert_eq!(shown["usage"]["storage_full"], true);
    world
        .call("PATCH", &acme.path, &owner, Some(json!({"quotas": {}})))
        .await;
    assert!(matches!(upload().await, Reply::Ok(_)), "room again");

    // With another one's access: its own ends.
    let client = nats.nodes_client().await;
    let ghost = Node {
        id: node.id,
        seed: String::new(),
        access: node.access.clone(),
        jetstream: async_nats::jetstream::new(client.clone()),
        client,
    };
    erase_now(&world, &owner, &acme, "Acme").await;
    erased(&world, &owner, &acme).await;
    let plan = ghost.plan().await.expect("a node keeps its last plan");
    assert!(plan.entries.is_empty(), "{plan:?}");
    let request = UploadRequest { object: sealed.id };
    let asked = ghost.ask::<_, UploadReply>(NodeRequestKind::Upload, &request);
    let Reply::Err(refused) = asked.await else {
        panic!("there is no such object");
    };
    assert_eq!(refused.code, ReplyCode::NotFound);
}
