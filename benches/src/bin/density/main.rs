//! `density`: what recording costs a camera, beside one FFmpeg each.
//!
//! Starts the simulator, a bus and, round by round, one recorder after the other; measures from outside by
//! `/proc`. It never reads a recorder's own figures.

mod args;
mod camera;
mod case;
mod each;
mod footage;
mod index;
mod node;
mod plot;
mod recorder;
mod report;
mod round;
mod soak;
mod store;
mod syncs;
mod verdict;
mod viewers;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use wire::source::Reader;

use args::{Args, Which};
use camera::Cameras;
use each::EachCamera;
use node::Node;
use recorder::Recorder;
use report::Report;
use round::{Place, Round};

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
    announce(args);
    if args.dry_run {
        return Ok(());
    }
    let scratch = match &args.scratch {
        Some(folder) => {
            tempfile::tempdir_in(folder).with_context(|| format!("a folder in {}", folder.display()))?
        }
        None => tempfile::tempdir()?,
    };
    if let Some(minutes) = args.soak {
        return soak::run(args, minutes, scratch.path()).await;
    }
    let mut recorders = recorders(args, scratch.path()).await?;
    let names: Vec<String> = recorders.iter().map(|one| one.name().to_owned()).collect();
    let mut rounds = Vec::new();
    let begun = Instant::now();
    for case in args.cases() {
        for &count in &args.cameras {
            eprintln!("{case}, {count} cameras: starting the simulator");
            let cameras = Cameras::start(args, case, count, scratch.path()).await?;
            let place = Place {
                args,
                case,
                cameras: &cameras,
                scratch: scratch.path(),
            };
            rounds.extend(alternate(&place, &mut recorders, begun).await?);
            cameras.process.stop().await?;
        }
    }
    let report = Report::new(rounds, &names, args.max_spread, versions(args)?);
    report.write(&args.out)?;
    println!("{}", report.table());
    println!(
        "written: density.json, density.csv and density.svg in {}",
        args.out.display()
    );
    Ok(())
}

/// Says what comes, and how long it takes.
fn announce(args: &Args) {
    let cases: Vec<String> = args.cases().iter().map(ToString::to_string).collect();
    let counts: Vec<String> = args.cameras.iter().map(ToString::to_string).collect();
    if let Some(minutes) = args.soak {
        eprintln!(
            "{} for {minutes} minutes with {} cameras, each of which breaks off {} times",
            cases.join(", "),
            counts.join(", "),
            args.reconnects
        );
        return;
    }
    eprintln!(
        "{}; {} cameras; {} rounds of {} s for each of {} recorders: about {} minutes",
        cases.join(", "),
        counts.join(", "),
        args.rounds,
        args.seconds,
        args.recorders.len() + args.other.len(),
        args.length().as_secs().div_ceil(60)
    );
}

/// Those who take part, in the order of the table.
async fn recorders(args: &Args, scratch: &Path) -> Result<Vec<Box<dyn Recorder>>> {
    let mut all: Vec<Box<dyn Recorder>> = Vec::new();
    for which in &args.recorders {
        let reader = match which {
            Which::Node => Reader::Auto,
            Which::NodeRtspsrc => Reader::Rtspsrc,
            Which::Ffmpeg => {
                all.extend(
                    args.other
                        .iter()
                        .map(|other| Box::new(EachCamera::other(other)) as Box<dyn Recorder>),
                );
                all.push(Box::new(EachCamera::ffmpeg(&args.ffmpeg)));
                continue;
            }
        };
        let node = Node::new(args.recorder_node()?, reader, (&args.nats_server, None), scratch);
        all.push(Box::new(node.await?));
    }
    if !args.recorders.contains(&Which::Ffmpeg) {
        all.extend(
            args.other
                .iter()
                .map(|other| Box::new(EachCamera::other(other)) as Box<dyn Recorder>),
        );
    }
    Ok(all)
}

/// Round by round, one recorder after the other, so that a change of the machine meets all of them.
async fn alternate(
    place: &Place<'_>,
    recorders: &mut [Box<dyn Recorder>],
    begun: Instant,
) -> Result<Vec<Round>> {
    let (args, cameras) = (place.args, place.cameras);
    let mut rounds = Vec::new();
    for number in 1..=args.rounds {
        for recorder in recorders.iter_mut() {
            eprintln!(
                "{}, {} cameras, round {number} of {}: {} ({} s; {} min gone)",
                place.case,
                cameras.urls.len(),
                args.rounds,
                recorder.name(),
                args.warm_up + args.seconds,
                begun.elapsed().as_secs() / 60
            );
            let round = place.run(recorder.as_mut(), number).await?;
            eprintln!(
                "    {:.2} CPU-s per camera-hour, {:.2} MB per camera, {} threads, {:.2} Mbit/s per camera, {} pictures lost, {:.2} foreign cores",
                round.cpu_s_per_camera_hour,
                round.pss_bytes_per_camera / 1e6,
                round.threads,
                round.footage_bps_per_camera / 1e6,
                round.pictures_lost,
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
