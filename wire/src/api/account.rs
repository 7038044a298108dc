//! One's own account: password, second factor, sessions.

use serde::{Deserialize, Serialize};

use crate::id::SessionId;
use crate::time::UnixMs;

/// `POST /api/v1/me/password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password of now.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 1024))]
    pub current: String,
    /// The password from now on: 10 to 1024 bytes, not the login, not one of the most common.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 1024))]
    pub new: String,
}

/// `POST /api/v1/me/totp`: begin with a second factor.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BeginTotp {
    /// The password again.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 1024))]
    pub password: String,
}

/// The secret of a second factor, for an authenticator. It is shown in this answer only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TotpSecret {
    /// To type: base32 (RFC 4648).
    pub secret: String,
    /// To scan: `otpauth://totp/…`.
    pub address: String,
}

/// `POST /api/v1/me/totp/confirm` and `…/recovery-codes`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TotpCode {
    /// Six digits that the authenticator shows now; for new recovery codes an old one does too.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 40))]
    pub code: String,
}

/// `DELETE /api/v1/me/totp`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveTotp {
    /// The password again.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 1024))]
    pub password: String,
    /// Six digits or a recovery code, when the second factor is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 40))]
    pub code: Option<String>,
}

/// Codes that each let in once without the authenticator. They are shown in this answer only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecoveryCodes {
    /// `abcd-efgh-ijkl-mnop`.
    pub codes: Vec<String>,
}

macro_rules! secret_debug {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

secret_debug!(
    ChangePassword,
    BeginTotp,
    TotpSecret,
    TotpCode,
    RemoveTotp,
    RecoveryCodes
);

/// A sign-in that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UserSession {
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
    /// Whether it is the one that asks.
    pub current: bool,
}
