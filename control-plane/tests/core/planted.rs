//! Secrets that are planted everywhere appear nowhere else: not in the log at its most talkative, not in the
//! audit log, not in answers other than the one that shows them, not in the OpenAPI document.

use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::nats::give_keys;
use crate::support::{database, free_port, poll};

/// The real program, all of whose output goes to a file.
struct Program {
    child: Child,
    dir: tempfile::TempDir,
    base: String,
    http: Client,
    /// What was answered, apart from the answers that show a secret once.
    answers: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = dir.path().join("control.toml");
        let text = format!(
            "data_dir = {:?}\n[http]\nbind = \"127.0.0.1:{port}\"\n[bus]\nurl = \"nats://127.0.0.1:1\"\n\
             [database]\nurl = \"{}\"\n",
            dir.path().join("data"),
            database::url_of(dir.path()),
        );
        std::fs::write(&config, text).unwrap();
        give_keys("nats://127.0.0.1:1", &dir.path().join("data"));
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
        poll("the server answers", async || {
            http.get(format!("{base}/healthz")).send().await.ok()
        })
        .await;
        Self {
            child,
            dir,
            base,
            http,
            answers: String::new(),
        }
    }

    fn request(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> RequestBuilder {
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
    async fn shown_once(&self, path: &str, token: &str, body: Value) -> Value {
        let answer = self
            .request(Method::POST, path, token, Some(&body))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap_or_default();
        assert!(status < 300, "{path}: {status} {body}");
        body
    }

    /// Asks for what must show none, and keeps the answer.
    async fn ask(&mut self, method: &str, path: &str, token: &str, body: Option<Value>) -> Value {
        let request = self.request(method.parse().unwrap(), path, token, body.as_ref());
        let text = request.send().await.unwrap().text().await.unwrap();
        self.answers.push_str(&text);
        self.answers.push('\n');
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

#[tokio::test]
async fn planted_secrets_are_found_nowhere() {
    let mut program = Program::start().await;
    let password = std::fs::read_to_string(program.dir.path().join("data/admin-password")).unwrap();
    let password = password.trim().to_owned();
    let sign_in = json!({"login": "admin", "password": password});
    let session = program.shown_once("/api/v1/session", "", sign_in.clone()).await;
    let token = text(&session["access_token"]);
    let mut planted: Vec<String> = vec![password, token.clone()];
    planted.extend(people_and_machines(&mut program, &token).await);
    cameras(&mut program, &token).await;
    mistakes(&mut program, &token).await;
    for name in ["jwt", "url", "master"] {
        let key = std::fs::read_to_string(program.dir.path().join("data/secrets").join(name)).unwrap();
        planted.extend(key.lines().map(str::to_owned));
    }
    for seed in std::fs::read_dir(program.dir.path().join("data/secrets/bus")).unwrap() {
        let path = seed.unwrap().path();
        // Tokens of accounts are no secrets.
        if path.extension().is_none() {
            planted.push(std::fs::read_to_string(path).unwrap().trim().to_owned());
        }
    }
    planted.extend(
        ["camera-password", "guess", "chosen password", "refresh"].map(|what| format!("planted-{what}")),
    );
    for path in [
        "/api/v1/audit?limit=1000",
        "/api/v1/audit.csv",
        "/api/v1/users",
        "/api/v1/service-keys",
        "/api/v1/cameras",
        "/api/v1/me/export",
        "/api/v1/openapi.json",
    ] {
        program.ask("GET", path, &token, None).await;
    }
    let log = std::fs::read_to_string(program.dir.path().join("log")).unwrap();
    assert!(
        log.contains("\"request\"") && log.contains("TRACE"),
        "the log was captured"
    );
    for (name, place) in [("log", &log), ("answers", &program.answers)] {
        for secret in &planted {
            if let Some(at) = place.find(secret.as_str()) {
                let around = &place[place.floor_char_boundary(at.saturating_sub(300))..at];
                panic!("{secret:.12}… is in the {name} after: {around}");
            }
        }
    }
}

async fn people_and_machines(program: &mut Program, token: &str) -> Vec<String> {
    let invite = json!({"login": "visitor@example.org", "name": "Visitor", "role": "org_user"});
    let invited = program.shown_once("/api/v1/users", token, invite).await;
    let link = text(&invited["invitation"]["link"]);
    let one_time = link.rsplit('/').next().unwrap().to_owned();
    program
        .ask(
            "POST",
            "/api/v1/invitations/look",
            "",
            Some(json!({"token": one_time})),
        )
        .await;
    let accept = json!({"token": one_time, "password": "planted-chosen password"});
    program
        .ask("POST", "/api/v1/invitations/accept", "", Some(accept))
        .await;
    let id = text(&invited["user"]["id"]);
    program
        .ask("GET", &format!("/api/v1/users/{id}/export"), token, None)
        .await;
    let reset = program
        .shown_once(&format!("/api/v1/users/{id}/password-reset"), token, json!({}))
        .await;
    let reset = text(&reset["link"]).rsplit('/').next().unwrap().to_owned();
    let key = json!({"name": "machine", "scopes": ["nodes:read"]});
    let key = program.shown_once("/api/v1/service-keys", token, key).await;
    let secret = text(&key["secret"]);
    program.ask("GET", "/api/v1/nodes", &secret, None).await;
    vec![one_time, reset, secret]
}

async fn cameras(program: &mut Program, token: &str) {
    let url = "rtsp://planted-user:planted-camera-password@192.0.2.1/1";
    let camera = json!({"name": "Door", "url": url});
    let camera = program.ask("POST", "/api/v1/cameras", token, Some(camera)).await;
    let path = format!("/api/v1/cameras/{}", text(&camera["id"]));
    for body in [
        json!({"password": "planted-camera-password-2"}),
        json!({"url": "http://x:planted-camera-password-3@192.0.2.1/"}),
        json!({"username": "a:b", "password": "planted-camera-password-4"}),
    ] {
        program.ask("PATCH", &path, token, Some(body)).await;
    }
    let probe = json!({"url": "rtsp://x:planted-camera-password-5@192.0.2.1/1"});
    program.ask("POST", "/api/v1/probe", token, Some(probe)).await;
    program.ask("DELETE", &path, token, None).await;
}

/// What people get wrong: passwords in the wrong field, tokens that are none.
async fn mistakes(program: &mut Program, token: &str) {
    let guess = json!({"login": "admin", "password": "planted-guess"});
    program.ask("POST", "/api/v1/session", "", Some(guess)).await;
    let guess = json!({"login": "nobody", "password": "planted-guess", "code": "planted-guess"});
    program.ask("POST", "/api/v1/session", "", Some(guess)).await;
    for bearer in ["planted-guess", "cck_planted-guess"] {
        program.ask("GET", "/api/v1/me", bearer, None).await;
    }
    let own = json!({"current": "planted-guess", "new": "planted-chosen password"});
    program.ask("POST", "/api/v1/me/password", token, Some(own)).await;
    let request = program.request(Method::POST, "/api/v1/session/refresh", token, None);
    let answer = request
        .header("cookie", "cc_refresh=planted-refresh")
        .send()
        .await
        .unwrap();
    program.answers.push_str(&answer.text().await.unwrap());
}
