//! A client of the world's bus that may say and hear everything in the control plane's account: no such user is in the product.

use std::path::Path;

use anyhow::{Context, Result};
use async_nats::{Auth, AuthError, Client, ConnectOptions};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::json;

/// Connects with a token that the installation's own key signs.
///
/// # Errors
/// When the bus does not answer, or the keys are not there.
pub(super) async fn client(dir: &Path) -> Result<Client> {
    let read = |name: &str| std::fs::read_to_string(dir.join("control/secrets/bus").join(name));
    let account = KeyPair::from_seed(read("control")?.trim())?;
    let key = KeyPair::new_user();
    let body = json!({
        "iat": 0, "iss": account.public_key(), "jti": "test", "name": "test", "sub": key.public_key(),
        "nats": {
            "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1,
            "type": "user", "version": 2,
        },
    });
    let signed = format!(
        "{}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#),
        BASE64_URL_SAFE_NO_PAD.encode(body.to_string())
    );
    let signature = BASE64_URL_SAFE_NO_PAD.encode(account.sign(signed.as_bytes())?);
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
