//! Plans: recomputed when something changed and from time to time; written when they differ.
//!
//! `domain::plan` decides. Assignments and plans are committed first (`commit`), one organization at a time,
//! and then put on the bus (`put`); a put that fails is repeated. A change is looked at once, at once, and
//! only in its organization; changes that come while a run goes on are looked at together. What the ledger
//! says of cameras that may not be recorded is committed with the plans that leave them out.

mod commit;
mod put;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use tokio_util::sync::CancellationToken;
use wire::{AuditId, NodeId, OrganizationId, UnixMs};

use super::lease::write;
use crate::AppState;
use crate::app::presence::Watch;
use crate::bus::Scope;
use crate::domain::assign::{Node, Presence};
use crate::domain::plan::horizon;
use crate::state::now;
use crate::store::lease::Grant;
use crate::store::{Connection, assignments, audit, holds};
use put::Put;
pub(super) use put::all as put_all;

/// Between two looks at who reports.
const TICK: Duration = Duration::from_millis(500);
/// Between two looks at which nodes there are.
const NODES: Duration = Duration::from_secs(5);
/// Between two runs over everything without a reason.
const REGULARLY: Duration = Duration::from_secs(600);
/// After a run that failed.
const RETRY: Duration = Duration::from_secs(1);
/// Between two runs at least.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two looks at a camera that is on its way from one node to another, in milliseconds.
const MOVING_MS: i64 = 500;
/// Between two moves of an organization's cameras for the sake of the load.
const REBALANCED: Duration = Duration::from_secs(60);

/// Plans until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    let mut planner = Planner::default();
    loop {
        let started = Instant::now();
        let pause = match planner.once(&state, &grant).await {
            Ok(()) => planner.until_next_change(now()).min(TICK),
            Err(error) => {
                if state.bus.client().is_ok() {
                    tracing::warn!(?error, "planning failed, trying again");
                }
                planner.after_failure();
                RETRY
            }
        };
        // However often something changes, half of the time is left for others.
        let rest = started.elapsed().max(PAUSE).min(RETRY);
        let woken = async {
            tokio::select! {
                () = state.replan.notified() => tokio::time::sleep_until((started + rest).into()).await,
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
    watch: Watch,
    /// What is still to be looked at.
    pending: Scope,
    nodes: Vec<(NodeId, OrganizationId, Option<Presence>)>,
    /// The newest entry of the audit log at the last look.
    change: Option<AuditId>,
    /// When the last look was.
    read: Option<Instant>,
    /// When everything was last looked at, and how far plans reached.
    full: Option<(Instant, UnixMs)>,
    /// When an organization is to be looked at again.
    next: BTreeMap<OrganizationId, UnixMs>,
    rebalanced: HashMap<OrganizationId, Instant>,
    put: Put,
}

impl Planner {
    fn until_next_change(&self, now: UnixMs) -> Duration {
        let next = self.next.values().min();
        let ms = next.map(|at| at.since(now).max(1).unsigned_abs());
        ms.map_or(Duration::MAX, Duration::from_millis)
    }

    fn after_failure(&mut self) {
        self.pending = Scope::All;
        self.put = Put::default();
    }

    async fn once(&mut self, state: &AppState, grant: &Grant) -> anyhow::Result<()> {
        let client = state.bus.client()?;
        self.watch.look(state, &client);
        self.pending.add(state.replan.take());
        if state.replan.take_nodes() || self.read.is_none_or(|at| at.elapsed() > NODES) {
            self.read(state).await?;
        }
        self.look_at_presences();
        let now = now();
        let is_due = |(at, reach): (Instant, UnixMs)| at.elapsed() > REGULARLY || reach != horizon(now);
        if self.full.is_none_or(is_due) {
            self.pending.add(Scope::All);
        }
        let due = self.next.iter().filter(|(_, at)| **at <= now);
        let due = due.map(|(organization, _)| *organization).collect();
        self.pending.add(Scope::Only(due));
        if self.pending.is_empty() {
            return Ok(());
        }
        let organizations = match &self.pending {
            Scope::Only(some) => some.iter().copied().collect(),
            Scope::All => {
                self.put.verify();
                state.store.read(holds::organizations).await?
            }
        };
        let jetstream = jetstream::new(client);
        for organization in organizations {
            self.plan(state, grant, &jetstream, organization).await?;
        }
        if self.pending == Scope::All {
            self.full = Some((Instant::now(), horizon(now)));
        }
        self.pending = Scope::default();
        Ok(())
    }

    /// Plans for one organization: commits, then puts.
    async fn plan(
        &mut self,
        state: &AppState,
        grant: &Grant,
        jetstream: &jetstream::Context,
        organization: OrganizationId,
    ) -> anyhow::Result<()> {
        let may_rebalance = self
            .rebalanced
            .get(&organization)
            .is_none_or(|at| at.elapsed() > REBALANCED);
        let watch = self.watch.clone();
        let now = now();
        let decide = move |c: &mut Connection| commit::commit(c, organization, &watch, may_rebalance, now);
        let done = write(&state.store.patient(), grant, decide).await?;
        if done.rebalanced {
            self.rebalanced.insert(organization, Instant::now());
        }
        let again = [
            done.next_change,
            done.is_moving.then(|| now.plus(MOVING_MS)),
            done.rebalanced
                .then(|| now.plus(REBALANCED.as_millis() as i64 + MOVING_MS)),
        ];
        match again.into_iter().flatten().min() {
            Some(at) => self.next.insert(organization, at),
            None => self.next.remove(&organization),
        };
        let replicas = state.config.bus.replicas;
        self.put.plans(jetstream, replicas, &done.plans).await
    }

    /// Which nodes there are, and where something was changed since the last look: every change has an
    /// entry in the audit log, also when the wake that tells of it was lost.
    async fn read(&mut self, state: &AppState) -> anyhow::Result<()> {
        let before = self.change;
        let look = move |c: &mut Connection| {
            let changed = audit::organizations_since(c, before)?;
            Ok((assignments::nodes(c, None)?, audit::newest(c)?, changed))
        };
        let (nodes, newest, changed) = state.store.read(look).await?;
        self.change = newest;
        self.pending.add(Scope::Only(changed));
        let known: HashMap<NodeId, Option<Presence>> = self
            .nodes
            .iter()
            .map(|(id, _, presence)| (*id, *presence))
            .collect();
        let with_presence = |node: Node| {
            let presence = known.get(&node.id).copied().flatten();
            (node.id, node.organization, presence)
        };
        let there = nodes.into_iter().filter(|node| !node.is_removed);
        self.nodes = there.map(with_presence).collect();
        self.read = Some(Instant::now());
        Ok(())
    }

    /// Who came, is away, or is lost since the last look.
    fn look_at_presences(&mut self) {
        let at = Instant::now();
        for (node, organization, known) in &mut self.nodes {
            let presence = self.watch.presence(*node, at);
            if *known != Some(presence) {
                if known.is_some() && presence == Presence::Lost {
                    tracing::warn!(%node, "a node is lost");
                }
                *known = Some(presence);
                self.pending.add(Scope::Only([*organization].into()));
            }
        }
    }
}
