//! Recording jobs of cameras: create, list, read, change, delete, and what a schedule would mean.
//!
//! A job is stored when its schedule is valid, and what it asks for is planned from then on. Each answer
//! tells its next windows, which is how an author sees what a schedule means where clocks change.

use jiff::tz::TimeZone;
use serde_json::json;
use wire::access::Permission;
use wire::api::{Job, JobPatch, NewJob, Page, PreviewJob, UpcomingWindow, UpcomingWindows};
use wire::schedule::Schedule;
use wire::{CameraId, JobId, OrganizationId, UnixMs};

use super::{Caller, Once, wishes};
use crate::domain::camera;
use crate::domain::page::{Cursor, Part};
use crate::domain::schedule::{InvalidSchedule, Rule, zone};
use crate::store::facts::FactKind;
use crate::store::jobs::{self, JobRow};
use crate::store::{Connection, StoreError, cameras};
use crate::{AppState, Error};

/// Windows that each answer tells.
const WINDOWS: usize = 10;
/// Most jobs of a camera.
const JOBS_MAX: u64 = 100;
/// Longest pre-roll.
const PRE_ROLL_MAX_S: u32 = 30;
/// Attempts after which people can be told.
const ALERT_AFTER: std::ops::RangeInclusive<u32> = 1..=1_000;
/// Longest pauses between two attempts.
const LONGEST_PAUSE_S: std::ops::RangeInclusive<u32> = 5..=3_600;

impl From<InvalidSchedule> for Error {
    fn from(error: InvalidSchedule) -> Self {
        Self::field(error.field, error.title)
    }
}

/// Adds a job to a camera.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] when
/// the camera has too many.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    once: Once,
    new: NewJob,
    now: UnixMs,
) -> Result<Job, Error> {
    let organization = caller.organization;
    let caller = caller.clone();
    let made = state
        .store
        .transaction(move |c| {
            let of = caller.camera(c, camera, Some(Permission::Manage))?;
            if let Some(before) = once.made_before(c, &caller, now)? {
                let row = row(c, &caller, JobId::from_bytes(before), Permission::Manage)?;
                return shown(c, row, now);
            }
            if jobs::count(c, caller.organization, camera)? >= JOBS_MAX {
                return Err(Error::Conflict {
                    code: "too_many_jobs",
                    title: "a camera has at most 100 recording jobs: delete one first".to_owned(),
                });
            }
            let row = JobRow {
                id: JobId::generate(),
                organization: caller.organization,
                camera,
                name: camera::name(&new.name)?,
                schedule: checked(new.schedule)?,
                time_zone: new.time_zone.as_deref().map(own_zone).transpose()?,
                streams: new.streams,
                enabled: new.enabled,
                pre_roll_s: pre_roll(new.pre_roll_s)?,
                alert_after: alert_after(new.alert_after)?,
                longest_pause_s: longest_pause(new.longest_pause_s)?,
                created: now,
                revision: 1,
            };
            jobs::insert(c, &row)?;
            wishes::follow(c, &of, now)?;
            once.made(c, &caller, *row.id.as_bytes(), now)?;
            let after = settings(&row);
            caller.note(c, "job.create", row.id, (None::<&NewJob>, Some(&after)), now)?;
            tell(c, &caller, FactKind::JobCreated, &row, now)?;
            shown(c, row, now)
        })
        .await?;
    state.replan.organization(organization);
    Ok(made)
}

/// A camera's jobs, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list(
    state: &AppState,
    caller: &Caller,
    camera: CameraId,
    part: Part,
    now: UnixMs,
) -> Result<Page<Job>, Error> {
    let caller = caller.clone();
    state
        .store
        .look(move |c| {
            caller.camera(c, camera, None)?;
            let mut rows = jobs::list(c, caller.organization, camera, &part)?;
            let next = part.cut(&mut rows, |row| Cursor {
                at: row.created.0,
                id: *row.id.as_bytes(),
            });
            let items = rows.into_iter().map(|row| shown(c, row, now));
            Ok(Page {
                items: items.collect::<Result<_, _>>()?,
                next,
            })
        })
        .await
}

