//! Our side: one recorder node for all cameras, on a real nats-server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use crate::index::Index;
use crate::recorder::Recorder;
use benches::children::{Running, free_port, wait_for};

/// The recorder node, and the bus that it needs.
pub(crate) struct Node {
    program: PathBuf,
    url: String,
    bus: Running,
    index: Index,
}

impl Node {
    /// Starts the bus; it runs through all rounds.
    pub(crate) async fn new(program: PathBuf, nats_server: &Path, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let config = folder.join("nats.conf");
        let store = folder.join("nats");
        fs::write(
            &config,
            format!(
                "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\" }}\n",
                store.display()
            ),
        )?;
        let arguments = ["-c".to_owned(), config.display().to_string()];
        let bus = Running::start("nats-server", nats_server, &arguments, &folder.join("nats.log"))?;
        wait_for("nats-server", Duration::from_secs(20), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await?;
        let url = format!("nats://127.0.0.1:{port}");
        let index = Index::connect(&url).await?;
        Ok(Self {
            program,
            url,
            bus,
            index,
        })
    }

    /// Stops the bus.
    pub(crate) async fn close(self) -> Result<()> {
        drop(self.index);
        self.bus.stop().await
    }
}

#[async_trait]
impl Recorder for Node {
    fn name(&self) -> &'static str {
        "recorder-node"
    }

    async fn start(&mut self, urls: &[String], folder: &Path) -> Result<Vec<Running>> {
        let config = folder.join("node.toml");
        let data = folder.join("data");
        let text = format!(
            "data_dir = \"{}\"\nname = \"density\"\n\n[bus]\nurl = \"{}\"\nusername = \"node\"\npassword = \"none\"\n",
            data.display(),
            self.url
        );
        fs::write(&config, text)?;
        let arguments = [
            "run".to_owned(),
            "--config".to_owned(),
            config.display().to_string(),
        ];
        let log = folder.join("node.log");
        let mut node = Running::start(self.name(), &self.program, &arguments, &log)?;
        let recorded = self.index.record(urls, || node.check()).await;
        recorded.with_context(|| last_lines(&log))?;
        Ok(vec![node])
    }

    fn beside(&self) -> Option<u32> {
        Some(self.bus.pid)
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    format!(
        "recorder-node said last:\n{}",
        lines[lines.len().saturating_sub(10)..].join("\n")
    )
}
