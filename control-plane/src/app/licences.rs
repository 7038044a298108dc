//! Licences: issue, look at, assign to cameras, renew, suspend, change.
//!
//! Each change is committed with its audit row; then the planner is woken, which starts and stops
//! recordings. Nothing here deletes footage.

mod assign;

use serde_json::json;
use wire::access::Right;
use wire::api::{
    IssuedLicences, Licence, LicencePatch, LicenceUsage, LicencesByState, NewLicences, Page, RenewLicence,
};
use wire::licence::LicenceState;
use wire::{LicenceId, UnixMs};

use super::{Caller, Once};
use crate::domain::camera;
use crate::domain::licence::{self, InvalidLicence, Validity};
use crate::domain::page::{Cursor, Part};
use crate::store::Connection;
use crate::store::facts::FactKind;
use crate::store::licences::{self, Filter, LicenceRow};
use crate::{AppState, Error};

pub use assign::{assign, release, transfer, unassign};

/// Most licences issued at once.
const COUNT_MAX: u16 = 1_000;

impl From<InvalidLicence> for Error {
    fn from(error: InvalidLicence) -> Self {
        Self::field(error.field, error.title)
    }
}

/// Issues licences to the organization acted in, all alike.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field.
pub async fn issue(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewLicences,
    now: UnixMs,
) -> Result<IssuedLicences, Error> {
    caller.require(Right::IssueLicences)?;
    if !(1..=COUNT_MAX).contains(&new.count) {
        return Err(Error::field("count", "1 to 1000 licences are issued at once"));
    }
    let row = LicenceRow {
        id: LicenceId::generate(),
        organization: caller.organization,
        name: camera::name(&new.name)?,
        plan: licence::plan(&new.plan)?,
        validity: Validity::new(new.valid_from, new.valid_to, new.grace_days)?,
        camera: None,
        issued: now,
        revision: 1,
    };
    let caller = caller.clone();
    let rows = state
        .store
        .transaction(move |c| {
            if let Some(before) = once.made_before(c, &caller, now)? {
                let first = LicenceId::from_bytes(before);
                return Ok(licences::issued_with(c, caller.organization, first, new.count)?);
            }
            // Made inside the transaction, so that those issued together follow each other.
            let alike = std::iter::repeat_with(|| LicenceRow {
                id: LicenceId::generate(),
                ..row.clone()
            });
            let rows: Vec<LicenceRow> = alike.take(new.count.into()).collect();
            for row in &rows {
                licences::insert(c, row)?;
                note(c, &caller, "licence.issue", (None, Some(row)), now)?;
            }
            if let Some(first) = rows.first() {
                once.made(c, &caller, *first.id.as_bytes(), now)?;
            }
            Ok(rows)
        })
        .await?;
    let items = rows.iter().map(|row| shown(row, now)).collect();
    Ok(IssuedLicences { items })
}

/// The organization's licences, oldest first.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn list(
    state: &AppState,
    caller: &Caller,
    filter: Filter,
    part: Part,
    now: UnixMs,
) -> Result<Page<Licence>, Error> {
    caller.require(Right::AssignLicences)?;
    let organization = caller.organization;
    let mut rows = state
        .store
        .read(move |c| licences::list(c, organization, &filter, &part, now))
        .await?;
    let next = part.cut(&mut rows, |row| Cursor {
        at: row.issued.0,
        id: *row.id.as_bytes(),
    });
    Ok(Page {
        items: rows.iter().map(|row| shown(row, now)).collect(),
        next,
    })
}

/// One licence.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn get(state: &AppState, caller: &Caller, id: LicenceId, now: UnixMs) -> Result<Licence, Error> {
    let caller = caller.clone();
    let row = state.store.look(move |c| row(c, &caller, id)).await?;
    Ok(shown(&row, now))
}

/// The organization's licences in numbers.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn usage(state: &AppState, caller: &Caller, now: UnixMs) -> Result<LicenceUsage, Error> {
    caller.require(Right::AssignLicences)?;
    let organization = caller.organization;
    let (rows, (cameras, cameras_without_licence)) = state
        .store
        .read(move |c| {
            Ok((
                licences::all_of(c, organization)?,
                licences::cameras(c, organization)?,
            ))
        })
        .await?;
    let mut by_state = LicencesByState::default();
    for row in &rows {
        let count = match row.validity.state(now) {
            LicenceState::Pending => &mut by_state.pending,
            LicenceState::Active => &mut by_state.active,
            LicenceState::Grace => &mut by_state.grace,
            LicenceState::Expired => &mut by_state.expired,
            LicenceState::Suspended => &mut by_state.suspended,
        };
        *count += 1;
    }
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Ok(LicenceUsage {
        total: count(rows.len()),
        assigned: count(rows.iter().filter(|row| row.camera.is_some()).count()),
        by_state,
        cameras,
        cameras_without_licence,
    })
}

