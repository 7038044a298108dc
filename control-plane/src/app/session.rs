//! Signing in, staying signed in, signing out.
//!
//! A refresh token works once. Showing a used one means that somebody copied it: every session of that
//! sign-in ends.

use std::net::IpAddr;
use std::num::NonZeroU32;

use anyhow::anyhow;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use governor::clock::{Clock, DefaultClock, QuantaInstant};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use wire::access::Rights;
use wire::api::{Me, Session, SignIn, UserState};
use wire::{SessionId, UnixMs};

use super::Caller;
use super::token::{self, Claims};
use crate::domain;
use crate::secrets::random;
use crate::store::sessions::{self, RefreshRow, SessionRow, Spent};
use crate::store::users::{self, UserRow};
use crate::store::{Connection, StoreError, organizations};
use crate::{AppState, Error};

/// Milliseconds that a refresh token works.
pub const REFRESH_MS: i64 = 30 * 24 * 60 * 60 * 1000;
const LOGIN_MAX: usize = 256;
const PASSWORD_MAX: usize = 1024;
/// Attempts at once, for one login from one address; then one every six seconds.
const PER_LOGIN: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Attempts at once from one address, whatever the login; then one a second.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Refreshes at once from one address; then two a second.
const REFRESHES: NonZeroU32 = NonZeroU32::new(120).unwrap();
/// Characters kept of what a browser calls itself.
const AGENT_MAX: usize = 200;
/// Requests with a bad token at once from one address; then ten a second. Many people may share an
/// address, and each one's token ends every quarter of an hour.
const STRANGERS: NonZeroU32 = NonZeroU32::new(600).unwrap();
const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Addresses remembered before those that are quiet again are forgotten.
const REMEMBERED: usize = 10_000;

/// Lets a limited number of sign-in attempts through.
#[derive(Debug)]
pub struct Limiter {
    logins: DefaultKeyedRateLimiter<(IpAddr, String)>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    refreshes: DefaultKeyedRateLimiter<IpAddr>,
    requests: DefaultKeyedRateLimiter<[u8; 16]>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limiter {
    /// With so many requests a second for each user or service key; ten times as many at once.
    #[must_use]
    pub fn new(requests_per_s: NonZeroU32) -> Self {
        let burst = requests_per_s.saturating_mul(TEN);
        Self {
            requests: RateLimiter::keyed(Quota::per_second(requests_per_s).allow_burst(burst)),
            logins: RateLimiter::keyed(Quota::per_minute(PER_LOGIN)),
            addresses: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            refreshes: RateLimiter::keyed(Quota::per_minute(REFRESHES)),
            strangers: RateLimiter::keyed(Quota::per_minute(STRANGERS)),
        }
    }

    /// Counts a request whose token works not or no more.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn stranger(&self, address: IpAddr) -> Result<(), Error> {
        if self.strangers.len() > REMEMBERED {
            self.strangers.retain_recent();
        }
        self.strangers.check_key(&address).map_err(|until| wait(&until))
    }

    /// Counts a request of a user or service key.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn request(&self, actor: [u8; 16]) -> Result<(), Error> {
        if self.requests.len() > REMEMBERED {
            self.requests.retain_recent();
        }
        self.requests.check_key(&actor).map_err(|until| wait(&until))
    }

    /// Counts an attempt to sign in.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn attempt(&self, address: IpAddr, login: &str) -> Result<(), Error> {
        if self.logins.len() > REMEMBERED {
            self.logins.retain_recent();
            self.addresses.retain_recent();
        }
        self.addresses.check_key(&address).map_err(|until| wait(&until))?;
        self.logins
            .check_key(&(address, login.to_lowercase()))
            .map_err(|until| wait(&until))
    }

    /// Counts a refresh.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn refresh(&self, address: IpAddr) -> Result<(), Error> {
        if self.refreshes.len() > REMEMBERED {
            self.refreshes.retain_recent();
        }
        self.refreshes.check_key(&address).map_err(|until| wait(&until))
    }
}

fn wait(until: &NotUntil<QuantaInstant>) -> Error {
    Error::TooMany {
        retry_after_s: until.wait_time_from(DefaultClock::default().now()).as_secs() + 1,
    }
}

