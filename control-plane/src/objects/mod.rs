//! The bytes of stored objects: one trait, and the stores behind it.
//!
//! An object store knows keys, lengths and digests; it knows no camera and no tenant beyond the key.

use async_trait::async_trait;
use wire::UnixMs;
use wire::bus::UploadReply;

use crate::store::ObjectRow;

/// The store could not answer; the same call may work later.
#[derive(Debug, thiserror::Error)]
#[error("object store: {0}")]
pub struct ObjectStoreError(pub String);

/// What the store holds under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldObject {
    /// Its length.
    pub bytes: u64,
    /// Digest of its bytes, verified by the store when they came in.
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

    /// What is held under `key`, if anything.
    ///
    /// # Errors
    /// When the store does not answer: that is not "nothing".
    async fn head(&self, key: &str) -> Result<Option<HeldObject>, ObjectStoreError>;
}

/// The key of an object: `<org>/<camera>/<stream>/<yyyy>/<mm>/<dd>/<object>.mp4`, by the UTC day of its start.
#[must_use]
pub fn key(row: &ObjectRow) -> String {
    let day = row.start.to_string();
    let day = day.get(..10).unwrap_or("1970-01-01").replace('-', "/");
    format!(
        "{}/{}/{}/{day}/{}.mp4",
        row.organization,
        row.camera,
        row.stream.as_str(),
        row.id
    )
}
