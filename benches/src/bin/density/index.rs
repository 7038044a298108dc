//! Stands in for the control plane: gives the node its plan, confirms its events, stores nothing.
//!
//! The bus is a real nats-server. Uploads are answered with "try again later", so that what is measured is
//! recording, as with FFmpeg; in a soak they go to a place that keeps nothing.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_nats::Client;
use async_nats::jetstream::{self, kv, stream};
use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::bus::{
    self, ConfirmReply, ConfirmRequest, CredentialsReply, NodeRequestKind, Reply, ReplyCode, ReplyError,
    StoredReply, UploadReply, UploadRequest,
};
use wire::plan::{Plan, PlanEntry};
use wire::source::{Reader, Source};
use wire::status::{NodeStatus, StreamState};
use wire::{CameraId, NodeId, StreamKind, TimeRange, UnixMs};

use crate::recorder::Work;
use crate::store::Store;

/// A day and more: no bench runs longer.
const HORIZON_MS: i64 = 48 * 3_600_000;

/// The bus side of the bench.
pub(crate) struct Index {
    plans: kv::Store,
    nodes: kv::Store,
    answers: JoinHandle<()>,
}

impl Drop for Index {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

impl Index {
    /// Creates what a control plane creates.
    pub(crate) async fn connect(client: Client, store: Option<Store>) -> Result<Self> {
        let jetstream = jetstream::new(client.clone());
        let events = stream::Config {
            name: bus::EVENT_STREAM.to_owned(),
            subjects: vec![bus::EVENT_SUBJECTS.to_owned()],
            ..stream::Config::default()
        };
        jetstream
            .create_stream(events)
            .await
            .context("creating the stream of events")?;
        let plans = bucket(&jetstream, bus::PLAN_BUCKET, Duration::ZERO).await?;
        let nodes = bucket(&jetstream, bus::NODE_BUCKET, Duration::from_secs(bus::NODE_TTL_S)).await?;
        bucket(&jetstream, bus::HEAD_BUCKET, Duration::from_secs(3600)).await?;
        let requests = client.subscribe(bus::REQUEST_SUBJECTS).await?;
        let answers = tokio::spawn(answer_all(client, requests, store));
        Ok(Self {
            plans,
            nodes,
            answers,
        })
    }

    /// Waits for a node that reports, gives it a plan with these cameras, and waits until it records them all.
    /// Returns the cameras in their order.
    pub(crate) async fn record(
        &self,
        work: Work<'_>,
        reader: Reader,
        mut alive: impl FnMut() -> Result<()>,
    ) -> Result<Vec<CameraId>> {
        let mut reports = self.nodes.watch_all().await.context("watching the nodes")?;
        let mut planned = None;
        let mut cameras = Vec::new();
        let mut last = String::from("no node reported");
        let deadline = tokio::time::Instant::now() + Duration::from_secs(90);
        while tokio::time::Instant::now() < deadline {
            alive()?;
            let Ok(Some(entry)) = timeout(Duration::from_millis(500), reports.next()).await else {
                continue;
            };
            let Ok(status) = serde_json::from_slice::<NodeStatus>(&entry?.value) else {
                continue;
            };
            if planned.is_none() {
                let plan = plan(status.node, work, reader)?;
                self.plans
                    .put(status.node.to_string(), serde_json::to_vec(&plan)?.into())
                    .await?;
                planned = Some(status.node);
                cameras = plan.entries.iter().map(|entry| entry.camera).collect();
            }
            if planned == Some(status.node) {
                if status.streams.len() == work.urls.len()
                    && status.streams.iter().all(|one| is_recording(&one.state))
                {
                    return Ok(cameras);
                }
                last = describe(&status);
            }
        }
        bail!(
            "the node does not record all {} cameras within 90 s: {last}",
            work.urls.len()
        )
    }

