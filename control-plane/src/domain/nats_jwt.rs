//! NATS' JSON web tokens, version 2: who is trusted (operator), who shares subjects (account), who connects
//! (user). Ed25519 over base64url; the format is NATS' own, nats.io/jwt.
//!
//! Nothing here reads a clock, makes a key or knows what is allowed to whom.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use data_encoding::BASE32_NOPAD;
use nkeys::KeyPair;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512_256};
use wire::UnixMs;

const HEADER: &str = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;
/// Version of the claims.
const VERSION: u8 = 2;
/// As much as the server lets through.
const UNLIMITED: i64 = -1;

/// What a user may publish and hear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Permissions {
    /// Subjects to publish to.
    #[serde(rename = "pub")]
    pub publish: Allow,
    /// Subjects to subscribe to.
    #[serde(rename = "sub")]
    pub subscribe: Allow,
    /// Whether it may answer what it was asked, wherever the answer goes.
    #[serde(rename = "resp", skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
}

/// Subjects; nothing else is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Allow {
    /// With NATS' wildcards.
    pub allow: Vec<String>,
}

/// How often and how long a request may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Messages a request.
    pub max: u32,
    /// Nanoseconds after it.
    pub ttl: u64,
}

/// Subjects that accounts share; everything else stays within each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sharing {
    /// What others may ask of this account, or hear from it.
    pub exports: Vec<Shared>,
    /// What this one asks of another, or hears from it: the account, by public key, and what.
    pub imports: Vec<(String, Shared)>,
}

/// One shared subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// Messages go to the exporting account, their answers come back.
    Service(&'static str),
    /// Messages come from the exporting account.
    Stream(&'static str),
}

impl Shared {
    fn claims(self) -> Value {
        match self {
            Self::Service(subject) => json!({"name": subject, "subject": subject, "type": "service"}),
            Self::Stream(subject) => json!({"name": subject, "subject": subject, "type": "stream"}),
        }
    }
}

/// Users of an account whose tokens count no more: those made up to an instant.
pub type Revocations = Vec<(String, UnixMs)>;

/// What a token says of its bearer.
#[derive(Debug)]
pub struct Claims<'a> {
    /// Public key of whom it is about.
    pub subject: &'a str,
    /// For people.
    pub name: &'a str,
    /// When it is made.
    pub issued: UnixMs,
    /// When it ends.
    pub expires: Option<UnixMs>,
}

/// A key that cannot sign.
#[derive(Debug, thiserror::Error)]
#[error("the key cannot sign: {0}")]
pub struct CannotSign(String);

/// Who is trusted: signs accounts, with `signing_key` or its own.
///
/// # Errors
/// [`CannotSign`].
pub fn operator(
    claims: &Claims<'_>,
    signing_key: &str,
    system_account: &str,
    issuer: &KeyPair,
) -> Result<String, CannotSign> {
    let nats = json!({
        "signing_keys": [signing_key],
        "system_account": system_account,
        "type": "operator",
        "version": VERSION,
    });
    encode(claims, &nats, issuer)
}

/// What an account is.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Whether it has streams.
    pub has_jetstream: bool,
    /// Public keys that sign its users, beside its own.
    pub signing_keys: Vec<String>,
    /// What it shares with others.
    pub sharing: Sharing,
    /// Users that it had.
    pub revocations: Revocations,
}

/// An account.
///
/// # Errors
/// [`CannotSign`].
pub fn account(claims: &Claims<'_>, account: &Account, issuer: &KeyPair) -> Result<String, CannotSign> {
    let mut limits = Map::new();
    for name in ["subs", "data", "payload", "imports", "exports", "conn", "leaf"] {
        limits.insert(name.to_owned(), json!(UNLIMITED));
    }
    limits.insert("wildcards".to_owned(), json!(true));
    if account.has_jetstream {
        for name in ["mem_storage", "disk_storage", "streams", "consumer"] {
            limits.insert(name.to_owned(), json!(UNLIMITED));
        }
    }
    let mut nats = json!({
        "limits": limits,
        "signing_keys": account.signing_keys,
        "type": "account",
        "version": VERSION,
    });
    let sharing = &account.sharing;
    if !sharing.exports.is_empty() {
        nats["exports"] = sharing.exports.iter().map(|shared| shared.claims()).collect();
    }
    if !sharing.imports.is_empty() {
        let of = |(account, shared): &(String, Shared)| {
            let mut claims = shared.claims();
            claims["account"] = json!(account);
            claims
        };
        nats["imports"] = sharing.imports.iter().map(of).collect();
    }
    if !account.revocations.is_empty() {
        let revoked: Map<String, Value> = account
            .revocations
            .iter()
            .map(|(key, until)| (key.clone(), json!(seconds(*until))))
            .collect();
        nats["revocations"] = Value::Object(revoked);
    }
    encode(claims, &nats, issuer)
}

