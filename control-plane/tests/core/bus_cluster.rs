//! A bus of three servers that check each other: what is said at one is heard at all, a removed node is out of
//! all, and with copies of everything it goes on when one of them is gone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::{ConnectErrorKind, Event, RequestErrorKind};
use nkeys::KeyPair;
use serde_json::json;
use wire::api::Enrolled;
use wire::bus::*;
use wire::event::NodeEvent;

use crate::bus_tls::{Authority, Bus, asked, configured, text};
use crate::node::{Node, T, camera, enrolment_token, had_before, join, object};
use crate::support::nats::{give_keys, options};
use crate::support::{World, free_port, poll};

const NAMES: [&str; 3] = ["a", "b", "c"];

struct Cluster {
    dir: tempfile::TempDir,
    authority: Authority,
    ca: PathBuf,
    /// For clients.
    ports: [u16; 3],
    /// For the other servers.
    routes: [u16; 3],
    servers: Vec<Option<Bus>>,
}

impl Cluster {
    /// Whose servers know each other by this name or address.
    fn start(host: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let ca = dir.path().join("ca.pem");
        std::fs::write(&ca, authority.pem()).unwrap();
        let mut cluster = Self {
            dir,
            authority,
            ca,
            ports: std::array::from_fn(|_| free_port()),
            routes: std::array::from_fn(|_| free_port()),
            servers: Vec::new(),
        };
        give_keys(&cluster.urls(), &cluster.dir.path().join("data"));
        for (index, name) in NAMES.into_iter().enumerate() {
            let ports = (cluster.ports[index], cluster.routes[index]);
            let file = cluster.configured(name, ports, host);
            cluster.servers.push(Some(Bus::start(&file)));
        }
        cluster
    }

    /// What `nats-config` writes for a server whose certificate is for `host`, as the others are.
    fn configured(&self, name: &str, ports: (u16, u16), host: &str) -> PathBuf {
        let tls = self.authority.sign(self.dir.path(), name, host);
        let others = self.routes.iter().filter(|route| **route != ports.1);
        let others: Vec<String> = others.map(|route| format!("{host}:{route}")).collect();
        self.written(name, ports, &tls, &others.join(","))
    }

    fn written(
        &self,
        name: &str,
        (port, route): (u16, u16),
        tls: &(PathBuf, PathBuf),
        routes: &str,
    ) -> PathBuf {
        let more = [
            "--tls-cert",
            text(&tls.0),
            "--tls-key",
            text(&tls.1),
            "--tls-ca",
            text(&self.ca),
            "--cluster",
            "site",
            "--cluster-port",
            &route.to_string(),
            "--routes",
            routes,
        ];
        configured(self.dir.path(), name, port, &more)
    }

    fn urls(&self) -> String {
        let urls = self.ports.iter().map(|port| format!("tls://127.0.0.1:{port}"));
        urls.collect::<Vec<_>>().join(",")
    }

    /// A control plane that everything is copied to so many servers for.
    async fn world(&self, replicas: usize) -> World {
        let world = World::with_bus_config(&self.urls(), self.dir.path(), |bus| {
            bus.ca_file = Some(self.ca.clone());
            bus.replicas = replicas;
        })
        .await;
        world.ready().await;
        world
    }

    /// Connects as a node at one of the servers.
    async fn connect(
        &self,
        node: &Enrolled,
        seed: &str,
        index: usize,
        gone: &Arc<AtomicBool>,
    ) -> async_nats::Client {
        poll("the server lets the node in", async || {
            let gone = Arc::clone(gone);
            options(seed, &node.access.jwt)
                .custom_inbox_prefix(inbox_prefix(node.node))
                .add_root_certificates(self.ca.clone())
                .event_callback(move |event| {
                    gone.fetch_or(matches!(event, Event::Disconnected), Ordering::Relaxed);
                    std::future::ready(())
                })
                .connect(format!("tls://127.0.0.1:{}", self.ports[index]))
                .await
                .ok()
        })
        .await
    }
}

async fn joined(world: &World) -> (Enrolled, String) {
    let token = enrolment_token(world, &world.sign_in().await).await;
    let key = KeyPair::new_user();
    let (status, joined) = join(world, &token, &key.public_key()).await;
    assert_eq!(status, 200, "{joined}");
    (serde_json::from_value(joined).unwrap(), key.seed().unwrap())
}

