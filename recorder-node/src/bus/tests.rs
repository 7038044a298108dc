//! Outbox, heads and requests against a real nats-server, restarts included.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use futures::StreamExt;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use wire::bus::*;
use wire::coverage::{Gap, GapCause};
use wire::event::NodeEvent;
use wire::plan::Plan;
use wire::{CameraId, NodeId, ObjectId, StreamKind, TimeRange, UnixMs};

use super::access::Access;
use super::outbox::Drain;
use super::{Link, plan};
use crate::db::{Db, outbox};
use crate::identity::tests::stranger;
use crate::spool::heads::Heads;

struct Nats {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Nats {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let dir = tempfile::tempdir().unwrap();
        Self {
            child: spawn(port, dir.path()),
            port,
            dir,
        }
    }

    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.port, self.dir.path());
    }

    /// This bus lets everybody in: who is let in where is tested with the control plane.
    fn access(&self) -> Access {
        let identity = stranger(&format!("nats://127.0.0.1:{}", self.port));
        Access::new(identity, self.dir.path().to_owned(), Default::default()).unwrap()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, dir: &Path) -> Child {
    Command::new("nats-server")
        .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
        .arg(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server 2.11 or newer must be on the PATH")
}

pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) struct World {
    nats: Nats,
    pub(crate) link: Link,
    pub(crate) stop: CancellationToken,
    drain: Drain,
    pub(crate) db: Db,
    _dir: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let nats = Nats::start();
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        let (link, keeper) = Link::new();
        let stop = CancellationToken::new();
        tokio::spawn(keeper.run(nats.access(), stop.clone()));
        let drain = Drain {
            node: NodeId::generate(),
            db: db.clone(),
            link: link.clone(),
            heads: Arc::new(Heads::default()),
            uploads: Arc::new(Notify::new()),
            erased: watch::channel(0).1,
        };
        link.wait().await;
        Self {
            nats,
            link,
            stop,
            drain,
            db,
            _dir: dir,
        }
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(until("a connection", || async { self.link.client() }).await)
    }

    pub(crate) async fn make_stream(&self) {
        let config = stream::Config {
            name: EVENT_STREAM.into(),
            subjects: vec![EVENT_SUBJECTS.into()],
            ..stream::Config::default()
        };
        let jetstream = self.jetstream().await;
        until("the stream", || async {
            jetstream.create_stream(config.clone()).await.ok()
        })
        .await;
    }

    fn add(&self, count: usize) {
        self.db
            .transaction(|c| (0..count).try_for_each(|_| outbox::add(c, &gap(self.drain.node))))
            .unwrap();
    }

    pub(crate) async fn messages(&self) -> u64 {
        let jetstream = self.jetstream().await;
        let mut stream = until("the stream", || async {
            jetstream.get_stream(EVENT_STREAM).await.ok()
        })
        .await;
        stream.info().await.unwrap().state.messages
    }

    async fn publish_all(&self) {
        until("publishing", || async {
            self.drain
                .publish_due()
                .await
                .is_ok_and(|more| !more)
                .then_some(())
        })
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn gap(node: NodeId) -> NodeEvent {
    NodeEvent::Gap(Gap {
        id: ObjectId::generate(),
        camera: CameraId::from_bytes([1; 16]),
        stream: StreamKind::Main,
        node,
        range: TimeRange::new(UnixMs(1_769_846_400_000), UnixMs(1_769_846_401_000)).unwrap(),
        cause: GapCause::Network,
        detail: "away".into(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_stays_until_the_index_confirms() {
    let world = World::new().await;
    world.add(450);
    assert!(
        world.drain.publish_due().await.is_err(),
        "without a stream nothing is acknowledged"
    );
    world.make_stream().await;
    world.publish_all().await;
    assert_eq!(world.messages().await, 450);
    assert_eq!(
        world.db.with(outbox::backlog).unwrap(),
        450,
        "an ack is no confirmation"
    );
    // Published again, as after a crash before the ack was noted: the bus drops the repeats.
    let all = world.db.with(|c| outbox::due(c, UnixMs(i64::MAX), 1000)).unwrap();
    let seqs: Vec<i64> = all.iter().map(|row| row.seq).collect();
    world
        .db
        .transaction(|c| outbox::mark_published(c, &seqs, UnixMs(0)))
        .unwrap();
    world.publish_all().await;
    assert_eq!(world.messages().await, 450);
    // The index commits all but one, and refuses that.
    let client = world.link.client().unwrap();
    let mut requests = client.subscribe(REQUEST_SUBJECTS).await.unwrap();
    let index = tokio::spawn(async move {
        while let Some(message) = requests.next().await {
            let mut asked: ConfirmRequest = serde_json::from_slice(&message.payload).unwrap();
            let refused = vec![(asked.messages.pop().unwrap(), "no such camera".to_owned())];
            let reply = Reply::Ok(ConfirmReply {
                committed: asked.messages,
                refused,
            });
            let json = serde_json::to_vec(&reply).unwrap();
            client.publish(message.reply.unwrap(), json.into()).await.unwrap();
        }
    });
    until("confirmation", || async { world.drain.confirm_all().await.ok() }).await;
    assert_eq!(world.db.with(outbox::backlog).unwrap(), 0);
    index.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_bus_loses_nothing_and_doubles_nothing() {
    let mut world = World::new().await;
    world.make_stream().await;
    world.add(100);
    world.publish_all().await;
    world.nats.restart();
    world.add(100);
    world.publish_all().await;
    assert_eq!(world.messages().await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_followed_and_a_bad_one_changes_nothing() {
    let mut world = World::new().await;
    let node = world.drain.node;
    let (plans, mut seen) = watch::channel(None);
    let read = watch::Sender::new(0);
    tokio::spawn(plan::follow(
        world.link.clone(),
        node,
        plans,
        read,
        world.stop.clone(),
    ));
    let plan = |revision| Plan {
        node,
        revision,
        horizon: UnixMs(0),
        entries: Vec::new(),
        erasures: Vec::new(),
        uplink_bps: None,
    };
    let jetstream = world.jetstream().await;
    let config = jetstream::kv::Config {
        bucket: PLAN_BUCKET.into(),
        history: 1,
        republish: Some(stream::Republish {
            source: PLAN_REPUBLISH.0.into(),
            destination: PLAN_REPUBLISH.1.into(),
            headers_only: false,
        }),
        ..Default::default()
    };
    let bucket = until("the bucket", || async {
        jetstream.create_key_value(config.clone()).await.ok()
    })
    .await;
    let put = |json: Vec<u8>| {
        let bucket = bucket.clone();
        async move {
            until("a put", || async {
                bucket.put(node.to_string(), json.clone().into()).await.ok()
            })
            .await
        }
    };
    let revision = |plan: &Option<Plan>| plan.as_ref().map(|plan| plan.revision);
    for n in 1..=3 {
        put(serde_json::to_vec(&plan(n)).unwrap()).await;
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, seen.wait_for(|p| revision(p) == Some(n)))
            .await
            .unwrap()
            .unwrap();
        put(b"{ not a plan".to_vec()).await;
        if n == 2 {
            world.nats.restart();
        }
    }
    let foreign = Plan {
        node: NodeId::generate(),
        ..plan(9)
    };
    put(serde_json::to_vec(&foreign).unwrap()).await;
    put(serde_json::to_vec(&plan(4)).unwrap()).await;
    tokio::time::timeout(Duration::from_secs(20), seen.wait_for(|p| revision(p) == Some(4)))
        .await
        .unwrap()
        .unwrap();
}
