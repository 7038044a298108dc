//! Configuration: a TOML file, overridden by `CLOUDCAM_CONTROL__…` variables (double underscore nests).
//!
//! Unknown keys are refused and missing ones named; nothing falls back silently.

mod read;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use url::Url;

use crate::domain::assign::Network;

/// Prefix of the environment variables that override the file.
pub const ENV_PREFIX: &str = "CLOUDCAM_CONTROL__";

const REQUESTS_PER_S: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// Everything an operator sets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Database, secrets and objects live here.
    pub data_dir: PathBuf,
    /// The HTTP server.
    #[serde(default)]
    pub http: Http,
    /// The message bus.
    pub bus: Bus,
    /// The database.
    #[serde(default)]
    pub database: Database,
    /// The object store.
    #[serde(default)]
    pub objects: Objects,
    /// What cameras may be.
    #[serde(default)]
    pub cameras: Cameras,
    /// Recorder nodes.
    #[serde(default)]
    pub nodes: Nodes,
}

/// The HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where it listens.
    pub bind: SocketAddr,
    /// Under which address browsers and nodes reach it; `http://<bind>` unless given.
    pub public_url: Option<Url>,
    /// Requests a second that one user or service key may make; ten times as many at once.
    pub requests_per_s: NonZeroU32,
    /// Networks of the proxies that are believed when they say for whom they ask (`X-Forwarded-For`): limits
    /// and audit then name the client. Nobody is believed unless given.
    pub trusted_proxies: Vec<Network>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            requests_per_s: REQUESTS_PER_S,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The message bus. Who connects is in the keys that `init` makes, not here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// `nats://host:port` or `tls://host:port`; several with commas between.
    pub url: String,
    /// What nodes are told instead, when they reach it under other addresses.
    pub public_url: Option<String>,
    /// Certificates (PEM) that the bus' own must descend from, for control planes and nodes; the system's
    /// unless given.
    pub ca_file: Option<PathBuf>,
    /// Seconds that a node's token lives; it is renewed at half of it.
    #[serde(default = "node_token_s")]
    pub node_token_s: u64,
    /// On how many servers of the bus its streams and buckets are: 1, 3 or 5. With more than one they go on
    /// while fewer than half of those are gone.
    #[serde(default = "replicas")]
    pub replicas: usize,
}

const fn replicas() -> usize {
    1
}

const fn node_token_s() -> u64 {
    24 * 60 * 60
}

/// The addresses of a list.
fn addresses(list: &str) -> Vec<String> {
    list.split(',').map(|one| one.trim().to_owned()).collect()
}

/// Whether each of a list is an address of a bus, without credentials inside.
fn are_addresses(list: &str) -> bool {
    addresses(list).iter().all(|one| {
        Url::parse(one).is_ok_and(|url| {
            matches!(url.scheme(), "nats" | "tls")
                && url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
        })
    })
}

impl Bus {
    /// Where the control plane finds it.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        addresses(&self.url)
    }

    /// Where nodes find it.
    #[must_use]
    pub fn public_urls(&self) -> Vec<String> {
        addresses(self.public_url.as_ref().unwrap_or(&self.url))
    }
}

/// The database.
#[derive(Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite:<path>` or `postgres://user:password@host:port/database`;
    /// `sqlite:<data_dir>/control-plane.sqlite` unless given.
    pub url: Option<String>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// The object store.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Objects {
    /// Which one.
    pub kind: ObjectsKind,
}

/// Which object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ObjectsKind {
    /// Files in `<data_dir>/objects`, served by this process.
    #[default]
    File,
}

/// What cameras may be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cameras {
    /// Whether a camera may be on the recorder's own host, as simulators and restreamers are.
    pub allow_loopback: bool,
}

impl Default for Cameras {
    fn default() -> Self {
        Self { allow_loopback: true }
    }
}

/// Recorder nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Nodes {
    /// Seconds without a report after which a node is lost and its cameras move to others: 5 to 3600. Nodes
    /// report every five seconds.
    pub lost_after_s: u64,
}

impl Default for Nodes {
    fn default() -> Self {
        Self { lost_after_s: 15 }
    }
}

impl Nodes {
    /// How long a node may be silent.
    #[must_use]
    pub const fn lost_after(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.lost_after_s)
    }
}

impl Config {
    /// Reads the file and the environment.
    ///
    /// # Errors
    /// When the file is not there, and one sentence for each unknown, missing or wrong key.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        Self::read(path)
            .map_err(|found| anyhow::anyhow!(found.join("; ")))
            .with_context(|| format!("configuration {}", path.display()))
    }

    /// Like [`Config::load`].
    ///
    /// # Errors
    /// Everything that is wrong, a sentence each.
    pub fn read(path: &Path) -> Result<Self, Vec<String>> {
        read::read(path)
    }

    /// The database's address; holds a password when it is PostgreSQL's.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.database
            .url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data_dir.join("control-plane.sqlite").display()))
    }

    /// Folder of the embedded file store.
    #[must_use]
    pub fn objects_dir(&self) -> PathBuf {
        self.data_dir.join("objects")
    }

    /// The address for browsers and nodes, when the server listens on `bound`; ends in `/`.
    ///
    /// # Errors
    /// Never for an address that listens.
    pub fn public_url(&self, bound: SocketAddr) -> anyhow::Result<Url> {
        match &self.http.public_url {
            Some(url) => Ok(url.clone()),
            None => Url::parse(&format!("http://{bound}/")).context("http.bind"),
        }
    }

    /// What is wrong with keys that are right by themselves.
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut unless = |holds: bool, sentence: &str| {
            if !holds {
                found.push(sentence.to_owned());
            }
        };
        unless(
            are_addresses(&self.bus.url),
            "bus.url must start with nats:// or tls://, with a host and no credentials",
        );
        unless(
            self.bus
                .public_url
                .as_ref()
                .is_none_or(|list| are_addresses(list)),
            "bus.public_url must start with nats:// or tls://, with a host and no credentials",
        );
        unless(
            (5..=604_800).contains(&self.bus.node_token_s),
            "bus.node_token_s must be from 5 to 604800 seconds",
        );
        unless(
            [1, 3, 5].contains(&self.bus.replicas),
            "bus.replicas must be 1, 3 or 5, and no more than the bus has servers",
        );
        unless(
            self.http.public_url.as_ref().is_none_or(|url| {
                matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none()
            }),
            "http.public_url must be http:// or https:// with a host and no path",
        );
        unless(
            self.database
                .url
                .as_ref()
                .is_none_or(|url| crate::store::Target::parse(url).is_ok()),
            "database.url must be sqlite:<path> or postgres://user:password@host:port/database",
        );
        unless(
            (5..=3600).contains(&self.nodes.lost_after_s),
            "nodes.lost_after_s must be 5 to 3600",
        );
        found
    }
}
