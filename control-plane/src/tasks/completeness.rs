//! Computes what each UTC day of each stream amounts to: the present day again and again, the last days when
//! something of them came late, and any day whose unknown time is not explained yet.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wire::UnixMs;

use super::lease::write;
use crate::AppState;
use crate::app::completeness::{find, keep};
use crate::state::now;
use crate::store::completeness::{self, DayOf, day_of};
use crate::store::lease::Grant;
use crate::store::{Connection, StoreError};

/// Between two runs.
const TICK: Duration = Duration::from_secs(300);
/// Days before the present one that are looked at.
const DAYS: i32 = 8;
/// Streams' days of one transaction.
const AT_ONCE: usize = 8;
/// Days that are computed again in one run.
const STALE_AT_ONCE: i64 = 10_000;

/// Computes until `stop`.
pub async fn run(state: AppState, grant: Grant, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        match stop.run_until_cancelled(once(&state, &grant, now())).await {
            None => return,
            Some(Ok(days)) => tracing::debug!(days, "computed how complete days are"),
            Some(Err(error)) => tracing::warn!(%error, "how complete days are is not known, trying again"),
        }
    }
}

/// One run; how many streams' days it computed.
///
/// # Errors
/// Those of the database.
pub async fn once(state: &AppState, grant: &Grant, now: UnixMs) -> Result<usize, StoreError> {
    let work = state.store.read(move |c| due(c, now)).await?;
    for some in work.chunks(AT_ONCE) {
        let (some, shared) = (some.to_vec(), state.clone());
        // In one transaction, so that nothing comes between the look and its result.
        let compute = move |c: &mut Connection| {
            for of in some {
                if let Some(finding) = find(c, &shared, of, now)? {
                    keep(c, &finding, now)?;
                }
            }
            Ok(())
        };
        write(&state.store.patient(), grant, compute).await?;
    }
    Ok(work.len())
}

/// What is to be computed at `now`.
fn due(connection: &mut Connection, now: UnixMs) -> Result<Vec<DayOf>, StoreError> {
    let today = day_of(now);
    let computed = completeness::computed(connection, today - DAYS)?;
    let mut work = completeness::planned(connection, today - DAYS, today)?;
    work.retain(|of| {
        let at = computed.get(&(of.camera, of.stream, of.day));
        // A day that was computed last before it had settled is computed once more.
        let settled = of
            .range()
            .map(|day| day.end().plus(crate::domain::completeness::SETTLE_MS));
        at.is_none_or(|at| settled.is_none_or(|settled| *at < settled))
    });
    work.extend(completeness::stale(connection, STALE_AT_ONCE)?);
    work.sort_unstable();
    work.dedup();
    Ok(work)
}
