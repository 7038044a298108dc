//! Overrides: record now, stop now, pause, resume.
//!
//! What people say is kept with the camera's other wishes and reaches its node with the next plan. What
//! should have existed stays in the ledger: a pause is a gap of cause `operator`.

use serde_json::json;
use wire::access::Permission;
use wire::api::{self, NewOverride, OverrideRequest, Page, RecordingOverride};
use wire::{CameraId, OverrideId, UnixMs};

use super::wishes::{self, Wishes, permit};
use super::{Actor, Caller, Once};
use crate::domain::page::{Cursor, Part};
use crate::domain::plan::{ENDLESS, OverrideKind, Wish};
use crate::domain::text;
use crate::store::facts::FactKind;
use crate::store::overrides::{self, OverrideRow};
use crate::store::{CameraRow, Connection, StoreError, holds, licences};
use crate::{AppState, Error};

/// How long is recorded unless told, in seconds.
const RECORD_S: u32 = 600;
const RECORD_MAX_MS: i64 = 24 * 60 * 60 * 1000;
const PAUSE_MAX_MS: i64 = 366 * RECORD_MAX_MS;
const REASON_MAX: usize = 200;
/// Most overrides of a camera that are not over.
const STANDING_MAX: usize = 100;

/// Makes one.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] where it
/// makes no sense.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    once: Once,
    new: NewOverride,
    now: UnixMs,
) -> Result<RecordingOverride, Error> {
    let organization = caller.organization;
    let caller = caller.clone();
    let made = state
        .store
        .transaction(move |c| {
            let of = caller.camera(c, camera, Some(Permission::Manage))?;
            if let Some(before) = once.made_before(c, &caller, now)? {
                let before = overrides::get(c, caller.organization, OverrideId::from_bytes(before))?;
                return Ok(shown(&before.ok_or(Error::not_found("override"))?));
            }
            let end = end(&new, now)?;
            let reason = text::line(&new.reason, 0, REASON_MAX).ok_or_else(|| {
                Error::field(
                    "reason",
                    "a reason has at most 200 characters, none of them invisible",
                )
            })?;
            let standing = overrides::standing(c, caller.organization, Some(&[camera]), now)?;
            if standing.len() >= STANDING_MAX {
                return Err(Error::Conflict {
                    code: "too_many_overrides",
                    title: "the camera has 100 overrides that are not over: cancel some first".to_owned(),
                });
            }
            let row = |kind, end| OverrideRow {
                id: OverrideId::generate(),
                organization: caller.organization,
                camera,
                kind,
                start: now,
                end,
                reason,
                created: now,
                created_by: match caller.actor {
                    Actor::User { id, .. } => Some(id),
                    Actor::ServiceKey { .. } => None,
                },
                cancelled: None,
            };
            let made = match new.kind {
                OverrideRequest::Record => {
                    may_record(c, &of, now)?;
                    added(c, &caller, row(OverrideKind::Record, end), now)?
                }
                OverrideRequest::Pause => added(c, &caller, row(OverrideKind::Pause, end), now)?,
                OverrideRequest::Stop => {
                    let pause = |end| row(OverrideKind::Pause, end);
                    stop(c, &caller, (&of, standing), pause, now)?
                }
            };
            wishes::follow(c, &of, now)?;
            once.made(c, &caller, *made.id.as_bytes(), now)?;
            let after = shown(&made);
            caller.note(
                c,
                "override.create",
                made.id,
                (None::<&NewOverride>, Some(&after)),
                now,
            )?;
            Ok(after)
        })
        .await?;
    state.replan.organization(organization);
    Ok(made)
}

fn added(c: &mut Connection, caller: &Caller, row: OverrideRow, now: UnixMs) -> Result<OverrideRow, Error> {
    overrides::insert(c, &row)?;
    tell(c, caller, FactKind::OverrideCreated, &row, now)?;
    Ok(row)
}

/// Ends one before its time.
fn ended(
    c: &mut Connection,
    caller: &Caller,
    mut row: OverrideRow,
    now: UnixMs,
) -> Result<OverrideRow, Error> {
    overrides::cancel(c, caller.organization, row.id, now)?;
    row.cancelled = Some(now);
    tell(c, caller, FactKind::OverrideCancelled, &row, now)?;
    Ok(row)
}

/// Tells what somebody said, but not who: that is for the audit log.
fn tell(
    c: &mut Connection,
    caller: &Caller,
    kind: FactKind,
    row: &OverrideRow,
    now: UnixMs,
) -> Result<(), StoreError> {
    let body = json!({
        "override": row.id, "kind": shown(row).kind, "start": row.start, "end": row.end,
        "reason": row.reason, "cancelled": row.cancelled,
    });
    caller.tell(c, kind, Some(row.camera), &body, now)
}