/// One job.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(state: &AppState, caller: &Caller, id: JobId, now: UnixMs) -> Result<Job, Error> {
    let caller = caller.clone();
    state
        .store
        .look(move |c| {
            let row = row(c, &caller, id, None)?;
            shown(c, row, now)
        })
        .await
}

/// Changes the fields given.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: JobId,
    seen: Option<u64>,
    patch: JobPatch,
    now: UnixMs,
) -> Result<Job, Error> {
    let organization = caller.organization;
    let caller = caller.clone();
    let changed = state
        .store
        .transaction(move |c| {
            let mut row = row(c, &caller, id, Permission::Manage)?;
            Error::unless_seen(seen, row.revision)?;
            let before = settings(&row);
            change(&mut row, patch)?;
            row.revision += 1;
            jobs::update(c, &row)?;
            follow(c, &row, now)?;
            let after = settings(&row);
            caller.note(c, "job.change", id, (Some(&before), Some(&after)), now)?;
            tell(c, &caller, FactKind::JobChanged, &row, now)?;
            shown(c, row, now)
        })
        .await?;
    state.replan.organization(organization);
    Ok(changed)
}

/// Deletes a job.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`].
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    id: JobId,
    seen: Option<u64>,
    now: UnixMs,
) -> Result<(), Error> {
    let organization = caller.organization;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let row = row(c, &caller, id, Permission::Manage)?;
            Error::unless_seen(seen, row.revision)?;
            jobs::delete(c, caller.organization, id)?;
            follow(c, &row, now)?;
            let before = settings(&row);
            caller.note(c, "job.delete", id, (Some(&before), None::<&NewJob>), now)?;
            tell(c, &caller, FactKind::JobDeleted, &row, now)?;
            Ok(())
        })
        .await?;
    state.replan.organization(organization);
    Ok(())
}

/// What a schedule would mean from now on; nothing is saved.
///
/// # Errors
/// [`Error::Invalid`] with the field, [`Error::NotFound`] for a camera that is not to be known.
pub async fn preview(
    state: &AppState,
    caller: &Caller,
    preview: PreviewJob,
    now: UnixMs,
) -> Result<UpcomingWindows, Error> {
    let rule = Rule::try_from(&preview.schedule)?;
    let own = preview.time_zone.as_deref().map(zone).transpose()?;
    let of_camera = match preview.camera {
        None => None,
        Some(camera) => {
            let caller = caller.clone();
            let look = move |c: &mut Connection| {
                caller.camera(c, camera, None)?;
                camera_zone(c, caller.organization, camera)
            };
            Some(state.store.look(look).await?)
        }
    };
    let zone = own.or(of_camera).ok_or_else(|| {
        let title = "name a time zone, or the camera whose time zone counts";
        Error::field("time_zone", title)
    })?;
    Ok(upcoming(&rule, &zone, now))
}

fn tell(
    connection: &mut Connection,
    caller: &Caller,
    kind: FactKind,
    row: &JobRow,
    now: UnixMs,
) -> Result<(), StoreError> {
    let body = json!({"job": row.id, "name": row.name, "enabled": row.enabled});
    caller.tell(connection, kind, Some(row.camera), &body, now)
}

/// Brings what should exist of the job's camera in line.
fn follow(connection: &mut Connection, job: &JobRow, now: UnixMs) -> Result<(), StoreError> {
    match cameras::get(connection, job.organization, job.camera)? {
        Some(camera) => wishes::follow(connection, &camera, now),
        None => Ok(()),
    }
}

fn change(row: &mut JobRow, patch: JobPatch) -> Result<(), Error> {
    if let Some(name) = patch.name {
        row.name = camera::name(&name)?;
    }
    if let Some(schedule) = patch.schedule {
        row.schedule = checked(schedule)?;
    }
    match patch.time_zone.as_deref() {
        None => {}
        Some("") => row.time_zone = None,
        Some(name) => row.time_zone = Some(own_zone(name)?),
    }
    row.streams = patch.streams.unwrap_or(row.streams);
    row.enabled = patch.enabled.unwrap_or(row.enabled);
    row.pre_roll_s = pre_roll(patch.pre_roll_s.unwrap_or(row.pre_roll_s))?;
    row.alert_after = alert_after(patch.alert_after.unwrap_or(row.alert_after))?;
    row.longest_pause_s = longest_pause(patch.longest_pause_s.unwrap_or(row.longest_pause_s))?;
    Ok(())
}

