//! Who calls, and what that lets them do: decided here once for every use case.
//!
//! Rights and grants are looked up at every request, so that a revoked session, a disabled user and a
//! suspended organization are without effect from the next request on.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use wire::access::{Permission, Permissions, Right, Rights, Role};
use wire::api::{ActorKind, OrganizationState, UserState};
use wire::{CameraId, OrganizationId, ServiceKeyId, SessionId, UnixMs, UserId};

use super::token;
use crate::store::access::{self, Machine, Person};
use crate::store::audit::AuditRow;
use crate::store::facts::FactKind;
use crate::store::{CameraRow, Connection, StoreError, audit, cameras, facts};
use crate::{AppState, Error};

/// How service keys begin, so that they are known for what they are.
pub const KEY_PREFIX: &str = "cck_";
/// A key's use is noted at most once in this time, in milliseconds.
const USE_NOTED_MS: i64 = 60_000;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person, by one sign-in.
    User {
        /// The person.
        id: UserId,
        /// The sign-in.
        session: SessionId,
    },
    /// A machine.
    ServiceKey {
        /// Its key.
        id: ServiceKeyId,
    },
}

/// An authenticated request: the first argument of every use case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// Login of the person, name of the key.
    pub name: String,
    /// What the person is; none for a machine.
    pub role: Option<Role>,
    /// The organization acted in: the first argument of every query.
    pub organization: OrganizationId,
    /// The organization that the actor belongs to.
    pub home: OrganizationId,
    /// What may be done in the whole organization.
    pub rights: Rights,
    /// Where the request came from.
    pub address: IpAddr,
    /// Names the request in answer, log and audit.
    pub request_id: String,
}

/// Where a request came from and what it is called.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The peer.
    pub address: IpAddr,
    /// Names the request in answer, log and audit.
    pub request_id: String,
}

/// What the request means to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Look.
    Read,
    /// Change something of the organization.
    Change,
    /// Change something of one's own account, or sign out.
    Own,
}

impl Caller {
    /// Who a bearer token names.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it works no more, [`Error::Forbidden`] when the organization is
    /// suspended and something is to be changed, [`Error::NotFound`] for another organization.
    pub async fn authenticate(
        state: &AppState,
        bearer: &str,
        organization: Option<OrganizationId>,
        intent: Intent,
        origin: Origin,
        now: UnixMs,
    ) -> Result<Self, Error> {
        let (mut caller, suspended) = if bearer.starts_with(KEY_PREFIX) {
            machine(state, bearer, origin, now).await?
        } else {
            person(state, bearer, origin, now).await?
        };
        let owner = caller.rights.has(Right::ManageOrganizations);
        if suspended && intent == Intent::Change && !owner {
            return Err(Error::Forbidden {
                code: "organization_suspended",
                title: "the organization is suspended: its footage can be watched, nothing can be changed",
            });
        }
        if let Some(other) = organization.filter(|other| *other != caller.home) {
            if !owner {
                return Err(Error::not_found("organization"));
            }
            let known = state
                .store
                .read(move |c| crate::store::organizations::exists(c, other))
                .await?;
            if !known {
                return Err(Error::not_found("organization"));
            }
            caller.organization = other;
            // Who runs the platform does not watch what others record.
            for right in [Right::ViewLive, Right::ViewFootage, Right::Export] {
                caller.rights = caller.rights.without(right);
            }
        }
        Ok(caller)
    }

