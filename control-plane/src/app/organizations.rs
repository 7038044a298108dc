//! Organizations: who runs the platform makes, limits, suspends and deletes them; others see their own.
//!
//! What is done to an organization stands in that organization's audit log. Nothing is erased here:
//! `tasks::eraser` does that when the grace period is over.

use serde_json::json;
use wire::access::Right;
use wire::api::{NewOrganization, Organization, OrganizationPatch, OrganizationState, Page, Quotas};
use wire::{OrganizationId, UnixMs};

use super::{Caller, Once};
use crate::domain::camera;
use crate::domain::organization::{self, Life, Refused, Step};
use crate::domain::page::{Cursor, Part};
use crate::store::facts::FactKind;
use crate::store::organizations::{self, Filter, OrganizationRow};
use crate::store::{Connection, StoreError};
use crate::{AppState, Error};

const SEARCH_MAX: usize = 100;

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Conflict {
            code: match refused {
                Refused::Deleting => "organization_deleting",
                Refused::NotDeleting => "organization_not_deleting",
                Refused::TooLate => "grace_period_over",
            },
            title: refused.to_string(),
        }
    }
}

/// What kind of quota is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Cameras that are not deleted.
    Cameras,
    /// Users, invited and disabled ones included.
    Users,
}

/// Lets `more` be added within the quota, in the transaction that adds them.
///
/// # Errors
/// [`Error::Conflict`] when they are too many, and those of the database.
pub fn room_for(
    connection: &mut Connection,
    id: OrganizationId,
    quota: Quota,
    more: u64,
) -> Result<(), Error> {
    let row = known(connection, id)?;
    let (cameras, users) = counted(connection, id)?;
    let (limit, count, what) = match quota {
        Quota::Cameras => (row.quotas.cameras, cameras, "cameras"),
        Quota::Users => (row.quotas.users, users, "users"),
    };
    match limit.map(u64::from) {
        Some(limit) if count.saturating_add(more) > limit => Err(Error::Conflict {
            code: "quota_exceeded",
            title: format!("the organization may have {limit} {what}, and has {count}"),
        }),
        _ => Ok(()),
    }
}

/// The organizations that the caller may know of, oldest first: all of them, or the own one.
///
/// # Errors
/// [`Error::Invalid`] with the field, and those of the database.
pub async fn list(
    state: &AppState,
    caller: &Caller,
    in_state: Option<OrganizationState>,
    search: Option<String>,
    part: Part,
) -> Result<Page<Organization>, Error> {
    let too_long = |text: &String| text.chars().count() > SEARCH_MAX || text.contains('\0');
    if search.as_ref().is_some_and(too_long) {
        return Err(Error::field("q", "a search has at most 100 characters"));
    }
    let filter = Filter {
        only: (!caller.rights.has(Right::ManageOrganizations)).then_some(caller.home),
        state: in_state,
        name_has: search.filter(|text| !text.is_empty()),
    };
    let caller = caller.clone();
    let look = move |c: &mut Connection| {
        let mut rows = organizations::list(c, &filter, &part)?;
        let next = part.cut(&mut rows, |row| Cursor {
            at: row.created.0,
            id: *row.id.as_bytes(),
        });
        let ids: Vec<OrganizationId> = rows.iter().map(|row| row.id).collect();
        let counts = organizations::counts(c, &ids)?;
        let items = rows.into_iter().map(|row| {
            let counted = counts.get(&row.id).copied().unwrap_or_default();
            shown(row, counted, sees_limits(&caller))
        });
        Ok(Page {
            items: items.collect(),
            next,
        })
    };
    Ok(state.store.read(look).await?)
}

/// One organization.
///
/// # Errors
/// [`Error::NotFound`] when it is not there or not the caller's.
pub async fn get(state: &AppState, caller: &Caller, id: OrganizationId) -> Result<Organization, Error> {
    let caller = caller.clone();
    let look = move |c: &mut Connection| {
        acting(&caller, id)?;
        let row = known(c, id)?;
        Ok(shown(row, counted(c, id)?, sees_limits(&caller)))
    };
    state.store.look(look).await
}

