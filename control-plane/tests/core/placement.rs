//! Where cameras go: what nodes are there for, what cameras ask for, and what a licence includes.

use serde_json::{Value, json};
use wire::{CameraId, StreamKind};

use crate::node::{Node, camera};
use crate::people::organization_of;
use crate::plans::Site;
use crate::support::{Nats, World, poll};

/// Two nodes that carry out their plans and say so.
struct Pair {
    _nats: Nats,
    world: World,
    token: String,
    nodes: [Node; 2],
}

impl Pair {
    async fn start() -> Self {
        let nats = Nats::start();
        let world = World::with_bus(&nats.url()).await;
        world.ready().await;
        let token = world.sign_in().await;
        let nodes = [Node::start(&nats, &world).await, Node::start(&nats, &world).await];
        Self {
            _nats: nats,
            world,
            token,
            nodes,
        }
    }

    async fn add(&self, name: &str, site: &str) -> CameraId {
        let url = format!("rtsp://a:b@10.0.0.5/{name}");
        camera(
            &self.world,
            &self.token,
            json!({"name": name, "url": url, "site": site}),
        )
        .await
    }

    async fn patch(&self, path: &str, body: Value) {
        let path = format!("/api/v1/{path}");
        let (status, answer) = self.world.call("PATCH", &path, &self.token, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
    }

    async fn set_node(&self, index: usize, body: Value) {
        self.patch(&format!("nodes/{}", self.nodes[index].id), body).await;
    }

    /// The placement once it is so, while both nodes work.
    async fn placed(&self, camera: CameraId, what: &str, is: impl Fn(&Placement<'_>) -> bool) -> Value {
        let path = format!("/api/v1/cameras/{camera}/placement");
        poll(what, async || {
            for node in &self.nodes {
                node.report_recording().await;
            }
            let (_, value) = self.world.call("GET", &path, &self.token, None).await;
            let seen = Placement {
                pair: self,
                value: &value,
            };
            is(&seen).then(|| value.clone())
        })
        .await
    }
}

/// What the API answers about a camera.
struct Placement<'a> {
    pair: &'a Pair,
    value: &'a Value,
}

impl Placement<'_> {
    /// Only this node has it, and nothing is wrong with that.
    fn is_on(&self, index: usize) -> bool {
        let nodes = self.value["nodes"].as_array().unwrap();
        let [one] = &nodes[..] else { return false };
        one["node"] == json!(self.pair.nodes[index].id) && one["trouble"].is_null()
    }

    fn is_nowhere(&self) -> bool {
        self.value["nodes"].as_array().unwrap().is_empty()
    }

    /// What speaks against a node that does not have it.
    fn why_not(&self, index: usize) -> &str {
        let others = self.value["others"].as_array().unwrap();
        let node = json!(self.pair.nodes[index].id);
        let other = others.iter().find(|other| other["node"] == node);
        other.map_or("", |other| other["why_not"].as_str().unwrap())
    }

