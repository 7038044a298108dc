//! The node's own database: one SQLite file, WAL, synchronous=FULL.
//!
//! What was committed here survives a power cut. One connection: writes are grouped by the commit thread, and
//! reads are short. Nothing here touches footage files or the bus.

pub mod erasures;
pub mod ledger;
pub mod objects;
pub mod outbox;
mod schema;
pub mod sessions;
pub mod settings;

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Why the database did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The folder or the file cannot be made or opened.
    #[error("cannot open the database: {0}")]
    Open(String),
    /// The schema cannot be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migrate(String),
    /// A statement failed; full or broken disks show here.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// A row that this version cannot read.
    #[error("damaged row: {0}")]
    Damaged(&'static str),
    /// A file that belongs to a row could not be changed.
    #[error("spool: {0}")]
    File(std::io::Error),
    /// The process is about to end.
    #[error("the database is closed")]
    Closed,
}

/// Result of a database call.
pub type DbResult<T> = Result<T, DbError>;

/// The database. Clones share one connection.
#[derive(Clone)]
pub struct Db {
    connection: Arc<Mutex<SqliteConnection>>,
}

impl Db {
    /// Opens or makes `<data_dir>/node.sqlite`; folder mode 700, file mode 600.
    ///
    /// # Errors
    /// [`DbError`] when the folder cannot be written or the file is no database of ours.
    pub fn open(data_dir: &Path) -> DbResult<Self> {
        let open = |error: std::io::Error| DbError::Open(format!("{}: {error}", data_dir.display()));
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(open)?;
        let path = data_dir.join("node.sqlite");
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(open)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))
            .map_err(open)?;
        let mut connection = SqliteConnection::establish(&path.to_string_lossy())
            .map_err(|error| DbError::Open(error.to_string()))?;
        connection.batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA journal_size_limit = 8388608; PRAGMA cache_size = -2000;",
        )?;
        connection
            .run_pending_migrations(MIGRATIONS)
            .map_err(|error| DbError::Migrate(error.to_string()))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// Runs `work` here and now. Only for threads that may block.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn with<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> DbResult<T>) -> DbResult<T> {
        // A panic inside a transaction rolls it back, so the connection stays usable.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut connection)
    }

    /// Runs `work` in one transaction that is on disk when this returns.
    ///
    /// # Errors
    /// Those of `work` and of the commit.
    pub fn transaction<T>(&self, work: impl FnOnce(&mut SqliteConnection) -> DbResult<T>) -> DbResult<T> {
        self.with(|connection| connection.immediate_transaction(work))
    }

    /// [`transaction`](Self::transaction) for tasks: runs on a blocking thread.
    ///
    /// # Errors
    /// As there.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> DbResult<T> + Send + 'static,
    ) -> DbResult<T> {
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.transaction(work))
            .await
            .map_err(|_| DbError::Closed)?
    }
}

/// 16 bytes of an id, as columns hold them.
macro_rules! id_from_blob {
    ($($fun:ident -> $id:ty;)+) => { $(
        pub(crate) fn $fun(blob: &[u8]) -> DbResult<$id> {
            <[u8; 16]>::try_from(blob).map(<$id>::from_bytes).map_err(|_| DbError::Damaged("an id is not 16 bytes"))
        }
    )+ };
}
id_from_blob! {
    object_id -> wire::ObjectId;
    camera_id -> wire::CameraId;
    node_id -> wire::NodeId;
    erasure_id -> wire::ErasureId;
}

pub(crate) const fn stream_code(stream: wire::StreamKind) -> i16 {
    match stream {
        wire::StreamKind::Main => 0,
        wire::StreamKind::Sub => 1,
    }
}

pub(crate) fn stream_kind(code: i16) -> DbResult<wire::StreamKind> {
    match code {
        0 => Ok(wire::StreamKind::Main),
        1 => Ok(wire::StreamKind::Sub),
        _ => Err(DbError::Damaged("unknown stream")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_private_and_migrates_both_ways() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("data")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("data")), 0o700);
        assert_eq!(mode(&dir.path().join("data/node.sqlite")), 0o600);
        db.with(|c| {
            c.revert_all_migrations(MIGRATIONS)
                .map_err(|e| DbError::Migrate(e.to_string()))?;
            c.run_pending_migrations(MIGRATIONS)
                .map_err(|e| DbError::Migrate(e.to_string()))?;
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_file_that_is_no_database_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("node.sqlite"), vec![7; 8192]).unwrap();
        assert!(Db::open(dir.path()).is_err());
    }
}
