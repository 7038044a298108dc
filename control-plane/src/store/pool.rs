//! Connections: one writer, several readers, blocking threads.
//!
//! SQLite serialises writers anyway; one connection behind a pool of one makes them queue in order
//! instead of failing as busy. The log is WAL, so readers never wait for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sqlite::SqliteConnection;

use super::StoreError;

/// The connection type of every query.
pub type Connection = SqliteConnection;
type Connections = Pool<ConnectionManager<Connection>>;

const READERS: u32 = 4;
/// How long a request waits for a connection before the database counts as unavailable.
const WAIT: Duration = Duration::from_secs(5);

/// The database; clones share it.
#[derive(Clone)]
pub struct Store {
    writer: Connections,
    readers: Connections,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the database named by `sqlite:<path>`, creating the file, and migrates it. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Broken`] for another scheme or a failed migration, [`StoreError::Unavailable`]
    /// when the file cannot be opened.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let path = sqlite_path(url)?;
        let writer = pool(&path, 1)?;
        super::migrate(&mut *connection(&writer)?)?;
        Ok(Self {
            writer,
            readers: pool(&path, READERS)?,
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
        blocking(move || f(&mut *connection(&readers)?)).await
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
        blocking(move || connection(&writer)?.immediate_transaction(f)).await
    }
}

/// The file behind `sqlite:<path>`.
///
/// # Errors
/// [`StoreError::Broken`] for another scheme or an empty path.
pub(crate) fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        _ => Err(StoreError::Broken(
            "database.url must be sqlite:<path>".to_owned(),
        )),
    }
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(f)
        .await
        .map_err(|error| StoreError::Broken(format!("a query panicked: {error}")))?
}

fn connection(
    pool: &Connections,
) -> Result<diesel::r2d2::PooledConnection<ConnectionManager<Connection>>, StoreError> {
    pool.get()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn pool(path: &Path, size: u32) -> Result<Connections, StoreError> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(WAIT)
        .connection_customizer(Box::new(Pragmas))
        .build(ConnectionManager::new(path.to_string_lossy()))
        .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))
}

#[derive(Debug)]
struct Pragmas;

impl CustomizeConnection<Connection, diesel::r2d2::Error> for Pragmas {
    fn on_acquire(&self, connection: &mut Connection) -> Result<(), diesel::r2d2::Error> {
        connection
            .batch_execute(
                "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON;",
            )
            .map_err(diesel::r2d2::Error::QueryError)
    }
}
