//! Service keys: how machines call.

use serde::{Deserialize, Serialize};

use crate::access::Rights;
use crate::id::{ServiceKeyId, UserId};
use crate::time::UnixMs;

/// A service key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceKey {
    /// The key.
    pub id: ServiceKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do in its organization.
    pub scopes: Rights,
    /// The last four characters of the secret, to tell keys apart.
    pub hint: String,
    /// When it was made.
    pub created: UnixMs,
    /// Who made it, if a person did.
    pub created_by: Option<UserId>,
    /// When it stops working; none when it does not.
    pub expires: Option<UnixMs>,
    /// When it was last used, to the minute.
    pub last_used: Option<UnixMs>,
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
}

/// `POST /api/v1/service-keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewServiceKey {
    /// What it is for: 1 to 100 characters.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// What it may do: at least one right, each of which its maker has.
    pub scopes: Rights,
    /// When it stops working; in the future. None when it does not.
    #[serde(default)]
    pub expires: Option<UnixMs>,
}

/// Answer to making a key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MadeServiceKey {
    /// The key.
    pub key: ServiceKey,
    /// For `Authorization: Bearer`; begins with `cck_`. It is shown in this answer only.
    pub secret: String,
}

impl std::fmt::Debug for MadeServiceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeServiceKey")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// `PATCH /api/v1/service-keys/{id}`: only the fields given change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ServiceKeyPatch {
    /// New name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// New end; null when it is not to end.
    #[serde(
        deserialize_with = "super::patch::clearable",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schema", schema(value_type = Option<UnixMs>))]
    pub expires: Option<Option<UnixMs>>,
}
