//! The embedded store: objects as files, served by this process under signed addresses.
//!
//! The same rules as a cloud store's: signed length and digest, an expiry, no second PUT. While the file
//! `maintenance` lies in the store's folder the store answers nothing (HTTP 503): an operator puts it
//! there to move or check the disk; nodes keep their footage and try again.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use url::Url;
use wire::bus::UploadReply;
use wire::{ObjectId, UnixMs};

use super::incoming::{Incoming, PutError};
use super::{HeldObject, ObjectStore, ObjectStoreError, key};
use crate::domain::signing::{Grant, Rejected, expiry};
use crate::secrets::Secrets;

/// How long an address for a PUT works at least, in milliseconds.
const PUT_LIFE_MS: i64 = 15 * 60 * 1000;
/// Expiries of PUT addresses are multiples of this, in milliseconds.
const PUT_WINDOW_MS: i64 = 60 * 1000;
/// Folder of bodies that are not whole yet; no key starts with a dot.
const INCOMING: &str = ".incoming";
/// The operator's flag.
const MAINTENANCE: &str = "maintenance";

/// Objects in a folder.
#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
    base: Url,
    secrets: Arc<Secrets>,
}

impl FileStore {
    /// Opens the store in `root`, making the folder; throws away what was left half-written. `base` is
    /// the address of this server.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(root: PathBuf, base: Url, secrets: Arc<Secrets>) -> anyhow::Result<Self> {
        let incoming = root.join(INCOMING);
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot clear {}", incoming.display()))?;
            }
            _ => {}
        }
        crate::secrets::private_dir(&incoming)?;
        Ok(Self { root, base, secrets })
    }

    /// Whether a signature opens an object.
    ///
    /// # Errors
    /// When the signature is false or too old, and for an order that is not about one object.
    pub fn check(&self, grant: &Grant<'_>, expires: UnixMs, sig: &str, now: UnixMs) -> Result<(), Rejected> {
        let (Grant::Get { key } | Grant::Put { key, .. }) = grant else {
            return Err(Rejected::Invalid);
        };
        self.secrets
            .keys()
            .signer()
            .check(grant, &path(key), expires, sig, now)
    }

    /// Starts to take an object in.
    ///
    /// # Errors
    /// [`PutError::Exists`] when the key is taken, and those of the disk.
    pub async fn begin(&self, key: &str, bytes: u64, sha256: [u8; 32]) -> Result<Incoming, PutError> {
        let target = self.place(key).await.map_err(|error| PutError::Failed(error.0))?;
        let temporary = self.root.join(INCOMING).join(ObjectId::generate().to_string());
        Incoming::begin(&self.root, temporary, target, bytes, sha256).await
    }

    /// An object's file and its length; none when there is no such object.
    ///
    /// # Errors
    /// When the disk does not say.
    pub async fn file(&self, key: &str) -> Result<Option<(tokio::fs::File, u64)>, ObjectStoreError> {
        let file = match tokio::fs::File::open(self.place(key).await?).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let bytes = file.metadata().await.map_err(|error| failed(&error))?.len();
        Ok(Some((file, bytes)))
    }

    /// The path of a key, unless the store is closed.
    async fn place(&self, key: &str) -> Result<PathBuf, ObjectStoreError> {
        key::check(key).map_err(|error| ObjectStoreError(error.to_string()))?;
        match tokio::fs::try_exists(self.root.join(MAINTENANCE)).await {
            Ok(false) => Ok(self.root.join(key)),
            Ok(true) => Err(ObjectStoreError("closed for maintenance".to_owned())),
            Err(error) => Err(failed(&error)),
        }
    }

    fn url(&self, key: &str, query: &[(&str, String)]) -> Result<String, ObjectStoreError> {
        let mut url = self
            .base
            .join(&path(key))
            .map_err(|error| ObjectStoreError(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url.into())
    }
}

