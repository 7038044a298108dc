//! Rotating keys: a new one signs and encrypts from now on, the former ones verify and decrypt until they
//! are dropped. Nobody is signed out by it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context;

use super::playback;
use super::token::ACCESS_S;
use super::vault::{self, Owner};
use crate::Error;
use crate::secrets::{Ring, read, replace};
use crate::store::{Connection, sealed};
use crate::tasks::keys::TICK;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Access tokens.
    Jwt,
    /// Addresses of playlists, footage and uploads.
    Url,
    /// Cameras' credentials and second factors.
    Master,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Jwt, Self::Url, Self::Master];

    /// Name of the file, and of the option.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Url => "url",
            Self::Master => "master",
        }
    }

    /// How long after a rotation a former key may still be needed.
    #[must_use]
    pub const fn needed(self) -> Duration {
        match self {
            Self::Jwt => Duration::from_secs(ACCESS_S as u64),
            Self::Url => Duration::from_millis(playback::ADDRESS_MS.unsigned_abs()),
            // Until every running server has looked at the files.
            Self::Master => Duration::from_secs(2 * TICK.as_secs() + 1),
        }
    }
}

/// The keys of one purpose.
///
/// # Errors
/// When their file is missing or damaged.
pub fn ring(dir: &Path, purpose: Purpose) -> anyhow::Result<Ring> {
    read(&dir.join(purpose.name()))
}

/// For how long the former keys may still be needed; none when they are not.
///
/// # Errors
/// When the file cannot be looked at.
pub fn still_needed(dir: &Path, purpose: Purpose, now: SystemTime) -> anyhow::Result<Option<Duration>> {
    let path = dir.join(purpose.name());
    let rotated = std::fs::metadata(&path)
        .and_then(|file| file.modified())
        .with_context(|| format!("cannot look at {}", path.display()))?;
    // A file from the future was changed just now, by another clock.
    let age = now.duration_since(rotated).unwrap_or_default();
    Ok(purpose.needed().checked_sub(age).filter(|left| !left.is_zero()))
}

/// Puts a new key in front; the ring as it is then.
///
/// # Errors
/// When the file cannot be written.
pub fn rotate(dir: &Path, purpose: Purpose) -> anyhow::Result<Ring> {
    let rotated = ring(dir, purpose)?.rotated()?;
    replace(&dir.join(purpose.name()), &rotated)?;
    Ok(rotated)
}

/// Forgets the former keys; how many.
///
/// # Errors
/// When the file cannot be written.
pub fn drop_former(dir: &Path, purpose: Purpose) -> anyhow::Result<usize> {
    let before = ring(dir, purpose)?;
    if !before.former.is_empty() {
        replace(&dir.join(purpose.name()), &before.without_former())?;
    }
    Ok(before.former.len())
}

/// What is encrypted, and how much of it was moved to the present key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Cameras' credentials and second factors.
    pub values: usize,
    /// Those that were under another key.
    pub moved: usize,
}

/// Encrypts everything that is not under the present key again, within one transaction.
///
/// # Errors
/// [`Error::Internal`] when something cannot be decrypted, and those of the database.
pub fn reseal(connection: &mut Connection, master: &Ring) -> Result<Resealed, Error> {
    let mut done = Resealed::default();
    for (id, value) in sealed::of_cameras(connection)? {
        done.values += 1;
        if let Some(moved) = vault::resealed(master, Owner::Camera(id), &value)? {
            sealed::put_camera(connection, id, &moved)?;
            done.moved += 1;
        }
    }
    for (id, value) in sealed::of_people(connection)? {
        done.values += 1;
        if let Some(moved) = vault::resealed(master, Owner::Person(id), &value)? {
            sealed::put_person(connection, id, &moved)?;
            done.moved += 1;
        }
    }
    Ok(done)
}
