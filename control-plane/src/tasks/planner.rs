//! Plans: recomputed when something changed and from time to time; written when they differ.
//!
//! `domain::plan` decides. Assignments and plans are committed first and then put on the bus; a put that
//! fails is repeated, because each run compares what the bus has with what was committed. What the ledger
//! says of cameras that may not be recorded is committed with the plans that leave them out.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::jetstream::{self, kv};
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use wire::api::OrganizationState;
use wire::bus::PLAN_BUCKET;
use wire::coverage::GapCause;
use wire::plan::Plan;
use wire::{AuditId, CameraId, NodeId, OrganizationId, UnixMs};

use super::lease::write;
use crate::AppState;
use crate::app::cameras::source;
use crate::bus::setup;
use crate::domain::hold::{self, Change};
use crate::domain::licence::Permit;
use crate::domain::plan::{PlanCamera, PlanNode, Presence, decide};
use crate::state::now;
use crate::store::holds::RecordingRule;
use crate::store::lease::Grant;
use crate::store::licences::LicenceRow;
use crate::store::nodes::NodeRow;
use crate::store::{CameraRow, Connection, StoreError, audit, cameras, erasures, holds, licences, nodes};

/// Between two looks at who is online.
const TICK: Duration = Duration::from_secs(5);
/// Between two runs without a reason: time alone moves the horizon.
const REGULARLY: Duration = Duration::from_secs(600);
/// After a run that failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long a node may be silent before its cameras move: longer than its restart.
const LOST_AFTER: Duration = Duration::from_secs(60);

/// Plans until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    let mut planner = Planner::default();
    loop {
        let pause = match planner.once(&state, &grant).await {
            Ok(()) => planner.until_next_change(now()).min(TICK),
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
    /// The newest entry of the audit log before the last run: every change has one, also when the wake
    /// that tells of it was lost.
    change: Option<AuditId>,
    planned: Option<Instant>,
    /// When a camera's permission to record begins or ends next.
    next_change: Option<UnixMs>,
}

impl Planner {
    fn until_next_change(&self, now: UnixMs) -> Duration {
        let ms = self.next_change.map(|at| at.since(now).max(1).unsigned_abs());
        ms.map_or(Duration::MAX, Duration::from_millis)
    }

    async fn once(&mut self, state: &AppState, grant: &Grant) -> anyhow::Result<()> {
        let client = state.bus.client()?;
        let look = |c: &mut Connection| Ok((nodes::all(c)?, audit::newest(c)?));
        let (rows, change) = state.store.read(look).await?;
        let present = self.presences(state, &rows, Instant::now());
        let is_due = self.planned.is_none_or(|at| at.elapsed() > REGULARLY)
            || self.next_change.is_some_and(|at| at <= now());
        if !is_due && present == self.presences && change == self.change {
            return Ok(());
        }
        let decided = present.clone();
        let (plans, next_change) = write(&state.store, grant, move |c| commit(c, &decided, now())).await?;
        self.next_change = next_change;
        put(&jetstream::new(client), &plans).await?;
        self.presences = present;
        self.change = change;
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

/// Decides and commits; every node's plan as it is now, and when a permission changes next.
fn commit(
    connection: &mut Connection,
    present: &[PlanNode],
    now: UnixMs,
) -> Result<(Vec<Plan>, Option<UnixMs>), StoreError> {
    let cameras = plan_cameras(connection)?;
    let kept = nodes::plans(connection)?;
    let open = erasures::unfinished(connection)?;
    let outcome = decide(cameras.clone(), present, &open, &kept, now);
    for (camera, node, epoch) in outcome.assignments {
        tracing::info!(%camera, %node, epoch, "assigned a camera");
        cameras::assign(connection, camera, node, epoch, now)?;
    }
    let mut plans = kept.clone();
    for plan in outcome.changed {
        tracing::info!(node = %plan.node, revision = plan.revision, entries = plan.entries.len(), "planned");
        nodes::put_plan(connection, &plan)?;
        plans.retain(|kept| kept.node != plan.node);
        plans.push(plan);
    }
    let open = holds::all_open(connection)?;
    for change in hold::changes(&cameras, &open, &kept, &plans, now) {
        match change {
            Change::Open { organization, hold } => {
                tracing::info!(camera = %hold.camera, cause = ?hold.cause, "held a camera back");
                holds::open(connection, organization, &hold)?;
            }
            Change::Close { hold, end } => holds::close(connection, &hold, end)?,
        }
    }
    Ok((plans, outcome.next_change))
}

/// Every camera with what it may do.
fn plan_cameras(connection: &mut Connection) -> Result<Vec<PlanCamera>, StoreError> {
    let rules = holds::rules(connection)?.into_iter();
    let rules: HashMap<OrganizationId, RecordingRule> = rules.map(|rule| (rule.organization, rule)).collect();
    let licences = licences::all_assigned(connection)?.into_iter();
    let licences: HashMap<CameraId, LicenceRow> = licences
        .filter_map(|licence| Some((licence.camera?, licence)))
        .collect();
    let cameras = cameras::all(connection)?.into_iter();
    let planned = cameras.map(|row| {
        let permit = permit(rules.get(&row.organization), licences.get(&row.id));
        plan_camera(row, permit)
    });
    Ok(planned.collect())
}

/// When a camera may be recorded, and what is said of the other time.
fn permit(rule: Option<&RecordingRule>, licence: Option<&LicenceRow>) -> (Permit, GapCause) {
    let permit = match rule {
        Some(rule) if rule.state != OrganizationState::Active => return (Permit::Never, GapCause::Operator),
        Some(rule) if rule.needs_licences => {
            Permit::of(licence.map(|licence| (&licence.validity, licence.plan.features.as_slice())))
        }
        _ => Permit::Always,
    };
    (permit, GapCause::Unlicensed)
}

fn plan_camera(row: CameraRow, (permit, denied): (Permit, GapCause)) -> PlanCamera {
    PlanCamera {
        id: row.id,
        organization: row.organization,
        source: source(&row),
        name: row.name,
        credentials_revision: row.credentials_revision,
        has_credentials: row.credentials.is_some(),
        recording: row.recording,
        permit,
        denied,
        node: row.node,
        epoch: row.epoch,
    }
}

/// Puts the plans that the bus does not have. One that is newer there stays: it was put by whoever planned
/// after us.
pub(super) async fn put(jetstream: &jetstream::Context, plans: &[Plan]) -> anyhow::Result<()> {
    let bucket: kv::Store = setup::bucket(jetstream, PLAN_BUCKET)
        .await
        .context("the bucket of plans")?;
    for plan in plans {
        put_one(&bucket, plan).await?;
    }
    Ok(())
}

async fn put_one(bucket: &kv::Store, plan: &Plan) -> anyhow::Result<()> {
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
