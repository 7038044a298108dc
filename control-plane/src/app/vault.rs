//! Secrets at rest: XChaCha20-Poly1305 under the master key, bound to what they belong to.
//!
//! Format 2 names its key, so that keys can be rotated: `2 · key id (4) · nonce (24) · text and tag`.
//! Format 1 names none and was for cameras only: `1 · nonce (24) · text and tag`.

use anyhow::anyhow;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use wire::source::Credentials;
use wire::{CameraId, UserId};

use crate::Error;
use crate::secrets::{Key, KeyId, Ring, Secrets, random};

const FORMAT_1: u8 = 1;
const FORMAT_2: u8 = 2;
const NONCE: usize = 24;

/// What a sealed value belongs to: it opens for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A camera's credentials.
    Camera(CameraId),
    /// A person's second factor.
    Person(UserId),
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Camera(id) => write!(f, "the credentials of camera {id}"),
            Self::Person(id) => write!(f, "the second factor of user {id}"),
        }
    }
}

impl Owner {
    /// What the seal covers besides the text.
    fn bound(self, key: KeyId) -> Vec<u8> {
        let (label, id) = match &self {
            Self::Camera(id) => (b'c', *id.as_bytes()),
            Self::Person(id) => (b'p', *id.as_bytes()),
        };
        [&[FORMAT_2], key.as_slice(), &[label], &id].concat()
    }
}

/// Encrypts a camera's credentials.
///
/// # Errors
/// [`Error::Internal`] without randomness.
pub fn seal(secrets: &Secrets, camera: CameraId, credentials: &Credentials) -> Result<Vec<u8>, Error> {
    let text = serde_json::to_vec(credentials).map_err(|error| Error::Internal(error.into()))?;
    seal_bytes(&secrets.keys().master, Owner::Camera(camera), &text)
}

/// Decrypts what [`seal`] made for the same camera.
///
/// # Errors
/// [`Error::Internal`] for anything else: another camera's, another key's, damaged.
pub fn open(secrets: &Secrets, camera: CameraId, sealed: &[u8]) -> Result<Credentials, Error> {
    let owner = Owner::Camera(camera);
    let text = open_bytes(secrets, owner, sealed)?;
    serde_json::from_slice(&text).map_err(|_| damaged(owner))
}

/// Encrypts a person's second factor.
///
/// # Errors
/// [`Error::Internal`] without randomness.
pub fn seal_factor(secrets: &Secrets, user: UserId, factor: &[u8]) -> Result<Vec<u8>, Error> {
    seal_bytes(&secrets.keys().master, Owner::Person(user), factor)
}

/// Decrypts what [`seal_factor`] made for the same person.
///
/// # Errors
/// [`Error::Internal`] for anything else.
pub fn open_factor(secrets: &Secrets, user: UserId, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    open_bytes(secrets, Owner::Person(user), sealed)
}

/// The same value under the present key; none when it is already.
///
/// # Errors
/// [`Error::Internal`] when no key of the ring opens it.
pub fn resealed(master: &Ring, owner: Owner, sealed: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    if key_of(sealed) == Some(master.present.id()) {
        return Ok(None);
    }
    let text = opened(master, owner, sealed).ok_or_else(|| damaged(owner))?;
    seal_bytes(master, owner, &text).map(Some)
}

fn open_bytes(secrets: &Secrets, owner: Owner, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let mut keys = secrets.keys();
    // A rotation re-encrypts before the server has noticed the new key by itself.
    if let Some(id) = key_of(sealed)
        && keys.master.named(id).next().is_none()
    {
        secrets.refresh().map_err(Error::Internal)?;
        keys = secrets.keys();
    }
    opened(&keys.master, owner, sealed).ok_or_else(|| damaged(owner))
}

fn seal_bytes(master: &Ring, owner: Owner, text: &[u8]) -> Result<Vec<u8>, Error> {
    let nonce: [u8; NONCE] = random().map_err(Error::Internal)?;
    let id = master.present.id();
    let payload = Payload {
        msg: text,
        aad: &owner.bound(id),
    };
    let sealed = cipher(&master.present)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::Internal(anyhow!("{owner} cannot be encrypted")))?;
    Ok([&[FORMAT_2], id.as_slice(), &nonce, &sealed].concat())
}

