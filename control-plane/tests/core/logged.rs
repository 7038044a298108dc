//! Log lines name the request that they are about, whichever thread writes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nkeys::KeyPair;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::invited::{PASSWORD, secret};
use crate::support::{config, free_port, poll};

/// A server of its own, which is killed at the end.
struct Process {
    child: Child,
    dir: tempfile::TempDir,
    base: String,
    http: Client,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

impl Process {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        // Also makes the keys of the bus, so that nodes can join.
        config(dir.path(), &format!("nats://127.0.0.1:{}", free_port()));
        let child = Command::new(env!("CARGO_BIN_EXE_control-plane"))
            .args(["serve", "--log", "json", "--config"])
            .arg(dir.path().join("control.toml"))
            .stderr(Stdio::from(
                std::fs::File::create(dir.path().join("log")).unwrap(),
            ))
            .spawn()
            .unwrap();
        let log = dir.path().join("log");
        let base = poll("the server is ready", async || {
            let ready = lines(&log).into_iter().find(|line| line["message"] == "ready")?;
            Some(format!("http://{}", ready["address"].as_str().unwrap()))
        });
        Self {
            base: base.await,
            child,
            dir,
            http: Client::new(),
        }
    }

    async fn post(&self, path: &str, (name, value): (&str, &str), body: Value) -> Response {
        let request = self.http.post(format!("{}{path}", self.base)).header(name, value);
        request.json(&body).send().await.unwrap()
    }
}

fn id(answer: &Response) -> String {
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

const NONE: (&str, &str) = ("x-none", "");

#[tokio::test]
async fn every_line_of_a_request_names_it() {
    let server = Process::start().await;
    let password = std::fs::read_to_string(server.dir.path().join("data/admin-password")).unwrap();
    let right = json!({"login": "admin", "password": password.trim()});
    let mut expected = BTreeMap::new();

    let session = server.post("/api/v1/session", NONE, right.clone()).await;
    let cookie = session.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = ("cookie", cookie.split(';').next().unwrap());
    server.post("/api/v1/session/refresh", cookie, json!({})).await;
    let reused = server.post("/api/v1/session/refresh", cookie, json!({})).await;
    expected.insert(
        "a used refresh token was shown: its sign-in is revoked",
        (id(&reused), "user"),
    );

    let session: Value = server
        .post("/api/v1/session", NONE, right)
        .await
        .json()
        .await
        .unwrap();
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let bearer = ("authorization", bearer.as_str());
    let made = server.post("/api/v1/enrolment-tokens", bearer, json!({"name": "gate"}));
    let made: Value = made.await.json().await.unwrap();
    let join = json!({
        "token": made["token"], "public_key": KeyPair::new_user().public_key(), "name": "gate", "version": "1",
    });
    let joined = server.post("/api/v1/enrol", NONE, join).await;
    assert_eq!(joined.status(), 200);
    expected.insert("a node joined", (id(&joined), "node"));

    let invited = server.post(
        "/api/v1/users",
        bearer,
        json!({"login": "ann", "role": "org_user"}),
    );
    let invited: Value = invited.await.json().await.unwrap();
    let accept = json!({"token": secret(&invited["invitation"]), "password": PASSWORD});
    server.post("/api/v1/invitations/accept", NONE, accept).await;
    let mut last = String::new();
    for _ in 0..10 {
        let wrong = json!({"login": "ann", "password": "wrong"});
        last = id(&server.post("/api/v1/session", NONE, wrong).await);
    }
    expected.insert("a login is locked out", (last, "user"));

    let lines = lines(&server.dir.path().join("log"));
    for (message, (request, named)) in &expected {
        let found: Vec<&Value> = lines.iter().filter(|line| line["message"] == *message).collect();
        assert_eq!(found.len(), 1, "{message}");
        assert_eq!(found[0]["span"]["request_id"], json!(request), "{}", found[0]);
        assert!(found[0][named].is_string(), "{}", found[0]);
        let own =
            |line: &&Value| line["message"] == "request" && line["span"]["request_id"] == json!(request);
        let own = lines.iter().filter(own).count();
        assert_eq!(own, 1, "{message}: the line of the request itself");
    }
    let is_nameless = |line: &&Value| line["message"] == "request" && !line["span"]["request_id"].is_string();
    let nameless: Vec<&Value> = lines.iter().filter(is_nameless).collect();
    assert!(nameless.is_empty(), "{nameless:?}");
}
