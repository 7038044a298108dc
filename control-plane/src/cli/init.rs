//! `init`: the installation's keys, made once.

use std::process::ExitCode;

use clap::Args;

use super::{ConfigFile, tell};
use crate::bus::keys;
use crate::secrets::{Secrets, private_dir};
use crate::state::now;

/// Makes the installation's keys: those of the server, and operator, accounts and users of the bus.
///
/// They are files in data_dir/secrets that only this user reads; back them up. A second run changes nothing.
/// Several control planes of one installation share one set: copy the folder.
#[derive(Debug, Args)]
#[command(
    after_help = "Then write the bus' configuration with `control-plane nats-config`, and start nats-server.\n\n\
                  Example:\n  control-plane init --config /etc/cloudcam/control.toml"
)]
pub(super) struct Init {
    #[command(flatten)]
    config: ConfigFile,
}

impl Init {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load()?;
        private_dir(&config.data_dir)?;
        Secrets::open(&config.data_dir.join("secrets"))?;
        let dir = keys::folder(&config.data_dir);
        let shown = dir.display();
        if keys::init(&dir, now())? {
            tell(&format!("made the keys of the bus in {shown}"));
        } else {
            tell(&format!(
                "the keys of the bus are in {shown} already: nothing changed"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
