//! Passwords: Argon2id, on blocking threads, a few at a time. BCrypt hashes of the system before are
//! verified, and replaced when they match.

use std::str::FromStr;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use bcrypt::HashParts;
use tokio::sync::Semaphore;

use crate::Error;

/// Each computation takes 19 MiB; more at once would let strangers take all memory.
const AT_ONCE: usize = 2;
/// Kinds of BCrypt hashes that are right; `$2x$` comes from a faulty implementation.
const BCRYPT: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
/// More rounds (as a power of two) keep a processor busy for seconds at each sign-in.
const BCRYPT_COST_MAX: u32 = 14;

/// Computes and compares; clones share the limit.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Compared with when there is no such user, so that both take the same time.
    nobody: Arc<str>,
}

/// What came of comparing.
#[derive(Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the password is the one of the hash.
    pub matches: bool,
    /// A hash of today to put in the place of an old one that matched.
    pub better: Option<String>,
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
    pub async fn verify(&self, hash: Option<String>, password: String) -> Result<Verdict, Error> {
        // Who was invited and has not answered yet has an empty one.
        let hash = hash.filter(|hash| !hash.is_empty());
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let verdict = self.take_turn(move || verify(&hash, &password)).await?;
        Ok(Verdict {
            matches: verdict.matches && known,
            ..verdict
        })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Error::Internal`] without randomness.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        self.take_turn(move || hash(&password)).await
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|error| Error::Internal(error.into()))?;
        tokio::task::spawn_blocking(f)
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
        .map_err(|error| anyhow!("the password cannot be hashed: {error}"))
}

/// Whether a BCrypt hash of another system can be taken over.
///
/// # Errors
/// Why not, without repeating it.
pub fn check_bcrypt(hash: &str) -> anyhow::Result<()> {
    if !BCRYPT.iter().any(|kind| hash.starts_with(kind)) {
        bail!("a BCrypt hash begins with $2a$, $2b$ or $2y$");
    }
    let parts = HashParts::from_str(hash).map_err(|error| anyhow!("no BCrypt hash: {error}"))?;
    if !(4..=BCRYPT_COST_MAX).contains(&parts.get_cost()) {
        bail!("a BCrypt hash has a cost of 4 to {BCRYPT_COST_MAX}");
    }
    Ok(())
}

fn verify(kept: &str, password: &str) -> anyhow::Result<Verdict> {
    let damaged = |error: &dyn std::fmt::Display| anyhow!("a stored password hash is damaged: {error}");
    if kept.starts_with("$2") {
        check_bcrypt(kept).map_err(|error| damaged(&error))?;
        let matches = bcrypt::verify(password, kept).map_err(|error| damaged(&error))?;
        let better = matches.then(|| hash(password)).transpose()?;
        return Ok(Verdict { matches, better });
    }
    let kept = PasswordHash::new(kept).map_err(|error| damaged(&error))?;
    Ok(Verdict {
        matches: Argon2::default()
            .verify_password(password.as_bytes(), &kept)
            .is_ok(),
        better: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcrypt_of_every_right_kind_matches_and_is_replaced() {
        let made = bcrypt::hash("pass word", 4).unwrap();
        for kind in BCRYPT {
            let kept = format!("{kind}{}", &made[4..]);
            check_bcrypt(&kept).unwrap();
            let verdict = verify(&kept, "pass word").unwrap();
            let better = verdict.better.unwrap();
            assert!(verdict.matches && better.starts_with("$argon2id$"));
            let again = verify(&better, "pass word").unwrap();
            assert!(again.matches && again.better.is_none());
            let wrong = verify(&kept, "password").unwrap();
            assert!(!wrong.matches && wrong.better.is_none());
        }
    }

    #[test]
    fn hashes_that_are_no_good_are_refused_without_repeating_them() {
        let made = bcrypt::hash("x", 4).unwrap();
        for bad in [
            "",
            "x",
            "$2b$04$short",
            &format!("$2x${}", &made[4..]),
            &made.replace("$04$", "$31$"),
            &made.replace("$04$", "$15$"),
            &made.replace("$04$", "$00$"),
        ] {
            let error = check_bcrypt(bad).unwrap_err().to_string();
            assert!(bad.len() < 7 || !error.contains(&bad[7..]), "{error}");
            assert!(bad.is_empty() || !bad.starts_with("$2") || verify(bad, "x").is_err());
        }
    }

    #[tokio::test]
    async fn nobody_and_the_invited_never_match() {
        let passwords = Passwords::new().unwrap();
        for kept in [None, Some(String::new())] {
            assert!(!passwords.verify(kept, String::new()).await.unwrap().matches);
        }
    }
}
