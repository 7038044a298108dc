//! One's own second factor: begun, confirmed, removed; its recovery codes.

use wire::UnixMs;
use wire::api::{BeginTotp, RecoveryCodes, RemoveTotp, TotpCode, TotpSecret};

use super::account::{NOTHING, proven};
use super::factor::{Proof, prove, take};
use super::lockout::{count, unless_locked};
use super::{Caller, vault};
use crate::domain::totp::{self, Code, RECOVERY_CODES, RECOVERY_LEN, SECRET_LEN};
use crate::secrets::random;
use crate::store::users::{self, UserRow};
use crate::store::{Connection, factors};
use crate::{AppState, Error};

/// Makes a new secret. It is in force once a code of it was shown.
///
/// # Errors
/// [`Error::Forbidden`] when the password is wrong, [`Error::Conflict`] when one is in force.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    body: BeginTotp,
    now: UnixMs,
) -> Result<TotpSecret, Error> {
    let user = proven(state, caller, ("password", body.password), now).await?;
    let secret: [u8; SECRET_LEN] = random().map_err(Error::Internal)?;
    let (id, secrets) = (user.id, state.secrets.clone());
    state
        .store
        .transaction(move |c| {
            if factors::in_force(c, id)? {
                return Err(in_force());
            }
            let sealed = vault::seal_factor(&secrets, id, &secret)?;
            Ok(factors::begin(c, id, &sealed)?)
        })
        .await?;
    Ok(TotpSecret {
        secret: totp::base32(&secret),
        address: totp::address(&secret, &user.login),
    })
}

/// Puts the secret in force; the recovery codes, which are shown this once.
///
/// # Errors
/// [`Error::Forbidden`] when the code is wrong, [`Error::Conflict`] when none was begun or one is in
/// force.
pub async fn confirm(
    state: &AppState,
    caller: &Caller,
    body: TotpCode,
    now: UnixMs,
) -> Result<RecoveryCodes, Error> {
    let (id, _) = caller.person()?;
    let (caller, secrets) = (caller.at_home(), state.secrets.clone());
    state
        .store
        .transaction(move |c| {
            let factor = factors::get(c, id)?.ok_or_else(|| Error::Conflict {
                code: "totp_not_begun",
                title: "begin with a new secret first".to_owned(),
            })?;
            if factor.confirmed {
                return Err(in_force());
            }
            let right = match Code::parse(&body.code) {
                Some(Code::Now(digits)) => take(c, &secrets, id, &factor, &digits, now)?,
                _ => false,
            };
            if !right {
                return Err(WRONG_CODE);
            }
            factors::confirm(c, id)?;
            caller.note(c, "user.totp_on", id, NOTHING, now)?;
            new_codes(c, &caller)
        })
        .await
}

/// Removes the second factor. One that is in force wants a code; one that was only begun does not.
///
/// # Errors
/// [`Error::Forbidden`] when the password or the code is wrong, [`Error::Conflict`] when there is none.
pub async fn remove(state: &AppState, caller: &Caller, body: RemoveTotp, now: UnixMs) -> Result<(), Error> {
    let user = proven(state, caller, ("password", body.password), now).await?;
    let id = user.id;
    let removed = with_code(state, caller, user, body.code, now, move |c, caller, proof| {
        factors::remove(c, id)?;
        if proof == Proof::Given {
            caller.note(c, "user.totp_off", id, NOTHING, now)?;
        }
        Ok(())
    });
    removed.await
}

/// Makes new recovery codes in the place of those before.
///
/// # Errors
/// [`Error::Forbidden`] when the code is wrong, [`Error::Conflict`] when no second factor is in force.
pub async fn renew_codes(
    state: &AppState,
    caller: &Caller,
    body: TotpCode,
    now: UnixMs,
) -> Result<RecoveryCodes, Error> {
    let (id, _) = caller.person()?;
    let user = state.store.read(move |c| users::by_id(c, id)).await?;
    let user = user.ok_or(Error::not_found("user"))?;
    state.limiter.login(caller.address, &user.login)?;
    let made = with_code(
        state,
        caller,
        user,
        Some(body.code),
        now,
        move |c, caller, proof| {
            if proof == Proof::NotNeeded {
                return Err(none_in_force());
            }
            caller.note(c, "user.recovery_codes", id, NOTHING, now)?;
            new_codes(c, caller)
        },
    );
    made.await
}

/// Runs `f` in the transaction that takes the code. A wrong one counts as a failure of signing in.
async fn with_code<T: Send + 'static>(
    state: &AppState,
    caller: &Caller,
    user: UserRow,
    code: Option<String>,
    now: UnixMs,
    f: impl FnOnce(&mut Connection, &Caller, Proof) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (caller, secrets) = (caller.at_home(), state.secrets.clone());
    state
        .store
        .transaction(move |c| {
            unless_locked(c, &user.login, now)?;
            if factors::get(c, user.id)?.is_none() {
                return Err(none_in_force());
            }
            match prove(c, &secrets, user.id, code.as_deref(), now)? {
                Proof::Missing => Err(Error::field("code", "a code is needed")),
                Proof::Wrong => {
                    count(c, &user.login, Some(&user), &caller.origin(), now)?;
                    Ok(Err(WRONG_CODE))
                }
                proof => f(c, &caller, proof).map(Ok),
            }
        })
        .await?
}

fn new_codes(connection: &mut Connection, caller: &Caller) -> Result<RecoveryCodes, Error> {
    let (id, _) = caller.person()?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    let mut digests = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let bytes: [u8; RECOVERY_LEN] = random().map_err(Error::Internal)?;
        codes.push(totp::recovery_code(bytes));
        digests.push(totp::recovery_digest(id, &totp::base32(&bytes)));
    }
    factors::replace_codes(connection, id, &digests)?;
    Ok(RecoveryCodes { codes })
}

const WRONG_CODE: Error = Error::Forbidden {
    code: "wrong_code",
    title: "the code is wrong or was used already: wait for the next one",
};

fn in_force() -> Error {
    Error::Conflict {
        code: "totp_in_force",
        title: "a second factor is in force: remove it first".to_owned(),
    }
}

fn none_in_force() -> Error {
    Error::Conflict {
        code: "totp_not_in_force",
        title: "there is no second factor".to_owned(),
    }
}
