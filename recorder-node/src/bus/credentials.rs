//! Cameras' credentials: asked for when their revision changes, kept for when nobody answers.

use wire::NodeId;
use wire::bus::{CredentialsReply, CredentialsRequest, NodeRequestKind};
use wire::plan::PlanEntry;
use wire::source::Credentials;

use super::{Link, request};
use crate::db::{Db, settings};

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
        let camera = entry.camera;
        let cached = self
            .db
            .call(move |c| settings::cached_credentials(c, camera))
            .await;
        let cached = cached.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read credentials");
            None
        });
        match cached {
            Some((revision, credentials)) if revision == entry.credentials_revision => Ok(credentials),
            cached => self.ask(entry, cached.map(|(_, credentials)| credentials)).await,
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
