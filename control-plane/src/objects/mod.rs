//! The bytes of stored objects: one trait, and the stores behind it.
//!
//! An object store knows keys, lengths and digests; it knows no camera and no tenant beyond the key.

mod file;
mod incoming;
mod key;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;
use wire::UnixMs;
use wire::bus::UploadReply;

use crate::config::{Config, ObjectsKind};
use crate::secrets::Secrets;

pub use file::FileStore;
pub use incoming::{Incoming, PutError};
pub use key::{InvalidKey, check as check_key, key, key_of};

/// The store could not answer; the same call may work later.
#[derive(Debug, thiserror::Error)]
#[error("object store: {0}")]
pub struct ObjectStoreError(pub String);

/// What the store holds under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldObject {
    /// Its length.
    pub bytes: u64,
    /// Digest of its bytes, as the store reads them now.
    pub sha256: [u8; 32],
}

/// Where objects' bytes are kept.
#[async_trait]
pub trait ObjectStore: Send + Sync + std::fmt::Debug {
    /// An address to PUT exactly these bytes to, once, within minutes.
    ///
    /// # Errors
    /// When the store cannot sign.
    fn sign_put(
        &self,
        key: &str,
        bytes: u64,
        sha256: &[u8; 32],
        now: UnixMs,
    ) -> Result<UploadReply, ObjectStoreError>;

    /// An address to GET an object from until `expires`.
    ///
    /// # Errors
    /// When the store cannot sign.
    fn sign_get(&self, key: &str, expires: UnixMs) -> Result<String, ObjectStoreError>;

    /// What is held under `key`, if anything.
    ///
    /// # Errors
    /// When the store does not answer: that is not "nothing".
    async fn head(&self, key: &str) -> Result<Option<HeldObject>, ObjectStoreError>;

    /// Deletes an object for good; whether it was there. That it was not is no error, so that a deletion
    /// of which nothing was heard can be repeated.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn delete(&self, key: &str) -> Result<bool, ObjectStoreError>;

    /// The first `limit` keys that start with `prefix` and come after `after`, in the order of their bytes.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ObjectStoreError>;

    /// The store itself when it is the embedded one, whose files this process serves.
    fn as_file(&self) -> Option<&FileStore> {
        None
    }
}

/// Opens the configured store. `public_url` is the base of the addresses that it signs.
///
/// # Errors
/// When its folder cannot be used.
pub fn open(
    config: &Config,
    public_url: &Url,
    secrets: &Arc<Secrets>,
) -> anyhow::Result<Arc<dyn ObjectStore>> {
    match config.objects.kind {
        ObjectsKind::File => Ok(Arc::new(FileStore::open(
            config.objects_dir(),
            public_url.clone(),
            Arc::clone(secrets),
        )?)),
    }
}
