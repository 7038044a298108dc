//! Our side: one recorder node for all cameras, on a real nats-server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use async_trait::async_trait;

use crate::index::Index;
use crate::recorder::{Recorder, Work};
use benches::bus::Bus;
use benches::children::Running;
use wire::source::Reader;

/// The recorder node, and the bus that it needs.
pub(crate) struct Node {
    name: &'static str,
    program: PathBuf,
    reader: Reader,
    bus: Bus,
    index: Index,
}

impl Node {
    /// Starts the bus; it runs through all rounds.
    pub(crate) async fn new(
        program: PathBuf,
        reader: Reader,
        nats_server: &Path,
        folder: &Path,
    ) -> Result<Self> {
        let name = match reader {
            Reader::Rtspsrc => "node-rtspsrc",
            _ => "node",
        };
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        let bus = Bus::start(nats_server, &folder).await?;
        let index = Index::connect(bus.control().await?).await?;
        Ok(Self {
            name,
            program,
            reader,
            bus,
            index,
        })
    }
}

#[async_trait]
impl Recorder for Node {
    fn name(&self) -> &str {
        self.name
    }

    async fn start(&mut self, work: Work<'_>, folder: &Path) -> Result<Vec<Running>> {
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
        let mut node = Running::start(self.name, &self.program, &arguments, &log)?;
        let recorded = self.index.record(work, self.reader, || node.check()).await;
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
