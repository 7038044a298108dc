//! A stolen node's credential, tried against every subject and route that it should not reach.
//!
//! Each refusal is the bus' own word, not a silence; what a node may do is tried beside it.

use std::sync::{Arc, Mutex};

use async_nats::Event;
use control_plane::http::openapi;
use futures::{FutureExt, StreamExt};
use serde_json::json;
use wire::NodeId;
use wire::bus::*;
use wire::event::NodeEvent;
use wire::plan::Plan;

use crate::node::{Node, Site, T, object, site};
use crate::support::nats::options;
use crate::support::poll;

/// The credential in other hands.
struct Thief {
    client: async_nats::Client,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Thief {
    async fn of(site: &Site) -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let ears = Arc::clone(&heard);
        let client = options(&site.node.seed, &site.node.access.jwt)
            .custom_inbox_prefix(inbox_prefix(site.node.id))
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    ears.lock().unwrap().push(error.to_string().to_lowercase());
                }
                std::future::ready(())
            })
            .connect(site.nats.url())
            .await
            .unwrap();
        Self { client, heard }
    }

    /// Waits until the bus has refused exactly this.
    async fn refused(&self, verb: &str, subject: &str) {
        let said = format!(
            "permissions violation for {verb} to \"{}\"",
            subject.to_lowercase()
        );
        poll(&format!("the bus refuses: {verb} {subject}"), async || {
            let heard = self.heard.lock().unwrap();
            heard.iter().any(|line| line.contains(&said)).then_some(())
        })
        .await;
    }

    async fn publish(&self, subject: &str) {
        self.client
            .publish(subject.to_owned(), "{}".into())
            .await
            .unwrap();
        self.refused("publish", subject).await;
    }

    async fn subscribe(&self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.refused("subscription", subject).await;
    }
}

/// Subjects that a node must not publish to.
fn unpublishable(me: NodeId, other: NodeId) -> Vec<String> {
    let mut subjects = vec![
        event_subject(other),
        "cc.event".to_owned(),
        format!("cc.event.{me}.x"),
        format!("cc.req.{me}"),
        format!("cc.req.{me}.confirm.x"),
        kv_subject(NODE_BUCKET, &other.to_string()),
        format!("$KV.nodes.{me}.x"),
        kv_subject(HEAD_BUCKET, &format!("{other}.x.main")),
        format!("$KV.heads.{me}"),
        kv_subject(PLAN_BUCKET, &me.to_string()),
        kv_subject(PLAN_BUCKET, &other.to_string()),
        plan_subject(me),
        plan_subject(other),
        "cc.control.wake".to_owned(),
        "cc.control.x".to_owned(),
        format!("{}.x", inbox_prefix(me)),
        format!("{}.x", inbox_prefix(other)),
        "_INBOX.control-plane.x".to_owned(),
        "_INBOX.system.x".to_owned(),
        "_R_.x".to_owned(),
        "$JSC.R.x".to_owned(),
        "$SYS.REQ.CLAIMS.UPDATE".to_owned(),
        "$SYS.REQ.CLAIMS.LIST".to_owned(),
        "$SYS.REQ.CLAIMS.DELETE".to_owned(),
        "$SYS.REQ.SERVER.PING".to_owned(),
        "$SYS.REQ.USER.INFO".to_owned(),
        "$SYS.REQ.ACCOUNT.PING.CONNZ".to_owned(),
        "$SYS.ACCOUNT.A.CLAIMS.UPDATE".to_owned(),
        "$SYS.DEBUG.SUBSCRIBERS".to_owned(),
        "$JS.ACK.EVENTS.index.1.1.1.1.1".to_owned(),
        "$JS.FC.EVENTS.index.x".to_owned(),
        "anything".to_owned(),
    ];
    for kind in ["confirm", "upload", "stored", "credentials", "token"] {
        subjects.push(format!("cc.req.{other}.{kind}"));
    }
    for kind in ["read", "probe", "snapshot"] {
        subjects.push(format!("cc.node.{other}.{kind}"));
        subjects.push(format!("cc.node.{me}.{kind}"));
    }
    for stream in ["EVENTS", "KV_plans", "KV_nodes", "KV_heads"] {
        for verb in [
            "STREAM.CREATE",
            "STREAM.UPDATE",
            "STREAM.DELETE",
            "STREAM.PURGE",
            "STREAM.INFO",
            "STREAM.MSG.GET",
            "STREAM.MSG.DELETE",
            "STREAM.SNAPSHOT",
            "STREAM.RESTORE",
            "STREAM.PEER.REMOVE",
            "STREAM.LEADER.STEPDOWN",
            "CONSUMER.CREATE",
            "CONSUMER.NAMES",
            "CONSUMER.LIST",
            "DIRECT.GET",
        ] {
            subjects.push(format!("$JS.API.{verb}.{stream}"));
        }
        for verb in [
            "CONSUMER.CREATE",
            "CONSUMER.DURABLE.CREATE",
            "CONSUMER.INFO",
            "CONSUMER.DELETE",
            "CONSUMER.PAUSE",
            "CONSUMER.UNPIN",
            "CONSUMER.MSG.NEXT",
            "CONSUMER.LEADER.STEPDOWN",
        ] {
            subjects.push(format!("$JS.API.{verb}.{stream}.index"));
        }
    }
    subjects.extend(
        [
            "$JS.API.INFO",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.LIST",
            "$JS.API.ACCOUNT.PURGE.A",
            "$JS.API.META.LEADER.STEPDOWN",
            "$JS.API.SERVER.REMOVE",
        ]
        .map(str::to_owned),
    );
    subjects.extend([
        plan_get_subject(other),
        format!("$JS.API.DIRECT.GET.EVENTS.{}", event_subject(other)),
        format!("$JS.API.DIRECT.GET.EVENTS.{}", event_subject(me)),
        format!("$JS.API.DIRECT.GET.KV_nodes.$KV.nodes.{other}"),
        format!("$JS.API.DIRECT.GET.KV_heads.$KV.heads.{other}.x.main"),
        format!("$JS.API.CONSUMER.CREATE.KV_plans.x.$KV.plans.{me}"),
    ]);
    subjects
}

