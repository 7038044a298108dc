//! The control plane as an operator starts it: its binary, a configuration, a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use benches::bus::Bus;
use benches::children::{Running, free_port};
use benches::database::Database;

use crate::args::Args;

const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// A running control plane.
pub(crate) struct Server {
    pub(crate) process: Running,
    pub(crate) base: String,
    pub(crate) log: PathBuf,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(args: &Args, database: &Database, bus: &Bus) -> Result<Self> {
        let port = free_port()?;
        let data = database.folder.join("data");
        let text = format!(
            "data_dir = \"{}\"\n[http]\nbind = \"127.0.0.1:{port}\"\nrequests_per_s = 1000000\n\
             [bus]\nurl = \"{}\"\n[database]\nurl = \"{}\"\n",
            data.display(),
            bus.url,
            database.url
        );
        bus.give_keys(&data)?;
        let config = database.folder.join("control.toml");
        fs::write(&config, text)?;
        let log = database.folder.join("control-plane.log");
        let arguments = ["serve", "--config", &config.display().to_string()].map(str::to_owned);
        let process = Running::start("control-plane", &args.control_plane()?, &arguments, &log)?;
        let mut server = Self {
            process,
            base: format!("http://127.0.0.1:{port}"),
            log,
        };
        server.ready().await?;
        Ok(server)
    }

    async fn ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let client = reqwest::Client::new();
        let url = format!("{}/readyz", self.base);
        loop {
            self.process.check().with_context(|| last_lines(&self.log))?;
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                return Ok(());
            }
            if begun.elapsed() > STARTS_WITHIN {
                bail!("the control plane does not get ready:\n{}", last_lines(&self.log));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.process.stop().await
    }
}

/// The end of a log.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// The password of the platform's administrator.
pub(crate) fn password(database: &Database) -> Result<String> {
    let file = database.folder.join("data/admin-password");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    Ok(text.trim().to_owned())
}
