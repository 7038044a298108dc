//! Sessions: what a sign-in begins, what renews it, what ends it.
//!
//! A refresh token works once. Showing a used one means that somebody copied it: every session of that
//! sign-in ends.

use anyhow::anyhow;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use wire::access::Rights;
use wire::api::{ActorKind, Me, Session, UserState};
use wire::{SessionId, UnixMs};

use super::token::{self, Claims};
use super::{Caller, Origin};
use crate::secrets::random;
use crate::store::audit::{self, AuditRow};
use crate::store::sessions::{self, RefreshRow, SessionRow, Spent};
use crate::store::users::{self, UserRow};
use crate::store::{Connection, StoreError, factors, organizations};
use crate::{AppState, Error};

/// Milliseconds that a refresh token works.
pub const REFRESH_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Characters kept of what a browser calls itself.
const AGENT_MAX: usize = 200;

/// Where somebody signs in from.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where the request came from.
    pub origin: Origin,
    /// What the browser calls itself.
    pub agent: String,
}

/// A session, and the refresh token for its cookie.
pub struct SignedIn {
    /// For the body.
    pub session: Session,
    /// For the cookie only.
    pub refresh_token: String,
}

/// A session that a transaction opened.
pub(super) struct Opened {
    user: UserRow,
    totp: bool,
    id: SessionId,
}

/// The user, unless the organization is being deleted: then nobody signs in.
pub(super) fn unless_closed(
    user: Option<UserRow>,
    connection: &mut Connection,
) -> Result<Option<UserRow>, StoreError> {
    match user {
        Some(user) if organizations::is_closed(connection, user.organization)? => Ok(None),
        user => Ok(user),
    }
}

/// Takes a refresh token for a new session.
///
/// # Errors
/// [`Error::Unauthorized`] when the token is unknown, expired, revoked or used; [`Error::TooMany`].
pub async fn refresh(
    state: &AppState,
    refresh_token: &str,
    client: &Client,
    now: UnixMs,
) -> Result<SignedIn, Error> {
    state.limiter.refresh(client.origin.address)?;
    let over = Error::Unauthorized {
        code: "session_over",
        title: "the session is over, sign in again",
    };
    let Some(hash) = digest(refresh_token) else {
        return Err(over);
    };
    let (fresh, client) = (Fresh::new()?, client.clone());
    let token = fresh.token.clone();
    let opened = state
        .store
        .write(move |c| match sessions::spend(c, &hash, now)? {
            Spent::Now(row) => match unless_closed(users::by_id(c, row.user)?, c)? {
                Some(user) if user.state == UserState::Active => {
                    fresh.open(c, user, row.session, &client, now).map(Some)
                }
                _ => Ok(None),
            },
            Spent::Before(row) => {
                let (user, session) = (row.user, row.session);
                tracing::warn!(%user, %session, "a used refresh token was shown: its sign-in is revoked");
                if let Some(user) = users::by_id(c, user)? {
                    // Who showed it is not known: the person, or who copied it.
                    note(c, "user.refresh_reuse", (&user, None), &client.origin, now)?;
                }
                Ok(None)
            }
            Spent::Unknown => Ok(None),
        })
        .await?;
    signed_in(state, &opened.ok_or(over)?, token, now)
}

