//! Whether the database can be used, and is the one that belongs to the keys.

use anyhow::{Context, bail};

use super::Verdict;
use crate::config::Config;
use crate::state::now;
use crate::store::Target;
use crate::store::inspect::{Inspection, Server};

/// The oldest PostgreSQL that is tested and still mended by its makers.
const OLDEST: i64 = 130_000;
/// Clocks that differ by more make sign-ins and addresses end too early or too late.
const CLOCKS_MS: i64 = 2_000;

pub(super) fn database(config: &Config) -> Verdict {
    let target = match Target::parse(&config.database_url()) {
        Ok(target) => target,
        Err(error) => return Verdict::Failed(error.into()),
    };
    if let Target::Sqlite(path) = &target {
        if !path.exists() {
            return Verdict::Fine(format!("{} will be created", path.display()));
        }
        let both = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
        if let Err(error) = rustix::fs::access(path, both) {
            let why = format!("{} is not writable: make it this user's", path.display());
            return Verdict::Failed(anyhow::Error::new(error).context(why));
        }
    }
    looked(&target).unwrap_or_else(Verdict::Failed)
}

fn looked(target: &Target) -> anyhow::Result<Verdict> {
    let shown = target.shown();
    let inspection = target.inspect().context(match target {
        Target::Sqlite(_) => "is it a database of this program, and not damaged?",
        Target::Postgres(_) => "start PostgreSQL, or mend database.url",
    })?;
    let (name, warning) = match inspection {
        Inspection::Sqlite { version } => (format!("{shown}, SQLite {version}"), None),
        Inspection::Postgres(server) => {
            usable(&server)?;
            (format!("{shown}, PostgreSQL {}", server.version), doubts(&server))
        }
    };
    let state = match target.pending()?.as_slice() {
        [] => "up to date".to_owned(),
        [one] => format!("1 migration to apply at the next start: {one}"),
        some => format!("{} migrations to apply at the next start", some.len()),
    };
    Ok(match warning {
        None => Verdict::Fine(format!("{name}, {state}")),
        Some(warning) => Verdict::Doubtful(format!("{name}, {state}; {warning}")),
    })
}

fn usable(server: &Server) -> anyhow::Result<()> {
    if server.number < OLDEST {
        bail!("PostgreSQL {} is too old: install 13 or newer", server.version);
    }
    if server.encoding != "UTF8" {
        bail!(
            "its encoding is {}: make a database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            server.encoding
        );
    }
    if server.is_read_only {
        bail!("it takes no changes: name the primary server, not a standby");
    }
    match server.may_create {
        Some(true) => Ok(()),
        Some(false) => bail!("our account may not make tables: ALTER DATABASE … OWNER TO our account"),
        None => bail!("there is no schema for our tables: CREATE SCHEMA public"),
    }
}

fn doubts(server: &Server) -> Option<String> {
    let apart = server.clock().0 - now().0;
    if apart.abs() > CLOCKS_MS {
        let (s, side) = (apart.abs() / 1000, if apart > 0 { "ahead of" } else { "behind" });
        return Some(format!(
            "its clock is {s} s {side} this machine's: run NTP on both"
        ));
    }
    // What kind of fault an error is shows in some cases in its text alone.
    let is_english = ["C", "POSIX", "en"]
        .iter()
        .any(|start| server.messages.starts_with(start));
    (!is_english).then(|| {
        format!(
            "its messages are in {}: ALTER ROLE … SET lc_messages = 'C', so that faults are understood",
            server.messages
        )
    })
}
