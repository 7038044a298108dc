//! Signing in, and who one is.

use serde::{Deserialize, Serialize};

use crate::access::{Rights, Role};
use crate::id::{OrganizationId, UserId};

/// `POST /api/v1/session`: sign in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address or the administrator's name.
    pub login: String,
    /// Password.
    pub password: String,
    /// Six digits of the second factor, or a recovery code; asked for with `totp_required`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("login", &self.login)
            .field("password", &"…")
            .finish()
    }
}

/// Answer to sign-in and refresh. The refresh token travels in an HttpOnly cookie only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    /// JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in_s: u32,
    /// Who signed in.
    pub user: Me,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("access_token", &"…")
            .field("user", &self.user)
            .finish()
    }
}

/// `GET /api/v1/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Me {
    /// The user.
    pub id: UserId,
    /// Name that signs in.
    pub login: String,
    /// The user's organization.
    pub organization: OrganizationId,
    /// Its name.
    pub organization_name: String,
    /// Name of the person.
    pub name: String,
    /// What the user is.
    pub role: Role,
    /// What the user may do in the whole organization; grants on single cameras come on top.
    pub rights: Rights,
    /// Whether a second factor is in force.
    #[serde(default)]
    pub totp: bool,
}
