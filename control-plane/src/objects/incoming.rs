//! One object on its way in: a temporary file until every byte is there, checked and on disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

/// Why a PUT did not store anything.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The key is taken; a second PUT changes nothing.
    #[error("the key is taken")]
    Exists,
    /// More or fewer bytes than signed.
    #[error("the body has another length than was signed")]
    Length,
    /// Other bytes than signed.
    #[error("the body has another SHA-256 than was signed")]
    Digest,
    /// The client went away in the middle of the body.
    #[error("the body was interrupted: {0}")]
    Interrupted(String),
    /// The disk is full.
    #[error("the object store is full")]
    Full,
    /// The store cannot take anything now.
    #[error("the object store failed: {0}")]
    Failed(String),
}

impl From<io::Error> for PutError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// A body that is being written. Dropped without [`commit`](Self::commit), it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    file: tokio::fs::File,
    temporary: Temporary,
    root: PathBuf,
    target: PathBuf,
    hash: Sha256,
    written: u64,
    bytes: u64,
    sha256: [u8; 32],
}

impl Incoming {
    /// Starts a body that is to become `target` under `root` if it has this length and digest.
    /// `temporary` must be on the same file system and not be there.
    pub(super) async fn begin(
        root: &Path,
        temporary: PathBuf,
        target: PathBuf,
        bytes: u64,
        sha256: [u8; 32],
    ) -> Result<Self, PutError> {
        if tokio::fs::try_exists(&target).await? {
            return Err(PutError::Exists);
        }
        let file = tokio::fs::File::options()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .await?;
        Ok(Self {
            file,
            temporary: Temporary(temporary),
            root: root.to_owned(),
            target,
            hash: Sha256::new(),
            written: 0,
            bytes,
            sha256,
        })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`PutError::Length`] as soon as there are too many, and those of the disk.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), PutError> {
        self.written = self.written.saturating_add(chunk.len() as u64);
        if self.written > self.bytes {
            return Err(PutError::Length);
        }
        self.hash.update(chunk);
        self.file.write_all(chunk).await?;
        Ok(())
    }

    /// Checks the whole, makes it durable and gives it its name. When this returns `Ok`, a power cut
    /// takes nothing.
    ///
    /// # Errors
    /// [`PutError::Length`], [`PutError::Digest`], [`PutError::Exists`] when another PUT was faster, and
    /// those of the disk.
    pub async fn commit(mut self) -> Result<(), PutError> {
        if self.written != self.bytes {
            return Err(PutError::Length);
        }
        if self.hash.finalize().as_slice() != self.sha256 {
            return Err(PutError::Digest);
        }
        self.file.flush().await?;
        self.file.sync_all().await?;
        let (root, target, temporary) = (self.root, self.target, self.temporary);
        tokio::task::spawn_blocking(move || publish(&root, &temporary, &target))
            .await
            .map_err(|error| PutError::Failed(error.to_string()))?
    }
}

/// Links the file to its name, which fails when the name is taken: unlike a rename, it replaces nothing.
fn publish(root: &Path, temporary: &Temporary, target: &Path) -> Result<(), PutError> {
    let folder = target.parent().unwrap_or(root);
    make_durable(root, folder)?;
    match fs::hard_link(&temporary.0, target) {
        Ok(()) => Ok(File::open(folder)?.sync_all()?),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(PutError::Exists),
        Err(error) => Err(error.into()),
    }
}

/// Makes `folder` below `root`, each new entry fsynced in the folder that holds it.
fn make_durable(root: &Path, folder: &Path) -> io::Result<()> {
    if folder == root || folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else {
        return Ok(());
    };
    make_durable(root, parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => File::open(parent)?.sync_all(),
    }
}

/// Goes away with its owner.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, "a temporary file stays until the next start");
        }
    }
}
