//! `check`: what serving needs, each with a verdict and how to mend it. Changes nothing.

mod database;
mod files;
mod network;

use std::process::ExitCode;

use clap::Args;

use super::{ConfigFile, tell};
use crate::config::Config;

/// Looks at everything that serving needs, changes nothing, and says how to mend what fails.
///
/// Stop a running server first, or its address counts as taken.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line begins with ok, doubt (serving works, but look at it) or failed.\n\
                  Exit codes: 0 serving would work, 1 it would not, 2 the configuration is wrong.\n\n\
                  Example:\n  control-plane check --config /etc/cloudcam/control.toml"
)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
}

/// What came of one check.
enum Verdict {
    /// All is well; what was found.
    Fine(String),
    /// Serving would work, but somebody should look; what and why.
    Doubtful(String),
    /// Serving would fail; why, and how to mend it.
    Failed(anyhow::Error),
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let path = &self.config.config;
        let config = match Config::read(path) {
            Ok(config) => config,
            Err(found) => {
                for one in found {
                    tell(&format!("failed  configuration: {one}"));
                }
                return Ok(ExitCode::from(2));
            }
        };
        let config_there = config.clone();
        let database = tokio::task::spawn_blocking(move || database::database(&config_there));
        let verdicts = [
            ("configuration", files::configuration(path, &config)),
            ("clock", network::clock()),
            ("data folder", files::data_dir(&config)),
            ("secrets", files::secrets(&config)),
            ("database", database.await?),
            ("address", network::address(&config)),
            ("public address", network::public_url(&config)),
            ("bus", network::bus(&config).await),
        ];
        let mut has_failed = false;
        for (what, verdict) in verdicts {
            let (word, detail) = match verdict {
                Verdict::Fine(detail) => ("ok    ", detail),
                Verdict::Doubtful(detail) => ("doubt ", detail),
                Verdict::Failed(error) => {
                    has_failed = true;
                    ("failed", format!("{error:#}"))
                }
            };
            tell(&format!("{word}  {what}: {detail}"));
        }
        Ok(ExitCode::from(u8::from(has_failed)))
    }
}
