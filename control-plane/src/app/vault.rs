//! Cameras' credentials at rest: XChaCha20-Poly1305 under the master key, bound to their camera.

use anyhow::anyhow;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use wire::CameraId;
use wire::source::Credentials;

use crate::Error;
use crate::secrets::{Key, random};

/// Format byte of a sealed value, so that another key or cipher can follow.
const FORMAT: u8 = 1;
const NONCE: usize = 24;

/// Encrypts a camera's credentials.
///
/// # Errors
/// [`Error::Internal`] without randomness.
pub fn seal(master: &Key, camera: CameraId, credentials: &Credentials) -> Result<Vec<u8>, Error> {
    let nonce: [u8; NONCE] = random().map_err(Error::Internal)?;
    let msg = serde_json::to_vec(credentials).map_err(|error| Error::Internal(error.into()))?;
    let payload = Payload {
        msg: &msg,
        aad: camera.as_bytes(),
    };
    let sealed = cipher(master)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::Internal(anyhow!("credentials cannot be encrypted")))?;
    Ok([&[FORMAT], nonce.as_slice(), &sealed].concat())
}

/// Decrypts what [`seal`] made for the same camera.
///
/// # Errors
/// [`Error::Internal`] for anything else: another camera's, another key's, damaged.
pub fn open(master: &Key, camera: CameraId, sealed: &[u8]) -> Result<Credentials, Error> {
    let damaged = || Error::Internal(anyhow!("the credentials of camera {camera} cannot be decrypted"));
    let rest = sealed.strip_prefix(&[FORMAT]).ok_or_else(damaged)?;
    let (nonce, msg) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
    let payload = Payload {
        msg,
        aad: camera.as_bytes(),
    };
    let open = cipher(master)
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| damaged())?;
    serde_json::from_slice(&open).map_err(|_| damaged())
}

fn cipher(master: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&master.0.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_the_same_camera_and_key_only() {
        let (key, other_key) = (Key([1; 32]), Key([2; 32]));
        let (camera, other) = (CameraId::generate(), CameraId::generate());
        let credentials = Credentials {
            username: "admin".to_owned(),
            password: "secret".to_owned(),
        };
        let mut sealed = seal(&key, camera, &credentials).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, seal(&key, camera, &credentials).unwrap());
        assert!(open(&key, camera, &sealed).unwrap() == credentials);
        assert!(open(&key, other, &sealed).is_err());
        assert!(open(&other_key, camera, &sealed).is_err());
        sealed[30] ^= 1;
        for bad in [&sealed[..], &[], &[1], &[2; 60]] {
            assert!(open(&key, camera, bad).is_err());
        }
    }
}
