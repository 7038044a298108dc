//! Users: the people of an organization, their one-time links and what they were granted.

use serde::{Deserialize, Serialize};

use crate::access::{Permissions, Role};
use crate::id::{CameraId, GroupId, UserId};
use crate::time::UnixMs;

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

/// A user as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct User {
    /// The user.
    pub id: UserId,
    /// Name that signs in, in lower case.
    pub login: String,
    /// Name of the person; may be empty.
    pub name: String,
    /// What the user is.
    pub role: Role,
    /// Whether the user can sign in.
    pub state: UserState,
    /// Whether a second factor is in force.
    pub totp: bool,
    /// When the user was invited.
    pub created: UnixMs,
    /// When the user last signed in.
    pub last_sign_in: Option<UnixMs>,
    /// Grows with each change; the same as in the `ETag`.
    pub revision: u64,
}

/// `POST /api/v1/users`: invite somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// E-mail address or a name: 1 to 254 bytes without blanks. Kept in lower case, NFKC.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 254))]
    pub login: String,
    /// Name of the person.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(max_length = 100))]
    pub name: String,
    /// What the user is to be; never above one's own role.
    pub role: Role,
}

/// `PATCH /api/v1/users/{id}`: only the fields given change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UserPatch {
    /// New name of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 100))]
    pub name: Option<String>,
    /// New role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// `disabled` ends every session at once; `active` lets the user in again, or back to `invited` when
    /// no password was chosen yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<UserState>,
}

/// A link that works once, to hand to a person. It is shown in this answer only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OneTimeLink {
    /// Where the person chooses a password. The secret is in the fragment, which no server logs.
    pub link: String,
    /// When it stops working.
    pub expires: UnixMs,
}

impl std::fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OneTimeLink")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Answer to an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invited {
    /// The new user.
    pub user: User,
    /// For the invited person.
    pub invitation: OneTimeLink,
}

/// What a one-time link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Accept an invitation by choosing the first password.
    Invitation,
    /// Choose a new password.
    PasswordReset,
}

/// `POST /api/v1/invitations/look`: what a link is for, before it is used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookAtLink {
    /// The last part of the link.
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub token: String,
}

impl std::fmt::Debug for LookAtLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookAtLink").finish_non_exhaustive()
    }
}

/// For the page where a person chooses a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LinkShown {
    /// Invitation or new password.
    pub purpose: LinkPurpose,
    /// Name that will sign in.
    pub login: String,
    /// The organization.
    pub organization_name: String,
    /// When the link stops working.
    pub expires: UnixMs,
}

/// `POST /api/v1/invitations/accept`: use a link up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptLink {
    /// The last part of the link.
    #[cfg_attr(feature = "schema", schema(max_length = 256))]
    pub token: String,
    /// The password from now on: 10 to 1024 bytes, not the login, not a common one.
    #[cfg_attr(feature = "schema", schema(min_length = 3, max_length = 1024))]
    pub password: String,
}

impl std::fmt::Debug for AcceptLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcceptLink").finish_non_exhaustive()
    }
}

/// What a user may do with one camera or with every camera of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// On this camera. Either this or `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraId>,
    /// On every camera of this group. Either this or `camera`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// At least one.
    pub permissions: Permissions,
}

/// `GET` and `PUT /api/v1/users/{id}/grants`: all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// At most one for each camera and group. In force for users whose role is `org_user`.
    #[cfg_attr(feature = "schema", schema(max_items = 1000))]
    pub items: Vec<Grant>,
}
