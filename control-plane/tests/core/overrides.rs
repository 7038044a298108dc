//! Record now, stop, pause, resume; why a camera is recorded, and where.

use control_plane::state::now;
use control_plane::store::facts::{self, FactKind};
use serde_json::{Value, json};
use wire::access::Role;
use wire::plan::PlanEntry;
use wire::{CameraId, TimeRange, UnixMs};

use crate::node::{Node, camera};
use crate::people::{organization, organization_of, person};
use crate::plans::Site;
use crate::support::{Nats, World, poll};

impl Site {
    async fn say(&self, body: Value) -> (u16, Value) {
        let path = format!("/api/v1/cameras/{}/overrides", self.camera);
        self.world.call("POST", &path, &self.token, Some(body)).await
    }

    async fn said(&self, body: Value) -> Value {
        let (status, answer) = self.say(body).await;
        assert_eq!(status, 201, "{answer}");
        answer
    }

    async fn refused(&self, body: Value) -> (u16, String) {
        let (status, answer) = self.say(body).await;
        let what = answer.get("field").or(answer.get("code")).and_then(Value::as_str);
        (status, what.unwrap_or_default().to_owned())
    }

    async fn cancel(&self, said: &Value) -> u16 {
        let path = format!("/api/v1/overrides/{}", said["id"].as_str().unwrap());
        self.world.call("DELETE", &path, &self.token, None).await.0
    }

    async fn shown(&self) -> Value {
        self.call("GET", &format!("/api/v1/cameras/{}", self.camera), None)
            .await
    }

    /// Why it is recorded or not, once that is so.
    async fn planned(&self, reason: &str) -> Value {
        poll(reason, async || {
            let planned = self.shown().await["planned"].clone();
            (planned["reason"] == reason).then_some(planned)
        })
        .await
    }

    async fn switch(&self, on: bool) {
        let path = format!("/api/v1/cameras/{}", self.camera);
        self.call("PATCH", &path, Some(json!({"recording": on}))).await;
    }
}

#[tokio::test]
async fn record_now_reaches_the_node_and_ends() {
    let site = Site::start().await;
    assert_eq!(site.planned("idle").await["recording"], false);
    let said = site
        .said(json!({"kind": "record", "duration_s": 60, "reason": " alarm "}))
        .await;
    let (start, end) = (said["start"].as_i64().unwrap(), said["end"].as_i64().unwrap());
    assert_eq!(
        (end - start, &said["reason"], &said["kind"]),
        (60_000, &json!("alarm"), &json!("record"))
    );
    let entries = site.entries("it is planned", |entries| entries.len() == 1).await;
    let window = entries[0].windows[0];
    assert!(
        window.start() >= UnixMs(start) && window.end() == UnixMs(end),
        "{window:?}"
    );
    let planned = site.planned("override").await;
    assert_eq!(
        (&planned["recording"], &planned["until"]),
        (&json!(true), &json!(end))
    );
    assert_eq!(site.shown().await["override"]["id"], said["id"]);

    assert_eq!(site.cancel(&said).await, 204);
    site.entries("it is over", <[_]>::is_empty).await;
    assert_eq!(site.cancel(&said).await, 409);
    assert_eq!(site.planned("idle").await["recording"], false);
    let list = site
        .call(
            "GET",
            &format!("/api/v1/cameras/{}/overrides?limit=1", site.camera),
            None,
        )
        .await;
    assert!(
        list["items"][0]["cancelled"].is_i64() && list.get("next").is_none(),
        "{list}"
    );
    let me = site.call("GET", "/api/v1/me", None).await;
    let organization = me["organization"].as_str().unwrap().parse().unwrap();
    let all = TimeRange::new(UnixMs::MIN, UnixMs::MAX).unwrap();
    let store = &site.world.server.state.store;
    let windows = store
        .windows_in_range(organization, site.camera, all, UnixMs::MAX)
        .await
        .unwrap();
    assert_eq!((windows.len(), windows[0].start()), (1, UnixMs(start)));
    assert!(
        windows[0].end() < UnixMs(end),
        "what should exist ends with the wish"
    );
}

