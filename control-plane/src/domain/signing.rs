//! Signatures of addresses that work without a session: playlists, footage and objects.
//!
//! A signature covers everything that its bearer may do: method, path, what is inside, until when.
//! HMAC-SHA256 (RFC 2104), cut to 128 bits. Nothing here reads a clock or parses a query.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use wire::{CameraId, NodeId, ObjectId, OrganizationId, UnixMs};

/// Format of the signature and of what is signed; another one can follow beside it.
const VERSION: u8 = 1;
/// Bytes of the code that are kept: RFC 2104 §5 allows half of the hash.
const CODE_LEN: usize = 16;
/// Version, key id, code.
const SIGNATURE_LEN: usize = 2 + CODE_LEN;

/// What the bearer of a signed address may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant<'a> {
    /// GET or HEAD of a playlist of a camera.
    Playlist {
        /// Whose camera.
        organization: OrganizationId,
        /// Which one.
        camera: CameraId,
        /// First instant.
        from: UnixMs,
        /// First instant after; none follows the present.
        to: Option<UnixMs>,
    },
    /// GET or HEAD of an object of a camera, wherever it is.
    Footage {
        /// Whose footage.
        camera: CameraId,
        /// Which object.
        object: ObjectId,
    },
    /// GET or HEAD of a stored object.
    Get {
        /// Its key.
        key: &'a str,
    },
    /// POST of a node that proves its key to get a token for the bus.
    NodeToken {
        /// Which one.
        node: NodeId,
    },
    /// PUT of exactly these bytes.
    Put {
        /// Key to store it under.
        key: &'a str,
        /// Length of the body.
        bytes: u64,
        /// Digest of the body.
        sha256: &'a [u8; 32],
    },
}

impl Grant<'_> {
    /// Method that it is good for; HEAD counts as GET.
    const fn method(&self) -> &'static str {
        match self {
            Self::Put { .. } => "PUT",
            Self::NodeToken { .. } => "POST",
            Self::Playlist { .. } | Self::Footage { .. } | Self::Get { .. } => "GET",
        }
    }
}

/// Why a signature does not open anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It was right once: ask for a new address.
    #[error("the address has expired")]
    Expired,
    /// It does not cover this request.
    #[error("the signature does not cover this request")]
    Invalid,
}

/// Signs and checks addresses. The first key signs; all of them check, so that keys can be rotated.
#[derive(Clone)]
pub struct Signer {
    /// With their ids, the present one first.
    keys: Vec<(u8, [u8; 32])>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// A signer with the present key and former ones that are still good.
    #[must_use]
    pub fn new(present: [u8; 32], former: &[[u8; 32]]) -> Self {
        let keys = std::iter::once(&present).chain(former);
        Self {
            keys: keys.map(|key| (key_id(key), *key)).collect(),
        }
    }

    /// The signature of `grant` at `path` until `expires`: 24 characters that need no escaping.
    #[must_use]
    pub fn sign(&self, grant: &Grant<'_>, path: &str, expires: UnixMs) -> String {
        let Some((id, key)) = self.keys.first() else {
            return String::new();
        };
        let mut signature = vec![VERSION, *id];
        signature.extend_from_slice(&code(key, grant, path, expires));
        URL_SAFE_NO_PAD.encode(signature)
    }

