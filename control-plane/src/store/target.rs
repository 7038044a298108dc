//! Where the database is, and single connections to it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, SqliteConnection};

use super::{Connection, StoreError};

/// How long a statement of a new connection may take, and wait for a lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How a connection to PostgreSQL notices a server that is gone without a word. Seconds, the last in
/// milliseconds; an address that sets one of them itself is left alone there.
const LIVENESS: [(&str, u32); 5] = [
    ("connect_timeout", 3),
    ("keepalives_idle", 10),
    ("keepalives_interval", 5),
    ("keepalives_count", 3),
    ("tcp_user_timeout", 10_000),
];

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// Address of a PostgreSQL database; holds a password.
    Postgres(String),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Target {
    /// Reads `sqlite:<path>` or `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// [`StoreError::Broken`] for anything else; the text does not repeat the address.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if ["postgres://", "postgresql://"].iter().any(|scheme| {
            url.strip_prefix(scheme)
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('\0'))
        }) {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(StoreError::Broken(
            "a database is named sqlite:<path> or postgres://user:password@host:port/database".to_owned(),
        ))
    }

    /// The address without its password.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url::Url::parse(url).map_or_else(
                |_| "postgres://…".to_owned(),
                |url| {
                    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
                    format!(
                        "postgres://{}{port}{}",
                        url.host_str().unwrap_or_default(),
                        url.path()
                    )
                },
            ),
        }
    }

    /// One connection, outside any pool.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none.
    pub fn connect(&self) -> Result<Connection, StoreError> {
        let failed = |error: String| StoreError::Unavailable(format!("{}: {error}", self.shown()));
        match self {
            Self::Sqlite(path) => sqlite(path).map(Connection::Sqlite).map_err(failed),
            Self::Postgres(url) => postgres(url).map(Connection::Postgres).map_err(failed),
        }
    }
}

/// Gives up statements and waits for locks after `patience`.
///
/// # Errors
/// Those of the database.
pub(super) fn limit(connection: &mut Connection, patience: Duration) -> Result<(), StoreError> {
    let ms = patience.as_millis();
    match connection {
        Connection::Sqlite(c) => c.batch_execute(&format!("PRAGMA busy_timeout = {ms}"))?,
        Connection::Postgres(c) => {
            c.batch_execute(&format!("SET statement_timeout = {ms}; SET lock_timeout = {ms}"))?;
        }
    }
    Ok(())
}

fn sqlite(path: &Path) -> Result<SqliteConnection, String> {
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| error.to_string())?;
    connection
        .batch_execute(&format!(
            "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON;",
            PATIENCE.as_millis()
        ))
        .map_err(|error| error.to_string())?;
    Ok(connection)
}

fn postgres(url: &str) -> Result<PgConnection, String> {
    // libpq repeats parts of the address in its errors; the password is not among them.
    let mut connection = PgConnection::establish(&lively(url)).map_err(|error| error.to_string())?;
    let ms = PATIENCE.as_millis();
    connection
        .batch_execute(&format!(
            "SET statement_timeout = {ms}; SET lock_timeout = {ms}; \
             SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning"
        ))
        .map_err(|error| error.to_string())?;
    Ok(connection)
}

fn lively(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in LIVENESS {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            let _ = write!(url, "{separator}{name}={value}");
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_what_they_set() {
        let url = lively("postgres://u@h/d?connect_timeout=9&sslmode=require");
        assert!(url.starts_with("postgres://u@h/d?connect_timeout=9&sslmode=require&keepalives_idle=10&"));
        assert!(lively("postgres://u@h/d").starts_with("postgres://u@h/d?connect_timeout=3&"));
    }
}
