//! What goes on while servers are killed: nodes that report and record, people who read and change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use control_plane::bus::keys::Keys;
use control_plane::state::now;
use futures::StreamExt;
use nkeys::KeyPair;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use wire::bus::{BusAccess, plan_subject};
use wire::event::NodeEvent;
use wire::plan::Plan;
use wire::{CameraId, NodeId};

use crate::node::{Node, object};
use crate::support::{Nats, database, poll};

/// What was seen, in order.
#[derive(Default)]
pub(crate) struct Seen {
    /// Requests that were not answered with success.
    pub(crate) failures: Vec<String>,
    pub(crate) requests: usize,
    /// Answered changes: the camera, the number in its name, when.
    pub(crate) edits: Vec<(CameraId, u64, Instant)>,
    /// What plans said of cameras: the number in the name, when.
    pub(crate) planned: Vec<(CameraId, u64, Instant)>,
    /// A plan that came after a newer one.
    pub(crate) stepped_back: Vec<String>,
    /// Events that were published, by node.
    pub(crate) published: HashMap<NodeId, Vec<String>>,
}

pub(crate) type Shared = Arc<Mutex<Seen>>;

/// Adds an enrolled node past the API, and connects as it.
pub(crate) async fn node(nats: &Nats, database: &str) -> Node {
    let (id, key, issued) = (NodeId::generate(), KeyPair::new_user(), now());
    let expires = issued.plus(24 * 60 * 60 * 1000);
    let sql = format!(
        "INSERT INTO node (id, organization, name, first_seen, enrolled, public_key) \
         SELECT '\\x{}', id, 'node', {1}, {1}, '{2}' FROM organization",
        hex::encode(id.as_bytes()),
        issued.0,
        key.public_key()
    );
    database::execute(database, &sql);
    let keys = Keys::load(&nats.keys()).unwrap();
    let access = BusAccess {
        jwt: keys.node(id, &key.public_key(), (issued, expires)).unwrap(),
        issued,
        expires,
        urls: vec![nats.url()],
        ca: None,
    };
    Node::connect(nats, id, key.seed().unwrap(), access).await
}

/// Reports, records what the plan says, and notes each plan that comes, until it is dropped.
pub(crate) async fn live(node: Node, seen: Shared) {
    let mut plans = node.client.subscribe(plan_subject(node.id)).await.unwrap();
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    let mut plan: Option<Plan> = node.plan().await;
    loop {
        tokio::select! {
            Some(message) = plans.next() => {
                let new: Plan = serde_json::from_slice(&message.payload).unwrap();
                note(&mut seen.lock().unwrap(), plan.as_ref(), &new);
                plan = Some(new);
            }
            _ = beat.tick() => {
                node.report().await;
                for entry in plan.iter().flat_map(|plan| &plan.entries) {
                    let mut sealed = object(node.id, entry.camera, now().0 - 60_000);
                    sealed.epoch = entry.epoch;
                    let event = NodeEvent::ObjectSealed(sealed);
                    node.publish(&event).await;
                    let mut seen = seen.lock().unwrap();
                    seen.published.entry(node.id).or_default().push(event.message_id());
                }
            }
        }
    }
}

fn note(seen: &mut Seen, before: Option<&Plan>, plan: &Plan) {
    let at = Instant::now();
    if let Some(before) = before.filter(|before| before.revision >= plan.revision) {
        let (new, old) = (plan.revision, before.revision);
        seen.stepped_back.push(format!("revision {new} after {old}"));
    }
    for entry in &plan.entries {
        let number = entry
            .name
            .rsplit(' ')
            .next()
            .and_then(|number| number.parse().ok());
        seen.planned.push((entry.camera, number.unwrap_or(0), at));
    }
}

/// A client that goes through the balancer.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) base: String,
    pub(crate) token: String,
    pub(crate) http: Client,
    pub(crate) seen: Shared,
}

impl User {
    pub(crate) async fn sign_in(base: &str, password: &str, seen: &Shared) -> Self {
        let http = Client::new();
        let body = json!({"login": "admin", "password": password});
        let token = poll("somebody signs in", async || {
            let answer = http
                .post(format!("{base}/api/v1/session"))
                .json(&body)
                .send()
                .await
                .ok()?;
            let session: Value = answer.json().await.ok()?;
            session["access_token"].as_str().map(str::to_owned)
        })
        .await;
        Self {
            base: base.to_owned(),
            token,
            http,
            seen: Arc::clone(seen),
        }
    }

    /// The answer's body, if it was a success; everything else is noted.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if method == Method::POST {
            request = request.header("idempotency-key", hex::encode(NodeId::generate().as_bytes()));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                let body = answer.json().await.ok();
                self.seen.lock().unwrap().requests += 1;
                return body;
            }
            Ok(answer) => format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
            Err(error) => format!("{error:?}"),
        };
        let mut seen = self.seen.lock().unwrap();
        seen.requests += 1;
        seen.failures.push(format!("{method} {path}: {failure}"));
        None
    }

    /// Adds a camera.
    pub(crate) async fn add(&self, number: usize) -> CameraId {
        let body = json!({"name": "Door 0", "url": format!("rtsp://192.0.2.{number}/1")});
        let camera = self.call(Method::POST, "/api/v1/cameras", Some(body)).await;
        camera.unwrap()["id"].as_str().unwrap().parse().unwrap()
    }

    /// Changes one camera after the other, each to a name with a higher number, until `end`.
    pub(crate) async fn edit(&self, cameras: &[CameraId], end: Instant) {
        for number in 1.. {
            if Instant::now() > end {
                return;
            }
            let camera = cameras[number as usize % cameras.len()];
            let body = json!({"name": format!("Door {number}")});
            let path = format!("/api/v1/cameras/{camera}");
            if self.call(Method::PATCH, &path, Some(body)).await.is_some() {
                let edit = (camera, number, Instant::now());
                self.seen.lock().unwrap().edits.push(edit);
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    /// Reads until `end`.
    pub(crate) async fn read(&self, end: Instant) {
        for path in ["/api/v1/cameras", "/api/v1/nodes", "/api/v1/me"].iter().cycle() {
            if Instant::now() > end {
                return;
            }
            self.call(Method::GET, path, None).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
