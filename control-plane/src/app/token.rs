//! Access tokens: short-lived JWTs that name the user and the organization.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::{OrganizationId, UnixMs, UserId};

use crate::Error;
use crate::app::Caller;
use crate::secrets::{Key, Secrets};

/// Seconds that an access token works.
pub const ACCESS_S: u32 = 15 * 60;
const ISSUER: &str = "cloudcam";
const AUDIENCE: &str = "api";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    org: OrganizationId,
    iat: i64,
    exp: i64,
}

/// A new access token.
///
/// # Errors
/// [`Error::Internal`] when it cannot be signed.
pub fn issue(secrets: &Secrets, caller: Caller, now: UnixMs) -> Result<String, Error> {
    let iat = now.0.div_euclid(1000);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: caller.user,
        org: caller.organization,
        iat,
        exp: iat + i64::from(ACCESS_S),
    };
    let header = Header {
        kid: Some(key_id(&secrets.jwt)),
        ..Header::new(Algorithm::HS256)
    };
    encode(&header, &claims, &EncodingKey::from_secret(&secrets.jwt.0))
        .map_err(|error| Error::Internal(error.into()))
}

/// Who a token names; none when it is expired, tampered with, or another server's.
#[must_use]
pub fn verify(secrets: &Secrets, token: &str) -> Option<Caller> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    let data = decode::<Claims>(token, &DecodingKey::from_secret(&secrets.jwt.0), &validation).ok()?;
    (data.header.kid == Some(key_id(&secrets.jwt))).then_some(Caller {
        user: data.claims.sub,
        organization: data.claims.org,
    })
}

/// Names the key, so that a later one can live beside it.
fn key_id(key: &Key) -> String {
    hex::encode(&Sha256::digest(key.0)[..4])
}
