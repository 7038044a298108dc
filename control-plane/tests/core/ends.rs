//! Why sessions of recording ended, as planned by the real planner: sessions say that they were withdrawn, and
//! the index says by what.

use control_plane::state::now;
use control_plane::store::Connection;
use control_plane::store::facts::{self, FactKind};
use control_plane::store::lease::{self, Taking};
use control_plane::tasks::upkeep::end_left;
use serde_json::{Value, json};
use wire::event::{EndReason, NodeEvent, RecordingSession};
use wire::{OrganizationId, RecordingId, StreamKind};

use crate::node::{Node, camera};
use crate::organizations::tenant;
use crate::people::organization_of;
use crate::plans::Site;
use crate::recordings::session;
use crate::support::{Nats, World, poll};

async fn say(site: &Site, session: &RecordingSession) {
    let event = NodeEvent::Recording(session.clone());
    site.node.publish(&event).await;
    site.node.committed(event.message_id()).await;
}

/// Another camera with a job around the clock, and a session of it that runs; its job.
async fn begun(site: &mut Site, name: &str) -> (RecordingSession, String) {
    let body = json!({"name": name, "url": format!("rtsp://a:b@10.0.0.5/{name}"), "recording": false});
    site.camera = camera(&site.world, &site.token, body).await;
    let job = site.job(json!({"name": name, "schedule": {"kind": "continuous"}}));
    let job = job.await;
    (running(site).await, job)
}

async fn running(site: &Site) -> RecordingSession {
    let entries = site.entries("it is planned", |entries| !entries.is_empty()).await;
    let nobody = OrganizationId::from_bytes([0; 16]);
    let mut session = session(nobody, site.camera, site.node.id).session;
    session.epoch = entries[0].epoch;
    session.window_start = now();
    session.started = Some(now());
    say(site, &session).await;
    session
}

