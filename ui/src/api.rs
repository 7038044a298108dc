//! What the panel asks beyond what the player asks too.

mod groups;
mod keys;
mod licences;
mod nodes;
mod organizations;
mod recording;

use player::api::{ApiError, all, get, post, seen, tell};
use wire::access::Role;
use wire::api::{
    BeginTotp, ChangePassword, Grants, Invited, NewUser, OneTimeLink, RecoveryCodes, RemoveTotp, TotpCode,
    TotpSecret, User, UserPatch, UserSession, UserState,
};
use wire::{SessionId, UserId};

pub(crate) use groups::*;
pub(crate) use keys::*;
pub(crate) use licences::*;
pub(crate) use nodes::*;
pub(crate) use organizations::*;
pub(crate) use recording::*;

type Result<T> = std::result::Result<T, ApiError>;

const NOTHING: Option<&()> = None;

/// Where people are listed.
pub(crate) const USERS: &str = "/api/v1/users";

/// People of the organization.
pub(crate) async fn users() -> Result<Vec<User>> {
    all(USERS).await
}

/// One person.
pub(crate) async fn user(id: UserId) -> Result<User> {
    get(&format!("/api/v1/users/{id}")).await
}

/// Where a person is signed in.
pub(crate) async fn sessions_of(id: UserId) -> Result<Vec<UserSession>> {
    all(&format!("/api/v1/users/{id}/sessions")).await
}

/// Signs a person out everywhere.
pub(crate) async fn end_sessions_of(id: UserId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/users/{id}/sessions"), NOTHING).await
}

/// What a person was granted.
pub(crate) async fn grants(id: UserId) -> Result<Grants> {
    get(&format!("/api/v1/users/{id}/grants")).await
}

/// Grants a person exactly these, as the person was seen.
pub(crate) async fn grant(user: &User, grants: &Grants) -> Result<Grants> {
    seen(
        "PUT",
        &format!("/api/v1/users/{}/grants", user.id),
        Some(grants),
        user.revision,
    )
    .await
}

/// Invites a person; the link is shown this once.
pub(crate) async fn invite(new: &NewUser) -> Result<Invited> {
    post("/api/v1/users", new).await
}

/// A new link for a person who has not accepted yet.
pub(crate) async fn invite_again(id: UserId) -> Result<OneTimeLink> {
    post(&format!("/api/v1/users/{id}/invitation"), &()).await
}

/// A link with which a person chooses a new password.
pub(crate) async fn reset_password(id: UserId) -> Result<OneTimeLink> {
    post(&format!("/api/v1/users/{id}/password-reset"), &()).await
}

/// Lets a person sign in, or no more.
pub(crate) async fn set_state(id: UserId, state: UserState) -> Result<()> {
    let patch = UserPatch {
        state: Some(state),
        ..UserPatch::default()
    };
    tell("PATCH", &format!("/api/v1/users/{id}"), Some(&patch)).await
}

/// Changes what a person is.
pub(crate) async fn set_role(id: UserId, role: Role) -> Result<()> {
    let patch = UserPatch {
        role: Some(role),
        ..UserPatch::default()
    };
    tell("PATCH", &format!("/api/v1/users/{id}"), Some(&patch)).await
}

/// Lets a locked person try again.
pub(crate) async fn unlock(id: UserId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/users/{id}/lock"), NOTHING).await
}

/// Takes a lost second factor away.
pub(crate) async fn remove_factor_of(id: UserId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/users/{id}/totp"), NOTHING).await
}

/// Erases a person's data.
pub(crate) async fn erase_user(id: UserId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/users/{id}"), NOTHING).await
}

/// Changes the own password.
pub(crate) async fn change_password(change: &ChangePassword) -> Result<()> {
    tell("POST", "/api/v1/me/password", Some(change)).await
}

/// The own sign-ins.
pub(crate) async fn sessions() -> Result<Vec<UserSession>> {
    all("/api/v1/me/sessions").await
}

/// Ends one of the own sign-ins.
pub(crate) async fn end_session(id: SessionId) -> Result<()> {
    tell("DELETE", &format!("/api/v1/me/sessions/{id}"), NOTHING).await
}

/// Makes a secret for the second factor.
pub(crate) async fn begin_factor(password: String) -> Result<TotpSecret> {
    post("/api/v1/me/totp", &BeginTotp { password }).await
}

/// Puts the second factor in force; the recovery codes are shown this once.
pub(crate) async fn confirm_factor(code: String) -> Result<RecoveryCodes> {
    post("/api/v1/me/totp/confirm", &TotpCode { code }).await
}

/// Takes the own second factor away.
pub(crate) async fn remove_factor(password: String, code: String) -> Result<()> {
    let body = RemoveTotp {
        password,
        code: Some(code).filter(|code| !code.is_empty()),
    };
    tell("DELETE", "/api/v1/me/totp", Some(&body)).await
}
