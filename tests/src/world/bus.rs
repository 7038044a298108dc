//! A client of the world's bus that may say and hear everything: no such user is in the product.

use std::path::Path;

use anyhow::{Context, Result};
use async_nats::{Auth, AuthError, Client, ConnectOptions};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// Connects with a token that the installation's own key signs.
///
/// # Errors
/// When the bus does not answer, or the keys are not there.
pub(super) async fn client(dir: &Path) -> Result<Client> {
    let read = |name: &str| std::fs::read_to_string(dir.join("control/secrets/bus").join(name));
    let signing = KeyPair::from_seed(read("account-signing")?.trim())?;
    let account = subject(&read("account.jwt")?)?;
    let key = KeyPair::new_user();
    let body = json!({
        "iat": 0, "iss": signing.public_key(), "jti": "test", "name": "test", "sub": key.public_key(),
        "nats": {
            "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1,
            "issuer_account": account, "type": "user", "version": 2,
        },
    });
    let signed = format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#),
        BASE64_URL_SAFE_NO_PAD.encode(body.to_string())
    );
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signing.sign(signed.as_bytes())?);
    let (token, seed) = (format!("{signed}.{signature}"), key.seed()?);
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        let (token, seed) = (token.clone(), seed.clone());
        async move {
            let key = KeyPair::from_seed(&seed).map_err(AuthError::new)?;
            let mut auth = Auth::new();
            auth.signature = Some(key.sign(&nonce).map_err(AuthError::new)?);
            auth.jwt = Some(token);
            Ok(auth)
        }
    });
    Ok(options.connect(address(dir)?).await?)
}

/// Where the bus listens.
fn address(dir: &Path) -> Result<String> {
    let conf = std::fs::read_to_string(dir.join("nats.conf"))?;
    let listen = conf.lines().find_map(|line| line.strip_prefix("listen: "));
    Ok(format!(
        "nats://{}",
        listen.context("an address")?.trim_matches('"')
    ))
}

fn subject(token: &str) -> Result<String> {
    let body = token.split('.').nth(1).context("a token")?;
    let body: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body)?)?;
    Ok(body["sub"].as_str().context("a subject")?.to_owned())
}
