//! Sessions of recording: the highest revision counts, and an end is explained by what is known here.

use serde_json::json;
use wire::coverage::GapCause;
use wire::event::{EndReason, RecordingSession};
use wire::{TimeRange, UnixMs};

use super::{Verdict, not_assigned};
use crate::domain::event::tidy;
use crate::store::facts::{self, FactKind};
use crate::store::recordings::{self, RecordingRow};
use crate::store::{Connection, StoreError, assigned, cameras, holds};

/// How long before the end of a session its reason may have come into being: a node follows a plan within
/// two seconds, and is told of it within seconds.
const BEFORE_MS: i64 = 15_000;
/// And how long after: the two clocks differ.
const AFTER_MS: i64 = 2_000;

/// Takes what a node says of a session.
pub(super) fn take(
    connection: &mut Connection,
    said: &RecordingSession,
    now: UnixMs,
) -> Result<Verdict, StoreError> {
    let owner = cameras::owner_if_assigned(connection, said.camera, said.node, said.epoch)?;
    let Some(organization) = owner else {
        return Ok(not_assigned());
    };
    let before = recordings::any(connection, said.id)?;
    if let Some(before) = &before {
        let of = |session: &RecordingSession| (session.camera, session.stream, session.node, session.epoch);
        if of(&before.session) != of(said) {
            return Ok(Verdict::Refused("another session has this id".to_owned()));
        }
        if before.session.revision >= said.revision {
            return Ok(Verdict::Committed);
        }
    }
    let job = match before.as_ref().and_then(|before| before.job) {
        Some(job) => Some(job),
        None => recordings::job_at(connection, said, said.window_start)?,
    };
    let mut row = RecordingRow {
        organization,
        job,
        session: RecordingSession {
            detail: tidy(&said.detail),
            ..said.clone()
        },
        updated: now,
    };
    if let (Some(EndReason::Withdrawn), Some(ended)) = (said.end_reason, said.ended) {
        row.session.end_reason = Some(why(connection, &row, ended, now)?);
    }
    recordings::put(connection, &row)?;
    tell(connection, before.as_ref(), &row, now)?;
    Ok(Verdict::Committed)
}

/// Why the plan named a session's stream no more when it ended.
fn why(
    connection: &mut Connection,
    row: &RecordingRow,
    ended: UnixMs,
    now: UnixMs,
) -> Result<EndReason, StoreError> {
    let (organization, session) = (row.organization, &row.session);
    let Some(camera) = cameras::get_even_deleted(connection, organization, session.camera)? else {
        return Ok(EndReason::CameraDeleted);
    };
    if camera.deleted.is_some() {
        return Ok(EndReason::CameraDeleted);
    }
    let Ok(around) = TimeRange::new(ended.plus(-BEFORE_MS), ended.plus(AFTER_MS)) else {
        return Ok(EndReason::Withdrawn);
    };
    let latest = now.max(around.end());
    let held = holds::in_range(connection, organization, session.camera, around, latest)?;
    if let Some((_, cause)) = held.first() {
        return Ok(match cause {
            GapCause::Unlicensed => EndReason::Unlicensed,
            _ => EndReason::Suspended,
        });
    }
    if assigned::is_over(connection, session.camera, session.epoch)? {
        return Ok(EndReason::Moved);
    }
    if recordings::stopped_in(connection, session.camera, around)? {
        return Ok(EndReason::Stopped);
    }
    // Whatever became of the job: recording for its sake was over before its window was.
    Ok(match row.job {
        Some(_) => EndReason::JobChanged,
        None if camera.recording => EndReason::Withdrawn,
        None => EndReason::Stopped,
    })
}

/// Tells what turned.
pub(super) fn tell(
    connection: &mut Connection,
    before: Option<&RecordingRow>,
    row: &RecordingRow,
    now: UnixMs,
) -> Result<(), StoreError> {
    let (was, is) = (before.map(|row| &row.session), &row.session);
    let had = |has: fn(&RecordingSession) -> bool| was.is_some_and(has);
    let mut kinds = Vec::new();
    if is.started.is_some() && !had(|was| was.started.is_some()) {
        kinds.push(FactKind::RecordingStarted);
    }
    match (had(|was| was.failing), is.failing) {
        (false, true) => kinds.push(FactKind::RecordingFailing),
        (true, false) if is.ended.is_none() => kinds.push(FactKind::RecordingRecovered),
        _ => {}
    }
    // That a node was lost is what is believed until it says how it was.
    let had_end = had(|was| was.ended.is_some() && was.end_reason != Some(EndReason::NodeLost));
    if is.ended.is_some() && !had_end {
        kinds.push(FactKind::RecordingEnded);
    }
    let body = json!({
        "recording": is.id, "stream": is.stream, "job": row.job, "window_start": is.window_start,
        "window_end": is.window_end, "started": is.started, "ended": is.ended, "end_reason": is.end_reason,
        "bytes": is.bytes, "gaps": is.gaps, "gap_ms": is.gap_ms, "attempts": is.attempts, "detail": is.detail,
    });
    for kind in kinds {
        facts::add(
            connection,
            row.organization,
            kind,
            Some(is.camera),
            Some(is.node),
            &body,
            now,
        )?;
    }
    Ok(())
}
