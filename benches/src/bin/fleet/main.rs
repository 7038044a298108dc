//! `fleet`: how many recorder nodes one control plane carries.
//!
//! Starts everything itself: bus, database, control plane, and light clients that say what nodes say, each on a
//! connection of its own with a credential of its own. What it measures it sees from outside, on the bus, over
//! HTTP and in `/proc`; it never reads the server's own figures.

mod args;
mod crowd;
mod node;
mod observer;
mod phase;
mod report;
mod said;
mod seed;
mod server;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use async_nats::{Client, jetstream};
use benches::bus::Bus;
use benches::database::{Database, Kind};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use wire::bus::{EVENT_STREAM, HEAD_BUCKET, NODE_BUCKET, PLAN_BUCKET};

use args::Args;
use crowd::Crowd;
use observer::Api;
use phase::{Measured, Site};
use report::Report;
use server::Server;

/// Until every node has its first plan.
const PLANNED_WITHIN: Duration = Duration::from_secs(120);

/// One thread: the generator shares the machine with what it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    match run_until_stopped(&args).await {
        Ok(Some(true)) => ExitCode::SUCCESS,
        Ok(Some(false)) => ExitCode::FAILURE,
        Ok(None) => {
            eprintln!("stopped; nothing was written");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the target was not missed; None when a signal ended it. Children are killed as they are dropped.
async fn run_until_stopped(args: &Args) -> Result<Option<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = run(args) => result.map(Some),
        _ = tokio::signal::ctrl_c() => Ok(None),
        _ = terminate.recv() => Ok(None),
    }
}

async fn run(args: &Args) -> Result<bool> {
    args.check()?;
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow!("a TLS provider is installed already"))?;
    allow_connections()?;
    let scratch = args.scratch()?;
    let mut measured = Vec::new();
    for &kind in &args.databases {
        for nodes in args.sizes() {
            eprintln!("{kind}, {nodes} nodes with {} cameras each", args.cameras);
            let folder = scratch.path().join(format!("{kind}-{nodes}"));
            std::fs::create_dir(&folder)?;
            measured.extend(measure(args, kind, nodes, &folder).await?);
        }
    }
    let report = Report::new(measured, args);
    report.write(&args.out)?;
    println!("{}", report.table());
    println!("written: {}/fleet.json", args.out.display());
    Ok(!report.is_missed())
}

/// A connection a node, here and at the bus, which inherits the limit.
fn allow_connections() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, all).context("allowing as many open files as possible")
}

/// All measurements of one size, with an installation of its own.
async fn measure(args: &Args, kind: Kind, nodes: u32, folder: &Path) -> Result<Vec<Measured>> {
    let bus = Bus::start(&args.nats_server, folder).await?;
    let database = Database::start(kind, folder).await?;
    let observer = bus.observer().await?;
    let server = Server::start(args, &database, &bus).await?;
    made(&observer).await?;
    server.stop().await?;
    seed::fill(&database, nodes, args.cameras)?;

    let mut crowd = Crowd::connect(&bus, nodes, args.cameras).await?;
    let begun = Instant::now();
    let server = Server::start(args, &database, &bus).await?;
    let (log, tail) = (server.log.display().to_string(), server.log.clone());
    let outcome = async {
        crowd.planned(PLANNED_WITHIN).await?;
        let planned_s = begun.elapsed().as_secs_f64();
        eprintln!("    all nodes have a plan after {planned_s:.1} s");
        let api = Api::sign_in(&server.base, &server::password(&database)?).await?;
        let site = Site {
            args,
            nodes,
            database: &database,
            bus: bus.process.pid,
            server: server.process.pid,
            planned_s,
        };
        phase::all(&site, &mut crowd, &api, observer).await
    };
    let outcome = outcome
        .await
        .with_context(|| format!("the server's log is {log}"));
    if outcome.is_err() {
        eprintln!("{}", server::last_lines(&tail));
    }
    drop(crowd);
    server.stop().await?;
    database.stop().await?;
    bus.process.stop().await?;
    outcome
}

/// Waits for what a control plane makes on a new bus.
async fn made(client: &Client) -> Result<()> {
    let jetstream = jetstream::new(client.clone());
    let bucket = |name: &str| format!("KV_{name}");
    let streams = [
        EVENT_STREAM.to_owned(),
        bucket(HEAD_BUCKET),
        bucket(NODE_BUCKET),
        bucket(PLAN_BUCKET),
    ];
    let all = async {
        for stream in streams {
            while jetstream.get_stream(&stream).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .context("the control plane does not make its streams")
}
