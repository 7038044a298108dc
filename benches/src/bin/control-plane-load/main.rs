//! `control-plane-load`: how fast the control plane answers with many organizations, cameras and audit
//! rows, on SQLite and on PostgreSQL.
//!
//! Starts everything itself, fills each database by SQL, then measures through HTTP as browsers would.
//! It never reads the server's own figures.

mod args;
mod client;
mod phase;
mod report;
mod seed;
mod server;

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use benches::bus::Bus;
use benches::database::Database;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use args::Args;
use phase::Measured;
use report::Report;
use server::Server;

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
    let scratch = args.scratch()?;
    let bus = Bus::start(&args.nats_server, scratch.path()).await?;
    let mut databases = Vec::new();
    for &kind in &args.databases {
        eprintln!("{kind}: starting");
        let database = Database::start(kind, scratch.path()).await?;
        let server = Server::start(args, &database, &bus).await?;
        server.stop().await?;
        seed::fill(&database, args)?;
        databases.push(database);
    }
    let mut measured = Vec::new();
    for round in 1..=args.rounds {
        for database in &databases {
            eprintln!("{}: round {round} of {}", database.kind, args.rounds);
            measured.extend(measure(args, database, &bus, round).await?);
        }
    }
    for database in databases {
        database.stop().await?;
    }
    bus.process.stop().await?;
    let report = Report::new(measured, args);
    report.write(&args.out)?;
    println!("{}", report.table());
    println!("written: {}/control-plane-load.json", args.out.display());
    Ok(!report.is_missed())
}

/// Only one server runs at a time: an idle one would still plan.
async fn measure(args: &Args, database: &Database, bus: &Bus, round: usize) -> Result<Vec<Measured>> {
    let mut server = Server::start(args, database, bus).await?;
    let outcome = phase::all(args, database, &mut server, round).await;
    let outcome = outcome.with_context(|| format!("the server's log is {}", server.log.display()));
    if outcome.is_err() {
        eprintln!("{}", server.last_lines());
    }
    server.stop().await?;
    outcome
}