/// A user of an account. `issuer` is the account's own key or one of its signing keys.
///
/// # Errors
/// [`CannotSign`].
pub fn user(
    claims: &Claims<'_>,
    account: &str,
    permissions: &Permissions,
    issuer: &KeyPair,
) -> Result<String, CannotSign> {
    let mut nats = json!(permissions);
    nats["subs"] = json!(UNLIMITED);
    nats["data"] = json!(UNLIMITED);
    nats["payload"] = json!(UNLIMITED);
    // No WebSocket, MQTT or leaf node.
    nats["allowed_connection_types"] = json!(["STANDARD"]);
    nats["type"] = json!("user");
    nats["version"] = json!(VERSION);
    if issuer.public_key() != account {
        nats["issuer_account"] = json!(account);
    }
    encode(claims, &nats, issuer)
}

fn encode(claims: &Claims<'_>, nats: &Value, issuer: &KeyPair) -> Result<String, CannotSign> {
    let mut body = json!({
        "iat": seconds(claims.issued),
        "iss": issuer.public_key(),
        "jti": "",
        "name": claims.name,
        "nats": nats,
        "sub": claims.subject,
    });
    if let Some(expires) = claims.expires {
        body["exp"] = json!(seconds(expires));
    }
    let id = BASE32_NOPAD.encode(&Sha512_256::digest(body.to_string()));
    body["jti"] = json!(id);
    let signed = format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(HEADER),
        BASE64_URL_SAFE_NO_PAD.encode(body.to_string())
    );
    let signature = issuer
        .sign(signed.as_bytes())
        .map_err(|error| CannotSign(error.to_string()))?;
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// The public key that a token is about, without any check: for tokens from one's own files.
#[must_use]
pub fn subject(token: &str) -> Option<String> {
    let body = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    Some(body["sub"].as_str()?.to_owned())
}

/// Whole seconds since 1970, as tokens count.
const fn seconds(at: UnixMs) -> i64 {
    at.0.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(subject: &str) -> Claims<'_> {
        Claims {
            subject,
            name: "gate",
            issued: UnixMs(1_700_000_000_999),
            expires: Some(UnixMs(1_700_000_600_000)),
        }
    }

    fn parts(token: &str) -> (Value, String, Vec<u8>) {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let body = BASE64_URL_SAFE_NO_PAD
            .decode(signed.split_once('.').unwrap().1)
            .unwrap();
        (
            serde_json::from_slice(&body).unwrap(),
            signed.to_owned(),
            BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
    }

    #[test]
    fn a_users_token_says_what_it_may_and_is_signed() {
        let (account, signing, bearer) = (
            KeyPair::new_account(),
            KeyPair::new_account(),
            KeyPair::new_user().public_key(),
        );
        let permissions = Permissions {
            publish: Allow {
                allow: vec!["a.b".to_owned()],
            },
            subscribe: Allow {
                allow: vec!["c.>".to_owned()],
            },
            answers: Some(Answers {
                max: 1,
                ttl: 60_000_000_000,
            }),
        };
        let token = user(&claims(&bearer), &account.public_key(), &permissions, &signing).unwrap();
        let (body, signed, signature) = parts(&token);
        signing.verify(signed.as_bytes(), &signature).unwrap();
        assert!(account.verify(signed.as_bytes(), &signature).is_err());
        assert_eq!(subject(&token), Some(bearer));
        let nats = &body["nats"];
        assert_eq!(nats["pub"], json!({"allow": ["a.b"]}));
        assert_eq!(nats["sub"], json!({"allow": ["c.>"]}));
        assert_eq!(nats["resp"], json!({"max": 1, "ttl": 60_000_000_000_u64}));
        assert_eq!(nats["issuer_account"], json!(account.public_key()));
        assert_eq!((&nats["type"], &nats["version"]), (&json!("user"), &json!(2)));
        assert_eq!(
            (&body["iat"], &body["exp"]),
            (&json!(1_700_000_000), &json!(1_700_000_600))
        );
        assert_eq!(body["jti"].as_str().unwrap().len(), 52);
    }

    #[test]
    fn an_accounts_token_names_who_is_revoked_and_since_when() {
        let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account().public_key());
        let mut what = Account {
            has_jetstream: true,
            revocations: vec![("UX".to_owned(), UnixMs(5_000))],
            ..Account::default()
        };
        what.sharing.imports = vec![("AX".to_owned(), Shared::Service("a.*"))];
        let (body, ..) = parts(&super::account(&claims(&account), &what, &operator).unwrap());
        assert_eq!(body["nats"]["revocations"], json!({"UX": 5}));
        assert_eq!(body["nats"]["limits"]["disk_storage"], json!(-1));
        let import = json!({"name": "a.*", "subject": "a.*", "type": "service", "account": "AX"});
        assert_eq!(body["nats"]["imports"], json!([import]));
        let plain = Account::default();
        let (body, ..) = parts(&super::account(&claims(&account), &plain, &operator).unwrap());
        assert!(body["nats"]["limits"].get("disk_storage").is_none());
        assert!(body["nats"].get("revocations").is_none());
    }

    #[test]
    fn a_public_key_cannot_sign() {
        let public = KeyPair::from_public_key(&KeyPair::new_operator().public_key()).unwrap();
        assert!(operator(&claims("A"), "O", "A", &public).is_err());
    }
}
