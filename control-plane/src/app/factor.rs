//! Whether a second factor was shown, asked within the transaction of what it protects: no code works
//! twice.

use wire::{UnixMs, UserId};

use super::vault;
use crate::Error;
use crate::domain::totp::{self, Code};
use crate::secrets::Secrets;
use crate::store::factors::{self, FactorRow};
use crate::store::{Connection, StoreError};

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The person has no second factor in force.
    NotNeeded,
    /// It was shown, and is used up.
    Given,
    /// Nothing was shown.
    Missing,
    /// Something else was shown.
    Wrong,
}

/// Takes a code of the authenticator or a recovery code.
pub(super) fn prove(
    connection: &mut Connection,
    secrets: &Secrets,
    user: UserId,
    code: Option<&str>,
    now: UnixMs,
) -> Result<Proof, Error> {
    let Some(factor) = factors::get(connection, user)?.filter(|factor| factor.confirmed) else {
        return Ok(Proof::NotNeeded);
    };
    let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
        return Ok(Proof::Missing);
    };
    let right = match Code::parse(code) {
        Some(Code::Now(digits)) => take(connection, secrets, user, &factor, &digits, now)?,
        Some(Code::Recovery(plain)) => recover(connection, user, &plain)?,
        None => false,
    };
    Ok(if right { Proof::Given } else { Proof::Wrong })
}

/// Takes a code of the authenticator, in force or not; whether it is right.
pub(super) fn take(
    connection: &mut Connection,
    secrets: &Secrets,
    user: UserId,
    factor: &FactorRow,
    digits: &str,
    now: UnixMs,
) -> Result<bool, Error> {
    let secret = vault::open_factor(secrets, user, &factor.sealed)?;
    let Some(step) = totp::step_of(&secret, digits, factor.step, now) else {
        return Ok(false);
    };
    factors::took(connection, user, step)?;
    Ok(true)
}

fn recover(connection: &mut Connection, user: UserId, plain: &str) -> Result<bool, StoreError> {
    factors::spend_code(connection, user, &totp::recovery_digest(user, plain))
}
