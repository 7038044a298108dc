//! TLS between control plane, nodes and bus under a private authority.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use async_nats::ConnectErrorKind;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa};
use wire::api::Enrolled;

use crate::node::{enrolment_token, join};
use crate::support::nats::{give_keys, options};
use crate::support::{World, free_port, poll};

/// A private authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server's certificate and key for 127.0.0.1, and for a host's name, as files.
    pub(crate) fn sign(&self, dir: &Path, name: &str, host: &str) -> (PathBuf, PathBuf) {
        let names = vec!["127.0.0.1".to_owned(), host.to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
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
pub(crate) struct Bus(Child);

impl Bus {
    pub(crate) fn start(config: &Path) -> Self {
        let log = std::fs::File::create(config.with_extension("log")).unwrap();
        let child = Command::new("nats-server")
            .arg("-c")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
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
pub(crate) fn configured(dir: &Path, name: &str, port: u16, more: &[&str]) -> PathBuf {
    let (out, output) = asked(dir, name, port, more);
    assert!(output.status.success(), "{output:?}");
    out
}

/// The same, however it goes.
pub(crate) fn asked(dir: &Path, name: &str, port: u16, more: &[&str]) -> (PathBuf, Output) {
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
    (out, output)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (ca, other_ca) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
    std::fs::write(&ca, ours.pem()).unwrap();
    std::fs::write(&other_ca, theirs.pem()).unwrap();
    let (certificate, key) = ours.sign(dir.path(), "bus", "localhost");
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
