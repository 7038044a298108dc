//! `density`: what recording costs a camera, beside one FFmpeg each.
//!
//! Starts the simulator, a bus and, round by round, one recorder after the other; measures from outside by
//! `/proc`. It never reads a recorder's own figures.

mod args;
mod camera;
mod ffmpeg;
mod index;
mod node;
mod recorder;
mod report;
mod round;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use args::Args;
use camera::Cameras;
use ffmpeg::Ffmpeg;
use node::Node;
use recorder::Recorder;
use report::Report;
use round::Round;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match run_until_stopped(&args).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("stopped; nothing was written");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False when a signal ended it. Children are killed as they are dropped.
async fn run_until_stopped(args: &Args) -> Result<bool> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = run(args) => result.map(|()| true),
        _ = tokio::signal::ctrl_c() => Ok(false),
        _ = terminate.recv() => Ok(false),
    }
}

async fn run(args: &Args) -> Result<()> {
    args.check()?;
    let scratch = match &args.scratch {
        Some(folder) => {
            tempfile::tempdir_in(folder).with_context(|| format!("a folder in {}", folder.display()))?
        }
        None => tempfile::tempdir()?,
    };
    let mut node = Node::new(args.recorder_node()?, &args.nats_server, scratch.path()).await?;
    let mut ffmpeg = Ffmpeg {
        program: args.ffmpeg.clone(),
    };
    let names = [node.name(), ffmpeg.name()];
    let mut rounds = Vec::new();
    for &count in &args.cameras {
        eprintln!("{count} cameras: starting the simulator");
        let cameras = Cameras::start(args, count, scratch.path()).await?;
        let recorders: [&mut (dyn Recorder + Send); 2] = [&mut node, &mut ffmpeg];
        rounds.extend(alternate(args, recorders, &cameras, scratch.path()).await?);
        cameras.process.stop().await?;
    }
    node.close().await?;
    let report = Report::new(rounds, names, args.max_spread, versions(args)?);
    report.write(&args.out)?;
    println!("{}", report.table());
    println!("written: {}/density.json and density.csv", args.out.display());
    Ok(())
}

/// Round by round, one recorder after the other, so that a change of the machine meets all of them.
async fn alternate(
    args: &Args,
    mut recorders: [&mut (dyn Recorder + Send); 2],
    cameras: &Cameras,
    scratch: &Path,
) -> Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for number in 1..=args.rounds {
        for recorder in &mut recorders {
            eprintln!(
                "{} cameras, round {number} of {}: {} ({} s)",
                cameras.urls.len(),
                args.rounds,
                recorder.name(),
                args.warm_up + args.seconds
            );
            let round = round::run(args, *recorder, cameras, number, scratch).await?;
            eprintln!(
                "    {:.2} CPU-s per camera-hour, {:.2} MB per camera, {} threads, {:.2} Mbit/s per camera, {:.2} foreign cores",
                round.cpu_s_per_camera_hour,
                round.pss_bytes_per_camera / 1e6,
                round.threads,
                round.footage_bps_per_camera / 1e6,
                round.foreign_cores
            );
            rounds.push(round);
        }
    }
    Ok(rounds)
}

/// First lines of what each program says of its version.
fn versions(args: &Args) -> Result<Vec<String>> {
    let programs = [
        (args.recorder_node()?, "--version"),
        (args.ffmpeg.clone(), "-version"),
        (args.nats_server.clone(), "--version"),
    ];
    let line = |(program, flag): &(std::path::PathBuf, &str)| {
        let output = Command::new(program).arg(flag).output().ok()?;
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .next()
            .map(str::to_owned)
    };
    Ok(programs.iter().filter_map(line).collect())
}