/// Adds an organization.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewOrganization,
    now: UnixMs,
) -> Result<Organization, Error> {
    caller.require(Right::ManageOrganizations)?;
    let row = OrganizationRow {
        id: OrganizationId::generate(),
        name: camera::name(&new.name)?,
        created: now,
        life: Life::begun(now),
        erase_by: None,
        quotas: checked(new.quotas)?,
        stored_bytes: 0,
        licensing: new.licensing,
        revision: 1,
    };
    let caller = caller.clone();
    let make = move |c: &mut Connection| {
        if let Some(before) = once.made_before(c, &caller, now)? {
            let id = OrganizationId::from_bytes(before);
            let row = known(c, id)?;
            return Ok(shown(row, counted(c, id)?, true));
        }
        organizations::add(c, &row)?;
        once.made(c, &caller, *row.id.as_bytes(), now)?;
        let made = shown(row, (0, 0), true);
        let acting = acting(&caller, made.id)?;
        acting.note(
            c,
            "organization.create",
            made.id,
            (None::<&Organization>, Some(&made)),
            now,
        )?;
        Ok(made)
    };
    state.store.transaction(make).await
}

/// Changes the fields given. An administrator of the organization changes its name only.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] with the field.
pub async fn patch(
    state: &AppState,
    caller: &Caller,
    id: OrganizationId,
    seen: Option<u64>,
    patch: OrganizationPatch,
    now: UnixMs,
) -> Result<Organization, Error> {
    let name = patch.name.as_deref().map(camera::name).transpose()?;
    let quotas = patch.quotas.map(checked).transpose()?;
    let right = if quotas.is_some() || patch.licensing.is_some() {
        Right::ManageOrganizations
    } else {
        Right::ManageOrganization
    };
    let change = move |row: &mut OrganizationRow| {
        row.name = name.unwrap_or_else(|| row.name.clone());
        row.quotas = quotas.unwrap_or(row.quotas);
        row.licensing = patch.licensing.unwrap_or(row.licensing);
        Ok(())
    };
    let edit = Edit {
        id,
        right,
        seen,
        action: "organization.change",
    };
    let changed = edit.make(state, caller, now, change).await?;
    state.replan.organization(id);
    Ok(changed)
}

/// Suspends an organization, lets it go on, or takes its deletion back.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`], [`Error::Conflict`] when its state does not
/// allow it.
pub async fn step(
    state: &AppState,
    caller: &Caller,
    id: OrganizationId,
    seen: Option<u64>,
    step: Step,
    now: UnixMs,
) -> Result<Organization, Error> {
    let action = match step {
        Step::Suspend => "organization.suspend",
        Step::Resume => "organization.resume",
        Step::Restore => "organization.restore",
        Step::Delete { .. } => "organization.delete",
    };
    let change = move |row: &mut OrganizationRow| {
        row.life = row.life.step(step, now)?;
        row.erase_by = None;
        Ok(())
    };
    let edit = Edit {
        id,
        right: Right::ManageOrganizations,
        seen,
        action,
    };
    let changed = edit.make(state, caller, now, change).await?;
    state.replan.organization(id);
    Ok(changed)
}

/// How an organization is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deletion {
    /// Days until it is erased, 0 to 365; 30 unless given.
    pub grace_days: Option<u16>,
    /// Its exact name; must be given when there is no day of grace.
    pub confirm: Option<String>,
}

/// Deletes an organization: it stands still at once and is erased when its days of grace are over.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] when
/// nobody would be left to run the platform.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    id: OrganizationId,
    seen: Option<u64>,
    deletion: Deletion,
    now: UnixMs,
) -> Result<Organization, Error> {
    let grace_days = deletion.grace_days.unwrap_or(organization::GRACE_DAYS);
    if grace_days > organization::GRACE_DAYS_MAX {
        return Err(Error::field("grace_days", "0 to 365 days of grace"));
    }
    acting(caller, id)?.require(Right::ManageOrganizations)?;
    // A machine could not be asked afterwards why.
    let (person, _) = caller.person()?;
    let acting = acting(caller, id)?;
    let change = move |c: &mut Connection| {
        let mut row = known(c, id)?;
        Error::unless_seen(seen, row.revision)?;
        confirmed(&row, grace_days, deletion.confirm.as_deref())?;
        if organizations::of_owner(c, id, None)?.is_none() {
            return Err(Error::Conflict {
                code: "last_super_admin",
                title: "nobody else runs the platform: the organization of the last SuperAdmin stays"
                    .to_owned(),
            });
        }
        let before = shown(row.clone(), counted(c, id)?, true);
        row.life = row.life.step(Step::Delete { grace_days }, now)?;
        row.erase_by = Some(person);
        row.revision += 1;
        organizations::update(c, &row)?;
        let after = shown(row, counted(c, id)?, true);
        acting.note(c, "organization.delete", id, (Some(&before), Some(&after)), now)?;
        tell(c, &acting, &after, now)?;
        Ok(after)
    };
    let deleted = state.store.transaction(change).await?;
    state.replan.organization(id);
    state.erase.notify_one();
    Ok(deleted)
}

