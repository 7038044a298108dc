//! Simulated cameras: an RTSP server at `rtsp://127.0.0.1:<port>/cam/<n>`.
//!
//! Prints one JSON line when it is ready and serves until it is stopped.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use tests::sim::camera::{Camera, Pictures, now_us};
use tests::sim::control;
use tests::sim::h26x::Codec;
use tests::sim::line::Pacer;
use tests::sim::live::Live;
use tests::sim::loops::{self, LoopSpec};
use tests::sim::rtsp::{self, Scheme, Server};
use tests::sim::sound::{self, Audio};
use tokio::net::TcpListener;

/// Serves simulated cameras over RTSP on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// RTSP port; 0 takes a free one, which the ready line tells.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port for faults and questions; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// How many cameras.
    #[arg(long, default_value_t = 1)]
    cameras: usize,
    /// Video codec.
    #[arg(long, value_enum, default_value = "h264")]
    codec: Codec,
    /// Pixels, WIDTHxHEIGHT.
    #[arg(long, default_value = "640x360")]
    size: String,
    /// Frames in a second.
    #[arg(long, default_value_t = 15)]
    fps: u32,
    /// Frames between keyframes.
    #[arg(long, default_value_t = 30)]
    gop: u32,
    /// Kilobits in a second.
    #[arg(long, default_value_t = 500)]
    bitrate: u32,
    /// B-frames between two others.
    #[arg(long, default_value_t = 0)]
    b_frames: u32,
    /// Sound.
    #[arg(long, value_enum, default_value = "none")]
    audio: Audio,
    /// USER:PASSWORD that the cameras ask for.
    #[arg(long)]
    login: Option<String>,
    /// How they ask for it.
    #[arg(long, value_enum, default_value = "digest")]
    scheme: Scheme,
    /// One write a packet instead of one a picture.
    #[arg(long)]
    packet_writes: bool,
    /// Megabits a second of each camera's network port: over TCP, packets leave one by one, each for as long as
    /// the wire takes.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    line_mbps: Option<u32>,
    /// Let each camera's pictures and keyframes come at times of their own instead of all at once.
    #[arg(long)]
    spread: bool,
    /// Encode now, with a running clock in the picture, for people to look at.
    #[arg(long)]
    live: bool,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::parse();
    let cameras = Arc::new(cameras(&args).await?);
    let rtsp_listener = bind(args.port).await?;
    let control_listener = bind(args.control_port).await?;
    let (port, control_port) = (
        rtsp_listener.local_addr()?.port(),
        control_listener.local_addr()?.port(),
    );
    let urls: Vec<String> = (0..cameras.len())
        .map(|n| format!("rtsp://127.0.0.1:{port}/cam/{n}"))
        .collect();
    println!(
        "{}",
        serde_json::json!({ "event": "ready", "urls": urls, "control_port": control_port })
    );
    let server = Server {
        cameras: cameras.to_vec(),
        scheme: args.scheme,
        write_each_packet: args.packet_writes,
        pacer: match args.line_mbps {
            Some(mbps) => Some(Pacer::start(f64::from(mbps) * 1e6).context("starting the line")?),
            None => None,
        },
    };
    tokio::select! {
        ended = rtsp::serve(Arc::new(server), rtsp_listener) => ended,
        ended = control::serve(cameras, control_listener) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
        () = terminated() => Ok(()),
    }
}

async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut stream) => drop(stream.recv().await),
        Err(_) => std::future::pending().await,
    }
}

async fn bind(port: u16) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port} of 127.0.0.1 is taken"))
}

async fn cameras(args: &Args) -> Result<Vec<Arc<Camera>>> {
    let login = match &args.login {
        Some(text) => Some(text.split_once(':').context("--login wants USER:PASSWORD")?),
        None => None,
    };
    let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
    let aac = if args.audio == Audio::Aac {
        sound::aac_loop(&loops::cache_folder())?
    } else {
        Vec::new()
    };
    let looped = if args.live { None } else { Some(pair(args)?) };
    let epoch_us = now_us() / 1_000_000 * 1_000_000;
    let mut cameras = Vec::with_capacity(args.cameras);
    for index in 0..args.cameras {
        let pictures = match &looped {
            Some((first, other)) => Pictures::Loop(Arc::clone(first), Arc::clone(other)),
            None => Pictures::Live(Live::start(&format!("Camera {}", index + 1), args.fps).await?),
        };
        cameras.push(Arc::new(Camera::new(
            pictures,
            args.audio,
            aac.clone(),
            login.clone(),
            epoch_us - if args.spread { phase_us(index, args) } else { 0 },
        )));
    }
    Ok(cameras)
}

/// How much earlier a camera's time starts, within a GOP: as evenly as any number of cameras can be.
fn phase_us(index: usize, args: &Args) -> u64 {
    const GOLDEN: f64 = 0.618_033_988_75;
    let gop_us = f64::from(args.gop) * 1e6 / f64::from(args.fps.max(1));
    ((index as f64 * GOLDEN).fract() * gop_us) as u64
}

/// The loop, and the one of another resolution that `codec_change` switches to.
fn pair(args: &Args) -> Result<(Arc<loops::Loop>, Arc<loops::Loop>)> {
    let (width, height) = args.size.split_once('x').context("--size wants WIDTHxHEIGHT")?;
    let spec = LoopSpec {
        codec: args.codec,
        width: width.parse().context("the width of --size")?,
        height: height.parse().context("the height of --size")?,
        fps: args.fps,
        gop: args.gop,
        bitrate_kbps: args.bitrate,
        b_frames: args.b_frames,
    };
    let other = LoopSpec {
        width: 320,
        height: 240,
        ..spec.clone()
    };
    Ok((loops::load(&spec)?, loops::load(&other)?))
}