/// Ends every session of the token's sign-in. An unknown token is no error: it is over already.
///
/// # Errors
/// Those of the database.
pub async fn sign_out(
    state: &AppState,
    refresh_token: &str,
    origin: Origin,
    now: UnixMs,
) -> Result<(), Error> {
    let Some(hash) = digest(refresh_token) else {
        return Ok(());
    };
    state
        .store
        .write(move |c| match sessions::spend(c, &hash, now)? {
            Spent::Now(row) => {
                sessions::revoke(c, row.session)?;
                match users::by_id(c, row.user)? {
                    Some(user) => note(c, "user.sign_out", (&user, Some(&user)), &origin, now),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        })
        .await?;
    Ok(())
}

/// Writes to the log of a person's organization what happened to their sign-ins; by whom, if that is known.
pub(super) fn note(
    connection: &mut Connection,
    action: &str,
    (subject, actor): (&UserRow, Option<&UserRow>),
    origin: &Origin,
    now: UnixMs,
) -> Result<(), StoreError> {
    let row = AuditRow {
        organization: subject.organization,
        actor_kind: actor.map_or(ActorKind::System, |_| ActorKind::User),
        actor: actor.map(|user| *user.id.as_bytes()),
        actor_name: actor.map(|user| user.login.clone()),
        address: Some(origin.address.to_string()),
        request_id: Some(origin.request_id.clone()),
        action: action.to_owned(),
        subject: subject.id.to_string(),
        old_value: None,
        new_value: None,
    };
    audit::insert(connection, &row, now)
}

/// Who the caller is.
///
/// # Errors
/// [`Error::Unauthorized`] when the user is gone.
pub async fn me(state: &AppState, caller: &Caller) -> Result<Me, Error> {
    let (id, _) = caller.person()?;
    let user = state
        .store
        .read(move |c| Ok((users::by_id(c, id)?, factors::in_force(c, id)?)))
        .await?;
    match user {
        (Some(user), totp) => Ok(shown(&user, totp)),
        (None, _) => Err(Error::Unauthorized {
            code: "unauthorized",
            title: "sign in first",
        }),
    }
}

/// A new refresh token, made before the transaction that stores it.
pub(super) struct Fresh {
    hash: [u8; 32],
    /// For the cookie.
    pub(super) token: String,
}

impl Fresh {
    pub(super) fn new() -> Result<Self, Error> {
        let secret: [u8; 32] = random().map_err(Error::Internal)?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let hash = digest(&token).ok_or_else(|| Error::Internal(anyhow!("a token without a digest")))?;
        Ok(Self { hash, token })
    }

    /// Begins or renews a session under this token.
    pub(super) fn open(
        &self,
        connection: &mut Connection,
        user: UserRow,
        id: SessionId,
        client: &Client,
        now: UnixMs,
    ) -> Result<Opened, StoreError> {
        let expires = now.plus(REFRESH_MS);
        let begun = SessionRow {
            id,
            user: user.id,
            created: now,
            last_used: now,
            expires,
            address: client.origin.address.to_string(),
            agent: client.agent.chars().take(AGENT_MAX).collect(),
        };
        let row = RefreshRow {
            hash: self.hash,
            user: user.id,
            session: id,
            expires,
        };
        sessions::touch(connection, &begun)?;
        sessions::insert(connection, &row, now)?;
        Ok(Opened {
            totp: factors::in_force(connection, user.id)?,
            user,
            id,
        })
    }
}

/// What the client gets of a session that was opened.
pub(super) fn signed_in(
    state: &AppState,
    opened: &Opened,
    refresh_token: String,
    now: UnixMs,
) -> Result<SignedIn, Error> {
    let claims = Claims {
        user: opened.user.id,
        session: opened.id,
    };
    Ok(SignedIn {
        session: Session {
            access_token: token::issue(&state.secrets, claims, now)?,
            expires_in_s: token::ACCESS_S,
            user: shown(&opened.user, opened.totp),
        },
        refresh_token,
    })
}

/// Digest of a token that could be one of ours.
fn digest(refresh_token: &str) -> Option<[u8; 32]> {
    (refresh_token.len() == 43).then(|| Sha256::digest(refresh_token).into())
}

fn shown(user: &UserRow, totp: bool) -> Me {
    Me {
        id: user.id,
        login: user.login.clone(),
        organization: user.organization,
        organization_name: user.organization_name.clone(),
        name: user.name.clone(),
        role: user.role,
        rights: Rights::of(user.role),
        totp,
    }
}