fn confirmed(row: &OrganizationRow, grace_days: u16, confirm: Option<&str>) -> Result<(), Error> {
    match confirm {
        Some(name) if name == row.name => Ok(()),
        None if grace_days > 0 => Ok(()),
        _ => Err(Error::field(
            "confirm",
            "confirm with the exact name of the organization",
        )),
    }
}

/// A change of an organization's settings.
struct Edit {
    id: OrganizationId,
    right: Right,
    seen: Option<u64>,
    action: &'static str,
}

impl Edit {
    async fn make(
        self,
        state: &AppState,
        caller: &Caller,
        now: UnixMs,
        change: impl FnOnce(&mut OrganizationRow) -> Result<(), Error> + Send + 'static,
    ) -> Result<Organization, Error> {
        let acting = acting(caller, self.id)?;
        acting.require(self.right)?;
        let edit = move |c: &mut Connection| {
            let mut row = known(c, self.id)?;
            Error::unless_seen(self.seen, row.revision)?;
            let old = row.clone();
            change(&mut row)?;
            let counted = counted(c, self.id)?;
            if row == old {
                return Ok(shown(row, counted, true));
            }
            row.revision += 1;
            organizations::update(c, &row)?;
            let (before, after) = (shown(old, counted, true), shown(row, counted, true));
            acting.note(c, self.action, self.id, (Some(&before), Some(&after)), now)?;
            tell(c, &acting, &after, now)?;
            Ok(after)
        };
        state.store.transaction(edit).await
    }
}

fn tell(
    connection: &mut Connection,
    acting: &Caller,
    after: &Organization,
    now: UnixMs,
) -> Result<(), StoreError> {
    let body = json!({"name": after.name, "state": after.state});
    acting.tell(connection, FactKind::OrganizationChanged, None, &body, now)
}

/// The caller as acting in the organization named in the path.
fn acting(caller: &Caller, id: OrganizationId) -> Result<Caller, Error> {
    if id != caller.home && !caller.rights.has(Right::ManageOrganizations) {
        return Err(Error::not_found("organization"));
    }
    Ok(Caller {
        organization: id,
        ..caller.clone()
    })
}

fn sees_limits(caller: &Caller) -> bool {
    caller.rights.has(Right::ManageOrganization)
}

fn known(connection: &mut Connection, id: OrganizationId) -> Result<OrganizationRow, Error> {
    organizations::get(connection, id)?.ok_or(Error::not_found("organization"))
}

fn counted(connection: &mut Connection, id: OrganizationId) -> Result<(u64, u64), StoreError> {
    let counts = organizations::counts(connection, &[id])?;
    Ok(counts.get(&id).copied().unwrap_or_default())
}

fn checked(quotas: Quotas) -> Result<Quotas, Error> {
    match organization::quotas(&quotas) {
        Ok(()) => Ok(quotas),
        Err((field, title)) => Err(Error::field(field, title)),
    }
}

fn shown(row: OrganizationRow, (cameras, users): (u64, u64), limits: bool) -> Organization {
    Organization {
        id: row.id,
        name: row.name,
        state: row.life.state,
        state_since: row.life.since,
        erase_after: row.life.erase_after,
        licensing: row.licensing,
        usage: limits.then(|| organization::usage(&row.quotas, cameras, users, row.stored_bytes)),
        quotas: limits.then_some(row.quotas),
        created: row.created,
        revision: row.revision,
    }
}
