//! Brings indexed objects to the store: a signed URL, asked for late; PUT; then the control plane verifies.
//!
//! The node holds no credential of the store. An object counts as stored only when the control plane has read
//! length and digest back. Oldest first, a few at a time; a store that fails is left alone for a while.
//!
//! What the control plane does not know (any more) counts as refused by the index, which the spool's policy
//! deletes in the end (`spool::space`); what it holds already is verified at once; what fails by itself is
//! tried ever more seldom.

mod breaker;
mod later;
mod put;
#[cfg(test)]
mod tests;
mod under_way;
mod uplink;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::bus::{NodeRequestKind, ReplyCode, StoredReply, StoredRequest, UploadReply, UploadRequest};
use wire::coverage::GapCause;
use wire::{NodeId, ObjectId};

use crate::bus::{Link, RequestError, request};
use crate::config::Https;
use crate::db::objects::ObjectRow;
use crate::db::{Db, DbError, objects};
use crate::spool::Layout;
use crate::spool::commit::Signals;
use crate::spool::space::replace_by_gap;
use breaker::Breaker;
use later::Later;
use put::{Pace, PutError};
use under_way::Turn;
pub use under_way::UnderWay;
pub use uplink::Uplink;

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
    /// The control plane does not know the object: asking again is useless.
    #[error("{0}")]
    Unknown(String),
    /// The control plane says that the store has it already.
    #[error("{0}")]
    Stored(String),
    /// The file is gone.
    #[error("the file is gone")]
    Missing,
    /// The footage was deleted meanwhile.
    #[error("the footage was deleted meanwhile")]
    Deleted,
}

impl From<RequestError> for UploadError {
    fn from(error: RequestError) -> Self {
        let text = error.to_string();
        match error {
            RequestError::Refused(refusal) => match refusal.code {
                ReplyCode::NotFound => Self::Unknown(text),
                ReplyCode::Conflict => Self::Stored(text),
                ReplyCode::Invalid => Self::Object(text),
                ReplyCode::Unavailable => Self::Unavailable(text),
            },
            RequestError::Unavailable(_) => Self::Unavailable(text),
        }
    }
}

impl From<DbError> for UploadError {
    fn from(error: DbError) -> Self {
        Self::Unavailable(error.to_string())
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
    /// How the object store is trusted.
    pub https: Https,
    /// Objects on their way at the same time.
    pub concurrency: usize,
    /// Woken when gaps were written.
    pub signals: Arc<Signals>,
    /// What is on its way.
    pub under_way: Arc<UnderWay>,
    /// How fast it may go.
    pub uplink: Arc<Uplink>,
}

impl Uploader {
    /// Uploads until `stop`; `wake` says that there may be more to do.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub async fn run(self, wake: Arc<Notify>, stop: CancellationToken) -> anyhow::Result<()> {
        let http = put::client(&self.https)?;
        let mut breaker = Breaker::default();
        let mut later = Later::default();
        let mut tasks: JoinSet<(Turn, Result<(), UploadError>)> = JoinSet::new();
        loop {
            let room = breaker.width(self.concurrency).saturating_sub(tasks.len());
            if room > 0 && self.link.client().is_some() {
                for row in self.next(&later, room).await {
                    let (uploader, http) = (self.clone(), http.clone());
                    let turn = UnderWay::begin(&self.under_way, row.id);
                    tasks.spawn(async move {
                        let result = tokio::select! {
                            () = turn.broken_off() => Err(UploadError::Deleted),
                            result = uploader.upload(&http, &row) => result,
                        };
                        (turn, result)
                    });
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = wake.notified() => {}
                () = tokio::time::sleep(breaker.pause().unwrap_or(IDLE)) => {}
                Some(done) = tasks.join_next() => match done {
                    Ok((turn, result)) => {
                        let id = turn.id;
                        if matches!(&result, Err(UploadError::Object(_))) {
                            later.failed(id, Instant::now());
                        } else {
                            later.forget(id);
                        }
                        note(id, &result, &mut breaker);
                    }
                    Err(error) => {
                        tracing::error!(%error, "an upload panicked");
                        breaker.failed();
                    }
                },
            }
        }
    }

    async fn next(&self, later: &Later, room: usize) -> Vec<ObjectRow> {
        let busy = self.under_way.ids();
        let skip: Vec<ObjectId> = busy
            .into_iter()
            .chain(later.waiting(Instant::now()))
            .take(500)
            .collect();
        let limit = i64::try_from(room).unwrap_or(1);
        let rows = self.db.call(move |c| objects::to_upload(c, &skip, limit)).await;
        rows.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot look for uploads");
            Vec::new()
        })
    }

    async fn upload(&self, http: &reqwest::Client, row: &ObjectRow) -> Result<(), UploadError> {
        let id = row.id;
        // It may have been deleted between being found and being under way.
        let found = self.db.call(move |c| objects::find(c, id)).await;
        if found?.is_none() {
            return Err(UploadError::Deleted);
        }
        let result = match self.put(http, row).await {
            Ok(()) | Err(UploadError::Stored(_)) => self.verify(row).await,
            failed => failed,
        };
        match &result {
            Err(UploadError::Missing) => self.lost(row).await,
            Err(UploadError::Unknown(_)) => {
                let refused = self.db.call(move |c| objects::mark_refused(c, id)).await;
                refused?;
            }
            _ => {}
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
        let pace = Pace {
            under_way: self.under_way.clone(),
            uplink: self.uplink.clone(),
            side_by_side: self.concurrency,
        };
        match put::put(http, &place, file, row.bytes, pace).await {
            Ok(()) => Ok(()),
            Err(PutError::Store(text)) => Err(UploadError::Unavailable(text)),
            Err(PutError::Refused(text)) => Err(UploadError::Object(text)),
        }
    }

    async fn verify(&self, row: &ObjectRow) -> Result<(), UploadError> {
        let id = row.id;
        let question = StoredRequest { object: id };
        let reply: StoredReply = request(&self.link, self.node, NodeRequestKind::Stored, &question).await?;
        if !reply.stored {
            return Err(UploadError::Object(
                "the store does not hold the whole object; again".to_owned(),
            ));
        }
        self.db.call(move |c| objects::mark_stored(c, id)).await?;
        Ok(())
    }

    /// An indexed object has no file any more: its time is a gap.
    async fn lost(&self, row: &ObjectRow) {
        let (row, node) = (row.clone(), self.node);
        let done = self
            .db
            .call(move |c| {
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
        Err(UploadError::Deleted) => tracing::debug!(object = %id, "deleted while it was uploaded"),
        Err(error) => tracing::warn!(object = %id, %error, "not stored"),
    }
}
