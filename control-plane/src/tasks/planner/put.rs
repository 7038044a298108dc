//! Puts plans on the bus, those that it does not have.

use std::collections::HashMap;

use anyhow::Context;
use async_nats::jetstream::{self, kv};
use bytes::Bytes;
use wire::NodeId;
use wire::bus::PLAN_BUCKET;
use wire::plan::Plan;

use crate::bus::setup;

/// What the bus has, as far as is known here.
#[derive(Default)]
pub(super) struct Put {
    revisions: HashMap<NodeId, u64>,
}

impl Put {
    /// Asks the bus again what it has.
    pub(super) fn verify(&mut self) {
        self.revisions.clear();
    }

    /// Puts the plans that the bus does not have.
    ///
    /// # Errors
    /// What failed, for the log: some may have been put.
    pub(super) async fn plans(
        &mut self,
        jetstream: &jetstream::Context,
        replicas: usize,
        plans: &[Plan],
    ) -> anyhow::Result<()> {
        let is_new = |plan: &&Plan| self.revisions.get(&plan.node) != Some(&plan.revision);
        let new: Vec<&Plan> = plans.iter().filter(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let bucket = setup::bucket(jetstream, PLAN_BUCKET, replicas)
            .await
            .context("the bucket of plans")?;
        for plan in new {
            put(&bucket, plan).await?;
            self.revisions.insert(plan.node, plan.revision);
        }
        Ok(())
    }
}

/// Puts plans that the bus does not have, whatever is known of it.
///
/// # Errors
/// As [`Put::plans`].
pub(in crate::tasks) async fn all(
    jetstream: &jetstream::Context,
    replicas: usize,
    plans: &[Plan],
) -> anyhow::Result<()> {
    Put::default().plans(jetstream, replicas, plans).await
}

/// Puts a plan. One that is newer on the bus stays: it was put by whoever planned after us.
async fn put(bucket: &kv::Store, plan: &Plan) -> anyhow::Result<()> {
    let key = plan.node.to_string();
    let body: Bytes = serde_json::to_vec(plan)?.into();
    loop {
        let Some(entry) = bucket.entry(key.as_str()).await? else {
            match bucket.create(key.as_str(), body.clone()).await {
                Err(error) if error.kind() == kv::CreateErrorKind::AlreadyExists => continue,
                made => return made.map(drop).context("a new plan"),
            }
        };
        if entry.operation == kv::Operation::Put && (entry.value == body || is_newer(&entry.value, plan)) {
            return Ok(());
        }
        // Only in the place of what was read.
        match bucket.update(key.as_str(), body.clone(), entry.revision).await {
            Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => {}
            put => return put.map(drop).context("a plan"),
        }
    }
}

fn is_newer(present: &[u8], plan: &Plan) -> bool {
    serde_json::from_slice::<Plan>(present).is_ok_and(|present| present.revision > plan.revision)
}
