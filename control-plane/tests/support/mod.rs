//! A server in this process, a real bus beside it, a temporary folder below both.

pub(crate) mod database;
pub(crate) mod nats;
pub(crate) mod people;

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use control_plane::config::Config;
use control_plane::server::Server;
use serde_json::{Value, json};

pub(crate) use nats::Nats;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
}

pub(crate) fn config(dir: &Path, bus: &str) -> Config {
    let path = dir.join("control.toml");
    let text = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:0\"\n[bus]\nurl = \"{bus}\"\n[database]\nurl = \"{}\"\n",
        dir.join("data"),
        database::url_of(dir),
    );
    std::fs::write(&path, text).unwrap();
    nats::give_keys(bus, &dir.join("data"));
    Config::load(&path).unwrap()
}

impl World {
    /// With nothing at the bus' address.
    pub(crate) async fn without_bus() -> Self {
        Self::with_bus(&format!("nats://127.0.0.1:{}", free_port())).await
    }

    pub(crate) async fn with_bus(bus: &str) -> Self {
        Self::start(bus, None).await
    }

    /// With nothing at the bus' address, and settings of its own.
    pub(crate) async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path(), &format!("nats://127.0.0.1:{}", free_port()));
        change(&mut config);
        Self::serve(dir, config).await
    }

    /// On a database that the test has made itself.
    pub(crate) async fn on_database(bus: &str, url: &str) -> Self {
        Self::start(bus, Some(url)).await
    }

    /// With the keys in a folder, at a bus whose certificate a private authority signed.
    pub(crate) async fn with_ca(bus: &str, keys: &Path, ca: &Path) -> Self {
        Self::with_bus_config(bus, keys, |config| config.ca_file = Some(ca.to_owned())).await
    }

    /// With the keys in a folder, at a bus that needs more than an address.
    pub(crate) async fn with_bus_config(
        bus: &str,
        keys: &Path,
        set: impl FnOnce(&mut control_plane::config::Bus),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path(), bus);
        nats::copy_keys(&keys.join("data"), &dir.path().join("data"));
        set(&mut config.bus);
        Self::serve(dir, config).await
    }

    async fn start(bus: &str, database: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if let Some(url) = database {
            database::choose(dir.path(), url);
        }
        let config = config(dir.path(), bus);
        Self::serve(dir, config).await
    }

    async fn serve(dir: tempfile::TempDir, config: Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = Server::start(config).await.unwrap();
        Self {
            base: format!("http://{}", server.address),
            server,
            dir,
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn password(&self) -> String {
        let path = self.dir.path().join("data/admin-password");
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    pub(crate) async fn sign_in(&self) -> String {
        let body = json!({"login": "admin", "password": self.password()});
        let answer = self
            .http
            .post(self.url("/api/v1/session"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Holds the database's write lock, as a stuck process would, until dropped.
    pub(crate) fn lock_database(&self) -> Box<dyn std::any::Any> {
        database::lock(&database::url_of(self.dir.path()))
    }

    pub(crate) async fn ready(&self) {
        poll("the server is ready", async || {
            let answer = self.http.get(self.url("/readyz")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}

/// Asks until there is an answer.
pub(crate) async fn poll<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
