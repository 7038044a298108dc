//! Second factors: sealed secrets, the last step used, digests of recovery codes.

use diesel::prelude::*;
use wire::UserId;

use super::schema::{recovery_code, user};
use super::types::Id;
use super::{Connection, StoreError};

/// A person's second factor.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorRow {
    /// The secret, encrypted under the master key and bound to the user.
    pub sealed: Vec<u8>,
    /// Whether it is in force.
    pub confirmed: bool,
    /// The last time step whose code was taken.
    pub step: u64,
}

/// A person's second factor, in force or not.
///
/// # Errors
/// Those of the database.
pub fn get(connection: &mut Connection, id: UserId) -> Result<Option<FactorRow>, StoreError> {
    let row: Option<(Option<Vec<u8>>, bool, i64)> = user::table
        .find(Id::from(id))
        .select((user::totp, user::totp_confirmed, user::totp_step))
        .first(connection)
        .optional()?;
    Ok(row.and_then(|(sealed, confirmed, step)| {
        Some(FactorRow {
            sealed: sealed?,
            confirmed,
            step: step.cast_unsigned(),
        })
    }))
}

/// Whether a second factor is in force.
///
/// # Errors
/// Those of the database.
pub fn in_force(connection: &mut Connection, id: UserId) -> Result<bool, StoreError> {
    Ok(get(connection, id)?.is_some_and(|factor| factor.confirmed))
}

/// Puts a second factor, not in force yet, in the place of the one before.
///
/// # Errors
/// Those of the database.
pub fn begin(connection: &mut Connection, id: UserId, sealed: &[u8]) -> Result<(), StoreError> {
    diesel::update(user::table.find(Id::from(id)))
        .set((
            user::totp.eq(sealed),
            user::totp_confirmed.eq(false),
            user::totp_step.eq(0_i64),
        ))
        .execute(connection)?;
    Ok(())
}

/// Puts a second factor in force.
///
/// # Errors
/// Those of the database.
pub fn confirm(connection: &mut Connection, id: UserId) -> Result<(), StoreError> {
    diesel::update(user::table.find(Id::from(id)))
        .set(user::totp_confirmed.eq(true))
        .execute(connection)?;
    Ok(())
}

/// Notes that the code of a step was taken.
///
/// # Errors
/// Those of the database.
pub fn took(connection: &mut Connection, id: UserId, step: u64) -> Result<(), StoreError> {
    diesel::update(user::table.find(Id::from(id)))
        .set(user::totp_step.eq(step.cast_signed()))
        .execute(connection)?;
    Ok(())
}

/// Removes a second factor with its recovery codes.
///
/// # Errors
/// Those of the database.
pub fn remove(connection: &mut Connection, id: UserId) -> Result<(), StoreError> {
    diesel::update(user::table.find(Id::from(id)))
        .set((user::totp.eq(None::<Vec<u8>>), user::totp_confirmed.eq(false)))
        .execute(connection)?;
    replace_codes(connection, id, &[])
}

/// Puts recovery codes in the place of those before.
///
/// # Errors
/// Those of the database.
pub fn replace_codes(
    connection: &mut Connection,
    id: UserId,
    digests: &[[u8; 32]],
) -> Result<(), StoreError> {
    diesel::delete(recovery_code::table)
        .filter(recovery_code::user.eq(Id::from(id)))
        .execute(connection)?;
    for digest in digests {
        diesel::insert_into(recovery_code::table)
            .values((
                recovery_code::user.eq(Id::from(id)),
                recovery_code::hash.eq(digest.to_vec()),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Uses a recovery code up; whether it was there.
///
/// # Errors
/// Those of the database.
pub fn spend_code(connection: &mut Connection, id: UserId, digest: &[u8; 32]) -> Result<bool, StoreError> {
    let spent = diesel::delete(recovery_code::table)
        .filter(recovery_code::user.eq(Id::from(id)))
        .filter(recovery_code::hash.eq(digest.to_vec()))
        .execute(connection)?;
    Ok(spent > 0)
}
