//! Keys, generated at the first start and kept in files that only the owner reads.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use rand::TryRngCore;

/// 32 random bytes; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The server's keys, each for one purpose.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs access tokens.
    pub jwt: Key,
    /// Signs addresses of playlists, footage and uploads.
    pub url: Key,
    /// Encrypts cameras' credentials.
    pub master: Key,
}

impl Secrets {
    /// Reads the keys in `dir`, making those that are not there yet.
    ///
    /// # Errors
    /// When the folder cannot be written or a key file is damaged.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        private_dir(dir)?;
        Ok(Self {
            jwt: key(&dir.join("jwt"))?,
            url: key(&dir.join("url"))?,
            master: key(&dir.join("master"))?,
        })
    }

    /// Keys that nobody keeps, for tests.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn ephemeral() -> anyhow::Result<Self> {
        Ok(Self {
            jwt: Key(random()?),
            url: Key(random()?),
            master: Key(random()?),
        })
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

/// Makes a folder that only its owner enters, with its parents.
///
/// # Errors
/// When it cannot be made.
pub fn private_dir(dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create {}", dir.display()))
}

/// Writes a file that only its owner reads and that was not there before; durable on return.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn key(path: &Path) -> anyhow::Result<Key> {
    match fs::read_to_string(path) {
        Ok(text) => match hex::decode(text.trim())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
        {
            Some(bytes) => Ok(Key(bytes)),
            None => bail!("{} is damaged: expected 64 hexadecimal digits", path.display()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = random()?;
            write_private(path, &hex::encode(bytes))
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(Key(bytes))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
