//! The node's HTTPS clients: towards the control plane and the object store.
//!
//! No redirect is followed: what a node sends is for one place.

use std::fs;

use anyhow::{Context, ensure};
use reqwest::{Certificate, ClientBuilder, redirect};

use crate::config::Https;

/// A client that trusts the system's certificates, and those of the configuration.
///
/// # Errors
/// When the file of certificates cannot be read or holds none.
pub fn client(config: &Https) -> anyhow::Result<ClientBuilder> {
    let mut builder = ClientBuilder::new()
        .redirect(redirect::Policy::none())
        .user_agent(concat!("cloudcam-recorder/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = &config.ca_file {
        let name = path.display();
        let pem = fs::read(path).with_context(|| format!("`https.ca_file`: cannot read {name}"))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .with_context(|| format!("`https.ca_file`: {name} is no PEM file"))?;
        ensure!(
            !certificates.is_empty(),
            "`https.ca_file`: {name} holds no certificate"
        );
        builder = builder.tls_certs_merge(certificates);
    }
    Ok(builder)
}

/// An error with its causes, which say what the outer one hides; of a certificate that is not trusted also the
/// key that names whom to trust.
#[must_use]
pub fn explained(error: &dyn std::error::Error, key: &str) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    if text.contains("invalid peer certificate") {
        text = format!("its certificate is not trusted here, name who signed it in `{key}` ({text})");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use tempfile::NamedTempFile;

    use super::*;

    fn refusal(pem: &[u8]) -> String {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(pem).unwrap();
        let config = Https {
            ca_file: Some(file.path().to_owned()),
        };
        client(&config)
            .err()
            .map(|error| format!("{error:#}"))
            .unwrap_or_default()
    }

    /// Answers one request with "well" over TLS, with a certificate of the authority.
    fn server(authority: &CertifiedIssuer<'static, KeyPair>) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let chain = vec![params.signed_by(&key, authority).unwrap().der().clone()];
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                let mut stream = StreamOwned::new(connection, socket.unwrap());
                // Who does not trust the certificate goes before it asks.
                if stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwell";
                    let _ = stream.write_all(answer);
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_when_it_is_configured_and_only_then() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let url = format!("https://127.0.0.1:{}/", server(&authority));
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(authority.pem().as_bytes()).unwrap();
        let known = Https {
            ca_file: Some(file.path().to_owned()),
        };
        let ask = |config: &Https| client(config).unwrap().build().unwrap().get(&url).send();
        let error = ask(&Https::default()).await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        let said = explained(&error, "https.ca_file");
        assert!(
            said.contains("not trusted here, name who signed it in `https.ca_file`"),
            "{said}"
        );
        let answer = ask(&known).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "well");
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        assert!(client(&Https::default()).is_ok());
        for bad in [
            &b""[..],
            b"not PEM",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(refusal(bad).contains("`https.ca_file`"), "{}", refusal(bad));
        }
        let missing = Https {
            ca_file: Some("/nowhere/ca.pem".into()),
        };
        let error = format!("{:#}", client(&missing).unwrap_err());
        assert!(error.contains("cannot read /nowhere/ca.pem"), "{error}");
    }
}
