//! Erases for good: doomed objects from the object store, organizations whose grace period is over.
//!
//! Rows go first and doom their objects in the same transaction; the bytes follow, however long the store
//! is away. Everything here may be done twice.

use std::time::Duration;

use async_nats::jetstream;
use futures::StreamExt;
use futures::stream;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use wire::api::ActorKind;
use wire::{OrganizationId, UnixMs};

use super::lease::write;
use super::planner;
use crate::AppState;
use crate::state::now;
use crate::store::audit::{self, AuditRow};
use crate::store::doomed::{self, DoomedRow};
use crate::store::facts::FactKind;
use crate::store::lease::Grant;
use crate::store::{Connection, StoreError, erase, facts, nodes, organizations};

/// Between two looks when nobody asks.
const TICK: Duration = Duration::from_secs(60);
/// After something that failed, at first; twice as long each time, up to [`TICK`].
const RETRY: Duration = Duration::from_secs(1);
/// Objects of one transaction.
const BATCH: u32 = 500;
/// Deletions at once.
const AT_ONCE: usize = 8;
/// Milliseconds after which nothing that was on its way into the object store can arrive any more: an
/// upload's address works for a quarter of an hour, and the upload itself takes its time.
const LATE_MS: i64 = 60 * 60 * 1000;

/// Erases until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    let turn = Turn {
        state: &state,
        grant: &grant,
        stop: &stop,
    };
    let mut pause = RETRY;
    loop {
        let outcome = once(&turn, pause).await;
        let wait = match outcome {
            Ok(true) => {
                pause = RETRY;
                TICK
            }
            Ok(false) => pause,
            Err(error) => {
                tracing::warn!(?error, "erasing failed, trying again");
                pause
            }
        };
        if wait < TICK {
            pause = (pause * 2).min(TICK);
        }
        let woken = async {
            tokio::select! {
                () = state.erase.notified() => pause = RETRY,
                () = tokio::time::sleep(wait) => {}
            }
        };
        if stop.run_until_cancelled(woken).await.is_none() {
            return;
        }
    }
}

/// What a round has.
struct Turn<'a> {
    state: &'a AppState,
    grant: &'a Grant,
    stop: &'a CancellationToken,
}

impl Turn<'_> {
    async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        write(&self.state.store, self.grant, f).await
    }
}

/// One round; whether nothing is left to be done now.
async fn once(turn: &Turn<'_>, pause: Duration) -> anyhow::Result<bool> {
    let mut done = true;
    for id in turn.state.store.read(|c| organizations::due(c, now())).await? {
        // One that cannot go yet, perhaps because its nodes cannot be told, holds nothing else up.
        done &= match organization(turn, id).await {
            Ok(gone) => gone,
            Err(error) => {
                tracing::warn!(organization = %id, ?error, "the organization is not erased yet, trying again");
                false
            }
        };
    }
    while let Some(id) = turn.state.store.read(erase::orphan).await? {
        if turn.stop.is_cancelled() {
            return Ok(false);
        }
        turn.write(move |c| erase::log(c, id, BATCH)).await?;
    }
    done &= objects(turn, pause).await?;
    Ok(done)
}

/// Erases an organization; whether it is gone.
async fn organization(turn: &Turn<'_>, id: OrganizationId) -> anyhow::Result<bool> {
    while turn.write(move |c| erase::footage(c, id, BATCH, now())).await? {
        if turn.stop.is_cancelled() {
            return Ok(false);
        }
    }
    if !withdrawn(turn.state, id).await? {
        return Ok(false);
    }
    let erased = turn.write(move |c| end(c, id, now())).await?;
    if erased {
        // Its nodes are not to stay on the bus for as long as their tokens live.
        turn.state.revoke.notify_one();
        tracing::info!(organization = %id, "erased an organization");
    }
    Ok(erased)
}