#[tokio::test]
async fn a_pause_is_a_gap_of_the_operator_and_ends_when_resumed() {
    let site = Site::start().await;
    site.switch(true).await;
    site.entries("it is planned", |entries| entries.len() == 1).await;
    assert_eq!(site.planned("switch").await["recording"], true);
    let pause = site.said(json!({"kind": "pause", "reason": "works"})).await;
    assert_eq!(pause["end"], Value::Null);
    site.entries("nothing is planned", <[_]>::is_empty).await;
    assert_eq!(site.planned("paused").await["recording"], false);
    let start = pause["start"].as_i64().unwrap();
    poll("the gap is in the ledger", async || {
        site.gaps()
            .await
            .into_iter()
            .find(|gap| gap.0 == "operator" && gap.1 == start)
    })
    .await;
    assert_eq!(site.cancel(&pause).await, 204);
    let entries = site
        .entries("it is planned again", |entries| entries.len() == 1)
        .await;
    let resumed = entries[0].windows[0].start();
    let list = site
        .call("GET", &format!("/api/v1/cameras/{}/overrides", site.camera), None)
        .await;
    let cancelled = list["items"][0]["cancelled"].as_i64().unwrap();
    assert!(resumed >= UnixMs(cancelled));
    let gap = site
        .gaps()
        .await
        .into_iter()
        .find(|gap| gap.0 == "operator")
        .unwrap();
    assert_eq!((gap.1, gap.2), (start, cancelled));

    // Until then: planned beyond it at once.
    let until = now().plus(3_600_000);
    let pause = site.said(json!({"kind": "pause", "until": until})).await;
    let entries = site.entries("it goes on afterwards", |entries| {
        entries
            .first()
            .is_some_and(|entry| entry.windows[0].start() == until)
    });
    assert!(!entries.await[0].is_active(now()));
    assert_eq!(site.planned("paused").await["until"], json!(until));
    assert_eq!(site.cancel(&pause).await, 204);
    let resumed = |entries: &[PlanEntry]| entries.first().is_some_and(|entry| entry.is_active(now()));
    site.entries("it is planned again at once", resumed).await;
}

#[tokio::test]
async fn a_stop_lasts_until_the_window_is_over() {
    let site = Site::start().await;
    assert_eq!(
        site.refused(json!({"kind": "stop"})).await,
        (409, "nothing_recorded".to_owned())
    );
    // What only people asked for just ends.
    let record = site.said(json!({"kind": "record"})).await;
    assert_eq!(
        record["end"].as_i64().unwrap() - record["start"].as_i64().unwrap(),
        600_000
    );
    let stopped = site.said(json!({"kind": "stop"})).await;
    assert!(
        stopped["id"] == record["id"] && stopped["cancelled"].is_i64(),
        "{stopped}"
    );
    assert_eq!(site.refused(json!({"kind": "stop"})).await.0, 409);
    // A window of a job: until its end.
    let (from, to) = (now().plus(-60_000), now().plus(7_200_000));
    site.job(json!({"name": "Event", "schedule": {"kind": "once", "from": from, "to": to}}))
        .await;
    let planned = site.planned("job").await;
    assert_eq!(
        (&planned["job"], &planned["until"]),
        (&json!("Event"), &json!(to))
    );
    let stopped = site.said(json!({"kind": "stop"})).await;
    assert_eq!((&stopped["kind"], &stopped["end"]), (&json!("pause"), &json!(to)));
    site.entries("nothing is planned", <[_]>::is_empty).await;
    // Recorded all the same when somebody asks for it afterwards, then stopped again.
    site.said(json!({"kind": "record", "duration_s": 86_400})).await;
    site.entries("it is planned", |entries| entries.len() == 1).await;
    site.said(json!({"kind": "stop"})).await;
    site.entries("nothing is planned", <[_]>::is_empty).await;
    // Without an end: until somebody resumes it.
    site.switch(true).await;
    site.entries("planned from the window's end on", |entries| {
        entries
            .first()
            .is_some_and(|entry| entry.windows[0].start() == to)
    })
    .await;
    site.said(json!({"kind": "record", "duration_s": 5})).await;
    let stopped = site.said(json!({"kind": "stop"})).await;
    assert!(stopped["cancelled"].is_i64(), "the pause goes on: {stopped}");
}

#[tokio::test]
async fn a_stop_of_what_has_no_end_waits_for_a_resume() {
    let site = Site::start().await;
    site.switch(true).await;
    let stopped = site.said(json!({"kind": "stop"})).await;
    assert_eq!(
        (&stopped["kind"], &stopped["end"]),
        (&json!("pause"), &Value::Null)
    );
    site.entries("nothing is planned", <[_]>::is_empty).await;
    assert_eq!(site.cancel(&stopped).await, 204);
    site.entries("it is planned", |entries| entries.len() == 1).await;
}