    /// Lets through who has a right.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, right: Right) -> Result<(), Error> {
        if self.rights.has(right) {
            Ok(())
        } else {
            Err(forbidden())
        }
    }

    /// The person, where only a person makes sense.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a machine.
    pub fn person(&self) -> Result<(UserId, SessionId), Error> {
        match self.actor {
            Actor::User { id, session } => Ok((id, session)),
            Actor::ServiceKey { .. } => Err(forbidden()),
        }
    }

    /// The caller acting in the organization they belong to, as with one's own account.
    #[must_use]
    pub fn at_home(&self) -> Self {
        Self {
            organization: self.home,
            ..self.clone()
        }
    }

    /// Where the request came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin {
            address: self.address,
            request_id: self.request_id.clone(),
        }
    }

    /// The actor's id, as the audit log and idempotency keys hold it.
    #[must_use]
    pub fn actor_id(&self) -> [u8; 16] {
        match self.actor {
            Actor::User { id, .. } => *id.as_bytes(),
            Actor::ServiceKey { id } => *id.as_bytes(),
        }
    }

    /// What may be done with one camera. Nothing at all means that it must not be known.
    ///
    /// # Errors
    /// Those of the database.
    pub fn permissions(
        &self,
        connection: &mut Connection,
        camera: CameraId,
    ) -> Result<Permissions, StoreError> {
        let everywhere: Permissions = Permission::ALL
            .into_iter()
            .filter(|permission| self.rights.has(permission.right()))
            .collect();
        match self.actor {
            Actor::User { id, .. } if self.role == Some(Role::OrgUser) => {
                let granted = access::granted(connection, self.organization, id, camera)?;
                Ok(everywhere.and(granted))
            }
            _ => Ok(everywhere),
        }
    }

    /// The user whose grants limit what lists show; none when everything of the organization is shown.
    #[must_use]
    pub fn only_granted(&self) -> Option<UserId> {
        match self.actor {
            Actor::User { id, .. } if self.role == Some(Role::OrgUser) => Some(id),
            _ => None,
        }
    }

    /// Lets through who may know of cameras at all: every person, and machines with a right on cameras.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_any_camera(&self) -> Result<(), Error> {
        let has_some = Permission::ALL
            .iter()
            .any(|permission| self.rights.has(permission.right()));
        if self.role.is_some() || has_some {
            Ok(())
        } else {
            Err(forbidden())
        }
    }

    /// A camera that is not deleted, for who may do `permission` with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is another organization's or nothing was granted on it,
    /// [`Error::Forbidden`] when only other things were.
    pub fn camera(
        &self,
        connection: &mut Connection,
        id: CameraId,
        permission: Option<Permission>,
    ) -> Result<CameraRow, Error> {
        self.camera_even_deleted(connection, id, permission)
            .and_then(|row| {
                if row.deleted.is_none() {
                    Ok(row)
                } else {
                    Err(Error::not_found("camera"))
                }
            })
    }

    /// Like [`Caller::camera`], deleted ones included: their footage is still there.
    ///
    /// # Errors
    /// As [`Caller::camera`].
    pub fn camera_even_deleted(
        &self,
        connection: &mut Connection,
        id: CameraId,
        permission: Option<Permission>,
    ) -> Result<CameraRow, Error> {
        let row = cameras::get_even_deleted(connection, self.organization, id)?
            .ok_or(Error::not_found("camera"))?;
        let permissions = self.permissions(connection, id)?;
        if permissions.is_empty() {
            return Err(Error::not_found("camera"));
        }
        match permission {
            Some(wanted) if !permissions.has(wanted) => Err(forbidden()),
            _ => Ok(row),
        }
    }

    /// Writes to the audit log, in the transaction of the change. Values are what the API shows.
    ///
    /// # Errors
    /// Those of the database.
    pub fn note<B: serde::Serialize, A: serde::Serialize>(
        &self,
        connection: &mut Connection,
        action: &str,
        subject: impl std::fmt::Display,
        (before, after): (Option<&B>, Option<&A>),
        now: UnixMs,
    ) -> Result<(), StoreError> {
        audit::insert(connection, &self.entry(action, subject, (before, after))?, now)
    }

    /// Tells a fact of the organization acted in, in the transaction of the change.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tell(
        &self,
        connection: &mut Connection,
        kind: FactKind,
        camera: Option<CameraId>,
        body: &impl serde::Serialize,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        facts::add(connection, self.organization, kind, camera, None, body, now)
    }

    /// What [`Caller::note`] writes, for who writes many at once.
    ///
    /// # Errors
    /// Those of values that cannot be written as JSON.
    pub(super) fn entry<B: serde::Serialize, A: serde::Serialize>(
        &self,
        action: &str,
        subject: impl std::fmt::Display,
        (before, after): (Option<&B>, Option<&A>),
    ) -> Result<AuditRow, StoreError> {
        Ok(AuditRow {
            organization: self.organization,
            actor_kind: match self.actor {
                Actor::User { .. } => ActorKind::User,
                Actor::ServiceKey { .. } => ActorKind::ServiceKey,
            },
            actor: Some(self.actor_id()),
            actor_name: Some(self.name.clone()),
            address: Some(self.address.to_string()),
            request_id: Some(self.request_id.clone()),
            action: action.to_owned(),
            subject: subject.to_string(),
            old_value: before.map(serde_json::to_string).transpose()?,
            new_value: after.map(serde_json::to_string).transpose()?,
        })
    }
}

/// What a caller without the right learns.
pub(super) const fn forbidden() -> Error {
    Error::Forbidden {
        code: "forbidden",
        title: "you may not do this: an administrator of your organization can",
    }
}

const fn unauthorized() -> Error {
    Error::Unauthorized {
        code: "unauthorized",
        title: "sign in first",
    }
}

async fn person(
    state: &AppState,
    bearer: &str,
    origin: Origin,
    now: UnixMs,
) -> Result<(Caller, bool), Error> {
    let claims = token::verify(&state.secrets, bearer).ok_or_else(unauthorized)?;
    let found = state
        .store
        .read(move |c| access::person(c, claims.user, claims.session, now))
        .await?;
    let person: Person = found.ok_or_else(unauthorized)?;
    if person.state != UserState::Active || person.organization_state == OrganizationState::Deleting {
        return Err(unauthorized());
    }
    let caller = Caller {
        actor: Actor::User {
            id: claims.user,
            session: claims.session,
        },
        name: person.login,
        role: Some(person.role),
        organization: person.organization,
        home: person.organization,
        rights: Rights::of(person.role),
        address: origin.address,
        request_id: origin.request_id,
    };
    Ok((caller, person.organization_state == OrganizationState::Suspended))
}

async fn machine(
    state: &AppState,
    bearer: &str,
    origin: Origin,
    now: UnixMs,
) -> Result<(Caller, bool), Error> {
    let hash: [u8; 32] = Sha256::digest(bearer).into();
    let found = state.store.read(move |c| access::machine(c, &hash, now)).await?;
    let machine: Machine = found.ok_or_else(unauthorized)?;
    if machine.organization_state == OrganizationState::Deleting {
        return Err(unauthorized());
    }
    let id = machine.id;
    if machine.last_used.is_none_or(|at| now.since(at) > USE_NOTED_MS) {
        state.store.write(move |c| access::used(c, id, now)).await?;
    }
    let caller = Caller {
        actor: Actor::ServiceKey { id },
        name: machine.name,
        role: None,
        organization: machine.organization,
        home: machine.organization,
        rights: machine.rights,
        address: origin.address,
        request_id: origin.request_id,
    };
    Ok((caller, machine.organization_state == OrganizationState::Suspended))
}
