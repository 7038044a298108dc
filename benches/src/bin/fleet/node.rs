//! A light node: its own connection with its own credential, and what a recorder would say on it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use async_nats::jetstream::{self, context::PublishAckFuture};
use async_nats::{Client, HeaderMap, Subscriber};
use bytes::Bytes;
use control_plane::state::now;
use futures::StreamExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep_until, timeout};
use wire::bus::{
    ConfirmReply, ConfirmRequest, HEAD_BUCKET, NODE_BUCKET, NodeRequestKind, Reply, event_subject, head_key,
    kv_subject, plan_subject, request_subject,
};
use wire::event::NodeEvent;
use wire::plan::Plan;
use wire::{CameraId, NodeId, ObjectId};

use crate::said::{self, OBJECT_MS};

const STATUS: Duration = Duration::from_secs(5);
/// Between two questions for what the index has, as a recorder asks while anything is open.
const CONFIRM: Duration = Duration::from_secs(2);
/// A recorder tells a head at each segment.
const HEAD: Duration = Duration::from_secs(6);
const LIMIT: Duration = Duration::from_secs(10);

/// What all nodes count.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Whether they say anything but status: the fleet begins together.
    pub(crate) records: AtomicBool,
    /// Whether they tell heads.
    pub(crate) heads: AtomicBool,
    /// Objects that were published.
    pub(crate) published: AtomicU64,
    /// Objects that the index has, by its own word.
    pub(crate) confirmed: AtomicU64,
    /// Heads that were put.
    pub(crate) told: AtomicU64,
    /// Requests and puts that were not answered in time.
    pub(crate) unanswered: AtomicU64,
    /// Why the index refused an object, of the first one.
    pub(crate) refusal: Mutex<Option<String>>,
}

/// A plan that arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// When.
    pub(crate) at: Instant,
    /// It.
    pub(crate) plan: Plan,
}

/// A light node.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) cameras: Vec<CameraId>,
    /// Of its first status, event and head, so that nodes are spread over time.
    pub(crate) offset: f64,
    pub(crate) client: Client,
    pub(crate) counts: Arc<Counts>,
    pub(crate) plans: UnboundedSender<Arrived>,
}

/// What its tasks share.
struct Shared {
    node: Node,
    jetstream: jetstream::Context,
    open: Mutex<HashSet<String>>,
    revision: AtomicU64,
}

impl Node {
    /// Listens, then speaks until the tasks are dropped.
    pub(crate) async fn start(self, tasks: &mut tokio::task::JoinSet<Result<()>>) -> Result<()> {
        let plans = self.client.subscribe(plan_subject(self.id)).await?;
        let shared = Arc::new(Shared {
            jetstream: jetstream::new(self.client.clone()),
            node: self,
            open: Mutex::default(),
            revision: AtomicU64::new(0),
        });
        tasks.spawn(listen(Arc::clone(&shared), plans));
        tasks.spawn(report(Arc::clone(&shared)));
        tasks.spawn(record(Arc::clone(&shared)));
        tasks.spawn(tell_heads(Arc::clone(&shared)));
        tasks.spawn(confirm(shared));
        Ok(())
    }
}

/// At which instants something happens that does so `every` so often, from the node's own offset on.
fn beats(every: Duration, offset: f64) -> impl Iterator<Item = Instant> {
    let begun = Instant::now() + every.mul_f64(offset);
    (0..).map(move |number| begun + every * number)
}

async fn listen(shared: Arc<Shared>, mut plans: Subscriber) -> Result<()> {
    while let Some(message) = plans.next().await {
        let at = Instant::now();
        let plan: Plan = serde_json::from_slice(&message.payload).context("a plan")?;
        shared.revision.store(plan.revision, Ordering::Relaxed);
        let _ = shared.node.plans.send(Arrived { at, plan });
    }
    Ok(())
}

