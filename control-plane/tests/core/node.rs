//! A recorder as the bus sees one.

use std::time::Duration;

use control_plane::state::now;
use control_plane::store::{Connection, StoreError};
use diesel::connection::SimpleConnection;
use nkeys::KeyPair;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::api::Enrolled;
use wire::bus::*;
use wire::event::{NodeEvent, SealedObject};
use wire::media::Init;
use wire::plan::{Plan, PlanEntry};
use wire::status::{NodeStatus, StreamState, StreamStatus};
use wire::{CameraId, ErasureId, NodeId, ObjectId, Segment, SegmentTable, StreamKind, Track, UnixMs};

use crate::raw::bytes;
use crate::support::nats::options;
use crate::support::{Nats, World, poll};

/// A recorder as the bus sees one, with what enrolment gave it and no more.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    /// Its private key.
    pub(crate) seed: String,
    /// Its token.
    pub(crate) access: BusAccess,
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: async_nats::jetstream::Context,
}

impl Node {
    /// A node of the first organization that has reported.
    pub(crate) async fn start(nats: &Nats, world: &World) -> Self {
        let token = world.sign_in().await;
        let node = Self::enrol(nats, world, &token).await;
        node.report().await;
        node
    }

    /// Joins the organization of an admin's token.
    pub(crate) async fn enrol(nats: &Nats, world: &World, token: &str) -> Self {
        let key = KeyPair::new_user();
        let (status, joined) = join(world, &enrolment_token(world, token).await, &key.public_key()).await;
        assert_eq!(status, 200, "{joined}");
        let joined: Enrolled = serde_json::from_value(joined).unwrap();
        Self::connect(nats, joined.node, key.seed().unwrap(), joined.access).await
    }

    /// Connects with what it has.
    pub(crate) async fn connect(nats: &Nats, id: NodeId, seed: String, access: BusAccess) -> Self {
        let client = poll("the bus answers", async || {
            let options = options(&seed, &access.jwt).custom_inbox_prefix(inbox_prefix(id));
            options.connect(nats.url()).await.ok()
        })
        .await;
        Self {
            id,
            seed,
            access,
            jetstream: async_nats::jetstream::new(client.clone()),
            client,
        }
    }

    /// Puts a key of a bucket as a node does: by publishing, as soon as the bucket is made.
    pub(crate) async fn put(&self, bucket: &str, key: &str, value: Vec<u8>) {
        poll("the bucket is made", async || {
            let subject = kv_subject(bucket, key);
            let ack = self.jetstream.publish(subject, value.clone().into()).await.ok()?;
            ack.await.ok()
        })
        .await;
    }

    pub(crate) async fn report(&self) {
        self.say(|_| ()).await;
    }

    /// Reports that nothing of these is left.
    pub(crate) async fn report_erased(&self, erased: Vec<ErasureId>) {
        self.say(|status| status.erased = erased).await;
    }

    /// Reports that it records what its plan names.
    pub(crate) async fn report_recording(&self) {
        let Some(plan) = self.plan().await else {
            return self.report().await;
        };
        let recorded = |entry: PlanEntry| StreamStatus {
            camera: entry.camera,
            stream: entry.stream,
            state: StreamState::Recording,
            fps: 15.0,
            bitrate_bps: 2_000_000,
            keyframe_age_ms: Some(1000),
            clock_offset_ms: None,
            attempts: 1,
            epoch: entry.epoch,
        };
        self.say(|status| {
            status.plan_revision = Some(plan.revision);
            status.streams = plan.entries.into_iter().map(recorded).collect();
        })
        .await;
    }

    /// Reports with something set.
    pub(crate) async fn say(&self, set: impl FnOnce(&mut NodeStatus)) {
        let mut status = NodeStatus {
            node: self.id,
            name: "test node".to_owned(),
            version: "0".to_owned(),
            at: now(),
            started: now(),
            plan_revision: None,
            memory_bytes: 0,
            disk_free_bytes: 0,
            spool_bytes: 0,
            upload_backlog: 0,
            outbox_backlog: 0,
            streams: Vec::new(),
            erased: Vec::new(),
            hardware: wire::status::Hardware::default(),
            cpu_permille: 0,
            upload_bytes_per_s: 0,
            upload_backlog_bytes: 0,
        };
        set(&mut status);
        let body = serde_json::to_vec(&status).unwrap();
        self.put(NODE_BUCKET, &self.id.to_string(), body).await;
    }

    pub(crate) async fn plan(&self) -> Option<Plan> {
        let asked = self.client.request(plan_get_subject(self.id), "".into());
        let answer = asked.await.ok()?;
        if answer.status.is_some() {
            return None;
        }
        Some(serde_json::from_slice(&answer.payload).unwrap())
    }

    /// The plan once `holds`.
    pub(crate) async fn plan_when(&self, what: &str, holds: impl Fn(&Plan) -> bool) -> Plan {
        poll(what, async || self.plan().await.filter(|plan| holds(plan))).await
    }

    pub(crate) async fn publish(&self, event: &NodeEvent) {
        let body = serde_json::to_vec(event).unwrap();
        self.publish_raw(&event.message_id(), body).await;
    }

    pub(crate) async fn try_publish(&self, event: &NodeEvent) -> Option<()> {
        let body = serde_json::to_vec(event).unwrap();
        let ack = self
            .jetstream
            .publish(event_subject(self.id), body.into())
            .await
            .ok()?;
        ack.await.ok().map(drop)
    }

