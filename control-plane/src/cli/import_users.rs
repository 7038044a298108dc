//! `import-users`: the users of another system, with their BCrypt hashes.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{ConfigFile, connect, tell};
use crate::app::import_users::import;
use crate::state::now;
use crate::store::transaction;

/// Takes users over from a CSV file, all of them or none.
///
/// The first line names the columns: login, name, role, password_hash. A role is org_admin or org_user. A
/// password_hash is BCrypt's ($2a$, $2b$ or $2y$, cost 4 to 14); each is replaced by an Argon2id hash when
/// its user signs in for the first time. Every row that cannot be taken over is printed with its line, and
/// then nothing is changed. The server may be running.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    control-plane import-users --config /etc/cloudcam/control.toml --organization \"Blue Shop\" users.csv \
    --dry-run")]
pub(super) struct ImportUsers {
    #[command(flatten)]
    config: ConfigFile,
    /// The organization that gets the users; it must be there.
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// The CSV file, in UTF-8.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

impl ImportUsers {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::task::spawn_blocking(move || self.import()).await?
    }

    fn import(self) -> anyhow::Result<ExitCode> {
        let mut connection = connect(&self.config.load()?)?;
        let file =
            std::fs::read(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        let done = transaction(&mut connection, |c| {
            import(c, &self.organization, &file, self.dry_run, now())
        })?;
        for row in &done.bad {
            tell(&format!("{}:{}: {}", self.file.display(), row.line, row.why));
        }
        if !done.bad.is_empty() {
            tell(&format!(
                "{} of {} rows are bad: nothing was changed",
                done.bad.len(),
                done.rows
            ));
            return Ok(ExitCode::FAILURE);
        }
        let did = if self.dry_run {
            "would take over"
        } else {
            "took over"
        };
        tell(&format!("{did} {} users", done.rows));
        Ok(ExitCode::SUCCESS)
    }
}
