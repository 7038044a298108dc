//! Handles of camera processes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::process::Process;
use super::programs::built;
use crate::sim::Fault;
use crate::sim::camera::Run;
use crate::sim::control::{Ask, Told};
use crate::wait::wait_for;

/// Encoding the loops of a first run takes time.
const READY_DEADLINE: Duration = Duration::from_secs(120);

/// A process that serves cameras.
#[derive(Debug)]
pub struct Cameras {
    /// The process.
    pub process: Process,
    /// Address of each camera.
    pub urls: Vec<String>,
    control_port: Option<u16>,
}

#[derive(Deserialize)]
struct Ready {
    urls: Vec<String>,
    control_port: Option<u16>,
}

/// What a camera sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Frame 0 was captured then, microseconds since 1970.
    pub epoch_us: u64,
    /// In order of sending; a new run follows each interruption.
    pub runs: Vec<Run>,
}

impl Cameras {
    /// Starts `camera-sim` or `gst-camera` and waits until it serves.
    ///
    /// # Errors
    /// When it ends or does not get ready.
    pub async fn start(program: &str, name: &str, args: &[&str], folder: &Path) -> Result<Self> {
        let args = args.iter().map(Into::into).collect();
        let mut process = Process::start(name, built(program)?, args, folder)?;
        let ready = wait_for("a camera process is ready", READY_DEADLINE, async || {
            process.check_alive()?;
            let text = std::fs::read_to_string(process.output())?;
            let line = text.lines().find(|line| line.contains("\"ready\""));
            Ok(line.map(serde_json::from_str::<Ready>).transpose()?)
        })
        .await?;
        Ok(Self {
            process,
            urls: ready.urls,
            control_port: ready.control_port,
        })
    }

    async fn ask(&self, ask: Ask) -> Result<Told> {
        let port = self
            .control_port
            .context("this kind of camera has no control port")?;
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let mut stream = BufReader::new(stream);
        let mut line = serde_json::to_string(&ask)?;
        line.push('\n');
        stream.write_all(line.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        match serde_json::from_str(&answer)? {
            Told::Error(error) => bail!("the simulator says: {error}"),
            told => Ok(told),
        }
    }

    /// Puts a fault in force, or none.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn fault(&self, camera: usize, fault: Fault) -> Result<()> {
        self.ask(Ask::Fault { camera, fault }).await.map(drop)
    }

    /// Which frames a camera has sent.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn sent(&self, camera: usize) -> Result<Sent> {
        match self.ask(Ask::Sent { camera }).await? {
            Told::Sent { epoch_us, runs } => Ok(Sent { epoch_us, runs }),
            told => bail!("the simulator says {told:?}"),
        }
    }

    /// Waits until a camera has sent pictures for so many seconds from now on.
    ///
    /// # Errors
    /// When it does not.
    pub async fn sends_for(&self, camera: usize, seconds: u64) -> Result<()> {
        let end = crate::sim::camera::now_us() + seconds * 1_000_000;
        wait_for(
            "the camera goes on",
            Duration::from_secs(seconds + 10),
            async || {
                let runs = self.sent(camera).await?.runs;
                Ok(runs.last().is_some_and(|run| run.last_us > end).then_some(()))
            },
        )
        .await
    }
}
