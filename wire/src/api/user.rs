//! Users: the people of an organization.

use serde::{Deserialize, Serialize};

/// Whether a user can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Yes.
    Active,
    /// Not before the invitation is accepted.
    Invited,
    /// No, until an administrator says otherwise.
    Disabled,
}
