//! Cameras' credentials: asked for when their revision changes, kept for when nobody answers.
//!
//! They are asked for as soon as a plan names them, not when a window opens: nobody may answer then.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wire::NodeId;
use wire::bus::{CredentialsReply, CredentialsRequest, NodeRequestKind};
use wire::plan::{Plan, PlanEntry};
use wire::source::Credentials;

use super::{Link, request};
use crate::db::{Db, settings};

/// What could not be had is asked for again after this, while nothing else happens.
const AGAIN: Duration = Duration::from_secs(30);

/// Where supervisors get credentials.
#[derive(Clone)]
pub struct Secrets {
    db: Db,
    link: Link,
    node: NodeId,
}

impl Secrets {
    /// From this database, or else from the control plane.
    #[must_use]
    pub fn new(db: Db, link: Link, node: NodeId) -> Self {
        Self { db, link, node }
    }

    /// What this entry's camera asks for; older ones when the new ones cannot be had.
    ///
    /// # Errors
    /// One sentence when the camera asks for some and none are known.
    pub async fn get(&self, entry: &PlanEntry) -> Result<Option<Credentials>, String> {
        if !entry.has_credentials {
            return Ok(None);
        }
        match self.kept(entry).await {
            Some((revision, credentials)) if revision == entry.credentials_revision => Ok(credentials),
            cached => self.ask(entry, cached.map(|(_, credentials)| credentials)).await,
        }
    }

    async fn kept(&self, entry: &PlanEntry) -> Option<(u64, Option<Credentials>)> {
        let camera = entry.camera;
        let cached = self
            .db
            .call(move |c| settings::cached_credentials(c, camera))
            .await;
        cached.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read credentials");
            None
        })
    }

    /// Whether all that the plan's cameras ask for is kept now.
    async fn have(&self, plan: &Plan) -> bool {
        let mut all = true;
        for entry in plan.entries.iter().filter(|entry| entry.has_credentials) {
            let _ = self.get(entry).await;
            let kept = self.kept(entry).await;
            all &= kept.is_some_and(|(revision, _)| revision >= entry.credentials_revision);
        }
        all
    }

    /// Gets what the cameras of each plan ask for, also when the bus returns, until `stop`.
    pub async fn follow(self, mut plans: watch::Receiver<Option<Plan>>, stop: CancellationToken) {
        let mut connections = self.link.epochs();
        loop {
            connections.mark_unchanged();
            let plan = plans.borrow_and_update().clone();
            let has_all = match (&plan, self.link.client()) {
                (Some(plan), Some(_)) => self.have(plan).await,
                _ => true,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = plans.changed() => if changed.is_err() {
                    return;
                },
                changed = connections.changed() => if changed.is_err() {
                    return;
                },
                () = tokio::time::sleep(AGAIN), if !has_all => {}
            }
        }
    }

    async fn ask(
        &self,
        entry: &PlanEntry,
        older: Option<Option<Credentials>>,
    ) -> Result<Option<Credentials>, String> {
        let camera = entry.camera;
        let question = CredentialsRequest { camera };
        match request::<_, CredentialsReply>(&self.link, self.node, NodeRequestKind::Credentials, &question)
            .await
        {
            Ok(reply) => {
                let (revision, kept) = (reply.revision, reply.credentials.clone());
                let put = move |c: &mut diesel::SqliteConnection| {
                    settings::put_credentials(c, camera, revision, kept.as_ref())
                };
                if let Err(error) = self.db.call(put).await {
                    tracing::error!(%error, "cannot keep credentials");
                }
                Ok(reply.credentials)
            }
            Err(error) => older.ok_or_else(|| format!("the camera's credentials are not known yet: {error}")),
        }
    }
}
