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
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            requests_per_s: REQUESTS_PER_S,
        }
    }
}

/// The message bus.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// `nats://host:port`.
    pub url: String,
    /// User name, if the server asks for one.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus")
            .field("username", &self.username)
            .finish_non_exhaustive()
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
            self.bus.username.is_some() == self.bus.password.is_some(),
            "bus.username and bus.password go together: one of them is missing",
        );
        unless(
            ["nats://", "tls://"]
                .iter()
                .any(|scheme| self.bus.url.starts_with(scheme)),
            "bus.url must start with nats:// or tls://",
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
        found
    }
}