/// Subjects that a node must not hear.
fn unhearable(me: NodeId, other: NodeId) -> Vec<String> {
    let mut subjects: Vec<String> = [
        ">",
        "*",
        "cc.>",
        "*.>",
        "cc.*.>",
        "cc.event.*",
        "cc.req.>",
        "cc.req.*.*",
        "cc.node.>",
        "cc.node.*.read",
        "cc.plan.*",
        "cc.plan.>",
        "cc.control.>",
        "cc.control.wake",
        "$KV.>",
        "$KV.plans.*",
        "$KV.nodes.*",
        "$KV.heads.>",
        "_INBOX.>",
        "_INBOX.*",
        "_INBOX.*.>",
        "_INBOX.control-plane.>",
        "_INBOX.system.>",
        "$JS.>",
        "$JS.API.>",
        "$JS.EVENT.>",
        "$JS.ACK.>",
        "$JS.FC.>",
        "$SYS.>",
        "$SYS.REQ.>",
        "_R_.>",
        "anything",
    ]
    .map(str::to_owned)
    .to_vec();
    subjects.extend([
        event_subject(me),
        event_subject(other),
        format!("cc.req.{me}.*"),
        format!("cc.req.{other}.*"),
        format!("cc.node.{other}.>"),
        format!("cc.node.{other}.read"),
        plan_subject(other),
        format!("$KV.plans.{me}"),
        format!("$KV.plans.{other}"),
        format!("{}.>", inbox_prefix(other)),
    ]);
    subjects
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_refuses_everything_that_is_not_the_nodes_own() {
    let site = site().await;
    let other = Node::start(&site.nats, &site.world).await;
    let thief = Thief::of(&site).await;
    for subject in unpublishable(site.node.id, other.id) {
        thief.publish(&subject).await;
    }
    for subject in unhearable(site.node.id, other.id) {
        thief.subscribe(&subject).await;
    }
    // The same credential, on what is its own: status, plan, events, requests, changes, answers.
    let refusals = thief.heard.lock().unwrap().len();
    let own = Node {
        jetstream: async_nats::jetstream::new(thief.client.clone()),
        client: thief.client.clone(),
        seed: String::new(),
        ..site.node
    };
    own.report().await;
    let mut changes = own.client.subscribe(plan_subject(own.id)).await.unwrap();
    let mut asked = own
        .client
        .subscribe(format!("cc.node.{}.>", own.id))
        .await
        .unwrap();
    assert_eq!(own.plan().await.unwrap().entries.len(), 1);
    let event = NodeEvent::ObjectSealed(object(own.id, site.camera, T));
    own.publish(&event).await;
    own.committed(event.message_id()).await;
    own.put(
        HEAD_BUCKET,
        &head_key(own.id, site.camera, wire::StreamKind::Main),
        b"{}".to_vec(),
    )
    .await;
    let off = json!({"recording": false});
    let path = format!("/api/v1/cameras/{}", site.camera);
    site.world.call("PATCH", &path, &site.token, Some(off)).await;
    let change = poll("the change is told", async || changes.next().await).await;
    let plan: Plan = serde_json::from_slice(&change.payload).unwrap();
    assert_eq!((plan.node, plan.entries.len()), (own.id, 0));
    let answering = own.client.clone();
    let answer = tokio::spawn(async move {
        let question = asked.next().await.unwrap();
        answering
            .publish(question.reply.unwrap(), "42".into())
            .await
            .unwrap();
    });
    let asker = site.nats.client().await;
    let subject = node_subject(own.id, ControlRequestKind::Probe);
    let said = poll("the node answers", async || {
        asker.request(subject.clone(), "".into()).await.ok()
    })
    .await;
    assert_eq!(said.payload, "42");
    answer.await.unwrap();
    assert_eq!(
        thief.heard.lock().unwrap().len(),
        refusals,
        "nothing of its own is refused"
    );
}

/// JetStream answers with its own rights, wherever a request wants the answer: what a request of the node's own
/// can make it say must reach nothing of anybody else's.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cannot_be_sent_where_the_node_may_not_speak() {
    let site = site().await;
    let other = Node::start(&site.nats, &site.world).await;
    let plan = other.plan_when("a plan", |_| true).await;
    let (me, client) = (site.node.id, &site.node.client);
    let kept = NodeEvent::ObjectSealed(object(me, site.camera, T));
    site.node.publish(&kept).await;
    let spy = site.nats.client().await;
    let mut heard = Vec::new();
    let elsewhere = [
        kv_subject(PLAN_BUCKET, &other.id.to_string()),
        kv_subject(NODE_BUCKET, &other.id.to_string()),
        kv_subject(HEAD_BUCKET, &format!("{}.x.main", other.id)),
        plan_subject(other.id),
        event_subject(other.id),
        request_subject(other.id, NodeRequestKind::Token),
        node_subject(other.id, ControlRequestKind::Read),
        "cc.control.wake".to_owned(),
        "$JS.API.STREAM.PURGE.EVENTS".to_owned(),
        "$JS.API.STREAM.DELETE.EVENTS".to_owned(),
        "$JS.API.STREAM.DELETE.KV_plans".to_owned(),
        "$JS.API.CONSUMER.DELETE.EVENTS.index".to_owned(),
    ];
    for subject in &elsewhere {
        heard.push(spy.subscribe(subject.clone()).await.unwrap());
    }
    spy.flush().await.unwrap();
    let confirm = serde_json::to_vec(&ConfirmRequest { messages: Vec::new() }).unwrap();
    for reply in &elsewhere {
        let questions: [(String, &[u8]); 6] = [
            (request_subject(me, NodeRequestKind::Confirm), &confirm),
            (event_subject(me), b"{}"),
            (kv_subject(NODE_BUCKET, &me.to_string()), b"{}"),
            (kv_subject(HEAD_BUCKET, &format!("{me}.x.main")), b"{}"),
            (plan_get_subject(me), b""),
            // Answered with an error and an empty body, which would delete a stream.
            (plan_get_subject(me), b"{ no json"),
        ];
        for (subject, body) in questions {
            let body = body.to_vec().into();
            client
                .publish_with_reply(subject, reply.clone(), body)
                .await
                .unwrap();
        }
    }
    // What comes after all of it is answered, so all of it was.
    let end = NodeEvent::ObjectSealed(object(me, site.camera, T + 60_000));
    site.node.publish(&end).await;
    site.node.committed(end.message_id()).await;
    site.node.committed(kept.message_id()).await;
    spy.flush().await.unwrap();
    for (subject, mut messages) in elsewhere.iter().zip(heard) {
        let arrived = messages.next().now_or_never().flatten();
        assert!(arrived.is_none(), "{subject}: {arrived:?}");
    }
    let jetstream = async_nats::jetstream::new(spy);
    let mut events = jetstream.get_stream(EVENT_STREAM).await.unwrap();
    let state = events.info().await.unwrap().state.clone();
    assert_eq!((state.first_sequence, state.consumer_count), (1, 1));
    assert_eq!(state.messages, 2 + elsewhere.len() as u64);
    assert_eq!(other.plan().await.unwrap(), plan);
    assert_eq!(site.node.plan().await.unwrap().node, me);
}

#[tokio::test]
async fn the_api_takes_no_node_for_a_caller() {
    let site = site().await;
    for route in openapi::routes_listed() {
        let path = route.path.replace("{id}", &site.camera.to_string());
        let ask = async |token: Option<&str>| {
            let method = route.method.to_uppercase().parse().unwrap();
            let mut request = site
                .world
                .http
                .request(method, site.world.url(&path))
                .json(&json!({}));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            request.send().await.unwrap().status().as_u16()
        };
        let (stranger, node) = (ask(None).await, ask(Some(&site.node.access.jwt)).await);
        assert_eq!(node, stranger, "{} {}", route.method, route.path);
        let is_open = route.path.ends_with("/challenge")
            || route.path == "/api/v1/session/refresh"
            || route.path == "/api/v1/session";
        assert!(node >= 400 || is_open, "{} {}: {node}", route.method, route.path);
    }
}
