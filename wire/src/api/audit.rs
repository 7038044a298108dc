//! The audit log.

use serde::{Deserialize, Serialize};

/// What acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person.
    User,
    /// A machine with a service key.
    ServiceKey,
    /// The server itself, or somebody at its console.
    System,
}