/// When a new override ends, by what was asked for.
fn end(new: &NewOverride, now: UnixMs) -> Result<Option<UnixMs>, Error> {
    let most = match new.kind {
        OverrideRequest::Record => RECORD_MAX_MS,
        OverrideRequest::Pause => PAUSE_MAX_MS,
        OverrideRequest::Stop if new.duration_s.is_some() || new.until.is_some() => {
            let field = if new.until.is_some() {
                "until"
            } else {
                "duration_s"
            };
            let title = "a stop lasts until the open window is over: pause it for another time";
            return Err(Error::field(field, title));
        }
        OverrideRequest::Stop => return Ok(None),
    };
    let limits = match new.kind {
        OverrideRequest::Record => "recording is asked for 1 to 86400 seconds",
        _ => "a pause ends in the future, within 366 days",
    };
    let (field, end) = match (new.duration_s, new.until) {
        (Some(_), Some(_)) => {
            return Err(Error::field("until", "give a duration or an end, not both"));
        }
        (Some(seconds), None) => ("duration_s", now.plus(i64::from(seconds) * 1000)),
        (None, Some(until)) => ("until", until),
        (None, None) if new.kind == OverrideRequest::Pause => return Ok(None),
        (None, None) => ("duration_s", now.plus(i64::from(RECORD_S) * 1000)),
    };
    if end.checked().is_err() || end <= now || end.since(now) > most {
        return Err(Error::field(field, limits));
    }
    Ok(Some(end))
}

/// Lets through what would be recorded.
fn may_record(c: &mut Connection, of: &CameraRow, now: UnixMs) -> Result<(), Error> {
    let rule = holds::rule(c, of.organization)?;
    let licence = licences::assigned(c, of.organization, Some(&[of.id]))?.pop();
    if permit(rule.as_ref(), licence.as_ref()).0.at(now) {
        return Ok(());
    }
    Err(Error::Conflict {
        code: "recording_not_permitted",
        title: "no licence permits recording this camera now, or the organization is suspended".to_owned(),
    })
}

/// Ends what people asked for, and pauses what is planned beside it until its window is over.
fn stop(
    c: &mut Connection,
    caller: &Caller,
    (of, standing): (&CameraRow, Vec<OverrideRow>),
    pause: impl FnOnce(Option<UnixMs>) -> OverrideRow,
    now: UnixMs,
) -> Result<OverrideRow, Error> {
    let mut wish = Wishes::read(c, of.organization, Some(&[of.id]), now)?.of(of);
    let nothing = || Error::Conflict {
        code: "nothing_recorded",
        title: "nothing is to be recorded at the moment: there is nothing to stop".to_owned(),
    };
    due_until(&wish, now).ok_or_else(nothing)?;
    let mut last = None;
    for row in standing {
        if row.kind == OverrideKind::Record {
            last = Some(ended(c, caller, row, now)?);
        }
    }
    wish.overrides.retain(|one| one.kind != OverrideKind::Record);
    match (due_until(&wish, now), last) {
        (Some(end), _) => added(c, caller, pause(Some(end).filter(|end| *end < ENDLESS)), now),
        (None, Some(last)) => Ok(last),
        (None, None) => Err(nothing()),
    }
}

/// Until when some stream is to be recorded, if one is.
fn due_until(wish: &Wish, now: UnixMs) -> Option<UnixMs> {
    let ends = wish.streams().iter().filter_map(|stream| {
        let due = wish.due(*stream, &wish.regular(*stream, now));
        due.into_iter()
            .find(|range| range.contains(now))
            .map(|range| range.end())
    });
    ends.max()
}

/// A camera's overrides, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    part: Part,
) -> Result<Page<RecordingOverride>, Error> {
    let caller = caller.clone();
    state
        .store
        .look(move |c| {
            caller.camera(c, camera, None)?;
            let mut rows = overrides::list(c, caller.organization, camera, &part)?;
            let next = part.cut(&mut rows, |row| Cursor {
                at: row.created.0,
                id: *row.id.as_bytes(),
            });
            let items = rows.iter().map(shown).collect();
            Ok(Page { items, next })
        })
        .await
}

/// An override changes once, when it is ended before its time.
#[must_use]
pub const fn revision(cancelled: Option<UnixMs>) -> u64 {
    if cancelled.is_some() { 2 } else { 1 }
}

/// Ends one before its time: what is planned goes on.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`], [`Error::Conflict`] when it is over.
pub async fn cancel(
    state: &AppState,
    caller: &Caller,
    id: OverrideId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<(), Error> {
    let organization = caller.organization;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let missing = || Error::not_found("override");
            let row = overrides::get(c, caller.organization, id)?.ok_or_else(missing)?;
            let of = match caller.camera(c, row.camera, Some(Permission::Manage)) {
                // Whoever may not know the camera does not know what was said of it.
                Err(Error::NotFound { .. }) => return Err(missing()),
                of => of?,
            };
            Error::unless_seen(seen, revision(row.cancelled))?;
            if row.planned().end.is_some_and(|end| end <= now) {
                return Err(Error::Conflict {
                    code: "override_over",
                    title: "the override is over".to_owned(),
                });
            }
            let after = ended(c, &caller, row.clone(), now)?;
            wishes::follow(c, &of, now)?;
            let (before, after) = (shown(&row), shown(&after));
            caller.note(c, "override.cancel", id, (Some(&before), Some(&after)), now)?;
            Ok(())
        })
        .await?;
    state.replan.organization(organization);
    Ok(())
}

/// As the API shows it.
pub(super) fn shown(row: &OverrideRow) -> RecordingOverride {
    RecordingOverride {
        id: row.id,
        camera: row.camera,
        kind: match row.kind {
            OverrideKind::Record => api::OverrideKind::Record,
            OverrideKind::Pause => api::OverrideKind::Pause,
        },
        start: row.start,
        end: row.end,
        reason: row.reason.clone(),
        created: row.created,
        created_by: row.created_by,
        cancelled: row.cancelled,
    }
}
