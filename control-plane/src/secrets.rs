//! The server's keys: generated at the first start, kept in files that only the owner reads, rotated
//! while the server runs.
//!
//! A file holds one key a line: the first signs and encrypts, all verify and decrypt. Nothing here knows
//! what is signed or encrypted.

mod file;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::TryRngCore;
use sha2::{Digest, Sha256};

use crate::domain::signing::Signer;

pub use file::{private_dir, read, replace, write_private};

/// What an unknown key may make the server look at its files again: strangers can name any.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// 32 random bytes; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Names a key among others; says nothing about it.
pub type KeyId = [u8; 4];

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> anyhow::Result<Self> {
        random().map(Self)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

/// Keys for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Signs and encrypts.
    pub present: Key,
    /// Verify and decrypt what they made, the youngest first.
    pub former: Vec<Key>,
}

impl Ring {
    /// With one key that nobody keeps.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn ephemeral() -> anyhow::Result<Self> {
        Ok(Self {
            present: Key::generate()?,
            former: Vec::new(),
        })
    }

    /// Every key, the present one first.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.present).chain(&self.former)
    }

    /// The keys of this name: one, but for an accident of one in four thousand million.
    pub fn named(&self, id: KeyId) -> impl Iterator<Item = &Key> {
        self.all().filter(move |key| key.id() == id)
    }

    /// With a new key in front.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn rotated(&self) -> anyhow::Result<Self> {
        Ok(Self {
            present: Key::generate()?,
            former: self.all().cloned().collect(),
        })
    }

    /// With the present key alone.
    #[must_use]
    pub fn without_former(&self) -> Self {
        Self {
            present: self.present.clone(),
            former: Vec::new(),
        }
    }
}

/// The keys of one moment, each ring for one purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Sign access tokens.
    pub jwt: Ring,
    /// Sign addresses of playlists, footage and uploads.
    pub url: Ring,
    /// Encrypt cameras' credentials and second factors.
    pub master: Ring,
}

impl Keys {
    /// Signs and checks addresses.
    #[must_use]
    pub fn signer(&self) -> Signer {
        let former: Vec<[u8; 32]> = self.url.former.iter().map(|key| key.0).collect();
        Signer::new(self.url.present.0, &former)
    }
}

/// The keys as the running server knows them.
#[derive(Debug)]
pub struct Secrets {
    dir: Option<PathBuf>,
    keys: RwLock<Arc<Keys>>,
    /// Held while the files are read, so that an older reading never follows a newer one.
    reading: Mutex<()>,
    looked: Mutex<Instant>,
}

impl Secrets {
    /// Reads the keys in `dir`, making those that are not there yet.
    ///
    /// # Errors
    /// When the folder cannot be written or a key file is damaged.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        private_dir(dir)?;
        for name in ["jwt", "url", "master"] {
            file::ensure(&dir.join(name))?;
        }
        Ok(Self::new(Some(dir.to_owned()), Self::load(dir)?))
    }

    /// Keys that nobody keeps, for tests.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn ephemeral() -> anyhow::Result<Self> {
        let keys = Keys {
            jwt: Ring::ephemeral()?,
            url: Ring::ephemeral()?,
            master: Ring::ephemeral()?,
        };
        Ok(Self::new(None, keys))
    }

    /// The keys in `dir`, which must all be there.
    ///
    /// # Errors
    /// When one is missing or damaged.
    pub fn load(dir: &Path) -> anyhow::Result<Keys> {
        Ok(Keys {
            jwt: read(&dir.join("jwt"))?,
            url: read(&dir.join("url"))?,
            master: read(&dir.join("master"))?,
        })
    }

    fn new(dir: Option<PathBuf>, keys: Keys) -> Self {
        Self {
            dir,
            keys: RwLock::new(Arc::new(keys)),
            reading: Mutex::new(()),
            looked: Mutex::new(Instant::now()),
        }
    }

    /// The keys of this moment.
    #[must_use]
    pub fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again; the keys, when they are others than before.
    ///
    /// # Errors
    /// When a file is missing or damaged: the keys stay as they were.
    pub fn refresh(&self) -> anyhow::Result<Option<Arc<Keys>>> {
        let Some(dir) = &self.dir else {
            return Ok(None);
        };
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Self::load(dir)?;
        if *self.keys() == found {
            return Ok(None);
        }
        let found = Arc::new(found);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&found);
        tracing::info!(
            jwt = found.jwt.all().count(),
            url = found.url.all().count(),
            master = found.master.all().count(),
            "the key files changed: using their keys from now on"
        );
        Ok(Some(found))
    }

    /// Like [`Secrets::refresh`] for what a stranger can cause: at most once a second.
    pub fn refresh_for_stranger(&self) -> Option<Arc<Keys>> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < LOOK_AGAIN {
            return None;
        }
        *looked = Instant::now();
        drop(looked);
        self.refresh().ok().flatten()
    }
}

/// Random bytes of the operating system.
///
/// # Errors
/// When it has none.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::rngs::OsRng
        .try_fill_bytes(&mut bytes)
        .context("no randomness")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_noticed_and_a_damaged_one_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(dir.path()).unwrap();
        let before = secrets.keys();
        assert!(secrets.refresh().unwrap().is_none(), "nothing changed");

        let rotated = before.url.rotated().unwrap();
        replace(&dir.path().join("url"), &rotated).unwrap();
        let after = secrets.refresh().unwrap().unwrap();
        assert_eq!((&after.url, &after.jwt), (&rotated, &before.jwt));
        assert_eq!(after.url.former, std::slice::from_ref(&before.url.present));

        std::fs::write(dir.path().join("jwt"), "damaged").unwrap();
        let error = secrets.refresh().unwrap_err().to_string();
        assert!(error.contains("jwt") && !error.contains("damaged\""), "{error}");
        assert_eq!(secrets.keys(), after);
    }

    #[test]
    fn keys_are_never_shown() {
        let secrets = Secrets::ephemeral().unwrap();
        let hex = hex::encode(secrets.keys().jwt.present.0);
        let shown = format!("{secrets:?}");
        assert!(shown.contains("Key(…)") && !shown.contains(&hex));
    }
}
