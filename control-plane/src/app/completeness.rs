//! How complete an organization's footage is, day by day; and the alert when nobody explains what is
//! missing.
//!
//! Unknown time is told once it is older than the settle time, unless one of the nodes that had the camera
//! then is away or still has something to announce: it may explain everything. Such time is shown as
//! unknown meanwhile, and looked at again until the node has spoken or was removed.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;
use wire::api::{Completeness, CompletenessDay, CompletenessFigures};
use wire::coverage::GapCause;
use wire::{CameraId, TimeRange, UnixMs};

use super::Caller;
use super::ledger::explained;
use crate::domain::completeness::{Figures, SETTLE_MS, figures};
use crate::store::completeness::{self, DayOf};
use crate::store::facts::{self, FactKind};
use crate::store::{Connection, StoreError, assigned, gaps, nodes};
use crate::{AppState, Error};

/// Most days of one answer.
const DAYS_MAX: i32 = 100;
/// Less new unknown time than this is not worth a word, in milliseconds.
const WORTH_MS: u64 = 1_000;
/// Stretches that a fact names.
const NAMED: usize = 20;
/// Days since 1970-01-01 of the epoch's date.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// What was found about a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    of: DayOf,
    figures: Figures,
    unknown: Vec<TimeRange>,
    /// Whether a node may still explain what is unknown.
    is_pending: bool,
}

/// Computes the figures of a day as they are now; none for a day that has not settled at all.
///
/// # Errors
/// Those of the database.
pub fn find(
    connection: &mut Connection,
    state: &AppState,
    of: DayOf,
    now: UnixMs,
) -> Result<Option<Finding>, StoreError> {
    let Some(day) = of.range() else {
        return Ok(None);
    };
    let until = now.plus(-SETTLE_MS);
    if until <= day.start() {
        return Ok(None);
    }
    let key = (of.organization, of.camera, of.stream);
    let windows = completeness::windows(connection, key, day, now)?;
    let footage = completeness::runs(connection, key, day)?;
    let mut gaps = gaps::in_range(connection, of.organization, of.camera, of.stream, day)?;
    gaps.extend(explained(connection, key, &windows, day, now)?);
    let (figures, unknown) = figures(day, &windows, footage, &gaps, until);
    let mut is_pending = false;
    for part in &unknown {
        for node in assigned::nodes_in(connection, of.camera, *part)? {
            let removed = nodes::key(connection, node)?.is_none_or(|key| key.removed.is_some());
            let status = state.nodes.online(node);
            is_pending |= !removed && status.is_none_or(|status| status.outbox_backlog > 0);
        }
    }
    Ok(Some(Finding {
        of,
        figures,
        unknown,
        is_pending,
    }))
}

/// Keeps a finding, and tells what is newly unknown.
///
/// # Errors
/// Those of the database.
pub fn keep(connection: &mut Connection, finding: &Finding, now: UnixMs) -> Result<(), StoreError> {
    let (of, figures) = (&finding.of, &finding.figures);
    let told = completeness::alerted(connection, of)?.min(figures.unknown_ms);
    let fresh = figures.unknown_ms - told;
    let (told, computed) = match (fresh >= WORTH_MS, finding.is_pending) {
        (false, _) => (told, now),
        (true, true) => (told, UnixMs(0)),
        (true, false) => {
            let stretches: Vec<_> = finding.unknown.iter().take(NAMED).collect();
            let body = json!({
                "stream": of.stream, "day": date(of.day).to_string(), "unknown_ms": figures.unknown_ms,
                "new_ms": fresh, "stretches": stretches,
            });
            let (camera, kind) = (Some(of.camera), FactKind::LedgerUnknown);
            facts::add(connection, of.organization, kind, camera, None, &body, now)?;
            (figures.unknown_ms, now)
        }
    };
    completeness::put(connection, of, figures, told, computed)
}

/// The figures of the days `[from, to)`, of one camera or of all that the caller may know of.
///
/// # Errors
/// [`Error::NotFound`] for a camera that is not to be known, [`Error::Forbidden`], [`Error::Invalid`] for a
/// bad range.
pub async fn show(
    state: &AppState,
    caller: &Caller,
    (from, to): (Date, Date),
    camera: Option<CameraId>,
) -> Result<Completeness, Error> {
    if camera.is_none() {
        caller.require_any_camera()?;
    }
    let length = (to - from).get_days();
    if !(1..=DAYS_MAX).contains(&length) {
        return Err(Error::field(
            "to",
            "a range of 1 to 100 days, the last one excluded",
        ));
    }
    let number = |date: Date| (date - EPOCH).get_days();
    let (first, last) = (number(from), number(to) - 1);
    let caller = caller.clone();
    let look = move |c: &mut Connection| {
        if let Some(camera) = camera {
            caller.camera_even_deleted(c, camera, None)?;
        }
        let granted_to = caller.only_granted();
        Ok::<_, Error>(completeness::sums(
            c,
            caller.organization,
            granted_to,
            camera,
            (first, last),
        )?)
    };
    let sums = state.store.look(look).await?;
    let mut total = Figures::default();
    let days = sums.iter().map(|(day, figures)| {
        total.add(figures);
        CompletenessDay {
            day: date(*day).to_string(),
            figures: shown(figures),
        }
    });
    Ok(Completeness {
        days: days.collect(),
        total: shown(&total),
    })
}

fn date(day: i32) -> Date {
    EPOCH.saturating_add(i64::from(day).days())
}

fn shown(figures: &Figures) -> CompletenessFigures {
    let percent = |part: u64| {
        // Exact enough for milliseconds of centuries.
        #[expect(clippy::cast_precision_loss, reason = "a share is shown, not reckoned with")]
        let share = part as f64 / figures.planned_ms as f64;
        (figures.planned_ms > 0).then_some(share * 100.0)
    };
    CompletenessFigures {
        planned_ms: figures.planned_ms,
        footage_ms: figures.footage_ms,
        gaps_ms: figures
            .causes
            .iter()
            .filter(|(cause, _)| **cause != GapCause::Unknown)
            .map(|(cause, ms)| (*cause, *ms))
            .collect(),
        unknown_ms: figures.unknown_ms,
        covered_percent: percent(figures.footage_ms),
        explained_percent: percent(figures.planned_ms - figures.unknown_ms),
    }
}
