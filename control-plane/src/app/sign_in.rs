//! Signing in: password, second factor, and what strangers can learn from a refusal, which is nothing.

use std::time::Duration;

use tokio::time::Instant;
use wire::api::{SignIn, UserState};
use wire::{SessionId, UnixMs};

use super::factor::{Proof, prove};
use super::lockout::{count, unless_locked};
use super::password::Verdict;
use super::session::{Client, Fresh, Opened, SignedIn, note, signed_in, unless_closed};
use crate::domain;
use crate::store::users::{self, UserRow};
use crate::store::{Connection, failures};
use crate::{AppState, Error};

const LOGIN_MAX: usize = 256;
/// Longest password that is looked at, in bytes.
pub(super) const PASSWORD_MAX: usize = 1024;
/// A refusal takes at least this long: longer than any hash of the system before takes to compare, and
/// than counting the failure, so that its time tells nobody which logins there are.
const REFUSAL: Duration = Duration::from_millis(250);

const WRONG_CREDENTIALS: Error = Error::Unauthorized {
    code: "wrong_credentials",
    title: "the login or the password is wrong",
};
const WRONG_CODE: Error = Error::Unauthorized {
    code: "wrong_code",
    title: "the code is wrong or was used already: wait for the next one",
};
const TOTP_REQUIRED: Error = Error::Unauthorized {
    code: "totp_required",
    title: "enter the code of your authenticator, or a recovery code",
};

/// Signs in.
///
/// # Errors
/// [`Error::Unauthorized`] alike for an unknown login and a wrong password, and for a missing or wrong
/// code; [`Error::Locked`] after too many failures, whether there is such a user or not;
/// [`Error::TooMany`].
pub async fn sign_in(
    state: &AppState,
    body: SignIn,
    client: &Client,
    now: UnixMs,
) -> Result<SignedIn, Error> {
    check(&body)?;
    let earliest = Instant::now() + REFUSAL;
    let outcome = attempt(state, body, client, now).await;
    if matches!(outcome, Err(Error::Unauthorized { .. })) {
        tokio::time::sleep_until(earliest).await;
    }
    outcome
}

fn check(body: &SignIn) -> Result<(), Error> {
    if body.login.is_empty() || body.login.len() > LOGIN_MAX {
        return Err(Error::field("login", "a login has 1 to 256 bytes"));
    }
    if body.password.is_empty() || body.password.len() > PASSWORD_MAX {
        return Err(Error::field("password", "a password has 1 to 1024 bytes"));
    }
    Ok(())
}

async fn attempt(state: &AppState, body: SignIn, client: &Client, now: UnixMs) -> Result<SignedIn, Error> {
    state.limiter.address(client.origin.address)?;
    // What is no login is nobody's.
    let login = domain::user::login(&body.login).unwrap_or_default();
    let wanted = login.clone();
    let user = state
        .store
        .look(move |c| {
            unless_locked(c, &wanted, now)?;
            Ok(unless_closed(users::by_login(c, &wanted)?, c)?)
        })
        .await?;
    state.limiter.login(client.origin.address, &login)?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let verdict = state.passwords.verify(hash, body.password).await?;
    let fresh = Fresh::new()?;
    let token = fresh.token.clone();
    let (state_, client) = (state.clone(), client.clone());
    let decided = state
        .store
        .transaction(move |c| {
            let attempt = Attempt {
                state: &state_,
                client: &client,
                login: &login,
                code: body.code.as_deref(),
                now,
            };
            attempt.decide(c, user.as_ref(), &verdict, &fresh)
        })
        .await?;
    signed_in(state, &decided?, token, now)
}

/// One attempt, in the transaction that counts it or opens the session.
struct Attempt<'a> {
    state: &'a AppState,
    client: &'a Client,
    login: &'a str,
    code: Option<&'a str>,
    now: UnixMs,
}

impl Attempt<'_> {
    /// The inner result is a decision, which is committed: a refusal counts.
    fn decide(
        &self,
        c: &mut Connection,
        user: Option<&UserRow>,
        verdict: &Verdict,
        fresh: &Fresh,
    ) -> Result<Result<Opened, Error>, Error> {
        // Others may have failed while this password was compared.
        unless_locked(c, self.login, self.now)?;
        let Some(user) = self.still(c, user, verdict)? else {
            count(c, self.login, user, &self.client.origin, self.now)?;
            return Ok(Err(WRONG_CREDENTIALS));
        };
        match prove(c, &self.state.secrets, user.id, self.code, self.now)? {
            Proof::Missing => return Ok(Err(TOTP_REQUIRED)),
            Proof::Wrong => {
                count(c, self.login, Some(&user), &self.client.origin, self.now)?;
                return Ok(Err(WRONG_CODE));
            }
            Proof::NotNeeded | Proof::Given => {}
        }
        failures::clear(c, self.login)?;
        if let Some(better) = &verdict.better {
            users::rehash(c, user.id, &user.password_hash, better)?;
        }
        users::signed_in(c, user.id, self.now)?;
        let who = (&user, Some(&user));
        note(c, "user.sign_in", who, &self.client.origin, self.now)?;
        let id = SessionId::generate();
        Ok(Ok(fresh.open(c, user, id, self.client, self.now)?))
    }

    /// The user as they are now, when the password is right and was not changed meanwhile.
    fn still(
        &self,
        c: &mut Connection,
        user: Option<&UserRow>,
        verdict: &Verdict,
    ) -> Result<Option<UserRow>, Error> {
        let Some(user) = user.filter(|_| verdict.matches) else {
            return Ok(None);
        };
        let now = unless_closed(users::by_id(c, user.id)?, c)?;
        Ok(now.filter(|now| now.state == UserState::Active && now.password_hash == user.password_hash))
    }
}
