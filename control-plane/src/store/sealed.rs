//! Everything that is encrypted under the master key, whoever it belongs to: for its rotation only.

use diesel::prelude::*;
use wire::{CameraId, UserId};

use super::schema::{camera, user};
use super::types::Id;
use super::{Connection, StoreError};

/// Cameras' credentials, those of deleted cameras too.
///
/// # Errors
/// Those of the database.
pub fn of_cameras(connection: &mut Connection) -> Result<Vec<(CameraId, Vec<u8>)>, StoreError> {
    let rows: Vec<(Id, Vec<u8>)> = camera::table
        .filter(camera::credentials.is_not_null())
        .select((camera::id, camera::credentials.assume_not_null()))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, sealed)| (id.into(), sealed)).collect())
}

/// People's second factors, in force or not.
///
/// # Errors
/// Those of the database.
pub fn of_people(connection: &mut Connection) -> Result<Vec<(UserId, Vec<u8>)>, StoreError> {
    let rows: Vec<(Id, Vec<u8>)> = user::table
        .filter(user::totp.is_not_null())
        .select((user::id, user::totp.assume_not_null()))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, sealed)| (id.into(), sealed)).collect())
}

/// Writes the same credentials under another key: nobody sees a change.
///
/// # Errors
/// Those of the database.
pub fn put_camera(connection: &mut Connection, id: CameraId, sealed: &[u8]) -> Result<(), StoreError> {
    diesel::update(camera::table.find(Id::from(id)))
        .set(camera::credentials.eq(sealed))
        .execute(connection)?;
    Ok(())
}

/// Writes the same second factor under another key.
///
/// # Errors
/// Those of the database.
pub fn put_person(connection: &mut Connection, id: UserId, sealed: &[u8]) -> Result<(), StoreError> {
    diesel::update(user::table.find(Id::from(id)))
        .set(user::totp.eq(sealed))
        .execute(connection)?;
    Ok(())
}
