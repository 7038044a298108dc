//! The user names of cameras, which lists show: decrypted once for as long as the same secret is kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wire::CameraId;

use crate::Error;
use crate::app::vault;
use crate::secrets::Secrets;
use crate::store::CameraRow;

/// More than are listed again and again; then all are forgotten, which costs time only.
const MAX: usize = 65_536;

/// User names by camera, each with the sealed credentials that it was in. Passwords are not kept.
#[derive(Default)]
pub struct Usernames(Mutex<HashMap<CameraId, (Vec<u8>, String)>>);

impl std::fmt::Debug for Usernames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Usernames(…)")
    }
}

impl Usernames {
    /// A camera's user name; none for a camera without credentials.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be decrypted.
    pub(super) fn of(&self, secrets: &Secrets, row: &CameraRow) -> Result<Option<String>, Error> {
        let Some(sealed) = &row.credentials else {
            return Ok(None);
        };
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, username)) = known().get(&row.id)
            && of == sealed
        {
            return Ok(Some(username.clone()));
        }
        let username = vault::open(secrets, row.id, sealed)?.username;
        let mut known = known();
        if known.len() >= MAX {
            known.clear();
        }
        known.insert(row.id, (sealed.clone(), username.clone()));
        Ok(Some(username))
    }
}
