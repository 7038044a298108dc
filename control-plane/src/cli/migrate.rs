//! `migrate`: brings the database's schema up to date without serving.

use std::process::ExitCode;

use clap::Args;

use super::{ConfigFile, tell};
use crate::store::{self, Target};

/// Brings the database's schema up to date.
///
/// Serving does the same at its start. Run it beforehand to see how long it takes, or with --dry-run to
/// see what would be done. Nothing else may be changed while it runs; a second one waits for the first.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  control-plane migrate --config /etc/cloudcam/control.toml --dry-run\n  \
                  control-plane migrate --config /etc/cloudcam/control.toml"
)]
pub(super) struct Migrate {
    #[command(flatten)]
    config: ConfigFile,
    /// Only list what would be applied.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        let target = Target::parse(&config.database_url())?;
        tokio::task::spawn_blocking(move || apply(&target, self.dry_run)).await??;
        Ok(ExitCode::SUCCESS)
    }
}

fn apply(target: &Target, dry_run: bool) -> anyhow::Result<()> {
    let (versions, did) = if dry_run {
        (target.pending()?, "would apply")
    } else {
        (store::migrate(&mut target.connect()?)?, "applied")
    };
    for version in &versions {
        tell(&format!("{did} {version}"));
    }
    if versions.is_empty() {
        tell(&format!("{} is up to date", target.shown()));
    }
    Ok(())
}