/// Whether the control plane answers a node that is connected here.
async fn answers(client: &async_nats::Client, node: &Enrolled) -> Option<()> {
    let question = serde_json::to_vec(&TokenRequest {}).unwrap();
    let subject = request_subject(node.node, NodeRequestKind::Token);
    let answer = client.request(subject, question.into()).await.ok()?;
    let answer: Reply<BusAccess> = serde_json::from_slice(&answer.payload).unwrap();
    assert!(matches!(answer, Reply::Ok(_)), "{answer:?}");
    Some(())
}

/// What a server has in its configuration.
fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_a_cluster_share_what_nodes_say() {
    for host in ["localhost", "127.0.0.1"] {
        let cluster = Cluster::start(host);
        let world = cluster.world(1).await;
        let (node, seed) = joined(&world).await;
        assert_eq!(node.access.urls.len(), 3);
        // A node on each server is heard by the control plane on whichever.
        for index in 0..3 {
            let client = cluster.connect(&node, &seed, index, &Arc::default()).await;
            poll("the control plane answers", async || {
                answers(&client, &node).await
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_makes_no_server_of_the_cluster() {
    let cluster = Cluster::start("localhost");
    let world = cluster.world(1).await;
    let (node, seed) = joined(&world).await;
    let here = cluster.connect(&node, &seed, 0, &Arc::default()).await;
    poll("the cluster answers", async || answers(&here, &node).await).await;
    // The same authority signed it, and it has the installation's whole configuration: it knows the others.
    let ports = (free_port(), free_port());
    let tls = cluster
        .authority
        .sign(cluster.dir.path(), "d", "elsewhere.example");
    let others: Vec<String> = cluster
        .routes
        .iter()
        .map(|route| format!("localhost:{route}"))
        .collect();
    let file = cluster.written("d", ports, &tls, &others.join(","));
    assert!(!read(&file).contains("password"), "no secret lets a server in");
    let _stranger = Bus::start(&file);
    let logs = NAMES.map(|name| cluster.dir.path().join(format!("{name}.log")));
    poll("each server refuses it", async || {
        let is_refusal =
            |line: &str| line.contains("rid:") && line.to_lowercase().contains("authentication error");
        let refused = |log: &PathBuf| read(log).lines().any(is_refusal);
        logs.iter().all(refused).then_some(())
    })
    .await;
    let there = poll("it takes clients", async || {
        options(&seed, &node.access.jwt)
            .custom_inbox_prefix(inbox_prefix(node.node))
            .add_root_certificates(cluster.ca.clone())
            .connect(format!("tls://127.0.0.1:{}", ports.0))
            .await
            .ok()
    })
    .await;
    let subject = request_subject(node.node, NodeRequestKind::Token);
    let alone = there.request(subject, "{}".into()).await.unwrap_err();
    let silent = [RequestErrorKind::NoResponders, RequestErrorKind::TimedOut];
    assert!(silent.contains(&alone.kind()), "{alone}");
    poll("the cluster still answers", async || answers(&here, &node).await).await;
}

#[test]
fn a_cluster_without_certificates_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    give_keys("nats://x", &dir.path().join("data"));
    let authority = Authority::new();
    let (certificate, key) = authority.sign(dir.path(), "a", "localhost");
    let plain = ["--cluster", "site", "--routes", "b:6222"];
    let no_ca = [
        "--cluster",
        "site",
        "--routes",
        "b:6222",
        "--tls-cert",
        text(&certificate),
        "--tls-key",
        text(&key),
    ];
    let alone = [&no_ca[..2], &no_ca[4..], &["--tls-ca", text(&certificate)]].concat();
    for (more, sentence) in [
        (&plain[..], "--cluster needs --tls-cert, --tls-key and --tls-ca"),
        (&no_ca[..], "--cluster needs --tls-cert, --tls-key and --tls-ca"),
        (&alone[..], "--cluster needs --routes"),
    ] {
        let (file, output) = asked(dir.path(), "a", 4222, more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(sentence), "{said}");
        assert!(!file.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_is_out_of_every_server_within_five_seconds() {
    let cluster = Cluster::start("localhost");
    let world = cluster.world(1).await;
    let (node, seed) = joined(&world).await;
    let gone: [Arc<AtomicBool>; 3] = Default::default();
    let mut clients = Vec::new();
    for (index, gone) in gone.iter().enumerate() {
        let client = cluster.connect(&node, &seed, index, gone).await;
        poll("the control plane answers", async || {
            answers(&client, &node).await
        })
        .await;
        clients.push(client);
    }
    let token = world.sign_in().await;
    for gone in &gone {
        gone.store(false, Ordering::Relaxed);
    }
    let path = format!("/api/v1/nodes/{}?force=true", node.node);
    let (status, answer) = world.call("DELETE", &path, &token, None).await;
    assert_eq!(status, 204, "{answer}");
    let all_out = poll("every server ends the connection", async || {
        gone.iter().all(|gone| gone.load(Ordering::Relaxed)).then_some(())
    });
    tokio::time::timeout(Duration::from_secs(5), all_out)
        .await
        .expect("within five seconds");
    for port in cluster.ports {
        let again = options(&seed, &node.access.jwt).add_root_certificates(cluster.ca.clone());
        let refused = again
            .connect(format!("tls://127.0.0.1:{port}"))
            .await
            .unwrap_err();
        assert_eq!(
            refused.kind(),
            ConnectErrorKind::AuthorizationViolation,
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_go_on_when_a_server_is_gone() {
    let mut cluster = Cluster::start("localhost");
    let world = cluster.world(3).await;
    let (joined, seed) = joined(&world).await;
    let mut nodes = Vec::new();
    for index in 0..3 {
        let client = cluster.connect(&joined, &seed, index, &Arc::default()).await;
        nodes.push(Node {
            id: joined.node,
            seed: String::new(),
            access: joined.access.clone(),
            jetstream: async_nats::jetstream::new(client.clone()),
            client,
        });
    }
    nodes[0].report().await;
    let token = world.sign_in().await;
    let door = camera(
        &world,
        &token,
        json!({"name": "Door", "url": "rtsp://10.0.0.5/1"}),
    )
    .await;
    nodes[0]
        .plan_when("the camera is planned", |plan| plan.entries.len() == 1)
        .await;
    had_before(&world, door, joined.node).await;
    let publish = async |node: &Node, start: i64| {
        let event = NodeEvent::ObjectSealed(object(joined.node, door, start));
        poll("the event is taken", async || node.try_publish(&event).await).await;
        poll("the event is committed", async || {
            let reply = node.confirm(&[event.message_id()]).await;
            assert!(reply.refused.is_empty(), "{reply:?}");
            (!reply.committed.is_empty()).then_some(())
        })
        .await;
    };
    publish(&nodes[0], T).await;
    // Whichever it was that led: another one does, and it comes back to what it missed.
    for index in 0..3 {
        cluster.servers[index] = None;
        let (here, start) = (&nodes[(index + 1) % 3], T + (index as i64 + 1) * 60_000);
        publish(here, start).await;
        let path = format!("/api/v1/cameras/{door}");
        let wanted = index % 2 == 1;
        let body = json!({"recording": wanted});
        let (status, answer) = world.call("PATCH", &path, &token, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        here.plan_when("plans go on", |plan| plan.entries.len() == usize::from(wanted))
            .await;
        let file = cluster.dir.path().join(format!("{}.conf", NAMES[index]));
        cluster.servers[index] = Some(Bus::start(&file));
        whole(&cluster, index).await;
    }
}

/// Waits until a server that came back has all that it missed.
async fn whole(cluster: &Cluster, index: usize) {
    let keys = cluster.dir.path().join("data/secrets/bus");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).unwrap();
    let signing = KeyPair::from_seed(read("control").trim()).unwrap();
    let account = control_plane::domain::nats_jwt::subject(&read("control.jwt")).unwrap();
    let key = KeyPair::new_user();
    let claims = control_plane::domain::nats_jwt::Claims {
        subject: &key.public_key(),
        name: "test",
        issued: control_plane::state::now(),
        expires: None,
    };
    let all = control_plane::domain::nats_jwt::Permissions::default();
    let jwt = control_plane::domain::nats_jwt::user(&claims, &account, &all, &signing).unwrap();
    let seed = key.seed().unwrap();
    poll("the server is whole again", async || {
        let client = options(&seed, &jwt)
            .add_root_certificates(cluster.ca.clone())
            .connect(format!("tls://127.0.0.1:{}", cluster.ports[index]))
            .await
            .ok()?;
        let jetstream = async_nats::jetstream::new(client);
        for stream in ["EVENTS", "KV_plans", "KV_nodes", "KV_heads"] {
            let mut stream = jetstream.get_stream(stream).await.ok()?;
            let info = stream.info().await.ok()?;
            assert_eq!(info.config.num_replicas, 3);
            let peers = &info.cluster.as_ref()?.replicas;
            let is_whole = peers.len() == 2 && peers.iter().all(|peer| peer.current && !peer.offline);
            is_whole.then_some(())?;
        }
        Some(())
    })
    .await;
}
