//! One-time links: invitations and new passwords.
//!
//! A link's token is shown once, to the administrator who made it; only its digest is kept. It works once
//! and for a week, and a new link of a user ends the one before.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use wire::access::Right;
use wire::api::{
    AcceptLink, ActorKind, Invited, LinkPurpose, LinkShown, LookAtLink, NewUser, OneTimeLink, User, UserState,
};
use wire::{UnixMs, UserId};

use super::organizations::{Quota, room_for};
use super::users::{managed, may_give, shown, unless_own};
use super::{Caller, Once, Origin};
use crate::domain::{password, user};
use crate::secrets::random;
use crate::store::audit::AuditRow;
use crate::store::members::{self, MemberRow};
use crate::store::one_time::{self, OneTimeRow};
use crate::store::types::TokenPurpose;
use crate::store::{Connection, StoreError, audit, failures, organizations, sessions, users};
use crate::{AppState, Error};

/// Milliseconds that a link works.
const LINK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Characters of a token.
const TOKEN_LENGTH: usize = 43;

impl From<password::InvalidPassword> for Error {
    fn from(error: password::InvalidPassword) -> Self {
        Self::Invalid {
            code: "weak_password",
            title: error.to_string(),
            field: Some("password"),
        }
    }
}

/// Invites somebody. The same request again, under its `Idempotency-Key`, makes nothing and shows no
/// link: that is lost with the first answer, and [`renew`] makes another.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Invalid`] with the field, [`Error::Conflict`] when the login is taken,
/// the quota is reached, or the request was made before.
pub async fn invite(
    state: &AppState,
    caller: &Caller,
    once: Once,
    new: NewUser,
    now: UnixMs,
) -> Result<Invited, Error> {
    caller.require(Right::ManageUsers)?;
    may_give(caller, new.role)?;
    let row = MemberRow {
        id: UserId::generate(),
        organization: caller.organization,
        login: user::login(&new.login)?,
        name: user::name(&new.name)?,
        role: new.role,
        state: UserState::Invited,
        has_password: false,
        totp: false,
        created: now,
        last_sign_in: None,
        revision: 1,
    };
    let (token, invitation) = link(state, row.id, TokenPurpose::Invitation, now)?;
    let (caller, user) = (caller.clone(), shown(&row));
    let after = user.clone();
    state
        .store
        .transaction(move |c| {
            if once.made_before(c, &caller, now)?.is_some() {
                return Err(Error::Conflict {
                    code: "already_created",
                    title: "this request has made the user already: renew the invitation for a new link"
                        .to_owned(),
                });
            }
            room_for(c, caller.organization, Quota::Users, 1)?;
            match members::insert(c, &row) {
                Err(StoreError::Conflict(_)) => return Err(taken()),
                other => other?,
            }
            one_time::replace(c, &token)?;
            caller.note(c, "user.create", row.id, (None::<&User>, Some(&after)), now)?;
            once.made(c, &caller, *row.id.as_bytes(), now)
        })
        .await?;
    Ok(Invited { user, invitation })
}

/// A new invitation for who has not accepted the one before, which ends.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Conflict`] for who has a password already.
pub async fn renew(state: &AppState, caller: &Caller, id: UserId, now: UnixMs) -> Result<OneTimeLink, Error> {
    let wanted = |row: &MemberRow| match row.state {
        UserState::Invited => Ok(()),
        _ => Err(Error::Conflict {
            code: "not_invited",
            title: "only who has not accepted an invitation yet is invited again".to_owned(),
        }),
    };
    relink(state, caller, id, TokenPurpose::Invitation, wanted, now).await
}

/// A link to a new password; ends the user's sessions. The old password works until the link is used.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Conflict`] for oneself and for who cannot sign in.
pub async fn reset(state: &AppState, caller: &Caller, id: UserId, now: UnixMs) -> Result<OneTimeLink, Error> {
    caller.require(Right::ManageUsers)?;
    unless_own(caller, id)?;
    let wanted = |row: &MemberRow| match row.state {
        UserState::Active => Ok(()),
        _ => Err(Error::Conflict {
            code: "not_active",
            title: "only who can sign in gets a new password".to_owned(),
        }),
    };
    relink(state, caller, id, TokenPurpose::PasswordReset, wanted, now).await
}

/// What a link is for, without using it.
///
/// # Errors
/// [`Error::Unauthorized`] when it works no more, [`Error::TooMany`].
pub async fn look(
    state: &AppState,
    body: &LookAtLink,
    address: IpAddr,
    now: UnixMs,
) -> Result<LinkShown, Error> {
    let hash = attempt(state, &body.token, address)?;
    let (token, user) = state.store.look(move |c| living(c, &hash, now)).await?;
    Ok(LinkShown {
        purpose: match token.purpose {
            TokenPurpose::Invitation => LinkPurpose::Invitation,
            TokenPurpose::PasswordReset => LinkPurpose::PasswordReset,
        },
        login: user.login,
        organization_name: user.organization_name,
        expires: token.expires,
    })
}

