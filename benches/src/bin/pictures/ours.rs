//! Our side, in a process of its own: records a camera as a node does, into nothing, and makes pictures of it.
//!
//! What it costs is measured from outside; it tells only how many pictures there were and how soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use benches::process;
use clap::ValueEnum;
use media_core::facts::{Fact, FactSink, Reader, RecordSettings, SourceSpec, Transport};
use media_core::pictures::{PictureFormat, Rate};
use media_core::{Attempt, Engine, EngineConfig};
use serde::{Deserialize, Serialize};

use crate::case::QUALITY;

/// How often it tells.
const TELL: Duration = Duration::from_millis(500);

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Picture after picture for consumers that stay.
    Stream,
    /// One picture for each consumer, each by a decoder of its own.
    Thumbnails,
}

/// What the process does.
#[derive(Debug, clap::Args)]
pub(crate) struct Task {
    #[arg(long, value_enum)]
    pub kind: Kind,
    #[arg(long)]
    pub width: u32,
    #[arg(long)]
    pub height: u32,
    #[arg(long, default_value_t = 0)]
    pub rate: u16,
    /// Consumers, at once or one after the other.
    #[arg(long, default_value_t = 1)]
    pub consumers: usize,
}

/// What it tells, a line each time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Of all consumers together.
    pub pictures: u64,
    pub bytes: u64,
    /// From asking to the first picture, of each decoder that was started, milliseconds.
    pub first_ms: Vec<f64>,
    /// Ticks that all single pictures took, when they are done.
    pub ticks: Option<u64>,
}

struct Nowhere;

impl FactSink for Nowhere {
    fn fact(&self, _: Fact) {}
}

impl Task {
    fn format(&self) -> PictureFormat {
        PictureFormat {
            width: self.width,
            height: self.height,
            rate: match self.kind {
                Kind::Stream => Rate::PerSecond(self.rate),
                Kind::Thumbnails => Rate::Keyframes,
            },
            quality: QUALITY,
        }
    }
}

/// Runs until it is stopped.
pub(crate) async fn run(url: url::Url, task: &Task) -> Result<()> {
    let engine = Engine::new(EngineConfig {
        // Each single picture pays for a decoder of its own.
        pictures_linger: Duration::ZERO,
        ..EngineConfig::default()
    })?;
    let spec = SourceSpec {
        url,
        credentials: None,
        transport: Transport::Tcp,
        reader: Reader::Retina,
        audio: false,
    };
    let attempt = engine.attempt(spec, RecordSettings::default(), Arc::new(Nowhere));
    let limit = Instant::now() + Duration::from_secs(20);
    while attempt.last_gop().is_none_or(|gop| gop.units.len() < 10) {
        if Instant::now() > limit {
            bail!("the camera sends nothing");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    match task.kind {
        Kind::Stream => stream(&attempt, task).await,
        Kind::Thumbnails => thumbnails(&attempt, task).await,
    }
}

fn tell(told: &Told) -> Result<()> {
    println!("{}", serde_json::to_string(told)?);
    Ok(())
}

async fn stream(attempt: &Attempt, task: &Task) -> Result<()> {
    let (pictures, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut told = Told::default();
    // From different places of a GOP.
    for _ in 0..8 {
        let begin = Instant::now();
        attempt.pictures(task.format())?.next().await?;
        told.first_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        while attempt.picture_formats() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(370)).await;
    }
    let mut consumers = Vec::new();
    for _ in 0..task.consumers {
        let mut consumer = attempt.pictures(task.format())?;
        let (pictures, bytes) = (Arc::clone(&pictures), Arc::clone(&bytes));
        consumers.push(async move {
            loop {
                let picture = consumer.next().await?;
                pictures.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(picture.jpeg.len() as u64, Ordering::Relaxed);
            }
        });
    }
    let telling = async {
        loop {
            tokio::time::sleep(TELL).await;
            told.pictures = pictures.load(Ordering::Relaxed);
            told.bytes = bytes.load(Ordering::Relaxed);
            tell(&told)?;
        }
    };
    let consume = futures::future::try_join_all(consumers);
    let ended: Result<Vec<()>, media_core::pictures::PictureError> = tokio::select! {
        ended = consume => ended,
        failed = telling => return failed,
    };
    ended.context("the pictures ended")?;
    Ok(())
}

async fn thumbnails(attempt: &Attempt, task: &Task) -> Result<()> {
    let mut told = Told::default();
    let before = process::sample(std::process::id())?.cpu_ticks;
    for _ in 0..task.consumers {
        let begin = Instant::now();
        let picture = attempt.pictures(task.format())?.next().await?;
        told.first_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        told.pictures += 1;
        told.bytes += picture.jpeg.len() as u64;
        while attempt.picture_formats() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    told.ticks = Some(process::sample(std::process::id())?.cpu_ticks - before);
    tell(&told)?;
    std::future::pending().await
}