#[async_trait]
impl ObjectStore for FileStore {
    fn sign_put(
        &self,
        key: &str,
        bytes: u64,
        sha256: &[u8; 32],
        now: UnixMs,
    ) -> Result<UploadReply, ObjectStoreError> {
        let expires = expiry(now, PUT_LIFE_MS, PUT_WINDOW_MS);
        let sig = self
            .secrets
            .keys()
            .signer()
            .sign(&Grant::Put { key, bytes, sha256 }, &path(key), expires);
        let query = [
            ("length", bytes.to_string()),
            ("sha256", hex::encode(sha256)),
            ("exp", expires.0.to_string()),
            ("sig", sig),
        ];
        Ok(UploadReply {
            url: self.url(key, &query)?,
            headers: vec![("If-None-Match".to_owned(), "*".to_owned())],
            expires,
        })
    }

    fn sign_get(&self, key: &str, expires: UnixMs) -> Result<String, ObjectStoreError> {
        let sig = self
            .secrets
            .keys()
            .signer()
            .sign(&Grant::Get { key }, &path(key), expires);
        self.url(key, &[("exp", expires.0.to_string()), ("sig", sig)])
    }

    async fn head(&self, key: &str) -> Result<Option<HeldObject>, ObjectStoreError> {
        let Some((file, bytes)) = self.file(key).await? else {
            return Ok(None);
        };
        let file = file.into_std().await;
        let sha256 = blocking(move || digest(file)).await?;
        Ok(Some(HeldObject { bytes, sha256 }))
    }

    async fn delete(&self, key: &str) -> Result<bool, ObjectStoreError> {
        let (root, file) = (self.root.clone(), self.place(key).await?);
        blocking(move || unlink(&root, &file)).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, ObjectStoreError> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        let after = after.map(str::to_owned);
        let is_wanted = move |key: &str, is_folder: bool| {
            // A folder is entered when a key below it may be wanted.
            let begins = key.starts_with(&prefix) || (is_folder && prefix.starts_with(key));
            begins
                && after
                    .as_deref()
                    .is_none_or(|after| key > after || (is_folder && after.starts_with(key)))
        };
        blocking(move || {
            let mut keys = Vec::new();
            walk(&root, "", &is_wanted, limit, &mut keys)?;
            Ok(keys)
        })
        .await
    }

    fn as_file(&self) -> Option<&FileStore> {
        Some(self)
    }
}

/// The path of an object's address; keys need no escaping.
fn path(key: &str) -> String {
    format!("/objects/{key}")
}

fn failed(error: &std::io::Error) -> ObjectStoreError {
    ObjectStoreError(error.to_string())
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ObjectStoreError> {
    tokio::task::spawn_blocking(f)
        .await
        .map_err(|error| ObjectStoreError(error.to_string()))?
        .map_err(|error| failed(&error))
}

/// Removes a file, so that no power cut brings it back, and the folders that are empty without it.
fn unlink(root: &Path, file: &Path) -> std::io::Result<bool> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        other => other?,
    }
    let folders: Vec<&Path> = file
        .ancestors()
        .skip(1)
        .take_while(|folder| *folder != root)
        .collect();
    if let Some(folder) = folders.first() {
        fs::File::open(folder)?.sync_all()?;
    }
    // A folder that is not empty, or that another PUT is about to use, stays or is made again.
    let _ = folders.iter().try_for_each(fs::remove_dir);
    Ok(true)
}

/// Reads the file back: what the disk says now, not what came in.
fn digest(mut file: fs::File) -> std::io::Result<[u8; 32]> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Adds the wanted keys below `folder`, whose own key is `at`, in the order of their bytes.
fn walk(
    folder: &Path,
    at: &str,
    is_wanted: &dyn Fn(&str, bool) -> bool,
    limit: usize,
    keys: &mut Vec<String>,
) -> std::io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            let slash = if is_folder { "/" } else { "" };
            entries.push((format!("{at}{name}{slash}"), entry.path(), is_folder));
        }
    }
    entries.sort();
    for (key, path, is_folder) in entries {
        if keys.len() >= limit {
            break;
        }
        if is_folder && is_wanted(&key, true) {
            walk(&path, &key, is_wanted, limit, keys)?;
        } else if !is_folder && key::check(&key).is_ok() && is_wanted(&key, false) {
            keys.push(key);
        }
    }
    Ok(())
}