/// Uses a link up: its user has this password from now on, every session ends, and nothing counts against
/// the login any more.
///
/// # Errors
/// [`Error::Unauthorized`] when it works no more, [`Error::Invalid`] for a weak password,
/// [`Error::TooMany`].
pub async fn accept(state: &AppState, body: AcceptLink, origin: Origin, now: UnixMs) -> Result<(), Error> {
    let hash = attempt(state, &body.token, origin.address)?;
    let (_, user) = state.store.look(move |c| living(c, &hash, now)).await?;
    password::check(&body.password, &user.login)?;
    let password = state.passwords.hash(body.password).await?;
    state
        .store
        .transaction(move |c| {
            // Again: somebody may have used it while the password was hashed.
            let (token, user) = living(c, &hash, now)?;
            let before = members::get(c, user.organization, user.id)?.ok_or_else(over)?;
            let mut row = before.clone();
            row.state = UserState::Active;
            row.revision += 1;
            members::update(c, &row)?;
            members::set_password(c, row.organization, row.id, &password)?;
            failures::clear(c, &row.login)?;
            one_time::remove_all(c, row.id)?;
            sessions::revoke_all(c, row.id)?;
            note(c, &token, (&before, &row), origin, now)
        })
        .await
}

async fn relink(
    state: &AppState,
    caller: &Caller,
    id: UserId,
    purpose: TokenPurpose,
    wanted: impl FnOnce(&MemberRow) -> Result<(), Error> + Send + 'static,
    now: UnixMs,
) -> Result<OneTimeLink, Error> {
    caller.require(Right::ManageUsers)?;
    let (token, link) = link(state, id, purpose, now)?;
    let caller = caller.clone();
    state
        .store
        .transaction(move |c| {
            let row = managed(c, &caller, id)?;
            wanted(&row)?;
            one_time::replace(c, &token)?;
            let action = match purpose {
                TokenPurpose::Invitation => "user.invite",
                TokenPurpose::PasswordReset => {
                    sessions::revoke_all(c, id)?;
                    "user.reset_password"
                }
            };
            caller.note(c, action, id, (None::<&User>, None::<&User>), now)?;
            Ok(())
        })
        .await?;
    Ok(link)
}

/// A new token: what is kept of it, and what is shown.
fn link(
    state: &AppState,
    user: UserId,
    purpose: TokenPurpose,
    now: UnixMs,
) -> Result<(OneTimeRow, OneTimeLink), Error> {
    let token = BASE64_URL_SAFE_NO_PAD.encode(random::<32>().map_err(Error::Internal)?);
    let expires = now.plus(LINK_MS);
    let page = match purpose {
        TokenPurpose::Invitation => "invite",
        TokenPurpose::PasswordReset => "reset",
    };
    let row = OneTimeRow {
        hash: Sha256::digest(&token).into(),
        user,
        purpose,
        created: now,
        expires,
    };
    let link = format!("{}#/{page}/{token}", state.public_url);
    Ok((row, OneTimeLink { link, expires }))
}

/// Digest of a token that could be one of ours; counts the attempt.
fn attempt(state: &AppState, token: &str, address: IpAddr) -> Result<[u8; 32], Error> {
    let hash: [u8; 32] = Sha256::digest(token).into();
    // By digest, so that the limiter keeps no secrets.
    state.limiter.attempt(address, &hex::encode(hash))?;
    if token.len() == TOKEN_LENGTH {
        Ok(hash)
    } else {
        Err(over())
    }
}

/// A link that works, and its user.
fn living(
    connection: &mut Connection,
    hash: &[u8; 32],
    now: UnixMs,
) -> Result<(OneTimeRow, users::UserRow), Error> {
    let token = one_time::find(connection, hash, now)?.ok_or_else(over)?;
    let user = users::by_id(connection, token.user)?.ok_or_else(over)?;
    if user.state == UserState::Disabled || organizations::is_closed(connection, user.organization)? {
        return Err(over());
    }
    Ok((token, user))
}

fn note(
    connection: &mut Connection,
    token: &OneTimeRow,
    (before, after): (&MemberRow, &MemberRow),
    origin: Origin,
    now: UnixMs,
) -> Result<(), Error> {
    let json = |row| serde_json::to_string(&shown(row)).map_err(StoreError::from);
    let row = AuditRow {
        organization: after.organization,
        actor_kind: ActorKind::User,
        actor: Some(*after.id.as_bytes()),
        actor_name: Some(after.login.clone()),
        address: Some(origin.address.to_string()),
        request_id: Some(origin.request_id),
        action: match token.purpose {
            TokenPurpose::Invitation => "user.accept_invitation".to_owned(),
            TokenPurpose::PasswordReset => "user.set_password".to_owned(),
        },
        subject: after.id.to_string(),
        old_value: Some(json(before)?),
        new_value: Some(json(after)?),
    };
    Ok(audit::insert(connection, &row, now)?)
}

fn taken() -> Error {
    Error::Conflict {
        code: "login_taken",
        title: "somebody signs in with this login already: choose another one".to_owned(),
    }
}

const fn over() -> Error {
    Error::Unauthorized {
        code: "link_over",
        title: "this link works no more: it was used, renewed or is too old; ask your administrator for a new one",
    }
}