fn opened(master: &Ring, owner: Owner, sealed: &[u8]) -> Option<Vec<u8>> {
    match (sealed.split_first()?, owner) {
        ((&FORMAT_2, rest), _) => {
            let (id, rest) = rest.split_first_chunk()?;
            let bound = owner.bound(*id);
            master.named(*id).find_map(|key| decrypt(key, &bound, rest))
        }
        ((&FORMAT_1, rest), Owner::Camera(id)) => {
            master.all().find_map(|key| decrypt(key, id.as_bytes(), rest))
        }
        _ => None,
    }
}

fn decrypt(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>()?;
    cipher(key)
        .decrypt(&XNonce::from(*nonce), Payload { msg, aad })
        .ok()
}

/// The key that a sealed value names.
fn key_of(sealed: &[u8]) -> Option<KeyId> {
    sealed.strip_prefix(&[FORMAT_2])?.first_chunk().copied()
}

fn damaged(owner: Owner) -> Error {
    Error::Internal(anyhow!("{owner} cannot be decrypted"))
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(present: u8, former: &[u8]) -> Ring {
        Ring {
            present: Key([present; 32]),
            former: former.iter().map(|byte| Key([*byte; 32])).collect(),
        }
    }

    #[test]
    fn opens_for_the_same_camera_and_key_only() {
        let (secrets, others) = (Secrets::ephemeral().unwrap(), Secrets::ephemeral().unwrap());
        let (camera, other) = (CameraId::generate(), CameraId::generate());
        let credentials = Credentials {
            username: "admin".to_owned(),
            password: "secret".to_owned(),
        };
        let mut sealed = seal(&secrets, camera, &credentials).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, seal(&secrets, camera, &credentials).unwrap());
        assert!(open(&secrets, camera, &sealed).unwrap() == credentials);
        assert!(open(&secrets, other, &sealed).is_err());
        assert!(open(&others, camera, &sealed).is_err());
        sealed[35] ^= 1;
        for bad in [&sealed[..], &[], &[1], &[2; 60], &[1; 60]] {
            assert!(open(&secrets, camera, bad).is_err());
        }
    }

    #[test]
    fn a_person_and_a_camera_of_one_id_do_not_open_each_others() {
        let id = [7; 16];
        let (camera, person) = (
            Owner::Camera(CameraId::from_bytes(id)),
            Owner::Person(UserId::from_bytes(id)),
        );
        let ring = ring(1, &[]);
        let sealed = seal_bytes(&ring, camera, b"text").unwrap();
        assert_eq!(opened(&ring, camera, &sealed).as_deref(), Some(&b"text"[..]));
        assert_eq!(opened(&ring, person, &sealed), None);
    }

    #[test]
    fn former_keys_open_and_resealing_moves_to_the_present_one() {
        let owner = Owner::Person(UserId::generate());
        let sealed = seal_bytes(&ring(1, &[]), owner, b"text").unwrap();
        let both = ring(2, &[1]);
        let moved = resealed(&both, owner, &sealed).unwrap().unwrap();
        assert_eq!(
            resealed(&both, owner, &moved).unwrap(),
            None,
            "it is there already"
        );
        let alone = ring(2, &[]);
        assert_eq!(opened(&alone, owner, &moved).as_deref(), Some(&b"text"[..]));
        assert_eq!(opened(&alone, owner, &sealed), None);
        assert!(resealed(&alone, owner, &sealed).is_err(), "its key is gone");
    }

    #[test]
    fn the_format_before_still_opens_and_is_moved() {
        let camera = CameraId::generate();
        let nonce = [3; NONCE];
        let payload = Payload {
            msg: b"text",
            aad: camera.as_bytes(),
        };
        let sealed = cipher(&Key([1; 32]))
            .encrypt(&XNonce::from(nonce), payload)
            .unwrap();
        let old = [&[FORMAT_1], nonce.as_slice(), &sealed].concat();
        let (owner, keys) = (Owner::Camera(camera), ring(2, &[1]));
        assert_eq!(opened(&keys, owner, &old).as_deref(), Some(&b"text"[..]));
        let moved = resealed(&keys, owner, &old).unwrap().unwrap();
        assert_eq!(
            opened(&ring(2, &[]), owner, &moved).as_deref(),
            Some(&b"text"[..])
        );
        let person = Owner::Person(UserId::from_bytes(*camera.as_bytes()));
        assert_eq!(opened(&keys, person, &old), None);
    }
}