    pub(crate) async fn publish_raw(&self, message: &str, body: Vec<u8>) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", message);
        let ack = self
            .jetstream
            .publish_with_headers(event_subject(self.id), headers, body.into());
        ack.await.unwrap().await.unwrap();
    }

    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        kind: NodeRequestKind,
        request: &Q,
    ) -> Reply<A> {
        poll("an answer", async || self.try_ask(kind, request).await).await
    }

    /// None without an answer: the bus may lose a request while it takes new keys, and a node asks again.
    async fn try_ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        kind: NodeRequestKind,
        request: &Q,
    ) -> Option<Reply<A>> {
        let body = serde_json::to_vec(request).unwrap();
        let request = async_nats::Request::new()
            .payload(body.into())
            .timeout(Some(Duration::from_secs(5)));
        let asked = self.client.send_request(request_subject(self.id, kind), request);
        Some(serde_json::from_slice(&asked.await.ok()?.payload).unwrap())
    }

    pub(crate) async fn confirm(&self, messages: &[String]) -> ConfirmReply {
        let messages = messages.to_vec();
        match self
            .ask(NodeRequestKind::Confirm, &ConfirmRequest { messages })
            .await
        {
            Reply::Ok(reply) => reply,
            Reply::Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn committed(&self, message: String) {
        poll("the event is committed", async || {
            let reply = self.confirm(std::slice::from_ref(&message)).await;
            assert!(reply.refused.is_empty(), "{:?}", reply.refused);
            (reply.committed == [message.clone()]).then_some(())
        })
        .await;
    }

    pub(crate) async fn refused(&self, message: String) -> String {
        poll("the event is refused", async || {
            let reply = self.confirm(std::slice::from_ref(&message)).await;
            assert!(reply.committed.is_empty());
            reply.refused.into_iter().next()
        })
        .await
        .1
    }
}

/// A fresh enrolment token, made with an admin's access token.
pub(crate) async fn enrolment_token(world: &World, token: &str) -> String {
    let body = json!({"name": "test node"});
    let (status, made) = world
        .call("POST", "/api/v1/enrolment-tokens", token, Some(body))
        .await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

/// Joins with a token and a public key.
pub(crate) async fn join(world: &World, token: &str, public_key: &str) -> (u16, Value) {
    let body = json!({"token": token, "public_key": public_key, "name": "", "version": "0"});
    world.call("POST", "/api/v1/enrol", "", Some(body)).await
}

pub(crate) async fn camera(world: &World, token: &str, body: Value) -> CameraId {
    let (status, camera) = world.call("POST", "/api/v1/cameras", token, Some(body)).await;
    assert_eq!(status, 201, "{camera}");
    camera["id"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn object(node: NodeId, camera: CameraId, start: i64) -> SealedObject {
    SealedObject {
        id: ObjectId::generate(),
        camera,
        stream: StreamKind::Main,
        node,
        epoch: 1,
        previous: None,
        start: UnixMs(start),
        end: UnixMs(start + 60_000),
        bytes: 10_800,
        sha256: "ab".repeat(32),
        init: Init {
            length: 800,
            digest: "cd".repeat(16),
        },
        tracks: vec![Track::Video {
            codec: "avc1.64001f".to_owned(),
            width: 1280,
            height: 720,
            fps: 15.0,
        }],
        segments: SegmentTable(
            (0..10)
                .map(|i| Segment {
                    offset: 800 + i * 1_000,
                    length: 1_000,
                    start: UnixMs(start + i as i64 * 6_000),
                    duration_ms: 6_000,
                })
                .collect(),
        ),
    }
}

pub(crate) const T: i64 = 1_769_846_400_000;

/// Lets a node speak of the time around `T`: it had the camera before then.
pub(crate) async fn had_before(world: &World, camera: CameraId, node: NodeId) {
    let store = &world.server.state.store;
    let assign = move |c: &mut Connection| -> Result<(), StoreError> {
        let (camera, node) = (bytes(c, camera.as_bytes()), bytes(c, node.as_bytes()));
        let (since, ended) = (T - 3_600_000, T - 3_599_999);
        Ok(c.batch_execute(&format!(
            "INSERT INTO assignment (camera, epoch, node, since, ended) VALUES ({camera}, 0, {node}, {since}, {ended})"
        ))?)
    };
    store.write(assign).await.unwrap();
}

pub(crate) struct Site {
    pub(crate) nats: Nats,
    pub(crate) world: World,
    pub(crate) token: String,
    pub(crate) node: Node,
    pub(crate) camera: CameraId,
}

pub(crate) async fn site() -> Site {
    let nats = Nats::start();
    let world = World::with_bus(&nats.url()).await;
    site_with(nats, world).await
}

pub(crate) async fn site_with(nats: Nats, world: World) -> Site {
    world.ready().await;
    let token = world.sign_in().await;
    let node = Node::start(&nats, &world).await;
    let body = json!({"name": "Door", "url": "rtsp://admin:secret@10.0.0.5/s1"});
    let camera = camera(&world, &token, body).await;
    node.plan_when("the camera is planned", |plan| !plan.entries.is_empty())
        .await;
    had_before(&world, camera, node.id).await;
    Site {
        nats,
        world,
        token,
        node,
        camera,
    }
}
