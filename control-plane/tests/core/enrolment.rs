//! Nodes join with one-time tokens, get new tokens in time, and are out at once when they are removed.

use std::time::Duration;

use async_nats::Event;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use control_plane::state::now;
use nkeys::KeyPair;
use serde_json::{Value, json};
use tokio::sync::watch;
use wire::bus::*;
use wire::event::NodeEvent;
use wire::{NodeId, UnixMs};

use crate::node::{Node, Site, T, enrolment_token, join, object, site};
use crate::support::database::{count, execute, url_of};
use crate::support::nats::options;
use crate::support::{Nats, World, poll};

fn public_key() -> String {
    KeyPair::new_user().public_key()
}

/// What a token says.
fn claims(jwt: &str) -> Value {
    let body = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_that_use_one_token_at_once_one_joins() {
    let world = World::without_bus().await;
    let admin = world.sign_in().await;
    let token = enrolment_token(&world, &admin).await;
    let tries = (0..20).map(|_| {
        let (world, token) = (&world, &token);
        async move { join(world, token, &public_key()).await.0 }
    });
    let mut answers = futures::future::join_all(tries).await;
    answers.sort_unstable();
    assert_eq!(answers[0], 200);
    assert!(answers[1..].iter().all(|status| *status == 401), "{answers:?}");
    let (_, nodes) = world.call("GET", "/api/v1/nodes", &admin, None).await;
    assert_eq!(nodes["items"].as_array().unwrap().len(), 1);
    let (_, tokens) = world.call("GET", "/api/v1/enrolment-tokens", &admin, None).await;
    assert_eq!(tokens["items"][0]["node"], nodes["items"][0]["id"]);
    assert!(!tokens.to_string().contains(&token));
}

#[tokio::test]
async fn tokens_that_work_no_more_are_all_answered_alike() {
    let world = World::without_bus().await;
    let admin = world.sign_in().await;
    let used = enrolment_token(&world, &admin).await;
    let key = public_key();
    assert_eq!(join(&world, &used, &key).await.0, 200);
    let expired = enrolment_token(&world, &admin).await;
    let url = url_of(world.dir.path());
    execute(&url, "UPDATE enrolment_token SET expires = 1 WHERE used IS NULL");
    let revoked = enrolment_token(&world, &admin).await;
    let (_, tokens) = world.call("GET", "/api/v1/enrolment-tokens", &admin, None).await;
    let last = tokens["items"].as_array().unwrap().last().unwrap()["id"].clone();
    let path = format!("/api/v1/enrolment-tokens/{}", last.as_str().unwrap());
    assert_eq!(world.call("DELETE", &path, &admin, None).await.0, 204);
    let mut answers = Vec::new();
    for token in [used.as_str(), &expired, &revoked, "cce_unknown", ""] {
        let (status, mut problem) = join(&world, token, &public_key()).await;
        assert_eq!(status, 401, "{problem}");
        problem["request_id"] = Value::Null;
        answers.push(problem);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");

    let fresh = enrolment_token(&world, &admin).await;
    let (status, problem) = join(&world, &fresh, &key).await;
    assert_eq!((status, &problem["code"]), (409, &json!("node_enrolled")));
    // Neither a seed, nor another kind of key, nor one of another spelling; and nothing is used up by it.
    let account = KeyPair::new_account().public_key();
    for bad in [
        KeyPair::new_user().seed().unwrap(),
        account,
        key.to_lowercase(),
        "U".repeat(56),
    ] {
        assert_eq!(join(&world, &fresh, &bad).await.0, 400, "{bad}");
    }
    assert_eq!(join(&world, &fresh, &public_key()).await.0, 200);
    for seconds in [0, 59, 604_801] {
        let body = json!({"name": "gate", "expires_in_s": seconds});
        let (status, _) = world
            .call("POST", "/api/v1/enrolment-tokens", &admin, Some(body))
            .await;
        assert_eq!(status, 400, "{seconds}");
    }
}

#[tokio::test]
async fn a_node_that_recorded_before_it_had_a_key_keeps_its_id_and_nobody_takes_another_ones() {
    let world = World::without_bus().await;
    let admin = world.sign_in().await;
    let old = NodeId::generate();
    let foreign = world.organization("Other").await;
    let url = url_of(world.dir.path());
    let as_node = async |id: NodeId, public_key: String| {
        let token = enrolment_token(&world, &admin).await;
        let body = json!({
            "token": token, "public_key": public_key, "name": "gate", "version": "1", "node": id,
        });
        world.call("POST", "/api/v1/enrol", "", Some(body)).await
    };
    let (status, joined) = as_node(old, public_key()).await;
    assert_eq!((status, &joined["node"]), (200, &json!(old)));
    // Taken, with a key.
    assert_eq!(as_node(old, public_key()).await.0, 409);
    let theirs = NodeId::generate();
    world
        .server
        .state
        .store
        .write(move |c| {
            let new = control_plane::store::nodes::NewNode {
                id: theirs,
                organization: foreign,
                name: "theirs".to_owned(),
                public_key: public_key(),
                version: String::new(),
            };
            control_plane::store::nodes::enrol(c, &new, now())
        })
        .await
        .unwrap();
    execute(&url, "UPDATE node SET public_key = NULL");
    assert_eq!(
        as_node(theirs, public_key()).await.0,
        409,
        "another organization's"
    );
    assert_eq!(as_node(old, public_key()).await.0, 200, "without a key");
}

/// Asks for a challenge and answers it.
pub(crate) async fn prove(world: &World, node: NodeId, seed: &str) -> (u16, Value, Value) {
    let path = format!("/api/v1/nodes/{node}");
    let (_, made) = world.call("POST", &format!("{path}/challenge"), "", None).await;
    let challenge = made["challenge"].as_str().unwrap();
    let key = KeyPair::from_seed(seed).unwrap();
    let signature = key.sign(token_statement(node, challenge).as_bytes()).unwrap();
    let proof = json!({"challenge": challenge, "signature": BASE64_URL_SAFE_NO_PAD.encode(signature)});
    let (status, answer) = world
        .call("POST", &format!("{path}/token"), "", Some(proof.clone()))
        .await;
    (status, answer, proof)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_comes_over_the_bus_and_against_a_proof_that_counts_once() {
    let site = site().await;
    let node = &site.node;
    let Reply::Ok(renewed) = node
        .ask::<_, BusAccess>(NodeRequestKind::Token, &TokenRequest {})
        .await
    else {
        panic!("a node gets a new token");
    };
    let (before, after) = (claims(&node.access.jwt), claims(&renewed.jwt));
    assert_eq!((&before["sub"], &before["nats"]), (&after["sub"], &after["nats"]));
    assert_eq!(
        after["exp"].as_i64().unwrap() - after["iat"].as_i64().unwrap(),
        86_400
    );
    assert_eq!(renewed.urls, [site.nats.url()]);

    let (status, proved, proof) = prove(&site.world, node.id, &node.seed).await;
    assert_eq!(status, 200, "{proved}");
    let proved: BusAccess = serde_json::from_value(proved).unwrap();
    Node::connect(&site.nats, node.id, node.seed.clone(), proved)
        .await
        .report()
        .await;
    let path = format!("/api/v1/nodes/{}/token", node.id);
    let again = async |proof: Value| site.world.call("POST", &path, "", Some(proof)).await;
    assert_eq!(again(proof.clone()).await.0, 401, "a proof counts once");
    let (_, _, later) = prove(&site.world, node.id, &node.seed).await;
    assert_eq!(again(proof.clone()).await.0, 401, "also after another one");
    // Another key, another node's challenge, a challenge of one's own, another time.
    assert_eq!(
        prove(&site.world, node.id, &KeyPair::new_user().seed().unwrap())
            .await
            .0,
        401
    );
    assert_eq!(prove(&site.world, NodeId::generate(), &node.seed).await.0, 401);
    for challenge in ["", "1", "x.y", &format!("{}.AAAAAAAAAAAAAAAAAAAAAAAA", now().0)] {
        let forged = json!({"challenge": challenge, "signature": later["signature"]});
        assert_eq!(again(forged).await.0, 401, "{challenge}");
    }
    let other = Node::start(&site.nats, &site.world).await;
    let (_, _, theirs) = prove(&site.world, other.id, &other.seed).await;
    assert_eq!(again(theirs).await.0, 401);
}

/// A client with a node's credential, and how often it was connected and let go.
pub(crate) async fn watched(nats: &Nats, node: &Node) -> (async_nats::Client, watch::Receiver<Vec<String>>) {
    let (told, seen) = watch::channel(Vec::new());
    let client = options(&node.seed, &node.access.jwt)
        .custom_inbox_prefix(inbox_prefix(node.id))
        .event_callback(move |event: Event| {
            told.send_modify(|all| all.push(event.to_string().to_lowercase()));
            std::future::ready(())
        })
        .connect(nats.url())
        .await
        .unwrap();
    (client, seen)
}

fn remove(site: &Site) {
    let url = url_of(site.world.dir.path());
    let id = hex::encode(site.node.id.as_bytes());
    let blob = if url.starts_with("postgres") {
        format!("'\\x{id}'")
    } else {
        format!("X'{id}'")
    };
    execute(
        &url,
        &format!("UPDATE node SET removed = {} WHERE id = {blob}", now().0),
    );
    site.world.server.state.revoke.notify_one();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_is_out_at_once_and_stays_out() {
    let mut site = site().await;
    let (_client, mut seen) = watched(&site.nats, &site.node).await;
    remove(&site);
    for words in ["authentication revoked", "authorization violation"] {
        let said = seen.wait_for(|all| all.iter().any(|event| event.contains(words)));
        let is_said = tokio::time::timeout(Duration::from_secs(5), said).await.is_ok();
        assert!(is_said, "{words}: {:?}", seen.borrow());
    }
    // Whoever proves the key learns it; whoever does not, nothing.
    let (status, problem, _) = prove(&site.world, site.node.id, &site.node.seed).await;
    assert_eq!((status, &problem["code"]), (403, &json!("node_removed")));
    let stranger = KeyPair::new_user().seed().unwrap();
    assert_eq!(prove(&site.world, site.node.id, &stranger).await.0, 401);
    // A bus that lost what it was told is told again.
    site.nats.lose_everything();
    site.world.ready().await;
    poll("the bus refuses the removed node", async || {
        let connecting = options(&site.node.seed, &site.node.access.jwt).connect(site.nats.url());
        matches!(
            connecting.await.map_err(|error| error.kind()),
            Err(async_nats::ConnectErrorKind::AuthorizationViolation)
        )
        .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_plane_takes_nothing_of_who_is_not_or_no_longer_a_node() {
    let site = site().await;
    // Everything that the nodes' account can say, under the names of who is none.
    let client = site.nats.nodes_client().await;
    let nobody = Node {
        id: NodeId::generate(),
        seed: String::new(),
        access: site.node.access.clone(),
        jetstream: async_nats::jetstream::new(client.clone()),
        client: client.clone(),
    };
    nobody.report().await;
    let removed = Node {
        id: site.node.id,
        seed: String::new(),
        access: site.node.access.clone(),
        jetstream: async_nats::jetstream::new(client.clone()),
        client,
    };
    let url = url_of(site.world.dir.path());
    execute(&url, &format!("UPDATE node SET removed = {}", now().0));
    for node in [&nobody, &removed] {
        let event = NodeEvent::ObjectSealed(object(node.id, site.camera, T));
        node.publish(&event).await;
        for kind in [
            NodeRequestKind::Confirm,
            NodeRequestKind::Upload,
            NodeRequestKind::Token,
        ] {
            let Reply::Err(refused) = node.ask::<_, Value>(kind, &json!({"messages": []})).await else {
                panic!("{kind:?} is answered to a stranger");
            };
            assert_eq!(refused.code, ReplyCode::NotFound);
        }
    }
    poll("both events are refused", async || {
        (count(&url, "refused") == 2).then_some(())
    })
    .await;
    assert_eq!(count(&url, "object"), 0);
    assert_eq!(
        count(&url, "event WHERE kind = 'node.refused'"),
        1,
        "told of the node that is known"
    );
    let (_, nodes) = site.world.call("GET", "/api/v1/nodes", &site.token, None).await;
    assert!(!nodes.to_string().contains(&nobody.id.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_and_the_bus_ends_the_connection_with_it() {
    let site = site().await;
    let keys = control_plane::bus::keys::Keys::load(&site.nats.keys()).unwrap();
    let key = KeyPair::from_seed(&site.node.seed).unwrap().public_key();
    let at = now();
    let token = |until: UnixMs| keys.node(site.node.id, &key, (at, until)).unwrap();
    let over = options(&site.node.seed, &token(at.plus(-1_000)));
    let refused = over.connect(site.nats.url()).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        async_nats::ConnectErrorKind::AuthorizationViolation
    );
    let (told, mut seen) = watch::channel(String::new());
    let _client = options(&site.node.seed, &token(at.plus(3_000)))
        .event_callback(move |event: Event| {
            told.send_modify(|all| all.push_str(&event.to_string().to_lowercase()));
            std::future::ready(())
        })
        .connect(site.nats.url())
        .await
        .unwrap();
    let expired = seen.wait_for(|all| all.contains("authentication expired"));
    assert!(
        tokio::time::timeout(Duration::from_secs(10), expired)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_bus_without_the_installations_keys_lets_in_nobody_of_it() {
    let (ours, theirs) = (Nats::start(), Nats::start());
    let world = World::with_bus(&ours.url()).await;
    world.ready().await;
    let admin = world.sign_in().await;
    let node = Node::enrol(&ours, &world, &admin).await;
    let foreign = options(&node.seed, &node.access.jwt).connect(theirs.url()).await;
    assert_eq!(
        foreign.unwrap_err().kind(),
        async_nats::ConnectErrorKind::AuthorizationViolation
    );
    assert!(
        async_nats::connect(theirs.url()).await.is_err(),
        "nobody is anonymous"
    );
    let stolen = options(&KeyPair::new_user().seed().unwrap(), &node.access.jwt)
        .connect(ours.url())
        .await;
    assert!(stolen.is_err(), "a token alone opens nothing");
}