fn pre_roll(seconds: u32) -> Result<u32, Error> {
    if seconds > PRE_ROLL_MAX_S {
        return Err(Error::field("pre_roll_s", "a pre-roll is 0 to 30 seconds"));
    }
    Ok(seconds)
}

fn alert_after(attempts: u32) -> Result<u32, Error> {
    if !ALERT_AFTER.contains(&attempts) {
        return Err(Error::field(
            "alert_after",
            "people are told after 1 to 1000 attempts",
        ));
    }
    Ok(attempts)
}

fn longest_pause(seconds: u32) -> Result<u32, Error> {
    if !LONGEST_PAUSE_S.contains(&seconds) {
        return Err(Error::field(
            "longest_pause_s",
            "the longest pause is 5 to 3600 seconds",
        ));
    }
    Ok(seconds)
}

fn checked(schedule: Schedule) -> Result<Schedule, Error> {
    Rule::try_from(&schedule)?;
    Ok(schedule)
}

/// The usual spelling of a time zone's name.
fn own_zone(name: &str) -> Result<String, Error> {
    let zone = zone(name)?;
    Ok(zone.iana_name().unwrap_or(name).to_owned())
}

/// A job of a camera that the caller may know of, and do `permission` with.
fn row(
    connection: &mut Connection,
    caller: &Caller,
    id: JobId,
    permission: impl Into<Option<Permission>>,
) -> Result<JobRow, Error> {
    let missing = || Error::not_found("job");
    let row = jobs::get(connection, caller.organization, id)?.ok_or_else(missing)?;
    match caller.camera(connection, row.camera, permission.into()) {
        Ok(_) => Ok(row),
        // Whoever may not know the camera does not know its jobs.
        Err(Error::NotFound { .. }) => Err(missing()),
        Err(error) => Err(error),
    }
}

fn camera_zone(
    connection: &mut Connection,
    organization: OrganizationId,
    camera: CameraId,
) -> Result<TimeZone, Error> {
    let name = jobs::camera_zone(connection, organization, camera)?;
    let name = name.ok_or(Error::not_found("camera"))?;
    kept_zone(&name)
}

/// A zone that was found valid when it was stored.
fn kept_zone(name: &str) -> Result<TimeZone, Error> {
    zone(name).map_err(|_| StoreError::Broken(format!("a stored time zone that nobody knows: {name}")).into())
}

/// What the audit log keeps of a job: what people set, not what follows from it.
fn settings(row: &JobRow) -> NewJob {
    NewJob {
        name: row.name.clone(),
        schedule: row.schedule.clone(),
        time_zone: row.time_zone.clone(),
        streams: row.streams,
        enabled: row.enabled,
        pre_roll_s: row.pre_roll_s,
        alert_after: row.alert_after,
        longest_pause_s: row.longest_pause_s,
    }
}

fn shown(connection: &mut Connection, row: JobRow, now: UnixMs) -> Result<Job, Error> {
    let zone = match &row.time_zone {
        Some(name) => kept_zone(name)?,
        None => camera_zone(connection, row.organization, row.camera)?,
    };
    let rule = Rule::try_from(&row.schedule)
        .map_err(|error| StoreError::Broken(format!("a stored schedule that is not valid: {error}")))?;
    Ok(Job {
        id: row.id,
        camera: row.camera,
        name: row.name,
        schedule: row.schedule,
        time_zone: row.time_zone,
        streams: row.streams,
        enabled: row.enabled,
        pre_roll_s: row.pre_roll_s,
        alert_after: row.alert_after,
        longest_pause_s: row.longest_pause_s,
        created: row.created,
        revision: row.revision,
        upcoming: upcoming(&rule, &zone, now),
    })
}

fn upcoming(rule: &Rule, zone: &TimeZone, now: UnixMs) -> UpcomingWindows {
    let upcoming = rule.next(zone, now, WINDOWS);
    let window = |window: &wire::TimeRange| UpcomingWindow {
        start: window.start(),
        end: (window.end() < upcoming.horizon).then(|| window.end()),
    };
    UpcomingWindows {
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        windows: upcoming.windows.iter().map(window).collect(),
        searched_until: upcoming.horizon,
    }
}
