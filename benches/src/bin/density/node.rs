//! Our side: one recorder node for all cameras, on a real nats-server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use async_trait::async_trait;

use crate::index::Index;
use crate::recorder::{Recorder, Work};
use crate::store::Store;
use crate::viewers::Viewers;
use benches::bus::Bus;
use benches::children::Running;
use wire::source::Reader;
use wire::{CameraId, NodeId};

/// The recorder node, and the bus that it needs.
pub(crate) struct Node {
    name: &'static str,
    program: PathBuf,
    reader: Reader,
    bus: Bus,
    index: Index,
    /// Further lines of its configuration.
    settings: &'static str,
    /// The node of the present round.
    id: Option<NodeId>,
    /// Its cameras, in their order.
    cameras: Vec<CameraId>,
    viewers: Option<Viewers>,
}

/// With a store: uploaded footage goes when there are a few minutes of it.
const SMALL_SPOOL: &str = "[spool]\nmax_bytes = 1000000000\n";

impl Node {
    /// Starts the bus; it runs through all rounds.
    pub(crate) async fn new(
        program: PathBuf,
        reader: Reader,
        (nats_server, store): (&Path, Option<Store>),
        folder: &Path,
    ) -> Result<Self> {
        let name = match reader {
            Reader::Rtspsrc => "node-rtspsrc",
            _ => "node",
        };
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        let bus = Bus::start(nats_server, &folder).await?;
        let settings = if store.is_some() { SMALL_SPOOL } else { "" };
        let index = Index::connect(bus.control().await?, store).await?;
        Ok(Self {
            name,
            program,
            reader,
            bus,
            index,
            settings,
            id: None,
            cameras: Vec::new(),
            viewers: None,
        })
    }

    /// How often each camera came back, in their order, as the node says.
    pub(crate) async fn reconnects(&self) -> Result<Vec<u64>> {
        let status = self.index.status(self.id.context("no node was started")?).await?;
        let again = |camera: &CameraId| {
            let stream = status.streams.iter().find(|stream| stream.camera == *camera);
            // The first attempt is none again.
            stream.map_or(0, |stream| stream.attempts.saturating_sub(1))
        };
        Ok(self.cameras.iter().map(again).collect())
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
        let text = format!(
            "data_dir = \"{}\"\nname = \"density\"\n{}",
            data.display(),
            self.settings
        );
        self.id = Some(self.bus.enrol(&data)?);
        fs::write(&config, text)?;
        let arguments = [
            "run".to_owned(),
            "--config".to_owned(),
            config.display().to_string(),
        ];
        let log = folder.join("node.log");
        let mut node = Running::start(self.name, &self.program, &arguments, &log)?;
        let recorded = self.index.record(work, self.reader, || node.check()).await;
        self.cameras = recorded.with_context(|| last_lines(&log))?;
        let watched = work.case.watched(self.cameras.len());
        let watched = watched.map(|index| self.cameras[index]).collect();
        let id = self.id.context("no node was started")?;
        self.viewers = Some(Viewers::start(
            &self.bus.control().await?,
            id,
            watched,
            work.case.pictures,
        ));
        Ok(vec![node])
    }

    fn beside(&self) -> Option<u32> {
        Some(self.bus.process.pid)
    }

    fn seen(&self) -> Option<u64> {
        self.viewers.as_ref().map(Viewers::seen)
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