    /// What a node says of itself now.
    pub(crate) async fn status(&self, node: NodeId) -> Result<NodeStatus> {
        let entry = self.nodes.get(node.to_string()).await?;
        Ok(serde_json::from_slice(
            &entry.context("the node reports no more")?,
        )?)
    }
}

async fn bucket(jetstream: &jetstream::Context, name: &str, max_age: Duration) -> Result<kv::Store> {
    let config = kv::Config {
        bucket: name.to_owned(),
        history: 1,
        max_age,
        republish: (name == bus::PLAN_BUCKET).then(|| stream::Republish {
            source: bus::PLAN_REPUBLISH.0.to_owned(),
            destination: bus::PLAN_REPUBLISH.1.to_owned(),
            headers_only: false,
        }),
        ..kv::Config::default()
    };
    jetstream
        .create_key_value(config)
        .await
        .with_context(|| format!("creating the bucket {name}"))
}

const fn is_recording(state: &StreamState) -> bool {
    matches!(state, StreamState::Recording | StreamState::Degraded { .. })
}

fn describe(status: &NodeStatus) -> String {
    let missing = status.streams.iter().filter(|one| !is_recording(&one.state));
    let states: Vec<String> = missing.take(3).map(|one| format!("{:?}", one.state)).collect();
    format!(
        "{} streams in its report, among them {}",
        status.streams.len(),
        states.join(", ")
    )
}

fn now() -> UnixMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixMs(since.map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
}

fn plan(node: NodeId, work: Work<'_>, reader: Reader) -> Result<Plan> {
    let horizon = now().plus(HORIZON_MS);
    let window = TimeRange::new(now().plus(-1_000), horizon)?;
    let entry = |(index, url): (usize, &String)| PlanEntry {
        camera: CameraId::generate(),
        name: format!("camera {index}"),
        stream: StreamKind::Main,
        epoch: 1,
        source: Source {
            url: url.clone(),
            transport: wire::source::Transport::Tcp,
            reader,
            audio: work.case.audio,
        },
        credentials_revision: 0,
        has_credentials: false,
        windows: vec![window],
        continuous: true,
        afterwards: Vec::new(),
        time_zone: None,
        until: None,
        pre_roll_ms: 0,
        cut: None,
        retry: wire::plan::RetryPolicy::default(),
    };
    Ok(Plan {
        node,
        revision: 1,
        horizon,
        entries: work.urls.iter().enumerate().map(entry).collect(),
        erasures: Vec::new(),
        uplink_bps: None,
    })
}

async fn answer_all(client: Client, mut requests: async_nats::Subscriber, store: Option<Store>) {
    while let Some(message) = requests.next().await {
        let Some(reply) = message.reply.clone() else {
            continue;
        };
        let kind = message
            .subject
            .rsplit('.')
            .next()
            .and_then(NodeRequestKind::from_token);
        let Ok(answer) = answer(kind, &message.payload, store.as_ref()) else {
            continue;
        };
        if let Err(error) = client.publish(reply, answer.into()).await {
            eprintln!("    the bus did not take an answer: {error}");
        }
    }
}

fn answer(kind: Option<NodeRequestKind>, payload: &[u8], store: Option<&Store>) -> Result<Vec<u8>> {
    Ok(match (kind, store) {
        (Some(NodeRequestKind::Confirm), _) => {
            let request: ConfirmRequest = serde_json::from_slice(payload)?;
            let reply = ConfirmReply {
                committed: request.messages,
                refused: Vec::new(),
            };
            serde_json::to_vec(&Reply::Ok(reply))?
        }
        (Some(NodeRequestKind::Credentials), _) => serde_json::to_vec(&Reply::Ok(CredentialsReply {
            revision: 0,
            credentials: None,
        }))?,
        (Some(NodeRequestKind::Upload), Some(store)) => {
            let request: UploadRequest = serde_json::from_slice(payload)?;
            serde_json::to_vec(&Reply::Ok(UploadReply {
                url: store.url(request.object),
                headers: Vec::new(),
                expires: now().plus(60_000),
            }))?
        }
        (Some(NodeRequestKind::Stored), Some(_)) => {
            serde_json::to_vec(&Reply::Ok(StoredReply { stored: true }))?
        }
        _ => {
            let detail = "the bench stores nothing".to_owned();
            serde_json::to_vec(&Reply::<()>::Err(ReplyError {
                code: ReplyCode::Unavailable,
                detail,
            }))?
        }
    })
}
