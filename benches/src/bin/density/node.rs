//! Our side: one recorder node for all cameras, on a real nats-server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use async_trait::async_trait;

use crate::index::Index;
use crate::recorder::Recorder;
use benches::bus::Bus;
use benches::children::Running;

/// The recorder node, and the bus that it needs.
pub(crate) struct Node {
    program: PathBuf,
    bus: Bus,
    index: Index,
}

impl Node {
    /// Starts the bus; it runs through all rounds.
    pub(crate) async fn new(program: PathBuf, nats_server: &Path, folder: &Path) -> Result<Self> {
        let bus = Bus::start(nats_server, folder).await?;
        let index = Index::connect(bus.control().await?).await?;
        Ok(Self { program, bus, index })
    }

    /// Stops the bus.
    pub(crate) async fn close(self) -> Result<()> {
        drop(self.index);
        self.bus.process.stop().await
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
        let text = format!("data_dir = \"{}\"\nname = \"density\"\n", data.display());
        self.bus.enrol(&data)?;
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
        Some(self.bus.process.pid)
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
