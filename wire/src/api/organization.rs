//! Organizations: the tenants.

use serde::{Deserialize, Serialize};

use crate::id::OrganizationId;
use crate::time::UnixMs;

/// What an organization may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrganizationState {
    /// Everything.
    Active,
    /// Watch what is there: nothing is recorded or changed.
    Suspended,
    /// Nothing: it is erased when its grace period ends.
    Deleting,
}

/// Whether an organization's cameras need licences to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Licensing {
    /// They do.
    #[default]
    Required,
    /// They do not.
    None,
}

/// How much an organization may have; what is left out is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Cameras that are not deleted.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1_000_000))]
    pub cameras: Option<u32>,
    /// Users, invited and disabled ones included.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1_000_000))]
    pub users: Option<u32>,
    /// Bytes of footage in the object store. When they are reached, new footage stays at the nodes;
    /// nothing is deleted.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 9_007_199_254_740_991_i64))]
    pub storage_bytes: Option<u64>,
}

/// How much an organization has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Cameras that are not deleted.
    pub cameras: u64,
    /// Users, invited and disabled ones included.
    pub users: u64,
    /// Bytes of footage in the object store.
    pub stored_bytes: u64,
    /// Whether the storage quota is reached: new footage stays at the nodes.
    pub storage_full: bool,
}

/// `POST /api/v1/organizations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// Its name.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// How much it may have.
    #[serde(default)]
    pub quotas: Quotas,
    /// Whether its cameras need licences.
    #[serde(default)]
    pub licensing: Licensing,
}

/// `PATCH /api/v1/organizations/{id}`: only the fields given change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationPatch {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// New quotas, all of them: one that is left out is lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Quotas>,
    /// Whether its cameras need licences from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licensing: Option<Licensing>,
}

/// An organization as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Organization {
    /// The organization.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub state: OrganizationState,
    /// Since when.
    pub state_since: UnixMs,
    /// When it is erased, if it is being deleted; until then it can be restored.
    pub erase_after: Option<UnixMs>,
    /// Whether its cameras need licences.
    pub licensing: Licensing,
    /// How much it may have; shown to its administrators.
    pub quotas: Option<Quotas>,
    /// How much it has; shown to its administrators.
    pub usage: Option<Usage>,
    /// When it was created.
    pub created: UnixMs,
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
}