/// Whether no node is told to record the organization's cameras any more. What nodes are told outlives
/// the rows that it was computed from, so it has to be taken back first.
async fn withdrawn(state: &AppState, id: OrganizationId) -> anyhow::Result<bool> {
    let look = move |c: &mut Connection| {
        let own: Vec<_> = nodes::list(c, id)?.into_iter().map(|node| node.id).collect();
        Ok((nodes::plans(c, id)?, erase::cameras(c, id)?, own))
    };
    let (mut plans, cameras, own) = state.store.read(look).await?;
    let mut entries = plans.iter().flat_map(|plan| &plan.entries);
    if entries.any(|entry| cameras.contains(&entry.camera)) {
        state.replan.organization(id);
        return Ok(false);
    }
    plans.retain(|plan| own.contains(&plan.node));
    if !plans.is_empty() {
        let jetstream = jetstream::new(state.bus.client()?);
        planner::put_all(&jetstream, state.config.bus.replicas, &plans).await?;
    }
    Ok(true)
}

/// The last transaction; whether it was.
fn end(connection: &mut Connection, id: OrganizationId, now: UnixMs) -> Result<bool, StoreError> {
    let Some(row) = organizations::get(connection, id)? else {
        return Ok(true);
    };
    // More may have come in since.
    if row.life.erase_after.is_none_or(|at| at > now) || erase::footage(connection, id, BATCH, now)? {
        return Ok(false);
    }
    let Some(home) = organizations::of_owner(connection, id, row.erase_by)? else {
        return Err(StoreError::Broken(format!(
            "organization {id} is not erased: nobody would be left to run the platform"
        )));
    };
    // Before its own go, so that no number is given out twice.
    let body = json!({});
    facts::add(
        connection,
        home,
        FactKind::OrganizationErased,
        None,
        None,
        &body,
        now,
    )?;
    erase::rest(connection, id, now)?;
    let note = AuditRow {
        organization: home,
        actor_kind: row.erase_by.map_or(ActorKind::System, |_| ActorKind::User),
        actor: row.erase_by.map(|user| *user.as_bytes()),
        actor_name: None,
        address: None,
        request_id: None,
        action: "organization.erase".to_owned(),
        subject: id.to_string(),
        old_value: None,
        new_value: None,
    };
    audit::insert(connection, &note, now)?;
    Ok(true)
}

/// Deletes the objects that are due; whether all of them could be.
async fn objects(turn: &Turn<'_>, pause: Duration) -> anyhow::Result<bool> {
    loop {
        let rows = turn.state.store.read(|c| doomed::due(c, now(), BATCH)).await?;
        if rows.is_empty() {
            return Ok(true);
        }
        if turn.stop.is_cancelled() {
            return Ok(false);
        }
        let tried: Vec<(DoomedRow, bool)> = stream::iter(rows)
            .map(|row| delete(turn.state, row))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let failed = tried.iter().filter(|(_, gone)| !gone).count();
        turn.write(move |c| settle(c, &tried, pause, now())).await?;
        if failed > 0 {
            tracing::warn!(failed, "the object store did not delete objects, trying again");
            return Ok(false);
        }
    }
}

async fn delete(state: &AppState, row: DoomedRow) -> (DoomedRow, bool) {
    match state.objects.delete(&row.key).await {
        Ok(_) => (row, true),
        Err(error) => {
            tracing::debug!(%error, "an object was not deleted");
            (row, false)
        }
    }
}

/// Forgets what is gone for good; the rest is tried again: what failed soon, and what a late upload could
/// bring back when that is over.
fn settle(
    connection: &mut Connection,
    tried: &[(DoomedRow, bool)],
    pause: Duration,
    now: UnixMs,
) -> Result<(), StoreError> {
    for (row, gone) in tried {
        let late = row.since.plus(LATE_MS);
        if *gone && now >= late {
            doomed::forget(connection, &row.key)?;
        } else if *gone {
            doomed::postpone(connection, &row.key, late)?;
        } else {
            let wait = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            doomed::postpone(connection, &row.key, now.plus(wait))?;
        }
    }
    Ok(())
}
