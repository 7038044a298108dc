//! TLS in the world: a private authority, and a front that speaks HTTPS for the control plane.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Who signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one, which nobody knows yet; its own certificate goes to `file`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(file: &Path) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        std::fs::write(file, issuer.pem())?;
        Ok(Self(issuer))
    }

    fn sign(&self) -> Result<(rcgen::Certificate, KeyPair)> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        Ok((params.signed_by(&key, &self.0)?, key))
    }

    /// A certificate for 127.0.0.1 and its key in files.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, certificate: &Path, private: &Path) -> Result<()> {
        let (signed, key) = self.sign()?;
        std::fs::write(certificate, signed.pem())?;
        std::fs::write(private, key.serialize_pem())?;
        Ok(())
    }
}

/// Takes TLS from clients and gives a server what is inside.
#[derive(Debug)]
pub struct Front {
    /// Where it listens, on loopback.
    pub port: u16,
    taken: Arc<AtomicU64>,
}

impl Front {
    /// In front of `port` on loopback.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(authority: &Authority, port: u16) -> Result<Self> {
        let (signed, key) = authority.sign()?;
        let private = PrivateKeyDer::try_from(key.serialize_der())
            .ok()
            .context("a key")?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![signed.der().clone()], private)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let front = Self {
            port: listener.local_addr()?.port(),
            taken: Arc::default(),
        };
        let taken = front.taken.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, taken) = (acceptor.clone(), taken.clone());
                tokio::spawn(async move {
                    // Who does not trust the certificate goes.
                    let _ = carry(&acceptor, client, port, &taken).await;
                });
            }
        });
        Ok(front)
    }

    /// Bytes that clients have sent.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

async fn carry(
    acceptor: &TlsAcceptor,
    client: TcpStream,
    port: u16,
    taken: &AtomicU64,
) -> std::io::Result<()> {
    let (mut from, mut to) = tokio::io::split(acceptor.accept(client).await?);
    let (mut answers, mut server) = TcpStream::connect(("127.0.0.1", port)).await?.into_split();
    let up = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let count = from.read(&mut bytes).await?;
            if count == 0 {
                return server.shutdown().await;
            }
            taken.fetch_add(count as u64, Ordering::Relaxed);
            server.write_all(&bytes[..count]).await?;
        }
    };
    let down = async {
        tokio::io::copy(&mut answers, &mut to).await?;
        to.shutdown().await
    };
    tokio::try_join!(up, down).map(drop)
}
