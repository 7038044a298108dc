//! `enrolment-token`: lets a node join, from the server's console.

use std::process::ExitCode;

use clap::Args;
use wire::api::NewEnrolmentToken;

use super::{ConfigFile, connect, tell};
use crate::app::{console, enrolment};
use crate::state::now;
use crate::store::transaction;

/// Makes a one-time token with which a recorder node joins, and says what to run on its machine.
///
/// Without --organization the node belongs to the organization of those who run the platform. The server
/// may be running.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    control-plane enrolment-token --config /etc/cloudcam/control.toml --organization \"Blue Shop\" --name Warehouse")]
pub(super) struct MakeEnrolmentToken {
    #[command(flatten)]
    config: ConfigFile,
    /// The organization whose cameras the node records; it must be there.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// What the token is for, such as the node's place.
    #[arg(long, value_name = "NAME", default_value = "node")]
    name: String,
    /// Seconds that it works, up to a week.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    expires_in: u64,
    /// Print the token alone, for scripts.
    #[arg(long)]
    bare: bool,
}

impl MakeEnrolmentToken {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::task::spawn_blocking(move || self.make()).await??;
        Ok(ExitCode::SUCCESS)
    }

    fn make(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let mut connection = connect(&config)?;
        let new = NewEnrolmentToken {
            name: self.name,
            expires_in_s: Some(self.expires_in),
        };
        let organization = self.organization.as_deref();
        let token = transaction(&mut connection, |c| {
            let owner = match organization {
                Some(name) => console::named(c, name)?,
                None => console::platform(c, now())?,
            };
            enrolment::create_at_console(c, owner, &new, now())
        })?;
        if self.bare {
            tell(&token);
        } else {
            let server = config.public_url(config.http.bind)?;
            tell(&enrolment::command(server.as_str(), &token));
        }
        Ok(())
    }
}
