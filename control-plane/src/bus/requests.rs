//! Requests of nodes: decodes, calls the use case, encodes.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context;
use async_nats::{Client, Message};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wire::NodeId;
use wire::bus::{
    NodeRequestKind, REQUEST_GROUP, REQUEST_SUBJECTS, Reply, ReplyCode, ReplyError, TokenRequest,
};

use crate::AppState;
use crate::app::{node_token, requests};
use crate::state::now;

/// Where the bus takes answers to another account.
const FROM_NODES: &str = "_R_.";
/// Requests answered at once; the others wait in the client's buffer.
const AT_ONCE: usize = 64;

/// Answers until the connection closes.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn run(state: AppState, client: Client) -> anyhow::Result<()> {
    let mut messages = client
        .queue_subscribe(REQUEST_SUBJECTS, REQUEST_GROUP.to_owned())
        .await
        .context("subscribing to requests")?;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    while let Some(message) = messages.next().await {
        let turn = Arc::clone(&turns).acquire_owned().await?;
        let (state, client) = (state.clone(), client.clone());
        running.spawn(async move {
            let _turn = turn;
            serve(&state, &client, message).await;
        });
        while running.try_join_next().is_some() {}
    }
    Ok(())
}

async fn serve(state: &AppState, client: &Client, message: Message) {
    let Some(reply) = message.reply.clone() else {
        return;
    };
    // An answer goes with our rights. What came from the nodes' account goes back to it, wherever the node
    // wants its answer.
    if !reply.starts_with(FROM_NODES) {
        tracing::warn!(subject = %message.subject, %reply, "a request that no node made");
        return;
    }
    let answer = answer(state, &message).await;
    if let Err(error) = client.publish(reply, answer).await {
        tracing::debug!(%error, "an answer was not sent");
    }
}

async fn answer(state: &AppState, message: &Message) -> Bytes {
    let body = &message.payload;
    let parsed = parse(&message.subject);
    if let Some((node, _)) = parsed
        && let Err(refusal) = requests::known(state, node).await
    {
        return encode::<()>(Err(refusal));
    }
    match parsed {
        Some((node, NodeRequestKind::Confirm)) => call(body, |r| requests::confirm(state, node, r)).await,
        Some((node, NodeRequestKind::Upload)) => {
            call(body, |r| requests::upload(state, node, r, now())).await
        }
        Some((node, NodeRequestKind::Stored)) => call(body, |r| requests::stored(state, node, r)).await,
        Some((node, NodeRequestKind::Credentials)) => {
            call(body, |r| requests::credentials(state, node, r)).await
        }
        Some((node, NodeRequestKind::Token)) => {
            call(body, |r: TokenRequest| node_token::renew(state, node, r, now())).await
        }
        None => encode::<()>(Err(invalid("no such request".to_owned()))),
    }
}

/// `cc.req.<node>.<request>`.
fn parse(subject: &str) -> Option<(NodeId, NodeRequestKind)> {
    let mut tokens = subject.split('.').skip(2);
    let node = tokens.next()?.parse().ok()?;
    Some((node, NodeRequestKind::from_token(tokens.next()?)?))
}

async fn call<Q, A, F>(body: &[u8], handle: impl FnOnce(Q) -> F) -> Bytes
where
    Q: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, ReplyError>>,
{
    match serde_json::from_slice(body) {
        Ok(request) => encode(handle(request).await),
        Err(error) => encode::<A>(Err(invalid(format!("the request cannot be read: {error}")))),
    }
}

fn invalid(detail: String) -> ReplyError {
    ReplyError {
        code: ReplyCode::Invalid,
        detail,
    }
}

fn encode<A: Serialize>(result: Result<A, ReplyError>) -> Bytes {
    let reply = match result {
        Ok(value) => Reply::Ok(value),
        Err(error) => Reply::Err(error),
    };
    serde_json::to_vec(&reply).unwrap_or_default().into()
}
