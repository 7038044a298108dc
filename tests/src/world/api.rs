//! The control plane's HTTP API as a client sees it.

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wire::api::{Camera, Coverage, Node, Page, Playback, Session};
use wire::coverage::Stretch;
use wire::{CameraId, UnixMs};

/// Name that the first start creates.
pub const LOGIN: &str = "admin";

/// A signed-in client.
#[derive(Clone)]
pub struct Api {
    /// Address of the control plane.
    pub base: String,
    /// For requests without a token.
    pub http: Client,
    token: String,
}

impl Api {
    /// Signs in.
    ///
    /// # Errors
    /// When the server is not there or refuses.
    pub async fn sign_in(base: &str, password: &str) -> Result<Self> {
        let http = Client::new();
        let body = json!({ "login": LOGIN, "password": password });
        let answer = http
            .post(format!("{base}/api/v1/session"))
            .json(&body)
            .send()
            .await?;
        ensure!(answer.status().is_success(), "sign in: {}", answer.status());
        let session: Session = answer.json().await?;
        Ok(Self {
            base: base.to_owned(),
            http,
            token: session.access_token,
        })
    }

    /// Asks; the answer's status and body, whatever they are.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask<B: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<(StatusCode, Value)> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// What a camera sees: status, capture time if it is said, and body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn snapshot(
        &self,
        id: CameraId,
        width: u32,
    ) -> Result<(StatusCode, Option<UnixMs>, bytes::Bytes)> {
        let url = format!("{}/api/v1/cameras/{id}/snapshot?width={width}", self.base);
        let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
        let captured = answer
            .headers()
            .get("x-capture-time")
            .and_then(|value| Some(UnixMs(value.to_str().ok()?.parse().ok()?)));
        Ok((answer.status(), captured, answer.bytes().await?))
    }

    async fn typed<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T> {
        let (status, answer) = self.ask(method.clone(), path, body).await?;
        ensure!(status.is_success(), "{method} {path}: {status} {answer}");
        serde_json::from_value(answer).with_context(|| format!("{method} {path}"))
    }

    /// Posts a body; the answer's.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.typed(Method::POST, path, Some(body)).await
    }

    /// Changes what is there; the answer's body.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.typed(Method::PATCH, path, Some(body)).await
    }

    /// Deletes what is there.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn remove(&self, path: &str) -> Result<()> {
        let (status, answer) = self.ask::<Value>(Method::DELETE, path, None).await?;
        ensure!(status.is_success(), "DELETE {path}: {status} {answer}");
        Ok(())
    }

    /// Adds a recording job to a camera; `extra` overrides its fields. Answers with its id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn add_job(&self, camera: CameraId, schedule: &Value, extra: &Value) -> Result<String> {
        let mut body = json!({ "name": "job", "schedule": schedule });
        if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
            body.extend(extra.clone());
        }
        let path = format!("/api/v1/cameras/{camera}/recording-jobs");
        let job = self.post(&path, &body).await?;
        Ok(job["id"].as_str().context("a job without an id")?.to_owned())
    }

    /// Adds a camera; `extra` overrides its fields.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn add(&self, name: &str, url: &str, extra: &Value) -> Result<CameraId> {
        let mut body = json!({ "name": name, "url": url, "audio": true });
        if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
            body.extend(extra.clone());
        }
        let camera: Camera = self.typed(Method::POST, "/api/v1/cameras", Some(&body)).await?;
        Ok(camera.id)
    }

    /// A camera.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn camera(&self, id: CameraId) -> Result<Camera> {
        self.typed(Method::GET, &format!("/api/v1/cameras/{id}"), None)
            .await
    }

    /// Switches recording on or off.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn set_recording(&self, id: CameraId, recording: bool) -> Result<Camera> {
        let body = json!({ "recording": recording });
        self.typed(Method::PATCH, &format!("/api/v1/cameras/{id}"), Some(&body))
            .await
    }

    /// Deletes a camera.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn delete(&self, id: CameraId) -> Result<()> {
        let (status, answer) = self
            .ask::<Value>(Method::DELETE, &format!("/api/v1/cameras/{id}"), None)
            .await?;
        ensure!(status.is_success(), "DELETE: {status} {answer}");
        Ok(())
    }

    /// The nodes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn nodes(&self) -> Result<Vec<Node>> {
        let page: Page<Node> = self.typed(Method::GET, "/api/v1/nodes", None).await?;
        Ok(page.items)
    }

    /// The ledger of a range.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn coverage(&self, id: CameraId, from: UnixMs, to: UnixMs) -> Result<Vec<Stretch>> {
        let path = format!("/player-api/cameras/{id}/coverage?from={}&to={}", from.0, to.0);
        let coverage: Coverage = self.typed(Method::GET, &path, None).await?;
        Ok(coverage.stretches)
    }

    /// A signed playlist address of a range.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn playback(&self, id: CameraId, from: UnixMs, to: UnixMs) -> Result<Playback> {
        let path = format!("/player-api/cameras/{id}/playback?from={}&to={}", from.0, to.0);
        self.typed(Method::GET, &path, None).await
    }

    /// Body of an address, which may be a path.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn bytes(&self, url: &str) -> Result<bytes::Bytes> {
        let url = reqwest::Url::parse(&self.base)?.join(url)?;
        let answer = self.http.get(url.clone()).send().await?;
        ensure!(
            answer.status().is_success(),
            "GET {}: {}",
            url.path(),
            answer.status()
        );
        Ok(answer.bytes().await?)
    }
}