/// Changes name, plan and days of grace.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    patch: LicencePatch,
    now: UnixMs,
) -> Result<Licence, Error> {
    caller.require(Right::IssueLicences)?;
    change(state, caller, id, seen, ("licence.change", now), move |_, row| {
        if let Some(name) = patch.name {
            row.name = camera::name(&name)?;
        }
        if let Some(plan) = patch.plan {
            row.plan = licence::plan(&plan)?;
        }
        if let Some(days) = patch.grace_days {
            let valid = row.validity.valid;
            let suspended = row.validity.suspended;
            row.validity = Validity {
                suspended,
                ..Validity::new(valid.start(), valid.end(), days)?
            };
        }
        Ok(())
    })
    .await
}

/// Gives a licence another end.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`], [`Error::Invalid`] with the field.
pub async fn renew(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    renewal: RenewLicence,
    now: UnixMs,
) -> Result<Licence, Error> {
    caller.require(Right::IssueLicences)?;
    change(state, caller, id, seen, ("licence.renew", now), move |_, row| {
        row.validity = row.validity.renewed(renewal.valid_to, renewal.may_lapse, now)?;
        Ok(())
    })
    .await
}

/// Takes a licence back for now, or gives it again. Twice is the same as once.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`], [`Error::Stale`].
pub async fn suspend(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    suspended: bool,
    now: UnixMs,
) -> Result<Licence, Error> {
    caller.require(Right::IssueLicences)?;
    let action = if suspended {
        "licence.suspend"
    } else {
        "licence.resume"
    };
    change(state, caller, id, seen, (action, now), move |_, row| {
        row.validity.suspended = suspended;
        Ok(())
    })
    .await
}

/// Changes one licence in one transaction, with its audit row, and wakes the planner.
async fn change<F>(
    state: &AppState,
    caller: &Caller,
    id: LicenceId,
    seen: Option<u64>,
    (action, now): (&'static str, UnixMs),
    f: F,
) -> Result<Licence, Error>
where
    F: FnOnce(&mut Connection, &mut LicenceRow) -> Result<(), Error> + Send + 'static,
{
    let organization = caller.organization;
    let caller = caller.clone();
    let changed = state
        .store
        .transaction(move |c| {
            let before = row(c, &caller, id)?;
            Error::unless_seen(seen, before.revision)?;
            let mut after = before.clone();
            f(c, &mut after)?;
            if after == before {
                return Ok(before);
            }
            after.revision += 1;
            licences::update(c, &after)?;
            note(c, &caller, action, (Some(&before), Some(&after)), now)?;
            Ok(after)
        })
        .await?;
    state.replan.organization(organization);
    Ok(shown(&changed, now))
}

fn row(connection: &mut Connection, caller: &Caller, id: LicenceId) -> Result<LicenceRow, Error> {
    caller.require(Right::AssignLicences)?;
    licences::get(connection, caller.organization, id)?.ok_or(Error::not_found("licence"))
}

fn note(
    connection: &mut Connection,
    caller: &Caller,
    action: &str,
    (before, after): (Option<&LicenceRow>, Option<&LicenceRow>),
    now: UnixMs,
) -> Result<(), Error> {
    let Some(id) = before.or(after).map(|row| row.id) else {
        return Ok(());
    };
    let (before, after) = (
        before.map(|row| shown(row, now)),
        after.map(|row| shown(row, now)),
    );
    let camera = |licence: &Option<Licence>| licence.as_ref().and_then(|licence| licence.camera);
    let body = json!({"licence": id, "action": action});
    let about = camera(&after).or(camera(&before));
    caller.tell(connection, FactKind::LicenceChanged, about, &body, now)?;
    Ok(caller.note(connection, action, id, (before.as_ref(), after.as_ref()), now)?)
}

fn shown(row: &LicenceRow, now: UnixMs) -> Licence {
    Licence {
        id: row.id,
        organization: row.organization,
        name: row.name.clone(),
        plan: row.plan.clone(),
        valid_from: row.validity.valid.start(),
        valid_to: row.validity.valid.end(),
        grace_days: row.validity.grace_days,
        lapses: row.validity.lapses(),
        suspended: row.validity.suspended,
        state: row.validity.state(now),
        camera: row.camera,
        issued: row.issued,
        revision: row.revision,
    }
}
