//! Sessions of recording: taken once a revision, explained at their end, shown to who may know the camera.

use control_plane::state::now;
use control_plane::store::facts::{self, FactKind};
use control_plane::store::recordings::RecordingRow;
use serde_json::{Value, json};
use wire::access::Role;
use wire::event::{EndReason, NodeEvent, RecordingSession};
use wire::{CameraId, NodeId, OrganizationId, RecordingId, StreamKind, UnixMs};

use crate::node::{Node, Site, T, site};
use crate::support::{World, poll};

/// A session that has just begun.
pub(crate) fn session(organization: OrganizationId, camera: CameraId, node: NodeId) -> RecordingRow {
    RecordingRow {
        organization,
        job: None,
        session: RecordingSession {
            id: RecordingId::generate(),
            camera,
            stream: StreamKind::Main,
            node,
            epoch: 1,
            window_start: UnixMs(T),
            window_end: None,
            started: None,
            ended: None,
            end_reason: None,
            bytes: 0,
            frames: 0,
            gaps: 0,
            gap_ms: 0,
            attempts: 1,
            failing: false,
            detail: String::new(),
            revision: 1,
        },
        updated: now(),
    }
}

fn fresh(site: &Site) -> RecordingSession {
    let nobody = OrganizationId::from_bytes([0; 16]);
    session(nobody, site.camera, site.node.id).session
}

async fn say(node: &Node, session: &RecordingSession) {
    let event = NodeEvent::Recording(session.clone());
    node.publish(&event).await;
    node.committed(event.message_id()).await;
}

async fn shown(site: &Site, id: RecordingId) -> Value {
    let path = format!("/api/v1/recordings/{id}");
    let (status, shown) = site.world.call("GET", &path, &site.token, None).await;
    assert_eq!(status, 200, "{shown}");
    shown
}

/// Names of the facts of recordings, with the reason of the end.
async fn told(world: &World, organization: OrganizationId) -> Vec<String> {
    let look = move |c: &mut _| facts::after(c, organization, 0, 1000);
    let (all, _) = world.server.state.store.read(look).await.unwrap();
    let of = all
        .into_iter()
        .filter(|fact| fact.kind.as_str().starts_with("recording."));
    of.map(|fact| match fact.data["end_reason"].as_str() {
        Some(reason) => format!("{} {reason}", fact.kind.as_str()),
        None => fact.kind.as_str().to_owned(),
    })
    .collect()
}

