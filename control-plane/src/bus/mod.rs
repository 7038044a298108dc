//! The message bus: connection, requests to nodes, caches of what nodes say.
//!
//! The server starts and serves without the bus; [`Bus`] then answers [`BusError::Unavailable`]. What
//! messages mean is decided in `app`, not here.

mod facts;
mod heads;
mod index;
pub mod keys;
mod link;
mod nodes;
mod requests;
mod revoke;
pub mod service;
pub(crate) mod setup;
mod wake;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use async_nats::client::{Client, Request, RequestErrorKind};
use async_nats::connection::State;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use wire::NodeId;
use wire::bus::{
    ControlRequestKind, ProbeReport, ProbeRequest, READ_HEADER, ReadReply, ReadRequest, Reply, ReplyError,
    SNAPSHOT_HEADER, SnapshotReply, SnapshotRequest, node_subject,
};

pub use heads::Heads;
pub use link::{Link, User, connect};
pub use nodes::{Nodes, OnlineNode};
pub use wake::{Scope, Wake};

/// How long a node may take to read a range of its disk.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// A node answers within three seconds whether it has a picture.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(5);
/// A probe takes up to ten seconds; what comes later is of no use to anybody.
const PROBE_TIMEOUT: Duration = Duration::from_millis(9_800);

/// A request over the bus failed.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The bus itself is away; says why.
    #[error("the bus is not available: {0}")]
    Unavailable(String),
    /// Nobody listens under that node's name.
    #[error("the node is not connected")]
    NodeOffline,
    /// The node is connected, but did not answer in time.
    #[error("the node did not answer in time")]
    Timeout,
    /// The node answered no.
    #[error("the node refused: {0}")]
    Refused(ReplyError),
    /// The answer cannot be read.
    #[error("the answer cannot be read: {0}")]
    Garbled(String),
}

/// The connection to the bus; clones share it.
#[derive(Debug, Clone)]
pub struct Bus {
    link: Arc<watch::Sender<Link>>,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            link: Arc::new(watch::Sender::new(Link::Down("not connected yet".to_owned()))),
        }
    }
}

impl Bus {
    /// The connected client.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] while there is none.
    pub fn client(&self) -> Result<Client, BusError> {
        match &*self.link.borrow() {
            Link::Down(reason) => Err(BusError::Unavailable(reason.clone())),
            Link::Up(client) if client.connection_state() != State::Connected => Err(BusError::Unavailable(
                "the connection is lost, reconnecting".to_owned(),
            )),
            Link::Up(client) => Ok(client.clone()),
        }
    }

    /// Bytes of an object in a node's spool.
    ///
    /// # Errors
    /// As [`BusError`] says; [`BusError::Refused`] with `NotFound` when the node does not have it.
    pub async fn read(&self, node: NodeId, request: ReadRequest) -> Result<(ReadReply, Bytes), BusError> {
        let subject = node_subject(node, ControlRequestKind::Read);
        let message = self.send(subject, &request, READ_TIMEOUT).await?;
        beside(message, READ_HEADER)
    }

    /// A picture of a camera that the node records now, as a JPEG.
    ///
    /// # Errors
    /// As [`BusError`] says; [`BusError::Refused`] with `NotFound` when it does not record the camera.
    pub async fn snapshot(
        &self,
        node: NodeId,
        request: SnapshotRequest,
    ) -> Result<(SnapshotReply, Bytes), BusError> {
        let subject = node_subject(node, ControlRequestKind::Snapshot);
        let message = self.send(subject, &request, SNAPSHOT_TIMEOUT).await?;
        beside(message, SNAPSHOT_HEADER)
    }

    /// What a camera sends, as seen from a node.
    ///
    /// # Errors
    /// As [`BusError`] says.
    pub async fn probe(&self, node: NodeId, request: &ProbeRequest) -> Result<ProbeReport, BusError> {
        let subject = node_subject(node, ControlRequestKind::Probe);
        settle(&self.send(subject, request, PROBE_TIMEOUT).await?.payload)
    }

    async fn send<T: Serialize>(
        &self,
        subject: String,
        body: &T,
        timeout: Duration,
    ) -> Result<async_nats::Message, BusError> {
        let body = serde_json::to_vec(body).map_err(|error| BusError::Garbled(error.to_string()))?;
        let request = Request::new().payload(body.into()).timeout(Some(timeout));
        self.client()?
            .send_request(subject, request)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => BusError::NodeOffline,
                RequestErrorKind::TimedOut => BusError::Timeout,
                _ => BusError::Unavailable(error.to_string()),
            })
    }

    fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

/// What the header says of the payload, and the payload.
fn beside<T: DeserializeOwned>(message: async_nats::Message, header: &str) -> Result<(T, Bytes), BusError> {
    let said = message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(header))
        .ok_or_else(|| BusError::Garbled(format!("no {header} header")))?;
    Ok((settle(said.as_str().as_bytes())?, message.payload))
}

fn settle<T: DeserializeOwned>(json: &[u8]) -> Result<T, BusError> {
    match serde_json::from_slice(json).map_err(|error| BusError::Garbled(error.to_string()))? {
        Reply::Ok(value) => Ok(value),
        Reply::Err(error) => Err(BusError::Refused(error)),
    }
}
