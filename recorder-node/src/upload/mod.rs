//! Brings indexed objects to the store: a signed URL, asked for late; PUT; then the control plane verifies.
//!
//! The node holds no credential of the store. An object counts as stored only when the control plane has read
//! length and digest back. Oldest first, a few at a time; a store that fails is left alone for a while.

mod breaker;
mod put;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::bus::{NodeRequestKind, ReplyCode, StoredReply, StoredRequest, UploadReply, UploadRequest};
use wire::coverage::GapCause;
use wire::{NodeId, ObjectId};

use crate::bus::{Link, RequestError, request};
use crate::db::objects::ObjectRow;
use crate::db::{Db, objects};
use crate::spool::Layout;
use crate::spool::commit::Signals;
use crate::spool::space::replace_by_gap;
use breaker::Breaker;
use put::PutError;

const IDLE: Duration = Duration::from_secs(5);

/// Why an object is not stored yet.
#[derive(Debug, thiserror::Error)]
enum UploadError {
    /// Bus, control plane or store are not there.
    #[error("{0}")]
    Unavailable(String),
    /// The store refuses this object, or the control plane did not find it whole.
    #[error("{0}")]
    Object(String),
    /// The file is gone.
    #[error("the file is gone")]
    Missing,
}

impl From<RequestError> for UploadError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refusal) if refusal.code != ReplyCode::Unavailable => {
                Self::Object(refusal.to_string())
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// What uploads.
#[derive(Clone)]
pub struct Uploader {
    /// This node.
    pub node: NodeId,
    /// Rows.
    pub db: Db,
    /// Files.
    pub layout: Layout,
    /// To the control plane.
    pub link: Link,
    /// Objects on their way at the same time.
    pub concurrency: usize,
    /// Woken when gaps were written.
    pub signals: Arc<Signals>,
}

impl Uploader {
    /// Uploads until `stop`; `wake` says that there may be more to do.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub async fn run(self, wake: Arc<Notify>, stop: CancellationToken) -> anyhow::Result<()> {
        let http = put::client()?;
        let mut breaker = Breaker::default();
        let mut busy: BTreeSet<ObjectId> = BTreeSet::new();
        // Objects that failed by themselves wait a round, so that they do not hold up the others.
        let mut deferred: BTreeSet<ObjectId> = BTreeSet::new();
        let mut tasks: JoinSet<(ObjectId, Result<(), UploadError>)> = JoinSet::new();
        loop {
            let room = breaker.width(self.concurrency).saturating_sub(tasks.len());
            if room > 0 && self.link.client().is_some() {
                for row in self.next(&busy, &deferred, room).await {
                    busy.insert(row.id);
                    let (uploader, http) = (self.clone(), http.clone());
                    tasks.spawn(async move { (row.id, uploader.upload(&http, &row).await) });
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = wake.notified() => {}
                () = tokio::time::sleep(breaker.pause().unwrap_or(IDLE)) => deferred.clear(),
                Some(done) = tasks.join_next() => match done {
                    Ok((id, result)) => {
                        busy.remove(&id);
                        if matches!(&result, Err(UploadError::Object(_))) {
                            deferred.insert(id);
                        }
                        note(id, &result, &mut breaker);
                    }
                    Err(error) => {
                        tracing::error!(%error, "an upload panicked");
                        busy.clear();
                        tasks.abort_all();
                        breaker.failed();
                    }
                },
            }
        }
    }

    async fn next(
        &self,
        busy: &BTreeSet<ObjectId>,
        deferred: &BTreeSet<ObjectId>,
        room: usize,
    ) -> Vec<ObjectRow> {
        let skip: Vec<ObjectId> = busy.iter().chain(deferred).copied().take(500).collect();
        let limit = i64::try_from(room).unwrap_or(1);
        let rows = self.db.call(move |c| objects::to_upload(c, &skip, limit)).await;
        rows.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot look for uploads");
            Vec::new()
        })
    }

    async fn upload(&self, http: &reqwest::Client, row: &ObjectRow) -> Result<(), UploadError> {
        let result = self.put(http, row).await;
        if matches!(result, Err(UploadError::Missing)) {
            self.lost(row).await;
        }
        result
    }

    async fn put(&self, http: &reqwest::Client, row: &ObjectRow) -> Result<(), UploadError> {
        let path = self.layout.sealed(row.camera, row.id);
        let file = match tokio::fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(UploadError::Missing),
            Err(error) => return Err(UploadError::Object(format!("cannot read the file: {error}"))),
        };
        let question = UploadRequest { object: row.id };
        let place: UploadReply = request(&self.link, self.node, NodeRequestKind::Upload, &question).await?;
        match put::put(http, &place, file, row.bytes).await {
            Ok(()) => {}
            Err(PutError::Store(text)) => return Err(UploadError::Unavailable(text)),
            Err(PutError::Refused(text)) => return Err(UploadError::Object(text)),
        }
        let question = StoredRequest { object: row.id };
        let reply: StoredReply = request(&self.link, self.node, NodeRequestKind::Stored, &question).await?;
        if !reply.stored {
            return Err(UploadError::Object(
                "the store does not hold the whole object; again".to_owned(),
            ));
        }
        let id = row.id;
        let marked = self.db.call(move |c| objects::mark_stored(c, id)).await;
        marked.map_err(|error| UploadError::Unavailable(error.to_string()))
    }

    /// An indexed object has no file any more: its time is a gap.
    async fn lost(&self, row: &ObjectRow) {
        let (row, node) = (row.clone(), self.node);
        let done = self
            .db
            .call(move |c| {
                // It may have been deleted by policy meanwhile, with a gap of its own.
                if objects::find(c, row.id)?.is_none() {
                    return Ok(());
                }
                let detail = "the footage was lost from the recorder's disk before it was stored";
                replace_by_gap(c, &row, node, GapCause::Upload, detail)
            })
            .await;
        if let Err(error) = done {
            tracing::error!(%error, "cannot note a lost object");
        }
        self.signals.outbox.notify_one();
    }
}

fn note(id: ObjectId, result: &Result<(), UploadError>, breaker: &mut Breaker) {
    match result {
        Ok(()) => {
            if breaker.succeeded() {
                tracing::info!("uploads work again");
            }
            tracing::debug!(object = %id, "stored");
        }
        Err(UploadError::Unavailable(error)) => {
            if breaker.failed() {
                tracing::warn!(%error, "uploads wait");
            }
        }
        Err(error) => tracing::warn!(object = %id, %error, "not stored"),
    }
}
