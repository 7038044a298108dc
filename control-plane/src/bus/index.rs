//! The index consumer: pulls batches of events, commits them, then acknowledges.

use std::time::Duration;

use anyhow::{Context, anyhow};
use async_nats::jetstream::{self, AckKind, Message};
use tokio_stream::StreamExt;
use wire::NodeId;

use super::setup;
use crate::AppState;
use crate::app::index::{Incoming, Verdict, apply};
use crate::state::now;

/// Most events of one transaction.
const BATCH: usize = 256;
/// How long events are gathered for one transaction: each costs the disk a wait, however little is in it.
const GATHER: Duration = Duration::from_millis(100);
/// When a batch comes again that the database could not take.
const AGAIN: Duration = Duration::from_secs(2);

/// Consumes until something fails.
///
/// # Errors
/// What failed, for the log.
pub(super) async fn run(state: AppState, jetstream: jetstream::Context) -> anyhow::Result<()> {
    let consumer = setup::events(&jetstream, state.config.bus.replicas)
        .await
        .context("the event stream")?;
    let messages = consumer
        .stream()
        .max_messages_per_batch(BATCH)
        .expires(Duration::from_secs(20))
        .heartbeat(Duration::from_secs(5))
        .messages()
        .await?;
    let batches = messages.chunks_timeout(BATCH, GATHER);
    tokio::pin!(batches);
    while let Some(batch) = batches.next().await {
        let (messages, errors): (Vec<_>, Vec<_>) = batch.into_iter().partition(Result::is_ok);
        let messages: Vec<Message> = messages.into_iter().flatten().collect();
        take(&state, &messages).await?;
        if let Some(Err(error)) = errors.into_iter().next() {
            return Err(error.into());
        }
    }
    Ok(())
}

async fn take(state: &AppState, messages: &[Message]) -> anyhow::Result<()> {
    let batch: Vec<Incoming> = messages.iter().filter_map(incoming).collect();
    let taken = state
        .store
        .patient()
        .write(move |c| apply(c, &batch, now()))
        .await;
    let verdicts = match taken {
        Ok(verdicts) => verdicts,
        Err(error) => {
            for message in messages {
                acknowledge(message, AckKind::Nak(Some(AGAIN))).await;
            }
            return Err(error.into());
        }
    };
    let mut verdicts = verdicts.into_iter();
    for message in messages {
        let verdict = if node_of(message).is_some() {
            verdicts.next()
        } else {
            None
        };
        match verdict {
            Some(Verdict::Committed) => acknowledge(message, AckKind::Ack).await,
            Some(Verdict::Refused(reason)) => {
                tracing::warn!(subject = %message.subject, reason, "refused an event");
                acknowledge(message, AckKind::Term).await;
            }
            None => acknowledge(message, AckKind::Term).await,
        }
    }
    Ok(())
}

/// An unsent acknowledgement only means that the event comes again, which changes nothing.
async fn acknowledge(message: &Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(%error, "an acknowledgement was not sent");
    }
}

fn incoming(message: &Message) -> Option<Incoming> {
    Some(Incoming {
        node: node_of(message)?,
        message: message
            .headers
            .as_ref()
            .and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID))
            .map(ToString::to_string),
        event: serde_json::from_slice(&message.payload)
            .map_err(|error| anyhow!("the event cannot be read: {error}").to_string()),
    })
}

/// The last token of the subject, which the bus' permissions vouch for.
fn node_of(message: &Message) -> Option<NodeId> {
    message.subject.rsplit('.').next()?.parse().ok()
}
