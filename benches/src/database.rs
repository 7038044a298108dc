//! The databases of the control plane: a SQLite file, or a PostgreSQL server of Debian's package in a folder
//! of its own, with the durability that both have by default.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde::Serialize;
use tokio::process::Command;

use crate::children::{Running, free_port, wait_for};
use crate::process::{family_pss, family_ticks};

/// The unprivileged user for PostgreSQL, which refuses to run as root.
const NOBODY: u32 = 65534;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file, inside the control plane's process.
    Sqlite,
    /// A server of its own.
    Postgres,
}

impl Kind {
    /// SQL for an id of 16 bytes that says what it is of: a letter, and a number with leading zeros.
    #[must_use]
    pub fn id(self, letter: char, number: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST(printf('{letter}%015d', {number}) AS BLOB)"),
            Self::Postgres => format!("convert_to('{letter}' || lpad(({number})::text, 15, '0'), 'UTF8')"),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A database that runs, and the control plane's folder beside it.
#[derive(Debug)]
pub struct Database {
    /// Which one.
    pub kind: Kind,
    /// Its address, as the control plane is given it.
    pub url: String,
    /// Where the control plane keeps its files, in `data`.
    pub folder: PathBuf,
    process: Option<Running>,
}

impl Database {
    /// Starts an empty one in a new folder of `scratch`.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn start(kind: Kind, scratch: &Path) -> Result<Self> {
        let name = match kind {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
        };
        let folder = scratch.join(name);
        fs::create_dir_all(folder.join("data"))?;
        let (url, process) = match kind {
            Kind::Sqlite => (
                format!("sqlite:{}/data/control-plane.sqlite", folder.display()),
                None,
            ),
            Kind::Postgres => {
                let (url, process) = start_postgres(scratch, &folder).await?;
                (url, Some(process))
            }
        };
        Ok(Self {
            kind,
            url,
            folder,
            process,
        })
    }

    /// CPU time of the database's own processes so far, in ticks; SQLite has none.
    ///
    /// # Errors
    /// When they have ended.
    pub fn ticks(&self) -> Result<u64> {
        match &self.process {
            Some(process) => Ok(family_ticks(process.pid)?),
            None => Ok(0),
        }
    }

    /// Memory of the database's own processes; SQLite has none.
    ///
    /// # Errors
    /// When they have ended.
    pub fn pss_bytes(&self) -> Result<u64> {
        match &self.process {
            Some(process) => Ok(family_pss(process.pid)?),
            None => Ok(0),
        }
    }

    /// Runs SQL past the control plane.
    ///
    /// # Errors
    /// Those of the database, with the beginning of the SQL.
    pub fn run(&self, sql: &str) -> Result<()> {
        let done = match self.url.strip_prefix("sqlite:") {
            Some(path) => SqliteConnection::establish(path)?.batch_execute(sql),
            None => PgConnection::establish(&self.url)?.batch_execute(sql),
        };
        done.with_context(|| format!("{}: {}", self.kind, sql.chars().take(80).collect::<String>()))
    }

    /// Stops it; its files stay.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(self) -> Result<()> {
        match self.process {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }
}

async fn start_postgres(scratch: &Path, folder: &Path) -> Result<(String, Running)> {
    let programs = programs()?;
    let home = folder.join("server");
    fs::create_dir(&home)?;
    let as_root = rustix::process::geteuid().is_root();
    if as_root {
        chown(&home, Some(NOBODY), Some(NOBODY))?;
        for way in [scratch, folder] {
            fs::set_permissions(way, fs::Permissions::from_mode(0o711))?;
        }
    }
    let command = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.current_dir(&home);
        if as_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    let mut initdb = command("initdb");
    initdb.args(["--pgdata=data", "--username=cloudcam", "--auth=trust"]);
    initdb.args(["--encoding=UTF8", "--locale=C.UTF-8"]);
    let made = initdb.output().await.context("starting initdb")?;
    if !made.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr).trim());
    }
    let port = free_port()?;
    let mut server = command("postgres");
    server.args(["-D", "data", "-c", "listen_addresses=127.0.0.1", "-k"]);
    server.arg(&home).args(["-p", &port.to_string()]);
    let process = Running::spawn("PostgreSQL", server, &folder.join("postgres.log"))?;
    let url = format!("postgres://cloudcam@127.0.0.1:{port}/postgres");
    wait_for("PostgreSQL", Duration::from_secs(30), || {
        PgConnection::establish(&url).is_ok()
    })
    .await?;
    Ok((url, process))
}

/// The folder of the newest server that Debian's package installed, or of the one in PATH.
fn programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(folder) = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file()) {
        return Ok(folder);
    }
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .max()
        .map(|(_, folder)| folder.join("bin"))
        .context("PostgreSQL's server is missing: apt-get install postgresql")
}