    fn trouble(&self) -> &str {
        self.value["nodes"][0]["trouble"].as_str().unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_follow_what_nodes_are_there_for() {
    let pair = Pair::start().await;
    pair.set_node(0, json!({"sites": ["north"]})).await;
    pair.set_node(1, json!({"sites": ["south"]})).await;
    let door = pair.add("door", "north").await;
    pair.placed(door, "the door is at its site", |seen| {
        seen.is_on(0) && seen.why_not(1) == "it does not serve the site north"
    })
    .await;

    // The sites change hands, and the camera with them.
    pair.set_node(1, json!({"sites": []})).await;
    pair.set_node(0, json!({"sites": ["east"]})).await;
    pair.placed(door, "the door moved", |seen| seen.is_on(1)).await;

    // It stays where it is when nobody else may have it, and that is said.
    pair.set_node(1, json!({"networks": ["192.168.0.0/16"]})).await;
    pair.placed(door, "the network is wrong", |seen| {
        seen.trouble() == "none of its networks contains 10.0.0.5"
            && seen.why_not(0).contains("the site north")
    })
    .await;
    pair.set_node(0, json!({"sites": [], "networks": ["10.0.0.0/8"]}))
        .await;
    pair.placed(door, "the door is where it is reached", |seen| seen.is_on(0))
        .await;

    // A camera may ask for more than any node has.
    pair.patch(&format!("cameras/{door}"), json!({"node_labels": ["gpu"]}))
        .await;
    pair.placed(door, "the label is missing", |seen| {
        seen.trouble() == "it lacks the labels gpu"
    })
    .await;
    pair.set_node(1, json!({"networks": [], "labels": ["gpu"]})).await;
    pair.placed(door, "the door has what it asks for", |seen| seen.is_on(1))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_takes_what_it_has_room_for_and_hands_over_what_it_drains() {
    let pair = Pair::start().await;
    pair.set_node(0, json!({"state": "cordoned"})).await;
    let door = pair.add("door", "").await;
    pair.placed(door, "the door avoids the cordon", |seen| {
        seen.is_on(1) && seen.why_not(0) == "it is cordoned: it takes no new cameras"
    })
    .await;
    pair.set_node(1, json!({"max_cameras": 1})).await;
    let gate = pair.add("gate", "").await;
    pair.placed(gate, "the gate finds no place", |seen| {
        seen.is_nowhere() && seen.why_not(1) == "it is full: it takes 1 cameras at most"
    })
    .await;
    let path = format!("/api/v1/cameras/{gate}");
    let (_, shown) = pair.world.call("GET", &path, &pair.token, None).await;
    assert_eq!(shown["planned"]["reason"], "no_node", "{shown}");

    pair.set_node(0, json!({"state": "active"})).await;
    pair.placed(gate, "the gate is taken", |seen| seen.is_on(0)).await;
    pair.set_node(1, json!({"state": "draining"})).await;
    let moved = pair
        .placed(door, "the door is handed over", |seen| seen.is_on(0))
        .await;
    assert_eq!(moved["nodes"][0]["epoch"], 2, "{moved}");
    pair.nodes[1]
        .plan_when("the drained node has nothing", |plan| plan.entries.is_empty())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_gets_a_camera_when_no_other_node_can_take_it() {
    let mut pair = Pair::start().await;
    // Equals are taken in the order of their ids.
    pair.nodes.sort_by_key(|node| node.id);
    let full = &pair.nodes[0];
    let report = async || {
        full.say(|status| {
            status.hardware.disk_bytes = 500_000_000_000;
            status.disk_free_bytes = 10_000_000_000;
            status.spool_bytes = 480_000_000_000;
            status.upload_backlog = 9_000;
            status.upload_backlog_bytes = 479_000_000_000;
        })
        .await;
        pair.nodes[1].report_recording().await;
    };
    let placed = async |camera: CameraId, what: &str, is: &dyn Fn(&Placement<'_>) -> bool| {
        let path = format!("/api/v1/cameras/{camera}/placement");
        poll(what, async || {
            report().await;
            let (_, value) = pair.world.call("GET", &path, &pair.token, None).await;
            let seen = Placement {
                pair: &pair,
                value: &value,
            };
            is(&seen).then(|| value.clone())
        })
        .await
    };
    poll("both have reported", async || {
        report().await;
        let last = pair.world.server.state.nodes.online(full.id)?;
        (last.upload_backlog == 9_000).then_some(())
    })
    .await;
    let why = "its disk is almost full: 2 % are left beside what it has not uploaded yet";
    let door = pair.add("door", "").await;
    placed(door, "the door is where there is room", &|seen| {
        seen.is_on(1) && seen.why_not(0) == why
    })
    .await;
    pair.set_node(1, json!({"state": "cordoned"})).await;
    let gate = pair.add("gate", "").await;
    let gate = placed(gate, "the gate is rather there than nowhere", &|seen| {
        seen.is_on(0)
    })
    .await;
    let reason = gate["nodes"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("almost full"), "{gate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_includes_the_sub_stream_and_the_second_copy_or_not() {
    let site = Site::start().await;
    let second = Node::start(&site.nats, &site.world).await;
    let home = organization_of(&site.world, &site.token).await;
    let organization = format!("/api/v1/organizations/{home}");
    let licensing = json!({"licensing": "required"});
    site.call("PATCH", &organization, Some(licensing)).await;
    let issue = async |features: Value| {
        let plan = json!({"features": features, "retention_days": 30, "max_width": 3840, "max_height": 2160,
            "max_bitrate_bps": 16_000_000});
        let now = control_plane::state::now().0;
        let body = json!({"name": "Plan", "plan": plan, "count": 1, "valid_from": now - 1000,
            "valid_to": now + 86_400_000});
        let issued = site.call("POST", "/api/v1/licences", Some(body)).await;
        format!(
            "/api/v1/licences/{}/camera",
            issued["items"][0]["id"].as_str().unwrap()
        )
    };
    let plain = issue(json!(["recording"])).await;
    let full = issue(json!(["recording", "sub_stream", "redundant"])).await;
    let of = json!({"camera": site.camera});
    site.job(json!({"name": "All", "schedule": {"kind": "continuous"}, "streams": "both"}))
        .await;
    let path = format!("/api/v1/cameras/{}", site.camera);
    site.call("PATCH", &path, Some(json!({"copies": 2}))).await;

    site.call("PUT", &plain, Some(of.clone())).await;
    let placement = format!("{path}/placement");
    let placed = poll("one node has it", async || {
        let placement = site.call("GET", &placement, None).await;
        (placement["nodes"].as_array().unwrap().len() == 1).then_some(placement)
    })
    .await;
    assert_eq!(placed["copies"], 1, "{placed}");
    let on_first = placed["nodes"][0]["node"] == json!(site.node.id);
    let (has, has_not) = if on_first {
        (&site.node, &second)
    } else {
        (&second, &site.node)
    };
    let streams = |plan: &wire::plan::Plan| plan.entries.iter().map(|one| one.stream).collect::<Vec<_>>();
    let main = has.plan_when("the main stream is planned", |plan| !plan.entries.is_empty());
    assert_eq!(streams(&main.await), [StreamKind::Main]);
    assert_eq!(has_not.plan().await.map_or(Vec::new(), |plan| streams(&plan)), []);

    site.call("DELETE", &plain, None).await;
    site.call("PUT", &full, Some(of)).await;
    for node in [has, has_not] {
        let both = |plan: &wire::plan::Plan| streams(plan) == [StreamKind::Main, StreamKind::Sub];
        node.plan_when("both streams are planned on both nodes", both)
            .await;
    }
}
