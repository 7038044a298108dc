//! The real program beside a real bus, all of whose output goes to a file.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::nats::give_keys;
use crate::support::{Nats, database, free_port, poll};

/// The password in the database's address; PostgreSQL lets anybody in here, whatever it is.
pub(super) const DATABASE_PASSWORD: &str = "planted-database-password";

pub(super) struct Program {
    child: Child,
    pub(super) nats: Nats,
    pub(super) dir: tempfile::TempDir,
    pub(super) base: String,
    pub(super) http: Client,
    /// What was answered, apart from the answers that show a secret once.
    pub(super) answers: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    pub(super) async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (dir, nats, port) = (tempfile::tempdir().unwrap(), Nats::start(), free_port());
        let url =
            database::url_of(dir.path()).replace("cloudcam@", &format!("cloudcam:{DATABASE_PASSWORD}@"));
        let config = configuration(&dir, "control.toml", port, &nats.url(), &url);
        give_keys(&nats.url(), &dir.path().join("data"));
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_control-plane"))
            .args(["serve", "--log", "json", "--config"])
            .arg(&config)
            .env("RUST_LOG", "trace")
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let http = Client::new();
        poll("the server is ready", async || {
            let answer = http.get(format!("{base}/readyz")).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        Self {
            child,
            nats,
            dir,
            base,
            http,
            answers: String::new(),
        }
    }

    /// What commands say that cannot reach the database whose address holds the password.
    pub(super) fn complaints(&self) -> String {
        let url = format!("postgres://cloudcam:{DATABASE_PASSWORD}@127.0.0.1:1/nothing");
        let config = configuration(&self.dir, "unreachable.toml", free_port(), &self.nats.url(), &url);
        let mut all = String::new();
        for command in [&["serve"][..], &["check"], &["migrate"]] {
            let out = Command::new(env!("CARGO_BIN_EXE_control-plane"))
                .args(command)
                .arg("--config")
                .arg(&config)
                .env("RUST_LOG", "trace")
                .output()
                .unwrap();
            assert!(!out.status.success(), "{command:?}");
            let said = [out.stdout, out.stderr].concat();
            assert!(!said.is_empty(), "{command:?}");
            all.push_str(&String::from_utf8_lossy(&said));
        }
        all
    }

    pub(super) fn log(&self) -> String {
        let bytes = std::fs::read(self.dir.path().join("log")).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> RequestBuilder {
        let method: Method = method.parse().unwrap();
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token);
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// Asks for what may show a secret this once.
    pub(super) async fn shown_once(&self, path: &str, token: &str, body: Value) -> Value {
        let request = self.request("POST", path, token, Some(&body));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap_or_default();
        assert!(status < 300, "{path}: {status} {body}");
        body
    }

    /// Asks for what must show none, and keeps the answer, whose status must be this one.
    pub(super) async fn ask(
        &mut self,
        (method, path): (&str, &str),
        token: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Value {
        let request = self.request(method, path, token, body.as_ref());
        self.kept(request, expected).await
    }

    /// Sends what must be answered without a secret, and keeps the answer.
    pub(super) async fn kept(&mut self, request: RequestBuilder, expected: u16) -> Value {
        let answer = request.send().await.unwrap();
        let (status, path) = (answer.status().as_u16(), answer.url().path().to_owned());
        let text = answer.text().await.unwrap();
        assert_eq!(status, expected, "{path}: {text}");
        self.answers.push_str(&text);
        self.answers.push('\n');
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Signs in; the answer, and the cookie that it sets.
    pub(super) async fn sign_in(&self, login: &str, password: &str, code: Option<&str>) -> (Value, String) {
        let mut body = json!({"login": login, "password": password});
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        let request = self.request("POST", "/api/v1/session", "", Some(&body));
        let answer = request.send().await.unwrap();
        let (status, cookie) = (answer.status().as_u16(), cookie(&answer));
        let session: Value = answer.json().await.unwrap();
        assert_eq!(status, 200, "{session}");
        (session, cookie)
    }
}

fn configuration(dir: &tempfile::TempDir, name: &str, port: u16, bus: &str, database: &str) -> PathBuf {
    let path = dir.path().join(name);
    let text = format!(
        "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{port}\"\n[bus]\nurl = \"{bus}\"\n[database]\nurl = \"{database}\"\n",
        dir.path().join("data"),
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// The value of the refresh cookie that an answer sets.
pub(super) fn cookie(answer: &reqwest::Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    let pair = set.split(';').next().unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}

pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}
