//! The node's side of the bus: access, plan, status, heads, outbox, requests both ways.
//!
//! Everything here may fail for days: recording goes on from the database. Each task reads its work from the
//! database or from shared state and does it when the bus is there; nothing queues up in memory.

pub mod access;
pub mod credentials;
pub mod heads;
pub mod link;
pub mod outbox;
pub mod plan;
pub mod serve;
pub mod status;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::NodeId;
use wire::bus::{NodeRequestKind, Reply, ReplyError, request_subject};

pub use link::Link;

const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// Why a request to the control plane has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Bus or control plane are not there: ask again later.
    #[error("the control plane does not answer: {0}")]
    Unavailable(String),
    /// It answered that it will not.
    #[error(transparent)]
    Refused(#[from] ReplyError),
}

/// Asks the control plane.
///
/// # Errors
/// [`RequestError`]; never waits longer than five seconds.
pub async fn request<Q: Serialize, A: DeserializeOwned>(
    link: &Link,
    node: NodeId,
    kind: NodeRequestKind,
    question: &Q,
) -> Result<A, RequestError> {
    let unavailable = |text: String| RequestError::Unavailable(text);
    let client = link
        .client()
        .ok_or_else(|| unavailable("not connected".to_owned()))?;
    let payload = serde_json::to_vec(question).map_err(|error| unavailable(error.to_string()))?;
    let asked = client.request(request_subject(node, kind), payload.into());
    let message = tokio::time::timeout(REQUEST_LIMIT, asked)
        .await
        .map_err(|_| unavailable("no answer within 5 s".to_owned()))?
        .map_err(|error| unavailable(error.to_string()))?;
    match serde_json::from_slice::<Reply<A>>(&message.payload) {
        Ok(Reply::Ok(answer)) => Ok(answer),
        Ok(Reply::Err(error)) => Err(error.into()),
        Err(error) => Err(unavailable(format!("the answer cannot be read: {error}"))),
    }
}