async fn report(shared: Arc<Shared>) -> Result<()> {
    let node = &shared.node;
    let subject = kv_subject(NODE_BUCKET, &node.id.to_string());
    // The first one at once: nobody may take the node for lost.
    for due in std::iter::once(Instant::now()).chain(beats(STATUS, node.offset)) {
        sleep_until(due).await;
        let revision = shared.revision.load(Ordering::Relaxed);
        let said = (
            (revision > 0).then_some(revision),
            lock(&shared.open).len() as u64,
        );
        let status = said::status(node.id, &node.cameras, now(), said);
        shared.put(subject.clone(), serde_json::to_vec(&status)?).await?;
    }
    Ok(())
}

async fn record(shared: Arc<Shared>) -> Result<()> {
    let node = &shared.node;
    let mut previous: Vec<Option<ObjectId>> = vec![None; node.cameras.len()];
    let count = u32::try_from(node.cameras.len())?;
    let every = Duration::from_millis(OBJECT_MS.unsigned_abs()) / count;
    let subject = event_subject(node.id);
    for (index, due) in beats(every, node.offset).enumerate() {
        sleep_until(due).await;
        if !node.counts.records.load(Ordering::Relaxed) {
            continue;
        }
        let camera = index % node.cameras.len();
        let object = said::object(node.id, node.cameras[camera], previous[camera], now());
        previous[camera] = Some(object.id);
        let event = NodeEvent::ObjectSealed(object);
        let message = event.message_id();
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, message.as_str());
        lock(&shared.open).insert(message);
        let body = serde_json::to_vec(&event)?.into();
        let sent = shared
            .jetstream
            .publish_with_headers(subject.clone(), headers, body);
        shared.acknowledged(sent.await?);
        node.counts.published.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn tell_heads(shared: Arc<Shared>) -> Result<()> {
    let node = &shared.node;
    let count = u32::try_from(node.cameras.len())?;
    for (index, due) in beats(HEAD / count, node.offset).enumerate() {
        sleep_until(due).await;
        if !node.counts.heads.load(Ordering::Relaxed) {
            continue;
        }
        let camera = node.cameras[index % node.cameras.len()];
        let head = said::head(node.id, camera, now());
        let key = head_key(node.id, camera, head.stream);
        shared
            .put(kv_subject(HEAD_BUCKET, &key), serde_json::to_vec(&head)?)
            .await?;
        node.counts.told.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn confirm(shared: Arc<Shared>) -> Result<()> {
    let node = &shared.node;
    let subject = request_subject(node.id, NodeRequestKind::Confirm);
    for due in beats(CONFIRM, node.offset) {
        sleep_until(due).await;
        let messages: Vec<String> = lock(&shared.open).iter().take(500).cloned().collect();
        if messages.is_empty() {
            continue;
        }
        let body: Bytes = serde_json::to_vec(&ConfirmRequest { messages })?.into();
        let answer = timeout(LIMIT, node.client.request(subject.clone(), body)).await;
        let Ok(Ok(answer)) = answer else {
            node.counts.unanswered.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let reply: Reply<ConfirmReply> = serde_json::from_slice(&answer.payload)?;
        match reply {
            Reply::Ok(reply) => shared.settle(&reply),
            Reply::Err(error) => return Err(anyhow!("a confirmation: {error}")),
        }
    }
    Ok(())
}

impl Shared {
    async fn put(&self, subject: String, body: Vec<u8>) -> Result<()> {
        let sent = self.jetstream.publish(subject, body.into()).await?;
        self.acknowledged(sent);
        Ok(())
    }

    /// Counts what the bus does not acknowledge, without waiting for it.
    fn acknowledged(&self, ack: PublishAckFuture) {
        let counts = Arc::clone(&self.node.counts);
        tokio::spawn(async move {
            if !matches!(timeout(LIMIT, async { ack.await }).await, Ok(Ok(_))) {
                counts.unanswered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    fn settle(&self, reply: &ConfirmReply) {
        let mut open = lock(&self.open);
        for message in &reply.committed {
            if open.remove(message) {
                self.node.counts.confirmed.fetch_add(1, Ordering::Relaxed);
            }
        }
        for (message, reason) in &reply.refused {
            open.remove(message);
            lock(&self.node.counts.refusal).get_or_insert_with(|| reason.clone());
        }
    }
}

/// What a panic left behind is still right: every change is one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
