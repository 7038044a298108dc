//! A real nats-server with the keys of one installation, as `control-plane init` makes them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::{Auth, AuthError, Client, ConnectOptions};
use control_plane::bus::keys::{self, Keyring, Keys};
use control_plane::bus::{User, connect};
use control_plane::config;
use control_plane::domain::nats_config::{Server, text};
use control_plane::domain::nats_jwt::{self, Claims, Permissions};
use control_plane::state::now;
use nkeys::KeyPair;
use serde_json::json;
use wire::NodeId;
use wire::bus::{BusAccess, inbox_prefix};

use crate::children::{Running, free_port, wait_for};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A running bus.
#[derive(Debug)]
pub struct Bus {
    /// Its process.
    pub process: Running,
    /// Its address.
    pub url: String,
    /// A control plane's data folder, with nothing but the keys.
    data_dir: PathBuf,
}

impl Bus {
    /// Starts it in a folder.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start(nats_server: &Path, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let data_dir = folder.join("keys");
        let dir = keys::folder(&data_dir);
        keys::init(&dir, now())?;
        let (listen, store) = (format!("127.0.0.1:{port}"), folder.join("nats"));
        let server = Server {
            name: "bench",
            listen: &listen,
            store: &store,
            max_store: None,
            tls: None,
            cluster: None,
        };
        let config = folder.join("nats.conf");
        std::fs::write(&config, text(&keys::trust(&dir)?, &server))?;
        let arguments = ["-c".to_owned(), config.display().to_string()];
        let process = Running::start("nats-server", nats_server, &arguments, &folder.join("nats.log"))?;
        wait_for("nats-server", Duration::from_secs(20), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await?;
        Ok(Self {
            process,
            url: format!("nats://127.0.0.1:{port}"),
            data_dir,
        })
    }

    /// Gives a control plane's data folder the keys.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn give_keys(&self, data_dir: &Path) -> Result<()> {
        let (from, to) = (keys::folder(&self.data_dir), keys::folder(data_dir));
        std::fs::create_dir_all(&to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// A client as the control plane.
    ///
    /// # Errors
    /// When the bus does not let it in.
    pub async fn control(&self) -> Result<Client> {
        let config = config::Bus {
            url: self.url.clone(),
            public_url: None,
            ca_file: None,
            node_token_s: 86_400,
            replicas: 1,
        };
        let keyring = Keyring::new(&self.data_dir);
        connect(
            &config,
            &keyring,
            User::Control,
            tokio::sync::watch::Sender::default(),
        )
        .await
        .map_err(anyhow::Error::msg)
    }

    /// A client that may say and hear everything in the control plane's account: no such user is in the product.
    ///
    /// # Errors
    /// When the bus does not let it in.
    pub async fn observer(&self) -> Result<Client> {
        let read = |name: &str| std::fs::read_to_string(keys::folder(&self.data_dir).join(name));
        let signing = KeyPair::from_seed(read("control")?.trim())?;
        let account = nats_jwt::subject(&read("control.jwt")?).context("the account's token")?;
        let key = KeyPair::new_user();
        let claims = Claims {
            subject: &key.public_key(),
            name: "observer",
            issued: now(),
            expires: None,
        };
        let token = nats_jwt::user(&claims, &account, &Permissions::default(), &signing)?;
        Ok(options(key, token).connect(&self.url).await?)
    }

    /// A client as a node, with what enrolment would give it.
    ///
    /// # Errors
    /// When the bus does not let it in.
    pub async fn node(&self, node: NodeId) -> Result<Client> {
        let (key, issued) = (KeyPair::new_user(), now());
        let keys = Keys::load(&keys::folder(&self.data_dir))?;
        let token = keys.node(node, &key.public_key(), (issued, issued.plus(DAY_MS)))?;
        let options = options(key, token)
            .custom_inbox_prefix(inbox_prefix(node))
            .subscription_capacity(256);
        Ok(options.connect(&self.url).await?)
    }

    /// Makes a node's data folder as enrolment leaves it, for a bench that stands in for the control plane.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn enrol(&self, data_dir: &Path) -> Result<NodeId> {
        let (node, key, issued) = (NodeId::generate(), KeyPair::new_user(), now());
        let expires = issued.plus(7 * DAY_MS);
        let keys = Keys::load(&keys::folder(&self.data_dir))?;
        let access = BusAccess {
            jwt: keys.node(node, &key.public_key(), (issued, expires))?,
            issued,
            expires,
            urls: vec![self.url.clone()],
            ca: None,
        };
        let seed = key.seed().context("a seed")?;
        let identity = json!({"node": node, "server": "http://127.0.0.1:1/", "seed": seed, "access": access});
        std::fs::create_dir_all(data_dir)?;
        std::fs::write(data_dir.join("identity.json"), identity.to_string())?;
        Ok(node)
    }
}

/// Connects with a key and its token.
fn options(key: KeyPair, token: String) -> ConnectOptions {
    let key = Arc::new(key);
    ConnectOptions::with_auth_callback(move |nonce| {
        let mut auth = Auth::new();
        let signature = key.sign(&nonce).map_err(AuthError::new);
        auth.jwt = Some(token.clone());
        std::future::ready(signature.map(|signature| {
            auth.signature = Some(signature);
            auth
        }))
    })
}