/// Where somebody signs in from.
#[derive(Debug, Clone)]
pub struct Client {
    /// The peer.
    pub address: IpAddr,
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

/// Signs in.
///
/// # Errors
/// [`Error::Unauthorized`] alike for an unknown login and a wrong password; [`Error::TooMany`].
pub async fn sign_in(
    state: &AppState,
    body: SignIn,
    client: &Client,
    now: UnixMs,
) -> Result<SignedIn, Error> {
    if body.login.is_empty() || body.login.len() > LOGIN_MAX {
        return Err(Error::field("login", "a login has 1 to 256 bytes"));
    }
    if body.password.is_empty() || body.password.len() > PASSWORD_MAX {
        return Err(Error::field("password", "a password has 1 to 1024 bytes"));
    }
    // What is no login is nobody's.
    let login = domain::user::login(&body.login).unwrap_or_default();
    state.limiter.attempt(client.address, &login)?;
    let user = state
        .store
        .read(move |c| unless_closed(users::by_login(c, &login)?, c))
        .await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let matches = state.passwords.verify(hash, body.password).await?;
    match user {
        Some(user) if matches && user.state == UserState::Active => {
            open(state, user, SessionId::generate(), client, now).await
        }
        _ => Err(Error::Unauthorized {
            code: "wrong_credentials",
            title: "the login or the password is wrong",
        }),
    }
}

/// The user, unless the organization is being deleted: then nobody signs in.
fn unless_closed(user: Option<UserRow>, connection: &mut Connection) -> Result<Option<UserRow>, StoreError> {
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
    state.limiter.refresh(client.address)?;
    let over = Error::Unauthorized {
        code: "session_over",
        title: "the session is over, sign in again",
    };
    let Some(hash) = digest(refresh_token) else {
        return Err(over);
    };
    let (spent, user) = state
        .store
        .write(move |c| {
            let spent = sessions::spend(c, &hash, now)?;
            let user = match spent {
                Spent::Now(row) => unless_closed(users::by_id(c, row.user)?, c)?,
                _ => None,
            };
            Ok((spent, user))
        })
        .await?;
    match (spent, user) {
        (Spent::Now(row), Some(user)) if user.state == UserState::Active => {
            open(state, user, row.session, client, now).await
        }
        (Spent::Before, _) => {
            tracing::warn!("a used refresh token was shown: its sign-in is revoked");
            Err(over)
        }
        _ => Err(over),
    }
}

/// Ends every session of the token's sign-in. An unknown token is no error: it is over already.
///
/// # Errors
/// Those of the database.
pub async fn sign_out(state: &AppState, refresh_token: &str, now: UnixMs) -> Result<(), Error> {
    let Some(hash) = digest(refresh_token) else {
        return Ok(());
    };
    state
        .store
        .write(move |c| match sessions::spend(c, &hash, now)? {
            Spent::Now(row) => sessions::revoke(c, row.session),
            _ => Ok(()),
        })
        .await?;
    Ok(())
}

/// Who the caller is.
///
/// # Errors
/// [`Error::Unauthorized`] when the user is gone.
pub async fn me(state: &AppState, caller: &Caller) -> Result<Me, Error> {
    let (id, _) = caller.person()?;
    let user = state.store.read(move |c| users::by_id(c, id)).await?;
    user.map(|user| shown(&user)).ok_or(Error::Unauthorized {
        code: "unauthorized",
        title: "sign in first",
    })
}

async fn open(
    state: &AppState,
    user: UserRow,
    session: SessionId,
    client: &Client,
    now: UnixMs,
) -> Result<SignedIn, Error> {
    let secret: [u8; 32] = random().map_err(Error::Internal)?;
    let refresh_token = BASE64_URL_SAFE_NO_PAD.encode(secret);
    let hash = digest(&refresh_token).ok_or_else(|| Error::Internal(anyhow!("a token without a digest")))?;
    let row = RefreshRow {
        hash,
        user: user.id,
        session,
        expires: now.plus(REFRESH_MS),
    };
    let begun = SessionRow {
        id: session,
        user: user.id,
        created: now,
        last_used: now,
        expires: row.expires,
        address: client.address.to_string(),
        agent: client.agent.chars().take(AGENT_MAX).collect(),
    };
    state
        .store
        .write(move |c| {
            sessions::touch(c, &begun)?;
            sessions::insert(c, &row, now)
        })
        .await?;
    let claims = Claims {
        user: user.id,
        session,
    };
    Ok(SignedIn {
        session: Session {
            access_token: token::issue(&state.secrets, claims, now)?,
            expires_in_s: token::ACCESS_S,
            user: shown(&user),
        },
        refresh_token,
    })
}

/// Digest of a token that could be one of ours.
fn digest(refresh_token: &str) -> Option<[u8; 32]> {
    (refresh_token.len() == 43).then(|| Sha256::digest(refresh_token).into())
}

fn shown(user: &UserRow) -> Me {
    Me {
        id: user.id,
        login: user.login.clone(),
        organization: user.organization,
        organization_name: user.organization_name.clone(),
        name: user.name.clone(),
        role: user.role,
        rights: Rights::of(user.role),
    }
}
