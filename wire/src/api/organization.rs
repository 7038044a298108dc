//! Organizations: the tenants.

use serde::{Deserialize, Serialize};

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
