//! The control port: one JSON object a line in, one a line out.
//!
//! `{"fault":{"camera":0,"fault":"stall"}}` puts a fault in force, `{"sent":{"camera":0}}` tells which frames
//! went out. Errors answer `{"error":"…"}`.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::camera::{Camera, Fault, Run};

/// What a test asks.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Puts a fault in force, or `none`.
    Fault {
        /// Its index.
        camera: usize,
        /// The fault.
        fault: Fault,
    },
    /// Which frames have been sent?
    Sent {
        /// Its index.
        camera: usize,
    },
}

/// What the simulator answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Done.
    Done,
    /// The frames sent.
    Sent {
        /// Frame 0 was captured then, microseconds since 1970.
        epoch_us: u64,
        /// In order of sending.
        runs: Vec<Run>,
    },
    /// Why not.
    Error(String),
}

/// Answers until the listener fails.
///
/// # Errors
/// When the listener does.
pub async fn serve(cameras: Arc<Vec<Arc<Camera>>>, listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let cameras = Arc::clone(&cameras);
        tokio::spawn(async move { drop(connection(&cameras, stream).await) });
    }
}

async fn connection(cameras: &[Arc<Camera>], stream: TcpStream) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        let told = answer(cameras, &line).unwrap_or_else(|error| Told::Error(format!("{error:#}")));
        let mut text = serde_json::to_string(&told)?;
        text.push('\n');
        writer.write_all(text.as_bytes()).await?;
    }
    Ok(())
}

fn answer(cameras: &[Arc<Camera>], line: &str) -> Result<Told> {
    let ask: Ask = serde_json::from_str(line)?;
    let camera = |index: usize| {
        cameras
            .get(index)
            .with_context(|| format!("there is no camera {index}"))
    };
    Ok(match ask {
        Ask::Fault { camera: index, fault } => {
            camera(index)?.set_fault(fault);
            Told::Done
        }
        Ask::Sent { camera: index } => {
            let camera = camera(index)?;
            Told::Sent {
                epoch_us: camera.epoch_us,
                runs: camera.sent(),
            }
        }
    })
}
