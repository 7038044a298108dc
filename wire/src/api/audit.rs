//! The audit log.

use serde::{Deserialize, Serialize};

use crate::id::AuditId;
use crate::time::UnixMs;

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

impl ActorKind {
    /// As in queries and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceKey => "service_key",
            Self::System => "system",
        }
    }
}

/// What somebody did, or the server by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// The entry; entries sort by it.
    pub id: AuditId,
    /// When it happened.
    pub at: UnixMs,
    /// What acted.
    pub actor_kind: ActorKind,
    /// Id of the user or service key that acted.
    #[cfg_attr(feature = "schema", schema(format = "uuid"))]
    pub actor: Option<String>,
    /// Its login or name at that time; nothing once the person is erased.
    pub actor_name: Option<String>,
    /// Network address it came from.
    pub address: Option<String>,
    /// The request, as in its answer's `X-Request-Id`.
    pub request_id: Option<String>,
    /// Such as `camera.create`.
    pub action: String,
    /// Id of what it was done to.
    pub subject: String,
    /// What it was before, as the API shows it.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub before: Option<serde_json::Value>,
    /// What it is since, as the API shows it.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub after: Option<serde_json::Value>,
}