async fn home(site: &Site) -> OrganizationId {
    let (_, me) = site.world.call("GET", "/api/v1/me", &site.token, None).await;
    me["organization"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_revision_counts_and_each_turn_is_told_once() {
    let site = site().await;
    let mut session = fresh(&site);
    let first = session.clone();
    say(&site.node, &session).await;
    assert_eq!(shown(&site, session.id).await["state"], "starting");
    session.revision = 2;
    session.failing = true;
    session.detail = "no answer\r\n".to_owned();
    say(&site.node, &session).await;
    let failing = shown(&site, session.id).await;
    assert_eq!(
        (&failing["state"], &failing["detail"]),
        (&json!("failing"), &json!("no answer"))
    );
    session.revision = 3;
    session.failing = false;
    session.started = Some(UnixMs(T + 1_000));
    say(&site.node, &session).await;
    // Delivered again, and late: both change nothing, and both are confirmed.
    for old in [&session, &first] {
        let body = serde_json::to_vec(&NodeEvent::Recording(old.clone())).unwrap();
        site.node
            .publish_raw(&format!("again {}", old.revision), body)
            .await;
    }
    session.revision = 5;
    session.ended = Some(UnixMs(T + 60_000));
    session.end_reason = Some(EndReason::WindowEnded);
    session.bytes = 7_000_000_000;
    say(&site.node, &session).await;
    let known: Vec<String> = (1..=5)
        .map(|revision| format!("r-{}-{revision}", session.id))
        .collect();
    let next = format!("r-{}-6", session.id);
    let reply = site.node.confirm(&[known.clone(), vec![next]].concat()).await;
    assert_eq!((reply.committed, reply.refused), (known, Vec::new()));
    let ended = shown(&site, session.id).await;
    assert_eq!(
        (&ended["state"], &ended["end_reason"], &ended["bytes"]),
        (&json!("ended"), &json!("window_ended"), &json!(7_000_000_000_u64))
    );
    assert_eq!(
        told(&site.world, home(&site).await).await,
        [
            "recording.failing",
            "recording.started",
            "recording.recovered",
            "recording.ended window_ended"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_true_is_refused_and_told() {
    let site = site().await;
    let other = Node::start(&site.nats, &site.world).await;
    let good = fresh(&site);
    say(&site.node, &good).await;
    let never_granted = RecordingSession {
        epoch: 7,
        ..fresh(&site)
    };
    let backwards = RecordingSession {
        window_end: Some(UnixMs(T - 1)),
        ..fresh(&site)
    };
    let endless = RecordingSession {
        ended: Some(UnixMs(T + 1)),
        ..fresh(&site)
    };
    let huge = RecordingSession {
        bytes: u64::MAX,
        ..fresh(&site)
    };
    let stolen = RecordingSession {
        stream: StreamKind::Sub,
        revision: 9,
        ..good.clone()
    };
    for session in [never_granted, backwards, endless, huge, stolen] {
        let event = NodeEvent::Recording(session);
        site.node.publish(&event).await;
        assert!(!site.node.refused(event.message_id()).await.is_empty());
    }
    let foreign = NodeEvent::Recording(RecordingSession {
        node: other.id,
        ..fresh(&site)
    });
    other.publish(&foreign).await;
    let reason = other.refused(foreign.message_id()).await;
    let own = home(&site).await;
    let look = move |c: &mut _| facts::after(c, own, 0, 1000);
    let (all, _) = site.world.server.state.store.read(look).await.unwrap();
    let refused: Vec<_> = all
        .iter()
        .filter(|fact| fact.kind == FactKind::NodeRefused)
        .collect();
    assert_eq!(refused.len(), 6, "{refused:?}");
    let last = refused.last().unwrap();
    assert_eq!(
        (last.node, &last.data["reason"]),
        (Some(other.id), &json!(reason))
    );
    // A flood of the same is one fact.
    for _ in 0..20 {
        let event = NodeEvent::Recording(RecordingSession {
            node: other.id,
            ..fresh(&site)
        });
        other.publish(&event).await;
        other.refused(event.message_id()).await;
    }
    let look = move |c: &mut _| facts::after(c, own, 0, 1000);
    let (again, _) = site.world.server.state.store.read(look).await.unwrap();
    assert_eq!(again.len(), all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_session_says_why() {
    let site = site().await;
    let mut running = fresh(&site);
    say(&site.node, &running).await;
    let end = async |session: &mut RecordingSession| {
        session.revision += 1;
        session.ended = Some(now());
        session.end_reason = Some(EndReason::Withdrawn);
        say(&site.node, session).await;
        shown(&site, session.id).await["end_reason"].clone()
    };
    let path = format!("/api/v1/cameras/{}", site.camera);
    let off = json!({"recording": false});
    assert_eq!(
        site.world.call("PATCH", &path, &site.token, Some(off)).await.0,
        200
    );
    assert_eq!(end(&mut running).await, "stopped");
    let mut next = fresh(&site);
    say(&site.node, &next).await;
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 204);
    assert_eq!(end(&mut next).await, "camera_deleted");
    // The sessions of a deleted camera are still there.
    let list = format!("{path}/recordings");
    let (status, page) = site.world.call("GET", &list, &site.token, None).await;
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_paged_and_end_at_the_wall() {
    let site = site().await;
    let mut ids = Vec::new();
    for hour in 0..5 {
        let mut session = fresh(&site);
        session.window_start = UnixMs(T + hour * 3_600_000);
        if hour < 3 {
            session.started = Some(session.window_start);
            session.ended = Some(session.window_start.plus(1_800_000));
            session.end_reason = Some(EndReason::WindowEnded);
        }
        say(&site.node, &session).await;
        ids.insert(0, session.id.to_string());
    }
    let list = async |query: &str, token: &str| {
        let path = format!("/api/v1/recordings{query}");
        let (status, page) = site.world.call("GET", &path, token, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        let ids: Vec<String> = items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        (ids, page["next"].as_str().map(str::to_owned))
    };
    let (mut got, mut cursor) = (Vec::new(), String::new());
    loop {
        let (page, next) = list(&format!("?limit=2{cursor}"), &site.token).await;
        got.extend(page);
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(got, ids, "newest first, none twice");
    site.node.report().await;
    assert_eq!(list("?state=ended", &site.token).await.0, ids[2..]);
    assert_eq!(list("?state=starting", &site.token).await.0, ids[..2]);
    let (from, to) = (T + 3_600_000, T + 2 * 3_600_000);
    let range = format!("?from={from}&to={to}");
    assert_eq!(list(&range, &site.token).await.0, ids[3..4]);
    for bad in ["?state=x", "?from=x", "?cursor=x"] {
        let path = format!("/api/v1/recordings{bad}");
        assert_eq!(
            site.world.call("GET", &path, &site.token, None).await.0,
            400,
            "{bad}"
        );
    }

    let home = home(&site).await;
    let (user, guest) = site.world.person(home, "guest", Role::OrgUser).await;
    let elsewhere = site.world.organization("Elsewhere").await;
    let (_, stranger) = site.world.person(elsewhere, "stranger", Role::OrgAdmin).await;
    for token in [&guest, &stranger] {
        assert!(list("", token).await.0.is_empty());
        for path in [
            format!("/api/v1/recordings/{}", ids[0]),
            format!("/api/v1/cameras/{}/recordings", site.camera),
        ] {
            assert_eq!(site.world.call("GET", &path, token, None).await.0, 404, "{path}");
        }
    }
    let grants = json!({"items": [{"camera": site.camera, "permissions": ["view_live"]}]});
    let path = format!("/api/v1/users/{user}/grants");
    assert_eq!(
        site.world.call("PUT", &path, &site.token, Some(grants)).await.0,
        200
    );
    assert_eq!(list("", &guest).await.0, ids);

    // A node that reports no more: what was open stays open, and is shown as what it is.
    poll("its sessions are lost", async || {
        let (lost, _) = list("?state=lost", &site.token).await;
        (lost == ids[..2]).then_some(())
    })
    .await;
    assert_eq!(list("?state=starting", &site.token).await.0, Vec::<String>::new());
}
