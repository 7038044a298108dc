//! `reset-password`: for who cannot sign in any more, and whom nobody else can help.

use std::process::ExitCode;

use clap::Args;
use wire::api::UserState;

use super::new_password::NewPassword;
use super::{ConfigFile, connect, tell};
use crate::app::console;
use crate::state::now;
use crate::store::transaction;

/// Sets a user's password.
///
/// Ends the user's sessions, one-time links and lock-out. The password is asked for, read from standard
/// input, or generated into a file. The server may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    control-plane reset-password --config /etc/cloudcam/control.toml --login admin\n  \
    control-plane reset-password --config /etc/cloudcam/control.toml --login admin --remove-totp \
    --password-file admin.txt")]
pub(super) struct ResetPassword {
    #[command(flatten)]
    config: ConfigFile,
    /// Whose password.
    #[arg(long, value_name = "NAME")]
    login: String,
    /// Remove the second factor too, when the authenticator is lost.
    #[arg(long)]
    remove_totp: bool,
    #[command(flatten)]
    password: NewPassword,
}

impl ResetPassword {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::task::spawn_blocking(move || self.reset()).await??;
        Ok(ExitCode::SUCCESS)
    }

    fn reset(self) -> anyhow::Result<()> {
        let mut connection = connect(&self.config.load()?)?;
        let (hash, written) = self.password.hash(&self.login)?;
        let user = transaction(&mut connection, |c| {
            console::reset_password(c, &self.login, &hash, self.remove_totp, now())
        })?;
        if let Some(written) = written {
            written.keep();
        }
        tell(&format!(
            "{} has a new password, and is signed in nowhere",
            user.login
        ));
        if user.totp {
            tell("the second factor is still asked for; --remove-totp removes it");
        }
        if user.state == UserState::Disabled {
            tell("the user is disabled: an administrator must enable it before it can sign in");
        }
        Ok(())
    }
}
