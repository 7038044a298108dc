//! Everything that is kept about a person, for that person (GDPR articles 15 and 20).

use serde::{Deserialize, Serialize};

use super::user::{Grant, LinkPurpose, User};
use crate::id::{OrganizationId, SessionId};
use crate::time::UnixMs;

/// `GET /api/v1/users/{id}/export` and `GET /api/v1/me/export`. Secrets and other people's data are not
/// in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonExport {
    /// When this was put together.
    pub exported: UnixMs,
    /// The person's organization.
    pub organization: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// The account.
    pub user: User,
    /// What the person was granted.
    pub grants: Vec<Grant>,
    /// Sign-ins that have not ended.
    pub sessions: Vec<PersonSession>,
    /// One-time links that were not used yet.
    pub links: Vec<PersonLink>,
    /// Failed sign-ins since the last one that succeeded.
    pub failures: Option<PersonFailures>,
    /// What the person did and what was done to the account, oldest first.
    pub log: Vec<PersonEntry>,
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonSession {
    /// The session.
    pub id: SessionId,
    /// When it began.
    pub created: UnixMs,
    /// When it was last renewed.
    pub last_used: UnixMs,
    /// When it ends unless it is renewed.
    pub expires: UnixMs,
    /// Network address that it was last renewed from.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// A one-time link, without its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonLink {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// When it was made.
    pub created: UnixMs,
    /// When it stops working.
    pub expires: UnixMs,
}

/// Failed sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonFailures {
    /// How many in a row.
    pub count: u32,
    /// When the last one was.
    pub last: UnixMs,
    /// Until when nobody signs in with this login.
    pub locked_until: Option<UnixMs>,
}

/// An entry of the audit log, as far as it is about the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PersonEntry {
    /// When it happened.
    pub at: UnixMs,
    /// Such as `camera.create`.
    pub action: String,
    /// Whether the person did it.
    pub by_person: bool,
    /// Whether it was done to the person's account.
    pub about_person: bool,
    /// Id of what the person did it to, unless that is another person.
    pub subject: Option<String>,
    /// Network address that the person came from.
    pub address: Option<String>,
    /// What the account was before, as the API shows it.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub before: Option<serde_json::Value>,
    /// What the account is since, as the API shows it.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub after: Option<serde_json::Value>,
}
