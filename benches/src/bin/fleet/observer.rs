//! Looks on from outside: acknowledgements of the index on the bus, statuses as the API shows them, plans as
//! they arrive after a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use async_nats::{Client, Message};
use control_plane::state::now;
use futures::StreamExt;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};
use wire::CameraId;
use wire::bus::EVENT_STREAM;

use crate::node::{Arrived, lock};
use crate::seed;

/// Milliseconds.
pub(crate) type Times = Arc<Mutex<Vec<f64>>>;

/// Takes what was gathered; the next measurement begins without it.
pub(crate) fn taken(times: &Times) -> Vec<f64> {
    std::mem::take(&mut *lock(times))
}

/// Gathers from each acknowledgement of an event how old the event was: the index acknowledges after its
/// commit, and the subject says when the stream took the event.
pub(crate) async fn acknowledgements(client: Client, lags: Times) -> Result<()> {
    let mut messages = client.subscribe("$JS.ACK.>").await?;
    client.flush().await?;
    while let Some(message) = messages.next().await {
        let Some(taken) = event_taken(&message) else {
            continue;
        };
        ensure!(
            matches!(&*message.payload, b"" | b"+ACK"),
            "the index answered an event with {:?}",
            String::from_utf8_lossy(&message.payload)
        );
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let lag = now.saturating_sub(taken).as_secs_f64() * 1000.0;
        lock(&lags).push(lag);
    }
    bail!("the bus closed the connection")
}

/// `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<consumer's seq>.<nanoseconds>.<pending>`, or the same with
/// domain and account before the stream.
fn event_taken(message: &Message) -> Option<Duration> {
    let tokens: Vec<&str> = message.subject.split('.').collect();
    let stream = if tokens.len() == 9 { 2 } else { 4 };
    if *tokens.get(stream)? != EVENT_STREAM {
        return None;
    }
    Some(Duration::from_nanos(tokens.get(stream + 5)?.parse().ok()?))
}

/// A signed-in administrator of the platform.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl Api {
    pub(crate) async fn sign_in(base: &str, password: &str) -> Result<Self> {
        let http = reqwest::Client::new();
        let body = json!({"login": "admin", "password": password});
        let session = answer(http.post(format!("{base}/api/v1/session")).json(&body)).await?;
        let token = session["access_token"].as_str().context("a token")?.to_owned();
        Ok(Self {
            base: base.to_owned(),
            http,
            token,
        })
    }
}

async fn answer(request: RequestBuilder) -> Result<Value> {
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(status.is_success(), "{status}: {text}");
    Ok(serde_json::from_str(&text)?)
}

/// Gathers how old each node's status is, one organization a second.
pub(crate) async fn staleness(api: Api, nodes: u32, ages: Times) -> Result<()> {
    let organizations = nodes.div_ceil(seed::NODES);
    let begun = Instant::now();
    for second in 0.. {
        sleep_until(begun + Duration::from_secs(u64::from(second))).await;
        let first = 1 + (second % organizations) * seed::NODES;
        let organization = seed::organization_of(first)?;
        let url = format!("{}/api/v1/nodes?limit=1000&organization={organization}", api.base);
        let page = answer(api.http.get(url).bearer_auth(&api.token)).await?;
        let shown = page["items"]
            .as_array()
            .or(page.as_array())
            .context("a list of nodes")?;
        let now = now();
        for node in shown {
            // One that the server takes for lost has no status: as old as can be told.
            let at = node["status"]["at"].as_i64();
            let age = at.map_or(f64::INFINITY, |at| (now.0 - at) as f64);
            lock(&ages).push(age);
        }
    }
    Ok(())
}

/// How long changes of cameras took to arrive at their nodes; infinite for those that never did.
pub(crate) async fn edits(
    api: &Api,
    (nodes, cameras): (u32, u32),
    (rate, length): (u32, Duration),
    plans: &mut UnboundedReceiver<Arrived>,
) -> Result<Vec<f64>> {
    while plans.try_recv().is_ok() {}
    let begun = Instant::now();
    let mut sent: HashMap<CameraId, (String, Instant)> = HashMap::new();
    let mut times = Vec::new();
    let editing = async {
        let mut asked = Vec::new();
        for number in 0..u32::try_from(length.as_secs())?.saturating_mul(rate) {
            sleep_until(begun + Duration::from_secs(1) / rate * number).await;
            // Another node each time, and none twice within a measurement of usual length.
            let node = 1 + number.wrapping_mul(7919) % nodes;
            let camera = seed::camera(node, 1 + number % cameras, cameras)?;
            let name = format!("Camera, change {number} of {}", now().0);
            asked.push((camera, name.clone(), Instant::now()));
            let organization = seed::organization_of(node)?;
            let url = format!("{}/api/v1/cameras/{camera}?organization={organization}", api.base);
            let request = api.http.patch(url).bearer_auth(&api.token);
            answer(request.json(&json!({"name": name}))).await?;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok::<_, anyhow::Error>(asked)
    };
    tokio::pin!(editing);
    let mut arrived = Vec::new();
    let asked = loop {
        tokio::select! {
            asked = &mut editing => break asked?,
            Some(plan) = plans.recv() => arrived.push(plan),
        }
    };
    for (camera, name, at) in asked {
        sent.insert(camera, (name, at));
    }
    for Arrived { at, plan } in arrived {
        for entry in plan.entries {
            let is_it = sent
                .get(&entry.camera)
                .is_some_and(|(name, _)| *name == entry.name);
            if is_it && let Some((_, asked)) = sent.remove(&entry.camera) {
                times.push(at.duration_since(asked).as_secs_f64() * 1000.0);
            }
        }
    }
    times.extend(sent.values().map(|_| f64::INFINITY));
    Ok(times)
}
