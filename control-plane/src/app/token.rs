//! Access tokens: short-lived JWTs (RFC 7519) that name a user and a session.
//!
//! They carry no rights: those are looked up at each request.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use wire::{SessionId, UnixMs, UserId};

use crate::Error;
use crate::secrets::{Key, KeyId, Keys, Secrets};

/// Seconds that an access token works.
pub const ACCESS_S: u32 = 15 * 60;
const ISSUER: &str = "cloudcam";
const AUDIENCE: &str = "api";

#[derive(Serialize, Deserialize)]
struct Registered {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

/// Whom a token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The user.
    pub user: UserId,
    /// The sign-in.
    pub session: SessionId,
}

/// A new access token.
///
/// # Errors
/// [`Error::Internal`] when it cannot be signed.
pub fn issue(secrets: &Secrets, claims: Claims, now: UnixMs) -> Result<String, Error> {
    let iat = now.0.div_euclid(1000);
    let claims = Registered {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: claims.user,
        sid: claims.session,
        iat,
        exp: iat + i64::from(ACCESS_S),
    };
    let keys = secrets.keys();
    let key = &keys.jwt.present;
    let header = Header {
        kid: Some(hex::encode(key.id())),
        ..Header::new(Algorithm::HS256)
    };
    encode(&header, &claims, &EncodingKey::from_secret(&key.0)).map_err(|error| Error::Internal(error.into()))
}

/// Whom a token names; none when it is expired, tampered with, or another server's.
#[must_use]
pub fn verify(secrets: &Secrets, token: &str) -> Option<Claims> {
    let kid = decode_header(token).ok()?.kid?;
    let mut id = KeyId::default();
    hex::decode_to_slice(kid, &mut id).ok()?;
    let keys = secrets.keys();
    if keys.jwt.named(id).next().is_some() {
        return by_any(&keys, id, token);
    }
    // Another server of the same installation may have noticed a rotation first.
    by_any(&*secrets.refresh_for_stranger()?, id, token)
}

fn by_any(keys: &Keys, id: KeyId, token: &str) -> Option<Claims> {
    keys.jwt.named(id).find_map(|key| by(key, token))
}

fn by(key: &Key, token: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    // Not on its last second either (RFC 7519 §4.1.4).
    validation.reject_tokens_expiring_in_less_than = 1;
    let data = decode::<Registered>(token, &DecodingKey::from_secret(&key.0), &validation).ok()?;
    Some(Claims {
        user: data.claims.sub,
        session: data.claims.sid,
    })
}
