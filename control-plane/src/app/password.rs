//! Passwords: Argon2id, on blocking threads, a few at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::Error;

/// Each computation takes 19 MiB; more at once would let strangers take all memory.
const AT_ONCE: usize = 2;

/// Computes and compares; clones share the limit.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Compared with when there is no such user, so that both take the same time.
    nobody: Arc<str>,
}

impl Passwords {
    /// Ready to compute. Blocks for as long as one computation takes.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            nobody: hash("")?.into(),
        })
    }

    /// Whether `password` is the one of `hash`; without a hash it never is, after the same time.
    ///
    /// # Errors
    /// [`Error::Internal`] when a stored hash is damaged.
    pub async fn verify(&self, hash: Option<String>, password: String) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|error| Error::Internal(error.into()))?;
        let matches = tokio::task::spawn_blocking(move || verify(&hash, &password))
            .await
            .map_err(|error| Error::Internal(error.into()))?
            .map_err(Error::Internal)?;
        Ok(matches && known)
    }

    /// [`hash`] in its turn.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no randomness.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|error| Error::Internal(error.into()))?;
        tokio::task::spawn_blocking(move || hash(&password))
            .await
            .map_err(|error| Error::Internal(error.into()))?
            .map_err(Error::Internal)
    }
}

/// Hashes a password with a new salt, as a PHC string. Blocks.
///
/// # Errors
/// When the system has no randomness.
pub fn hash(password: &str) -> anyhow::Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))
}

fn verify(hash: &str, password: &str) -> anyhow::Result<bool> {
    let hash = PasswordHash::new(hash)
        .map_err(|error| anyhow::anyhow!("a stored password hash is damaged: {error}"))?;
    Ok(Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok())
}