#[tokio::test]
async fn wrong_fields_are_named_and_repeats_make_nothing() {
    let site = Site::start().await;
    let far = now().plus(367 * 86_400_000);
    for (body, field) in [
        (json!({"kind": "record", "duration_s": 0}), "duration_s"),
        (json!({"kind": "record", "duration_s": 86_401}), "duration_s"),
        (json!({"kind": "record", "until": 5}), "until"),
        (
            json!({"kind": "record", "until": now().plus(86_500_000)}),
            "until",
        ),
        (json!({"kind": "pause", "until": far}), "until"),
        (json!({"kind": "pause", "until": now().plus(-1)}), "until"),
        (json!({"kind": "pause", "until": i64::MAX}), "until"),
        (json!({"kind": "pause", "until": i64::MIN}), "until"),
        (json!({"kind": "pause", "duration_s": 31_622_401}), "duration_s"),
        (
            json!({"kind": "pause", "duration_s": 5, "until": now().plus(99_000)}),
            "until",
        ),
        (json!({"kind": "stop", "duration_s": 5}), "duration_s"),
        (json!({"kind": "stop", "until": now().plus(9_000)}), "until"),
        (json!({"kind": "pause", "reason": "x".repeat(201)}), "reason"),
        (json!({"kind": "pause", "reason": "a\u{0}b"}), "reason"),
        (json!({"kind": "resume"}), "invalid_body"),
        (json!({}), "invalid_body"),
        (json!({"kind": "record", "camera": "x"}), "invalid_body"),
    ] {
        let (status, wrong) = site.refused(body.clone()).await;
        assert_eq!((status, wrong.as_str()), (400, field), "{body}");
    }
    let path = format!("/api/v1/cameras/{}/overrides", site.camera);
    let mut made = Vec::new();
    for _ in 0..2 {
        let request = site
            .world
            .http
            .post(site.world.url(&path))
            .bearer_auth(&site.token);
        let request = request
            .header("Idempotency-Key", "once")
            .json(&json!({"kind": "record"}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        made.push(answer["id"].clone());
    }
    assert_eq!(made[0], made[1]);
    let list = site.call("GET", &path, None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let audit = site
        .call("GET", "/api/v1/audit?action=override.create", None)
        .await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 1, "{audit}");
}

#[tokio::test]
async fn strangers_find_no_override_and_no_placement() {
    let site = Site::start().await;
    let said = site.said(json!({"kind": "record"})).await;
    let other = organization(&site.world, "Other").await;
    let home = organization_of(&site.world, &site.token).await;
    let (_, stranger) = person(&site.world, other, "stranger", Role::OrgAdmin).await;
    let (_, nobody) = person(&site.world, home, "nobody", Role::OrgUser).await;
    let own = format!("/api/v1/cameras/{}", site.camera);
    let one = format!("/api/v1/overrides/{}", said["id"].as_str().unwrap());
    for token in [&stranger, &nobody] {
        for (method, path, body) in [
            ("GET", format!("{own}/overrides"), None),
            ("POST", format!("{own}/overrides"), Some(json!({"kind": "pause"}))),
            ("DELETE", one.clone(), None),
            ("GET", format!("{own}/placement"), None),
        ] {
            let (status, answer) = site.world.call(method, &path, token, body).await;
            assert_eq!(status, 404, "{method} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_no_licence_permits_cannot_be_asked_for() {
    let site = Site::start().await;
    let home = organization_of(&site.world, &site.token).await;
    let path = format!("/api/v1/organizations/{home}");
    site.call("PATCH", &path, Some(json!({"licensing": "required"})))
        .await;
    assert_eq!(
        site.refused(json!({"kind": "record"})).await,
        (409, "recording_not_permitted".to_owned())
    );
    site.switch(true).await;
    assert_eq!(site.planned("unlicensed").await["recording"], false);
    site.entries("nothing is planned", <[_]>::is_empty).await;
}

#[tokio::test]
async fn a_lost_nodes_camera_moves_and_the_placement_explains() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    world.ready().await;
    let token = world.sign_in().await;
    let first = Node::start(&nats, &world).await;
    let body = json!({"name": "Door", "url": "rtsp://a:b@10.0.0.5/s1"});
    let door: CameraId = camera(&world, &token, body).await;
    let has = |plan: &wire::plan::Plan| plan.entries.iter().any(|entry| entry.camera == door);
    first.plan_when("the first node has it", has).await;
    let second = Node::start(&nats, &world).await;
    let path = format!("/api/v1/cameras/{door}/placement");
    let placement = async || world.call("GET", &path, &token, None).await.1;
    let explained = poll("both are known and report", async || {
        let placement = placement().await;
        let other = &placement["others"][0];
        let stays = other["why_not"].as_str().is_some_and(|why| why.contains("stays"));
        (stays && other["node"] == json!(second.id)).then_some(placement)
    })
    .await;
    assert_eq!(
        (&explained["nodes"][0]["node"], &explained["nodes"][0]["epoch"]),
        (&json!(first.id), &json!(1))
    );
    assert!(
        explained["nodes"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("fewest"),
        "{explained}"
    );

    // The first one says nothing any more; the second one does.
    let taken = poll("the second node has it", async || {
        second.report().await;
        second.plan().await.filter(has)
    })
    .await;
    assert_eq!(taken.entries[0].epoch, 2);
    first
        .plan_when("the first node has it no more", |plan| plan.entries.is_empty())
        .await;
    let explained = placement().await;
    assert_eq!(explained["nodes"].as_array().unwrap().len(), 1, "{explained}");
    assert!(
        explained["nodes"][0]["reason"].as_str().unwrap().contains("lost"),
        "{explained}"
    );
    assert!(
        explained["others"][0]["why_not"]
            .as_str()
            .unwrap()
            .contains("lost"),
        "{explained}"
    );

    // It comes back, and what moved stays moved.
    first.report().await;
    poll("it is back", async || {
        let why = placement().await["others"][0]["why_not"]
            .as_str()
            .unwrap()
            .to_owned();
        why.contains("stays").then_some(())
    })
    .await;
    second.plan_when("the second node keeps it", has).await;

    let home = organization_of(&world, &token).await;
    let look = move |c: &mut _| facts::after(c, home, 0, 1000);
    let (told, _) = world.server.state.store.read(look).await.unwrap();
    let told = told
        .iter()
        .filter(|fact| fact.kind == FactKind::AssignmentChanged);
    let told = told.map(|fact| (fact.camera, fact.node, &fact.data["change"], &fact.data["epoch"]));
    let (opened, closed) = (json!("opened"), json!("closed"));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Some(door), Some(first.id), &opened, &json!(1)),
            (Some(door), Some(second.id), &opened, &json!(2)),
            (Some(door), Some(first.id), &closed, &json!(1)),
        ]
    );
}

#[tokio::test]
async fn two_copies_are_planned_on_two_nodes() {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    world.ready().await;
    let token = world.sign_in().await;
    let nodes = [Node::start(&nats, &world).await, Node::start(&nats, &world).await];
    let body = json!({"name": "Door", "url": "rtsp://a:b@10.0.0.5/s1", "copies": 2});
    let door: CameraId = camera(&world, &token, body).await;
    let mut epochs = Vec::new();
    for node in &nodes {
        let has = |plan: &wire::plan::Plan| plan.entries.iter().any(|entry| entry.camera == door);
        epochs.push(node.plan_when("each has it", has).await.entries[0].epoch);
    }
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 2]);
    for node in &nodes {
        let asked = wire::bus::CredentialsRequest { camera: door };
        let reply: wire::bus::Reply<wire::bus::CredentialsReply> =
            node.ask(wire::bus::NodeRequestKind::Credentials, &asked).await;
        assert!(matches!(reply, wire::bus::Reply::Ok(_)), "both may open it");
    }
    let path = format!("/api/v1/cameras/{door}");
    let (status, wrong) = world
        .call("PATCH", &path, &token, Some(json!({"copies": 3})))
        .await;
    assert_eq!((status, &wrong["field"]), (400, &json!("copies")));
    let labels = json!({"copies": 1, "node_labels": ["GPU"]});
    let (status, changed) = world.call("PATCH", &path, &token, Some(labels)).await;
    assert_eq!((status, &changed["node_labels"]), (200, &json!(["gpu"])));
    let (_, placement) = world
        .call("GET", &format!("{path}/placement"), &token, None)
        .await;
    assert!(
        placement["nodes"][0]["trouble"].as_str().unwrap().contains("gpu"),
        "{placement}"
    );
}