/// Why it ended, once it is not planned any more.
async fn end(site: &Site, mut session: RecordingSession) -> Value {
    site.entries("it is withdrawn", |entries| {
        entries.iter().all(|entry| entry.window_at(now()).is_none())
    })
    .await;
    session.revision += 1;
    session.ended = Some(now());
    session.end_reason = Some(EndReason::Withdrawn);
    say(site, &session).await;
    let path = format!("/api/v1/recordings/{}", session.id);
    site.call("GET", &path, None).await["end_reason"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_explained_by_what_withdrew_it() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    world.ready().await;
    let owner = world.sign_in().await;
    let acme = tenant(&world, &owner, "Acme").await;
    let node = Node::enrol(&nats, &world, &acme.admin).await;
    node.report().await;
    let mut site = Site {
        camera: camera(
            &world,
            &acme.admin,
            json!({"name": "none", "url": "rtsp://10.0.0.5/none", "recording": false}),
        )
        .await,
        token: acme.admin.clone(),
        nats,
        world,
        node,
    };

    let (session, job) = begun(&mut site, "job").await;
    let path = format!("/api/v1/recording-jobs/{job}");
    site.call("PATCH", &path, Some(json!({"enabled": false}))).await;
    assert_eq!(end(&site, session).await, "job_changed");

    let (session, _) = begun(&mut site, "stop").await;
    let path = format!("/api/v1/cameras/{}/overrides", site.camera);
    site.call("POST", &path, Some(json!({"kind": "stop"}))).await;
    assert_eq!(end(&site, session).await, "stopped");

    let (session, _) = begun(&mut site, "licence").await;
    let required = json!({"licensing": "required"});
    let patched = site.world.call("PATCH", &acme.path, &owner, Some(required)).await;
    assert_eq!(patched.0, 200, "{}", patched.1);
    assert_eq!(end(&site, session).await, "unlicensed");
    let free = json!({"licensing": "none"});
    let patched = site.world.call("PATCH", &acme.path, &owner, Some(free)).await;
    assert_eq!(patched.0, 200, "{}", patched.1);

    let (session, _) = begun(&mut site, "suspend").await;
    let path = format!("{}/suspend", acme.path);
    assert_eq!(site.world.call("POST", &path, &owner, None).await.0, 200);
    assert_eq!(end(&site, session).await, "suspended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_on_a_node_that_is_drained_was_moved() {
    let mut site = Site::start().await;
    let (session, _) = begun(&mut site, "move").await;
    let second = Node::start(&site.nats, &site.world).await;
    let path = format!("/api/v1/nodes/{}", site.node.id);
    site.call("PATCH", &path, Some(json!({"state": "draining"})))
        .await;
    let placement = format!("/api/v1/cameras/{}/placement", site.camera);
    poll("the other node has it", async || {
        for node in [&site.node, &second] {
            node.report_recording().await;
        }
        let placement = site.call("GET", &placement, None).await;
        let nodes = placement["nodes"].as_array().unwrap();
        (nodes.len() == 1 && nodes[0]["node"] == json!(second.id)).then_some(())
    })
    .await;
    assert_eq!(end(&site, session).await, "moved");
}

/// A session as it is shown: its state, why it ended, when.
async fn shown(site: &Site, session: &RecordingSession) -> (String, Value, Option<i64>) {
    let path = format!("/api/v1/recordings/{}", session.id);
    let shown = site.call("GET", &path, None).await;
    let state = shown["state"].as_str().unwrap().to_owned();
    (state, shown["end_reason"].clone(), shown["ended"].as_i64())
}

/// The ends that were told of a session.
async fn told(site: &Site, session: &RecordingSession) -> Vec<Value> {
    let home = organization_of(&site.world, &site.token).await;
    let look = move |c: &mut _| facts::after(c, home, 0, 1000);
    let (all, _) = site.world.server.state.store.read(look).await.unwrap();
    let of = all
        .into_iter()
        .filter(|fact| fact.kind == FactKind::RecordingEnded);
    of.filter(|fact| fact.data["recording"] == json!(session.id))
        .map(|fact| fact.data["end_reason"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_removed_node_ends_with_its_last_word() {
    let mut site = Site::start().await;
    let before = now();
    let (session, _) = begun(&mut site, "removed").await;
    site.node.report().await;
    let path = format!("/api/v1/nodes/{}?force=true", site.node.id);
    let (status, answer) = site.world.call("DELETE", &path, &site.token, None).await;
    assert_eq!(status, 204, "{answer}");
    let (state, reason, ended) = shown(&site, &session).await;
    assert_eq!((state.as_str(), reason), ("ended", json!("node_lost")));
    assert!((before.0..=now().0).contains(&ended.unwrap()), "{ended:?}");
    assert_eq!(told(&site, &session).await, [json!("node_lost")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_lost_node_ends_until_the_node_says_otherwise() {
    let mut site = Site::start().await;
    let (mut session, _) = begun(&mut site, "lost").await;
    let mut going_on = RecordingSession {
        id: RecordingId::generate(),
        stream: StreamKind::Sub,
        ..session.clone()
    };
    say(&site, &going_on).await;
    site.node.report().await;
    let second = Node::start(&site.nats, &site.world).await;
    let silent = now();
    // The first one says nothing any more, the second one does.
    poll("its sessions have ended", async || {
        second.report_recording().await;
        let ended = async |session| shown(&site, session).await.0 == "ended";
        (ended(&session).await && ended(&going_on).await).then_some(())
    })
    .await;
    let (_, reason, ended) = shown(&site, &session).await;
    assert_eq!(reason, json!("node_lost"));
    assert!(ended.unwrap() <= silent.0, "its last word came before {silent}");
    assert_eq!(told(&site, &session).await, [json!("node_lost")]);

    // It comes back: one has ended since, the other one is not over yet.
    session.revision += 1;
    session.ended = Some(now());
    session.end_reason = Some(EndReason::Withdrawn);
    session.bytes = 17;
    say(&site, &session).await;
    going_on.revision += 1;
    going_on.bytes = 18;
    say(&site, &going_on).await;
    let (state, reason, ended) = shown(&site, &session).await;
    assert_eq!((state.as_str(), reason), ("ended", json!("moved")));
    assert_eq!(ended, session.ended.map(|at| at.0));
    assert_eq!(told(&site, &session).await, [json!("node_lost"), json!("moved")]);
    let (state, reason, _) = shown(&site, &going_on).await;
    assert_ne!(state, "ended");
    assert_eq!(reason, Value::Null);

    // Should it go again without a word, that is found later.
    let state = site.world.server.state.clone();
    let take = |c: &mut Connection| lease::take(c, "test", "test", 3_600_000);
    let Taking::Taken(grant) = state.store.write(take).await.unwrap() else {
        panic!("nobody else holds it");
    };
    end_left(&state, &grant, now()).await.unwrap();
    assert_ne!(
        shown(&site, &going_on).await.0,
        "ended",
        "it has its time to tell"
    );
    end_left(&state, &grant, now().plus(3_600_000)).await.unwrap();
    let (state, reason, _) = shown(&site, &going_on).await;
    assert_eq!((state.as_str(), reason), ("ended", json!("node_lost")));
}
