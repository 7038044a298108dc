//! `create-admin`: an administrator, for the first start or when nobody can sign in any more.

use std::process::ExitCode;

use clap::Args;

use super::new_password::NewPassword;
use super::{ConfigFile, connect, tell};
use crate::app::console;
use crate::state::now;
use crate::store::transaction;

/// Creates an administrator who can sign in at once.
///
/// Without --organization the administrator runs the platform; with it, that organization. The password is
/// asked for, read from standard input, or generated into a file. The server may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    control-plane create-admin --config /etc/cloudcam/control.toml --login ann@example.org\n  \
    control-plane create-admin --config /etc/cloudcam/control.toml --login bob --organization \"Blue Shop\" \
    --password-file bob.txt")]
pub(super) struct CreateAdmin {
    #[command(flatten)]
    config: ConfigFile,
    /// Name that signs in: an e-mail address or a name.
    #[arg(long, value_name = "NAME")]
    login: String,
    /// The organization to run; it must be there.
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    #[command(flatten)]
    password: NewPassword,
}

impl CreateAdmin {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::task::spawn_blocking(move || self.create()).await??;
        Ok(ExitCode::SUCCESS)
    }

    fn create(self) -> anyhow::Result<()> {
        let mut connection = connect(&self.config.load()?)?;
        let (hash, written) = self.password.hash(&self.login)?;
        let organization = self.organization.as_deref();
        let made = transaction(&mut connection, |c| {
            console::create_admin(c, &self.login, organization, hash, now())
        })?;
        if let Some(written) = written {
            written.keep();
        }
        let runs = organization.unwrap_or("the platform");
        tell(&format!("created {}, who runs {runs}", made.login));
        Ok(())
    }
}