    /// Whether `signature` covers `grant` at `path` until `expires`, and that is still to come.
    ///
    /// # Errors
    /// [`Rejected::Invalid`] first of all, so that nobody learns anything from tampered addresses;
    /// [`Rejected::Expired`] for a right one that is over.
    pub fn check(
        &self,
        grant: &Grant<'_>,
        path: &str,
        expires: UnixMs,
        signature: &str,
        now: UnixMs,
    ) -> Result<(), Rejected> {
        // Longer text is not decoded at all.
        if signature.len() != SIGNATURE_LEN * 4 / 3 {
            return Err(Rejected::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Rejected::Invalid)?;
        let [VERSION, id, given @ ..] = bytes.as_slice() else {
            return Err(Rejected::Invalid);
        };
        let matches = self
            .keys
            .iter()
            .filter(|(known, _)| known == id)
            .any(|(_, key)| bool::from(code(key, grant, path, expires).ct_eq(given)));
        match (matches, now < expires) {
            (false, _) => Err(Rejected::Invalid),
            (true, false) => Err(Rejected::Expired),
            (true, true) => Ok(()),
        }
    }
}

/// When an address made at `now` expires: after at least `life_ms`, rounded up to a multiple of
/// `window_ms`. Everything signed within a window is the same address, so that caches can keep it.
#[must_use]
pub const fn expiry(now: UnixMs, life_ms: i64, window_ms: i64) -> UnixMs {
    let earliest = now.0.saturating_add(life_ms);
    let past = earliest.rem_euclid(window_ms);
    UnixMs(if past == 0 {
        earliest
    } else {
        earliest.saturating_add(window_ms - past)
    })
}

fn key_id(key: &[u8; 32]) -> u8 {
    let mut hash = Sha256::new();
    hash.update(b"key id");
    hash.update(key);
    hash.finalize()[0]
}

fn code(key: &[u8; 32], grant: &Grant<'_>, path: &str, expires: UnixMs) -> [u8; CODE_LEN] {
    // A key shorter than the hash's block is padded with zeros (RFC 2104 §2).
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    let mut field = |bytes: &[u8]| {
        // Each field with its length: no two requests have the same bytes.
        mac.update(&(bytes.len() as u64).to_be_bytes());
        mac.update(bytes);
    };
    field(&[VERSION]);
    field(grant.method().as_bytes());
    field(path.as_bytes());
    field(&expires.0.to_be_bytes());
    match grant {
        Grant::Playlist {
            organization,
            camera,
            from,
            to,
        } => {
            field(b"playlist");
            field(organization.as_bytes());
            field(camera.as_bytes());
            field(&from.0.to_be_bytes());
            field(&to.map_or(Vec::new(), |to| to.0.to_be_bytes().to_vec()));
        }
        Grant::Footage { camera, object } => {
            field(b"footage");
            field(camera.as_bytes());
            field(object.as_bytes());
        }
        Grant::Get { key } => {
            field(b"get");
            field(key.as_bytes());
        }
        Grant::NodeToken { node } => {
            field(b"node token");
            field(node.as_bytes());
        }
        Grant::Put { key, bytes, sha256 } => {
            field(b"put");
            field(key.as_bytes());
            field(&bytes.to_be_bytes());
            field(*sha256);
        }
    }
    let full = mac.finalize().into_bytes();
    std::array::from_fn(|index| full[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NOW: UnixMs = UnixMs(1_769_846_400_000);
    const EXPIRES: UnixMs = UnixMs(1_769_846_460_000);

    fn put<'a>(key: &'a str, bytes: u64, sha256: &'a [u8; 32]) -> Grant<'a> {
        Grant::Put { key, bytes, sha256 }
    }

    #[test]
    fn only_the_very_request_passes() {
        let signer = Signer::new(KEY, &[]);
        let (sha, other_sha) = ([1; 32], [2; 32]);
        let good = put("a/b.mp4", 10, &sha);
        let signature = signer.sign(&good, "/objects/a/b.mp4", EXPIRES);
        let check = |grant: &Grant<'_>, path: &str, expires: UnixMs, now: UnixMs| {
            signer.check(grant, path, expires, &signature, now)
        };
        let path = "/objects/a/b.mp4";
        assert_eq!(check(&good, path, EXPIRES, NOW), Ok(()));
        let invalid = Err(Rejected::Invalid);
        for (what, result) in [
            ("path", check(&good, "/objects/a/c.mp4", EXPIRES, NOW)),
            ("later expiry", check(&good, path, EXPIRES.plus(1), NOW)),
            ("key", check(&put("a/c.mp4", 10, &sha), path, EXPIRES, NOW)),
            ("length", check(&put("a/b.mp4", 11, &sha), path, EXPIRES, NOW)),
            (
                "digest",
                check(&put("a/b.mp4", 10, &other_sha), path, EXPIRES, NOW),
            ),
            (
                "method",
                check(&Grant::Get { key: "a/b.mp4" }, path, EXPIRES, NOW),
            ),
        ] {
            assert_eq!(result, invalid, "other {what}");
        }
        assert_eq!(check(&good, path, EXPIRES, EXPIRES), Err(Rejected::Expired));
        assert_eq!(check(&good, path, EXPIRES, EXPIRES.plus(-1)), Ok(()));
    }

    #[test]
    fn a_playlist_is_bound_to_tenant_camera_and_range() {
        let signer = Signer::new(KEY, &[]);
        let organizations = [1, 2].map(|n| OrganizationId::from_bytes([n; 16]));
        let cameras = [3, 4].map(|n| CameraId::from_bytes([n; 16]));
        let grant = |o: usize, c: usize, from: i64, to: Option<i64>| Grant::Playlist {
            organization: organizations[o],
            camera: cameras[c],
            from: UnixMs(from),
            to: to.map(UnixMs),
        };
        let signature = signer.sign(&grant(0, 0, 5, Some(9)), "/p", EXPIRES);
        let check = |grant| signer.check(&grant, "/p", EXPIRES, &signature, NOW);
        assert_eq!(check(grant(0, 0, 5, Some(9))), Ok(()));
        for other in [
            grant(1, 0, 5, Some(9)),
            grant(0, 1, 5, Some(9)),
            grant(0, 0, 4, Some(9)),
            grant(0, 0, 5, Some(10)),
            grant(0, 0, 5, None),
        ] {
            assert_eq!(check(other), Err(Rejected::Invalid), "{other:?}");
        }
    }

    #[test]
    fn tampered_and_foreign_signatures_fail() {
        let signer = Signer::new(KEY, &[]);
        let grant = Grant::Get { key: "k" };
        let good = signer.sign(&grant, "/k", EXPIRES);
        for index in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[index] = if bad[index] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).unwrap();
            assert_eq!(
                signer.check(&grant, "/k", EXPIRES, &bad, NOW),
                Err(Rejected::Invalid)
            );
        }
        for bad in [
            "",
            "A",
            "ü",
            &good[1..],
            &format!("{good}A"),
            &"A".repeat(100_000),
        ] {
            assert_eq!(
                signer.check(&grant, "/k", EXPIRES, bad, NOW),
                Err(Rejected::Invalid)
            );
        }
        let foreign = Signer::new([8; 32], &[]).sign(&grant, "/k", EXPIRES);
        assert_eq!(
            signer.check(&grant, "/k", EXPIRES, &foreign, NOW),
            Err(Rejected::Invalid)
        );
    }

    #[test]
    fn a_former_key_still_opens() {
        let grant = Grant::Get { key: "k" };
        let old = Signer::new(KEY, &[]).sign(&grant, "/k", EXPIRES);
        let rotated = Signer::new([9; 32], &[KEY]);
        assert_eq!(rotated.check(&grant, "/k", EXPIRES, &old, NOW), Ok(()));
        assert_ne!(rotated.sign(&grant, "/k", EXPIRES), old);
    }

    #[test]
    fn expiry_is_stable_within_a_window() {
        assert_eq!(expiry(UnixMs(1), 100, 50), UnixMs(150));
        assert_eq!(expiry(UnixMs(50), 100, 50), UnixMs(150));
        assert_eq!(expiry(UnixMs(51), 100, 50), UnixMs(200));
    }
}
