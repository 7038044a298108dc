//! Announces what the outbox holds, and forgets it when the index has confirmed.
//!
//! Publishing is pipelined and idempotent by `Nats-Msg-Id`. JetStream's ack is not the end: only the index's
//! confirmation lets a row go. What is still unknown half a minute after publishing is published again.
//!
//! After a new connection the plan comes first, for a moment: what was erased while the node was cut off is
//! not announced.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream;
use async_nats::jetstream::context::PublishAckFuture;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::bus::{ConfirmReply, ConfirmRequest, NodeRequestKind, event_subject};

use super::{Link, request};
use crate::db::outbox::Pending;
use crate::db::{Db, outbox};
use crate::spool::commit::Signals;
use crate::spool::heads::Heads;
use crate::spool::now;

const BATCH: i64 = 200;
const CONFIRM_BATCH: i64 = 500;
const CONFIRM_INTERVAL: Duration = Duration::from_secs(2);
const STALE_MS: i64 = 30_000;
const PLAN_LIMIT: Duration = Duration::from_secs(5);
const ACK_LIMIT: Duration = Duration::from_secs(10);

/// What drains the outbox.
#[derive(Clone)]
pub struct Drain {
    /// This node.
    pub node: NodeId,
    /// The rows.
    pub db: Db,
    /// To the bus.
    pub link: Link,
    /// Confirmed objects leave the heads.
    pub heads: Arc<Heads>,
    /// Confirmed objects can be uploaded.
    pub uploads: Arc<Notify>,
    /// The last connection whose plan's erasures were carried out.
    pub erased: watch::Receiver<u64>,
}

impl Drain {
    /// Publishes until `stop`, woken by commits and new connections.
    pub async fn publish(self, signals: Arc<Signals>, stop: CancellationToken) {
        let mut epochs = self.link.epochs();
        let mut said = false;
        let mut waited_for = 0;
        loop {
            let epoch = *epochs.borrow_and_update();
            if epoch > waited_for {
                let mut erased = self.erased.clone();
                let caught_up = erased.wait_for(|done| *done >= epoch);
                // A bus without a plan must not keep events back: the index refuses what is erased.
                let _ = tokio::time::timeout(PLAN_LIMIT, caught_up).await;
                waited_for = epoch;
            }
            let pause = match self.publish_due().await {
                Ok(true) => continue,
                Ok(false) => {
                    said = false;
                    CONFIRM_INTERVAL
                }
                Err(error) => {
                    // The link itself says when it is down.
                    let down = self.link.client().is_none();
                    if !down && !std::mem::replace(&mut said, true) {
                        tracing::warn!(%error, "events wait in the outbox");
                    }
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = signals.outbox.notified() => {}
                _ = epochs.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Publishes one batch; true when there may be more.
    ///
    /// # Errors
    /// One sentence; what was not acknowledged stays due.
    pub async fn publish_due(&self) -> Result<bool, String> {
        let stale = now().plus(-STALE_MS);
        let rows = self
            .db
            .call(move |c| outbox::due(c, stale, BATCH))
            .await
            .map_err(|e| e.to_string())?;
        if rows.is_empty() {
            return Ok(false);
        }
        let client = self.link.client().ok_or("not connected")?;
        let context = jetstream::new(client);
        let subject = event_subject(self.node);
        let mut acks: Vec<(i64, PublishAckFuture)> = Vec::with_capacity(rows.len());
        for Pending {
            seq,
            message,
            payload,
        } in rows
        {
            let mut headers = HeaderMap::new();
            headers.insert(async_nats::header::NATS_MESSAGE_ID, message.as_str());
            let sent = context
                .publish_with_headers(subject.clone(), headers, payload.into())
                .await;
            acks.push((seq, sent.map_err(|error| error.to_string())?));
        }
        let mut published = Vec::with_capacity(acks.len());
        let mut failed = None;
        for (seq, ack) in acks {
            match tokio::time::timeout(ACK_LIMIT, async { ack.await }).await {
                Ok(Ok(_)) => published.push(seq),
                Ok(Err(error)) => failed = Some(error.to_string()),
                Err(_) => failed = Some("no acknowledgement within 10 s".to_owned()),
            }
            if failed.is_some() {
                break;
            }
        }
        let full = published.len() as i64 == BATCH;
        let at = now();
        self.db
            .call(move |c| outbox::mark_published(c, &published, at))
            .await
            .map_err(|e| e.to_string())?;
        failed.map_or(Ok(full), Err)
    }

    /// Asks for confirmations until `stop`.
    pub async fn confirm(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(CONFIRM_INTERVAL) => {}
            }
            if let Err(error) = self.confirm_all().await {
                tracing::debug!(%error, "no confirmations");
            }
        }
    }

    /// Asks once about everything that was published.
    ///
    /// # Errors
    /// One sentence when nobody answers.
    pub async fn confirm_all(&self) -> Result<(), String> {
        let mut after = 0;
        loop {
            let asked = self
                .db
                .call(move |c| outbox::unconfirmed(c, after, CONFIRM_BATCH))
                .await;
            let asked = asked.map_err(|error| error.to_string())?;
            let Some((last, _)) = asked.last() else {
                return Ok(());
            };
            after = *last;
            let question = ConfirmRequest {
                messages: asked.into_iter().map(|(_, message)| message).collect(),
            };
            let reply: ConfirmReply = request(&self.link, self.node, NodeRequestKind::Confirm, &question)
                .await
                .map_err(|error| error.to_string())?;
            self.take(reply).await.map_err(|error| error.to_string())?;
        }
    }

    async fn take(&self, reply: ConfirmReply) -> Result<(), crate::db::DbError> {
        for (message, reason) in &reply.refused {
            tracing::error!(%message, %reason, "the index refused an event for good");
        }
        if reply.committed.is_empty() && reply.refused.is_empty() {
            return Ok(());
        }
        let done = self
            .db
            .call(move |c| {
                let mut done = outbox::confirm(c, &reply.committed)?;
                for (message, _) in &reply.refused {
                    done.extend(outbox::refuse(c, message)?);
                }
                Ok(done)
            })
            .await?;
        self.heads.forget(&done);
        self.uploads.notify_one();
        Ok(())
    }
}
