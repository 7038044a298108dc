//! Why sessions of recording ended, as planned by the real planner: sessions say that they were withdrawn, and
//! the index says by what.

use control_plane::state::now;
use serde_json::{Value, json};
use wire::OrganizationId;
use wire::event::{EndReason, NodeEvent, RecordingSession};

use crate::node::{Node, camera};
use crate::organizations::tenant;
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
