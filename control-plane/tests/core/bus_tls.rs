//! TLS between control plane, nodes and bus under a private authority, and a cluster whose servers check each
//! other.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use async_nats::ConnectErrorKind;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa};
use wire::api::Enrolled;
use wire::bus::*;

use crate::node::{enrolment_token, join};
use crate::support::nats::{give_keys, options};
use crate::support::{World, free_port, poll};

/// A private authority.
struct Authority {
    issuer: CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
        }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server's certificate and key for 127.0.0.1, as files.
    fn sign(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (chain, private) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        std::fs::write(&chain, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();
        (chain, private)
    }
}

/// nats-server with what `control-plane nats-config` wrote; killed when dropped.
struct Bus(Child);

impl Bus {
    fn start(config: &Path) -> Self {
        let child = Command::new("nats-server")
            .arg("-c")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `control-plane nats-config` for the keys in `dir`; the file.
fn configured(dir: &Path, name: &str, port: u16, more: &[&str]) -> PathBuf {
    let control = dir.join("nats-config.toml");
    let text = format!("data_dir = {:?}\n[bus]\nurl = \"nats://x\"\n", dir.join("data"));
    std::fs::write(&control, text).unwrap();
    let out = dir.join(format!("{name}.conf"));
    let output = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .args(["nats-config", "--config"])
        .arg(&control)
        .arg("--out")
        .arg(&out)
        .arg("--store-dir")
        .arg(dir.join(name))
        .args(["--port", &port.to_string(), "--server-name", name])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    out
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (ca, other_ca) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
    std::fs::write(&ca, ours.pem()).unwrap();
    std::fs::write(&other_ca, theirs.pem()).unwrap();
    let (certificate, key) = ours.sign(dir.path(), "bus");
    let port = free_port();
    let url = format!("tls://127.0.0.1:{port}");
    give_keys(&url, &dir.path().join("data"));
    let tls = ["--tls-cert", text(&certificate), "--tls-key", text(&key)];
    let _bus = Bus::start(&configured(dir.path(), "bus", port, &tls));

    let world = World::with_ca(&url, dir.path(), &ca).await;
    world.ready().await;
    let token = enrolment_token(&world, &world.sign_in().await).await;
    let node_key = KeyPair::new_user();
    let (status, joined) = join(&world, &token, &node_key.public_key()).await;
    assert_eq!(status, 200, "{joined}");
    let joined: Enrolled = serde_json::from_value(joined).unwrap();
    assert_eq!(joined.access.ca.as_deref(), Some(ours.pem().as_str()));
    assert_eq!(joined.access.urls, std::slice::from_ref(&url));

    let seed = node_key.seed().unwrap();
    let with = |file: &Path| options(&seed, &joined.access.jwt).add_root_certificates(file.to_owned());
    let client = with(&ca).require_tls(true).connect(&url).await.unwrap();
    assert!(client.server_info().tls_required);
    let wrong = with(&other_ca).connect(&url).await.unwrap_err();
    assert_ne!(
        wrong.kind(),
        ConnectErrorKind::AuthorizationViolation,
        "never asked who it is"
    );
    assert!(format!("{wrong:?}").contains("InvalidCertificate"), "{wrong:?}");
    let system = options(&seed, &joined.access.jwt).connect(&url).await;
    assert!(system.is_err(), "the system's authorities did not sign it");

    // A client that speaks plain text learns nothing and says nothing.
    let plain_port = free_port();
    let plain_url = format!("nats://127.0.0.1:{plain_port}");
    let _plain = Bus::start(&configured(dir.path(), "plain", plain_port, &[]));
    poll("the plain bus answers", async || {
        let connecting = options(&seed, &joined.access.jwt).connect(&plain_url);
        connecting.await.ok()
    })
    .await;
    let refused = with(&ca).require_tls(true).connect(&plain_url).await;
    assert!(refused.is_err(), "a bus without TLS is taken");
    let plain_text = raw(port).await;
    assert!(plain_text.contains("\"tls_required\":true"), "{plain_text}");
}

/// What the bus answers to who connects in plain text.
async fn raw(port: u16) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream
        .write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(!answer.contains("PONG"), "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_a_cluster_share_what_nodes_say() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let ports: Vec<u16> = (0..6).map(|_| free_port()).collect();
    let url = format!("tls://127.0.0.1:{},tls://127.0.0.1:{}", ports[0], ports[1]);
    give_keys(&url, &dir.path().join("data"));
    let routes: Vec<String> = (3..6)
        .map(|route| format!("127.0.0.1:{}", ports[route]))
        .collect();
    let routes = routes.join(",");
    let mut servers = Vec::new();
    for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
        let (certificate, key) = authority.sign(dir.path(), name);
        let cluster_port = ports[3 + index].to_string();
        let more = [
            "--tls-cert",
            text(&certificate),
            "--tls-key",
            text(&key),
            "--tls-ca",
            text(&ca),
            "--cluster",
            "site",
            "--cluster-port",
            &cluster_port,
            "--routes",
            &routes,
        ];
        servers.push(Bus::start(&configured(dir.path(), name, ports[index], &more)));
    }
    let world = World::with_ca(&url, dir.path(), &ca).await;
    world.ready().await;
    let token = enrolment_token(&world, &world.sign_in().await).await;
    let key = KeyPair::new_user();
    let (status, joined) = join(&world, &token, &key.public_key()).await;
    assert_eq!(status, 200, "{joined}");
    let joined: Enrolled = serde_json::from_value(joined).unwrap();
    assert_eq!(joined.access.urls.len(), 2);
    // A node on each server is heard by the control plane on whichever.
    for port in &ports[..3] {
        let client = poll("the server lets the node in", async || {
            options(&key.seed().unwrap(), &joined.access.jwt)
                .custom_inbox_prefix(inbox_prefix(joined.node))
                .add_root_certificates(ca.clone())
                .connect(format!("tls://127.0.0.1:{port}"))
                .await
                .ok()
        })
        .await;
        let question = serde_json::to_vec(&TokenRequest {}).unwrap();
        let answer: Reply<BusAccess> = poll("the control plane answers", async || {
            let subject = request_subject(joined.node, NodeRequestKind::Token);
            let answer = client.request(subject, question.clone().into()).await.ok()?;
            serde_json::from_slice(&answer.payload).ok()
        })
        .await;
        assert!(matches!(answer, Reply::Ok(_)), "{answer:?}");
    }
}
