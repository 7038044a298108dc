//! Connections: one writer, several readers, blocking threads.
//!
//! One transaction changes data at a time, on both databases: SQLite works so by itself, and on PostgreSQL
//! every writing transaction begins with one advisory lock, which also orders the writers of several
//! servers. What is read inside a transaction is therefore still true when it commits, and the same code
//! is right on both. Readers never wait for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::{Connection as _, PgConnection, SqliteConnection};

use super::{Connection, StoreError};

const READERS: u32 = 8;
/// How long a request waits for a connection before the database counts as unavailable.
const WAIT: Duration = Duration::from_secs(5);
/// Taken by every writing transaction on PostgreSQL ("CLOUDCAM" in ASCII).
const WRITER_LOCK: i64 = 0x434c_4f55_4443_414d;

/// How every connection to PostgreSQL is set up.
pub(super) const SETTINGS: &str = "SET statement_timeout = '30s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning";

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

fn sqlite(path: &Path) -> Result<SqliteConnection, String> {
    let mut connection =
        SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| error.to_string())?;
    connection
        .batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON;",
        )
        .map_err(|error| error.to_string())?;
    Ok(connection)
}

fn postgres(url: &str) -> Result<PgConnection, String> {
    let separator = if url.contains('?') { '&' } else { '?' };
    let timed = if url.contains("connect_timeout=") {
        url.to_owned()
    } else {
        format!("{url}{separator}connect_timeout=5")
    };
    // libpq repeats parts of the address in its errors; the password is not among them.
    let mut connection = PgConnection::establish(&timed).map_err(|error| error.to_string())?;
    connection
        .batch_execute(SETTINGS)
        .map_err(|error| error.to_string())?;
    Ok(connection)
}

/// Makes the pool's connections.
#[derive(Debug)]
struct Manager(Target);

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = StoreError;

    fn connect(&self) -> Result<Connection, StoreError> {
        self.0.connect()
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), StoreError> {
        Ok(connection.batch_execute("SELECT 1")?)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        std::thread::panicking()
            || <Connection as diesel::Connection>::TransactionManager::is_broken_transaction_manager(
                connection,
            )
    }
}

/// The database; clones share it.
#[derive(Clone)]
pub struct Store {
    writer: Pool<Manager>,
    readers: Pool<Manager>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens a database, creating the file of SQLite, and migrates it. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Broken`] for a wrong address or a failed migration, [`StoreError::Unavailable`] when
    /// it cannot be reached.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        // Once by hand: the pool would hide why there is no connection behind a time-out.
        for version in super::migrate(&mut target.connect()?)? {
            tracing::info!(%version, "migrated the database");
        }
        Ok(Self {
            writer: pool(&target, 1)?,
            readers: pool(&target, READERS)?,
        })
    }

    /// Runs queries that change nothing.
    ///
    /// # Errors
    /// Those of `f`, and [`StoreError::Unavailable`] without a connection.
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let readers = self.readers.clone();
        blocking(move || f(&mut *get(&readers)?)).await
    }

    /// Runs `f` as one transaction: all of it or nothing.
    ///
    /// # Errors
    /// Those of `f`, and [`StoreError::Unavailable`] without a connection.
    pub async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let writer = self.writer.clone();
        blocking(move || transaction(&mut *get(&writer)?, f)).await
    }

    /// Runs a use case as one transaction: an error of any kind takes everything back.
    ///
    /// # Errors
    /// Those of `f`, and `Unavailable` without a connection.
    pub async fn transaction<T, F>(&self, f: F) -> Result<T, crate::Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, crate::Error> + Send + 'static,
    {
        let writer = self.writer.clone();
        blocking(move || transaction(&mut *get(&writer)?, f)).await
    }

    /// Like [`Store::read`], for a use case that reads.
    ///
    /// # Errors
    /// Those of `f`, and `Unavailable` without a connection.
    pub async fn look<T, F>(&self, f: F) -> Result<T, crate::Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, crate::Error> + Send + 'static,
    {
        let readers = self.readers.clone();
        blocking(move || f(&mut *get(&readers)?)).await
    }
}

/// Runs `f` between the begin and the commit of the one writer.
///
/// # Errors
/// Those of `f` and of the database; nothing is changed then.
pub fn transaction<T, E: From<StoreError>>(
    connection: &mut Connection,
    f: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    type Manager = <Connection as diesel::Connection>::TransactionManager;
    begin(connection)?;
    match f(connection) {
        Ok(value) => match Manager::commit_transaction(connection) {
            Ok(()) => Ok(value),
            Err(error) => {
                let _ = Manager::rollback_transaction(connection);
                Err(StoreError::from(error).into())
            }
        },
        Err(error) => {
            // A connection that cannot roll back is broken, and the pool drops it.
            let _ = Manager::rollback_transaction(connection);
            Err(error)
        }
    }
}

fn begin(connection: &mut Connection) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
        Connection::Postgres(c) => {
            AnsiTransactionManager::begin_transaction(c)?;
            if let Err(error) = c.batch_execute(&format!("SELECT pg_advisory_xact_lock({WRITER_LOCK})")) {
                let _ = AnsiTransactionManager::rollback_transaction(c);
                return Err(error.into());
            }
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static, E: From<StoreError> + Send + 'static>(
    f: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    tokio::task::spawn_blocking(f)
        .await
        .map_err(|error| StoreError::Broken(format!("a query panicked: {error}")))?
}

fn get(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>, StoreError> {
    pool.get()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn pool(target: &Target, size: u32) -> Result<Pool<Manager>, StoreError> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(WAIT)
        .build(Manager(target.clone()))
        .map_err(|error| StoreError::Unavailable(format!("{}: {error}", target.shown())))
}
