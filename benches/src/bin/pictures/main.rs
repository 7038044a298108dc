//! `pictures`: what live pictures of a camera cost, beside FFmpeg.
//!
//! Starts the simulator and, round by round, our side and FFmpeg in turn. Our side is this program again, which
//! records the camera with the media library and makes pictures of it; what it costs is read from `/proc`.

mod args;
mod camera;
mod case;
mod ours;
mod report;
mod round;

use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use args::{Args, Role};
use camera::Camera;
use case::CASES;
use report::Report;
use round::{Place, Side};

#[tokio::main(worker_threads = 1)]
async fn main() -> ExitCode {
    let args = Args::parse();
    match run_until_stopped(&args).await {
        Ok(Some(true)) => ExitCode::SUCCESS,
        Ok(Some(false)) => ExitCode::FAILURE,
        Ok(None) => ExitCode::from(130),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// None when a signal ended it. Children are killed as they are dropped.
async fn run_until_stopped(args: &Args) -> Result<Option<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let work = async {
        match &args.role {
            Some(Role::Ours { url, task }) => ours::run(url.clone(), task).await.map(|()| true),
            None => run(args).await,
        }
    };
    tokio::select! {
        result = work => result.map(Some),
        _ = tokio::signal::ctrl_c() => Ok(None),
        _ = terminate.recv() => Ok(None),
    }
}

/// Whether no target was clearly missed.
async fn run(args: &Args) -> Result<bool> {
    args.check()?;
    let scratch = tempfile::tempdir()?;
    let camera = Camera::start(args, scratch.path()).await?;
    let place = Place {
        args,
        camera: &camera,
        folder: scratch.path(),
    };
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut rounds = Vec::new();
    for case in CASES.iter().filter(|case| wanted(case.name)) {
        for number in 1..=args.rounds {
            for side in [Side::Ours, Side::Ffmpeg] {
                let round = place.run(case, side, number).await?;
                eprintln!(
                    "{}, round {number} of {}, {side:?}: {:.1} CPU ms, {:.1} pictures/s, {:.1} kB each, {:.2} foreign cores",
                    case.name,
                    args.rounds,
                    round.cpu_ms,
                    round.pictures_per_second,
                    round.bytes_per_picture / 1e3,
                    round.foreign_cores
                );
                rounds.push(round);
            }
        }
    }
    camera.process.stop().await?;
    let report = Report::new(rounds, args.max_spread, versions(args));
    report.write(&args.out)?;
    println!("{}", report.table());
    println!("written: {}/pictures.json", args.out.display());
    Ok(report.passed())
}

fn versions(args: &Args) -> Vec<String> {
    let output = Command::new(&args.ffmpeg).arg("-version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text.ok().and_then(|text| text.lines().next().map(str::to_owned));
    let gstreamer = format!("GStreamer {}", media_core::gstreamer_version());
    line.into_iter().chain([gstreamer]).collect()
}
