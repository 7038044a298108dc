//! `nats-config`: the configuration of nats-server, from the keys that `init` made.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::{ConfigFile, tell};
use crate::bus::keys;
use crate::domain::nats_config::{Cluster, Server, Tls, text};

/// Writes the configuration of a nats-server that knows this installation's keys and lets in nobody else.
///
/// One server needs --out and --store-dir. For a cluster run this once for each server, with a name and a
/// certificate of its own and the routes of all others: by their names rather than by addresses, then a server
/// is let in by its certificate alone. A running nats-server takes a changed file after SIGHUP.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    control-plane nats-config --config control.toml --out nats.conf --store-dir /var/lib/nats\n  \
    control-plane nats-config --config control.toml --out nats-a.conf --store-dir /var/lib/nats \\\n    \
    --host 0.0.0.0 --server-name a --tls-cert a.pem --tls-key a.key --tls-ca ca.pem \\\n    \
    --cluster site --routes b.example:6222,c.example:6222")]
pub(super) struct NatsConfig {
    #[command(flatten)]
    config: ConfigFile,
    /// File to write; only its owner reads it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Folder of the bus' data.
    #[arg(long, value_name = "DIR")]
    store_dir: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
    /// Port for nodes and control planes.
    #[arg(long, value_name = "PORT", default_value_t = 4222)]
    port: u16,
    /// Name of the server; unique in a cluster.
    #[arg(long, value_name = "NAME", default_value = "cloudcam")]
    server_name: String,
    /// Most bytes of streams on disk, such as 10GB; three quarters of the disk unless given.
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    max_store: Option<String>,
    /// Certificate of the server (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Who signs the certificates of the cluster's servers (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_ca: Option<PathBuf>,
    /// Name of the cluster, the same on all servers.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Port for the other servers.
    #[arg(long, value_name = "PORT", default_value_t = 6222, requires = "cluster")]
    cluster_port: u16,
    /// The other servers, host:port each.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', requires = "cluster")]
    routes: Vec<String>,
}

impl NatsConfig {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        for route in &self.routes {
            let parts = route.rsplit_once(':');
            if !parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
                bail!("--routes: {route} is not host:port");
            }
        }
        let tls = self.tls_cert.as_deref().zip(self.tls_key.as_deref());
        let tls = tls.map(|(certificate, key)| Tls { certificate, key });
        let listen = format!("{}:{}", self.host, self.port);
        let cluster_listen = format!("{}:{}", self.host, self.cluster_port);
        let cluster = self.cluster(tls, &cluster_listen)?;
        let trust = keys::trust(&keys::folder(&config.data_dir))
            .context("the keys of the bus are not whole: run `control-plane init`, or restore the backup")?;
        let server = Server {
            name: &self.server_name,
            listen: &listen,
            store: &self.store_dir,
            max_store: self.max_store.as_deref(),
            tls,
            cluster,
        };
        write(&self.out, &text(&trust, &server))
            .with_context(|| format!("cannot write {}", self.out.display()))?;
        tell(&format!("wrote {}", self.out.display()));
        Ok(ExitCode::SUCCESS)
    }

    /// The other servers, if there are to be any. Whoever speaks for one can do everything.
    fn cluster<'a>(&'a self, tls: Option<Tls<'a>>, listen: &'a str) -> anyhow::Result<Option<Cluster<'a>>> {
        let Some(name) = self.cluster.as_deref() else {
            return Ok(None);
        };
        let (Some(tls), Some(ca)) = (tls, self.tls_ca.as_deref()) else {
            bail!(
                "--cluster needs --tls-cert, --tls-key and --tls-ca: servers show each other certificates, and \
                 nothing between them travels in plain text"
            );
        };
        if self.routes.is_empty() {
            bail!("--cluster needs --routes with every other server");
        }
        Ok(Some(Cluster {
            name,
            listen,
            routes: &self.routes,
            tls,
            ca,
        }))
    }
}

/// In one step, so that a server never reads half of it.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// A size as nats-server takes it.
fn bytes(text: &str) -> Result<String, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let known = ["", "K", "KB", "M", "MB", "G", "GB", "T", "TB"];
    if digits.parse::<u64>().is_ok_and(|count| count > 0) && known.contains(&unit) {
        Ok(text.to_owned())
    } else {
        Err("a number of bytes, such as 10GB".to_owned())
    }
}
