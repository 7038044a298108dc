//! The data folder, the keys in it, the configuration file.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail};

use super::Verdict;
use crate::config::Config;
use crate::secrets::Secrets;
use crate::store::Target;

const LEAST_MIB: u64 = 100;
const FEW_MIB: u64 = 2_048;

pub(super) fn data_dir(config: &Config) -> Verdict {
    usable(&config.data_dir).unwrap_or_else(Verdict::Failed)
}

fn usable(dir: &Path) -> anyhow::Result<Verdict> {
    let existing = dir
        .ancestors()
        .find(|folder| folder.is_dir())
        .with_context(|| format!("{} cannot be created: no parent folder", dir.display()))?;
    let both = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(existing, both)
        .with_context(|| format!("{} is not writable: make it this user's", existing.display()))?;
    let space = rustix::fs::statvfs(existing)?;
    let free_mib = space.f_bavail.saturating_mul(space.f_frsize) >> 20;
    if free_mib < LEAST_MIB {
        bail!("{} has {free_mib} MiB free: make room", existing.display());
    }
    let found = format!("{}, {free_mib} MiB free", dir.display());
    if free_mib < FEW_MIB {
        return Ok(Verdict::Doubtful(format!(
            "{found}: little for footage, make room"
        )));
    }
    if dir.is_dir() && dir.metadata()?.mode() & 0o007 != 0 {
        let mend = format!("chmod 700 {}", dir.display());
        return Ok(Verdict::Doubtful(format!("{found}; open to every user: {mend}")));
    }
    Ok(Verdict::Fine(found))
}

/// The keys: private, whole, and there if the database is.
pub(super) fn secrets(config: &Config) -> Verdict {
    kept(config).unwrap_or_else(Verdict::Failed)
}

fn kept(config: &Config) -> anyhow::Result<Verdict> {
    let dir = config.data_dir.join("secrets");
    let files: Vec<_> = ["jwt", "url", "master"]
        .iter()
        .map(|name| dir.join(name))
        .collect();
    if files.iter().all(|file| !file.exists()) {
        if is_in_use(config) {
            bail!(
                "{} is empty, but the database is not: restore it from the backup, or the cameras' passwords \
                 are lost",
                dir.display()
            );
        }
        return Ok(Verdict::Fine(format!("{} will be made", dir.display())));
    }
    for file in &files {
        let found = file
            .metadata()
            .with_context(|| format!("{}: restore it from the backup", file.display()))?;
        if found.mode() & 0o077 != 0 {
            bail!("{} can be read by others: chmod 600 {0}", file.display());
        }
    }
    Secrets::load(&dir).context("restore it from the backup")?;
    Ok(Verdict::Fine(dir.display().to_string()))
}

fn is_in_use(config: &Config) -> bool {
    let Ok(target) = Target::parse(&config.database_url()) else {
        return false;
    };
    match &target {
        Target::Sqlite(path) if !path.exists() => false,
        _ => target.pending().is_ok_and(|pending| pending.is_empty()),
    }
}

/// The configuration file, which may hold passwords.
pub(super) fn configuration(path: &Path, config: &Config) -> Verdict {
    let holds_password = config.database_url().starts_with("postgres");
    let is_open = path.metadata().is_ok_and(|found| found.mode() & 0o007 != 0);
    let shown = path.display().to_string();
    if holds_password && is_open {
        Verdict::Doubtful(format!(
            "{shown}: every user can read it, and it may hold a password: chmod 640 {shown}"
        ))
    } else {
        Verdict::Fine(shown)
    }
}
