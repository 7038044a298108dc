//! Tasks of the workspace that cargo has no word for. `cargo xtask --help` lists them.

mod assets;
mod ui;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Tasks of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds panel and player into `<target folder>/web-dist`, which the control plane embeds.
    Ui {
        /// Builds fast instead of small.
        #[arg(long)]
        dev: bool,
        /// Builds even when nothing has changed since the last time.
        #[arg(long)]
        force: bool,
        /// Writes here instead.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Ui { dev, force, out } => ui::build(dev, force, out),
    }
}
