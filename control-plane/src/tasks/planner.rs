//! Plans: recomputed when something changed and from time to time; written when they differ.
//!
//! `domain::plan` decides. Assignments and plans are committed first and then put on the bus; a put that
//! fails is repeated, because each run compares what the bus has with what was committed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::jetstream::{self, kv};
use tokio_util::sync::CancellationToken;
use wire::bus::PLAN_BUCKET;
use wire::plan::Plan;
use wire::{NodeId, UnixMs};

use crate::AppState;
use crate::app::cameras::source;
use crate::bus::setup;
use crate::domain::plan::{PlanCamera, PlanNode, Presence, decide};
use crate::state::now;
use crate::store::nodes::NodeRow;
use crate::store::{CameraRow, Connection, StoreError, cameras, nodes};

/// Between two looks at who is online.
const TICK: Duration = Duration::from_secs(5);
/// Between two runs without a reason: time alone moves the horizon.
const REGULARLY: Duration = Duration::from_secs(600);
/// After a run that failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long a node may be silent before its cameras move: longer than its restart.
const LOST_AFTER: Duration = Duration::from_secs(60);

/// Plans until `stop`.
pub async fn run(state: AppState, stop: CancellationToken) {
    let mut planner = Planner::default();
    loop {
        let pause = match planner.once(&state).await {
            Ok(()) => TICK,
            Err(error) => {
                if state.bus.client().is_ok() {
                    tracing::warn!(?error, "planning failed, trying again");
                }
                planner.planned = None;
                RETRY
            }
        };
        let woken = async {
            tokio::select! {
                () = state.replan.notified() => planner.planned = None,
                () = tokio::time::sleep(pause) => {}
            }
        };
        if stop.run_until_cancelled(woken).await.is_none() {
            return;
        }
    }
}

#[derive(Default)]
struct Planner {
    /// When each node was last seen online, or first found missing.
    seen: HashMap<NodeId, Instant>,
    presences: Vec<PlanNode>,
    planned: Option<Instant>,
}

impl Planner {
    async fn once(&mut self, state: &AppState) -> anyhow::Result<()> {
        let client = state.bus.client()?;
        let rows = state.store.read(nodes::all).await?;
        let present = self.presences(state, &rows, Instant::now());
        let is_due = self.planned.is_none_or(|at| at.elapsed() > REGULARLY);
        if !is_due && present == self.presences {
            return Ok(());
        }
        let decided = present.clone();
        let plans = state.store.write(move |c| commit(c, &decided, now())).await?;
        put(&jetstream::new(client), &plans).await?;
        self.presences = present;
        self.planned = Some(Instant::now());
        Ok(())
    }

    fn presences(&mut self, state: &AppState, rows: &[NodeRow], now: Instant) -> Vec<PlanNode> {
        let mut presence = |id| {
            if state.nodes.online(id).is_some() {
                self.seen.insert(id, now);
                return Presence::Online;
            }
            // A node that was never seen by this process gets as long to report.
            let since = *self.seen.entry(id).or_insert(now);
            if now.saturating_duration_since(since) > LOST_AFTER {
                Presence::Lost
            } else {
                Presence::Away
            }
        };
        rows.iter()
            .map(|row| PlanNode {
                id: row.id,
                organization: row.organization,
                presence: presence(row.id),
            })
            .collect()
    }
}

/// Decides and commits; every node's plan as it is now.
fn commit(connection: &mut Connection, present: &[PlanNode], now: UnixMs) -> Result<Vec<Plan>, StoreError> {
    let cameras = cameras::all(connection)?.into_iter().map(plan_camera).collect();
    let mut plans = nodes::plans(connection)?;
    let outcome = decide(cameras, present, &plans, now);
    for (camera, node, epoch) in outcome.assignments {
        tracing::info!(%camera, %node, epoch, "assigned a camera");
        cameras::assign(connection, camera, node, epoch, now)?;
    }
    for plan in outcome.changed {
        tracing::info!(node = %plan.node, revision = plan.revision, entries = plan.entries.len(), "planned");
        nodes::put_plan(connection, &plan)?;
        plans.retain(|kept| kept.node != plan.node);
        plans.push(plan);
    }
    Ok(plans)
}

fn plan_camera(row: CameraRow) -> PlanCamera {
    PlanCamera {
        id: row.id,
        organization: row.organization,
        source: source(&row),
        name: row.name,
        credentials_revision: row.credentials_revision,
        has_credentials: row.credentials.is_some(),
        recording: row.recording,
        node: row.node,
        epoch: row.epoch,
    }
}

/// Puts the plans that the bus does not have.
async fn put(jetstream: &jetstream::Context, plans: &[Plan]) -> anyhow::Result<()> {
    let bucket: kv::Store = setup::bucket(jetstream, PLAN_BUCKET)
        .await
        .context("the bucket of plans")?;
    for plan in plans {
        let key = plan.node.to_string();
        let body = serde_json::to_vec(plan)?;
        if bucket
            .get(key.as_str())
            .await?
            .is_none_or(|present| present != body)
        {
            bucket.put(key.as_str(), body.into()).await?;
        }
    }
    Ok(())
}
