//! The registry of nodes: what people set, what nodes say, and how they go.

use control_plane::store::facts;
use serde_json::{Value, json};
use wire::access::Role;
use wire::bus::NODE_BUCKET;
use wire::status::{Hardware, NodeStatus};
use wire::{NodeId, OrganizationId};

use crate::node::{Node, Site, camera, site};
use crate::support::{World, poll};

async fn one(site: &Site, id: NodeId) -> Value {
    let (status, node) = site
        .world
        .call("GET", &format!("/api/v1/nodes/{id}"), &site.token, None)
        .await;
    assert_eq!(status, 200, "{node}");
    node
}

async fn change(site: &Site, id: NodeId, seen: Option<&str>, body: Value) -> (u16, Value) {
    let path = site.world.url(&format!("/api/v1/nodes/{id}"));
    let mut request = site.world.http.patch(path).bearer_auth(&site.token).json(&body);
    if let Some(seen) = seen {
        request = request.header("If-Match", seen);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// Kinds of the facts about nodes.
async fn told(world: &World, organization: OrganizationId) -> Vec<String> {
    let look = move |c: &mut _| facts::after(c, organization, 0, 1000);
    let (all, _) = world.server.state.store.read(look).await.unwrap();
    let kinds = all.into_iter().map(|fact| fact.kind.as_str().to_owned());
    kinds.filter(|kind| kind.starts_with("node.")).collect()
}

async fn home(site: &Site) -> OrganizationId {
    let (_, me) = site.world.call("GET", "/api/v1/me", &site.token, None).await;
    me["organization"].as_str().unwrap().parse().unwrap()
}

/// What the node says of itself, with something changed.
async fn say(site: &Site, change: impl Fn(&mut NodeStatus)) {
    let last = poll("a status", async || {
        site.world.server.state.nodes.last(site.node.id)
    })
    .await;
    let mut status = NodeStatus::clone(&last.status);
    change(&mut status);
    let body = serde_json::to_vec(&status).unwrap();
    site.node.put(NODE_BUCKET, &site.node.id.to_string(), body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_set_what_a_node_is_there_for() {
    let site = site().await;
    let id = site.node.id;
    let before = one(&site, id).await;
    assert_eq!(
        (&before["state"], &before["cameras"]),
        (&json!("active"), &json!(1))
    );
    let settings = json!({
        "name": "Gate house", "state": "cordoned", "labels": ["GPU", "indoor"], "sites": ["North"],
        "networks": ["10.1.2.3/16", "fd00::1/8"], "max_cameras": 40, "uplink_bps": 20_000_000,
    });
    let (status, after) = change(&site, id, Some("\"1\""), settings).await;
    assert_eq!(status, 200, "{after}");
    assert_eq!(after["networks"], json!(["10.1.0.0/16", "fd00::/8"]));
    site.node
        .plan_when("the limit of uploads is in its plan", |plan| {
            plan.uplink_bps == Some(20_000_000)
        })
        .await;
    assert_eq!(after["labels"], json!(["gpu", "indoor"]));
    assert_eq!(
        (&after["revision"], &after["max_cameras"]),
        (&json!(2), &json!(40))
    );
    assert_eq!(
        change(&site, id, Some("\"1\""), json!({"name": "x"})).await.0,
        412
    );
    let (_, same) = change(&site, id, None, json!({"state": "cordoned"})).await;
    assert_eq!(same["revision"], 2, "nothing was changed");
    for bad in [
        json!({"name": " "}),
        json!({"name": "a\0"}),
        json!({"networks": ["10.0.0.0/33"]}),
        json!({"labels": ["a b"]}),
        json!({"uplink_bps": 1}),
        json!({"state": "asleep"}),
        json!({"colour": "red"}),
    ] {
        assert_eq!(change(&site, id, None, bad.clone()).await.0, 400, "{bad}");
    }
    // What the node calls itself does not matter any more.
    site.node.report().await;
    assert_eq!(one(&site, id).await["name"], "Gate house");

    let other = Node::start(&site.nats, &site.world).await;
    let list = async |query: &str| {
        let path = format!("/api/v1/nodes{query}");
        let (status, page) = site.world.call("GET", &path, &site.token, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap().iter();
        let ids: Vec<NodeId> = items
            .map(|node| node["id"].as_str().unwrap().parse().unwrap())
            .collect();
        (ids, page["next"].clone())
    };
    assert_eq!(list("?q=GATE").await.0, [id]);
    assert_eq!(list("?state=active").await.0, [other.id]);
    let (first, next) = list("?limit=1").await;
    let (second, end) = list(&format!("?limit=1&cursor={}", next.as_str().unwrap())).await;
    assert_eq!((first, second, end), (vec![id], vec![other.id], Value::Null));
    let organization = home(&site).await;
    assert!(
        told(&site.world, organization)
            .await
            .contains(&"node.changed".to_owned())
    );

    let elsewhere = site.world.organization("Elsewhere").await;
    let (_, stranger) = site.world.person(elsewhere, "stranger", Role::OrgAdmin).await;
    let (_, guest) = site.world.person(organization, "guest", Role::OrgUser).await;
    let path = format!("/api/v1/nodes/{id}");
    for method in ["GET", "PATCH", "DELETE"] {
        let body = (method == "PATCH").then(|| json!({"name": "mine"}));
        assert_eq!(
            site.world.call(method, &path, &stranger, body.clone()).await.0,
            404
        );
        assert_eq!(site.world.call(method, &path, &guest, body).await.0, 403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_says_is_shown_and_its_silence_told() {
    let site = site().await;
    let id = site.node.id;
    say(&site, |status| {
        status.version = "9.9\u{7}".to_owned();
        status.hardware = Hardware {
            architecture: "aarch64".to_owned(),
            cores: 4,
            ..Hardware::default()
        };
        status.cpu_permille = 333;
    })
    .await;
    let shown = poll("the machine is noted", async || {
        let shown = one(&site, id).await;
        (shown["hardware"]["cores"] == 4).then_some(shown)
    })
    .await;
    assert_eq!(
        (&shown["version"], &shown["online"]),
        (&json!("9.9"), &json!(true))
    );
    assert_eq!(shown["status"]["cpu_permille"], 333);
    assert!(shown["status_age_ms"].as_u64().unwrap() < 15_000);
    let organization = home(&site).await;
    assert_eq!(
        told(&site.world, organization).await,
        ["node.enrolled", "node.online"]
    );
    // Nobody reports for it any more.
    poll("its silence is told", async || {
        let told = told(&site.world, organization).await;
        (told.last().unwrap() == "node.offline").then_some(())
    })
    .await;
    let silent = one(&site, id).await;
    assert_eq!(silent["online"], false);
    assert_eq!(silent["hardware"]["cores"], 4, "its machine is still known");
    site.node.report().await;
    poll("its return is told", async || {
        let told = told(&site.world, organization).await;
        (told.len() == 4 && told[3] == "node.online").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_goes_when_it_is_drained_or_by_force() {
    let site = site().await;
    let id = site.node.id;
    let path = format!("/api/v1/nodes/{id}");
    let (status, problem) = site.world.call("DELETE", &path, &site.token, None).await;
    assert_eq!((status, &problem["code"]), (409, &json!("node_not_drained")));
    assert_eq!(change(&site, id, None, json!({"state": "draining"})).await.0, 200);
    let gone = format!("/api/v1/cameras/{}", site.camera);
    assert_eq!(site.world.call("DELETE", &gone, &site.token, None).await.0, 204);
    say(&site, |status| status.upload_backlog = 3).await;
    poll("it has footage of its own", async || {
        let shown = one(&site, id).await;
        (shown["cameras"] == 0 && shown["status"]["upload_backlog"] == 3).then_some(())
    })
    .await;
    assert_eq!(one(&site, id).await["drained"], false);
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 409);
    say(&site, |status| status.upload_backlog = 0).await;
    poll("it is drained", async || {
        (one(&site, id).await["drained"] == true).then_some(())
    })
    .await;
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 204);
    assert_eq!(site.world.call("GET", &path, &site.token, None).await.0, 404);
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 404);
    let organization = home(&site).await;
    assert_eq!(
        told(&site.world, organization).await,
        ["node.enrolled", "node.online", "node.changed", "node.removed"]
    );

    let other = Node::start(&site.nats, &site.world).await;
    let body = json!({"name": "Door", "url": "rtsp://10.0.0.7/1"});
    let door = camera(&site.world, &site.token, body).await;
    other
        .plan_when("the camera is planned", |plan| {
            plan.entries.iter().any(|entry| entry.camera == door)
        })
        .await;
    let path = format!("/api/v1/nodes/{}?force=", other.id);
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 400);
    let path = format!("/api/v1/nodes/{}?force=true", other.id);
    assert_eq!(site.world.call("DELETE", &path, &site.token, None).await.0, 204);
    let (_, audit) = site
        .world
        .call("GET", "/api/v1/audit?action=node.remove", &site.token, None)
        .await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 2);
}
