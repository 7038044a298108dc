//! Creating under an `Idempotency-Key`: a repeated request makes nothing new (as in
//! draft-ietf-httpapi-idempotency-key-header).

use serde::Serialize;
use sha2::{Digest, Sha256};
use wire::UnixMs;

use super::Caller;
use crate::Error;
use crate::store::Connection;
use crate::store::idempotency::{self, Known};

/// A request's `Idempotency-Key`, if it has one, and a digest of what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    key: Option<String>,
    digest: [u8; 32],
}

impl Once {
    /// For a request to `route` with this body. In another organization it is another request: who runs
    /// the platform may not be told that something is there which was made elsewhere.
    ///
    /// # Errors
    /// Those of a body that cannot be written as JSON.
    pub fn new<B: Serialize>(
        caller: &Caller,
        key: Option<String>,
        route: &str,
        body: &B,
    ) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Internal(error.into()))?;
        let digest = Sha256::new()
            .chain_update(caller.organization.as_bytes())
            .chain_update(route)
            .chain_update([0])
            .chain_update(body)
            .finalize();
        Ok(Self {
            key,
            digest: digest.into(),
        })
    }

    /// What the same request made before, within the transaction that would make it now.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another request came under the key, and those of the database.
    pub fn made_before(
        &self,
        connection: &mut Connection,
        caller: &Caller,
        now: UnixMs,
    ) -> Result<Option<[u8; 16]>, Error> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        match idempotency::look(connection, caller.actor_id(), key, &self.digest, now)? {
            Known::New => Ok(None),
            Known::Made(resource) => Ok(Some(resource)),
            Known::Other => Err(Error::Conflict {
                code: "idempotency_key_reused",
                title: "another request came under this Idempotency-Key: take a new one".to_owned(),
            }),
        }
    }

    /// Remembers what this request made, in the same transaction.
    ///
    /// # Errors
    /// Those of the database.
    pub fn made(
        &self,
        connection: &mut Connection,
        caller: &Caller,
        resource: [u8; 16],
        now: UnixMs,
    ) -> Result<(), Error> {
        if let Some(key) = &self.key {
            idempotency::remember(connection, caller.actor_id(), key, &self.digest, resource, now)?;
        }
        Ok(())
    }
}
