//! `database copy`: from one machine's SQLite file to PostgreSQL.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::tell;
use crate::store::Target;
use crate::store::copy::{Copied, copy, rehearse};

/// Moves a whole database.
#[derive(Debug, Args)]
pub(super) struct Database {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Copy(Copy),
}

/// Copies everything from SQLite to an empty PostgreSQL database.
///
/// Stop the server first. The source is not changed; the target is migrated, filled and compared with the
/// source in one transaction: it has everything afterwards, or nothing. Footage and keys are files, not
/// part of the database: they stay in the data folder.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  control-plane database copy --from sqlite:/var/lib/cloudcam/control/control-plane.sqlite \\\n    \
                  --to postgres://cloudcam:password@db.example.org/cloudcam --dry-run"
)]
struct Copy {
    /// `sqlite:<path>`.
    #[arg(long, value_name = "ADDRESS")]
    from: String,
    /// `postgres://user:password@host:port/database`; in the environment it is not seen by other users.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CLOUDCAM_COPY_TO",
        hide_env_values = true
    )]
    to: String,
    /// Only read everything, and look whether the target could take it.
    #[arg(long)]
    dry_run: bool,
}

impl Database {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let Command::Copy(copy) = self.command;
        tokio::task::spawn_blocking(move || copy.run()).await??;
        Ok(ExitCode::SUCCESS)
    }
}

impl Copy {
    fn run(self) -> anyhow::Result<()> {
        let (from, to) = (Target::parse(&self.from)?, Target::parse(&self.to)?);
        let tables = if self.dry_run {
            rehearse(&from, &to)?
        } else {
            copy(&from, &to)?
        };
        for Copied { table, rows } in &tables {
            tell(&format!("{rows:>12}  {table}"));
        }
        let rows: u64 = tables.iter().map(|one| one.rows).sum();
        let (shown, count) = (to.shown(), tables.len());
        if self.dry_run {
            tell(&format!("would copy {rows} rows of {count} tables to {shown}"));
            return Ok(());
        }
        tell(&format!(
            "copied {rows} rows of {count} tables to {shown}, and compared them.\n\
             Now set in the server's configuration, with user and password:\n\n    \
             [database]\n    url = \"{shown}\"\n\n\
             Leave data_dir as it is: it holds the keys and the footage. Then start the server. Keep\n\
             {} until you are content; what happens from now on is not in it.",
            from.shown()
        ));
        Ok(())
    }
}
