//! Migrations, embedded in the binary: one folder for each database, the same versions in both.
//!
//! One process migrates at a time, and whoever waited for it finds nothing left to do: on PostgreSQL an
//! advisory lock sees to that, on SQLite the lock on the file, in one transaction.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::{pg::Pg, sqlite::Sqlite};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::target::{PATIENCE, Target, limit};
use super::{Connection, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// Held by whoever migrates PostgreSQL ("CLOUDMIG" in ASCII).
const MIGRATION_LOCK: i64 = 0x434c_4f55_444d_4947;
/// Migrations may rewrite big tables, and whoever comes second waits for all of them.
const NO_HURRY: &str = "SET statement_timeout = 0; SET lock_timeout = '10min'";

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("migration failed: {error}"))
}

/// Brings the schema up to date; the versions that were applied.
///
/// # Errors
/// [`StoreError::Broken`] when a migration fails; on PostgreSQL the ones before it stay applied.
pub fn migrate(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    match connection {
        Connection::Sqlite(c) => {
            let applied = c
                .exclusive_transaction(|c| {
                    let applied = c.run_pending_migrations(SQLITE)?;
                    Ok::<_, Failure>(applied.iter().map(ToString::to_string).collect())
                })
                .map_err(|failure| match failure {
                    Failure::Database(error) => error.into(),
                    Failure::Migration(error) => failed(error),
                })?;
            Ok(applied)
        }
        Connection::Postgres(c) => {
            c.batch_execute(&format!("{NO_HURRY}; SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
            let applied = c
                .run_pending_migrations(POSTGRES)
                .map(|applied| applied.iter().map(ToString::to_string).collect())
                .map_err(failed);
            // The lock would go with the connection, too.
            let released = c.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})"));
            let applied = applied?;
            released?;
            limit(connection, PATIENCE)?;
            Ok(applied)
        }
    }
}

enum Failure {
    Database(diesel::result::Error),
    Migration(Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for Failure {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::Migration(error)
    }
}

impl Target {
    /// The migrations that [`migrate`] would apply. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Broken`] when that cannot be told, or when a newer program than this one has migrated
    /// the database already; [`StoreError::Unavailable`] when it cannot be reached.
    pub fn pending(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Sqlite(path) if !path.exists() => left(names::<Sqlite>(&SQLITE)?, &[]),
            _ => pending_on(&mut self.connect()?),
        }
    }
}

/// Like [`Target::pending`].
///
/// # Errors
/// As there.
pub(super) fn pending_on(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let applied = applied(connection)?;
    let known = match connection {
        Connection::Sqlite(_) => names::<Sqlite>(&SQLITE)?,
        Connection::Postgres(_) => names::<Pg>(&POSTGRES)?,
    };
    left(known, &applied)
}

fn left(known: Vec<(String, String)>, applied: &[String]) -> Result<Vec<String>, StoreError> {
    let is_unknown = |version: &&String| known.iter().all(|(known, _)| known != *version);
    if let Some(newer) = applied.iter().find(is_unknown) {
        return Err(StoreError::Broken(format!(
            "it was migrated by another version of this program, which knows migration {newer}"
        )));
    }
    let pending = known
        .into_iter()
        .filter(|(version, _)| !applied.contains(version));
    Ok(pending.map(|(_, name)| name).collect())
}

/// Versions and full names, in order.
fn names<DB: diesel::backend::Backend>(
    source: &impl MigrationSource<DB>,
) -> Result<Vec<(String, String)>, StoreError> {
    let all: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(failed)?;
    let mut names: Vec<(String, String)> = all
        .iter()
        .map(|one| (one.name().version().to_string(), one.name().to_string()))
        .collect();
    names.sort();
    Ok(names)
}

/// Versions that are applied; none when the database is empty. The harness would make its table first.
fn applied(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let all = diesel::sql_query("SELECT version FROM __diesel_schema_migrations");
    let rows: Vec<Version> = match connection {
        Connection::Sqlite(c) => {
            let names = "SELECT name AS version FROM sqlite_master WHERE name = '__diesel_schema_migrations'";
            match diesel::sql_query(names).load::<Version>(c)?.as_slice() {
                [] => Vec::new(),
                _ => all.load(c)?,
            }
        }
        Connection::Postgres(c) => {
            let names = "SELECT relname::text AS version FROM pg_class \
                         WHERE oid = to_regclass('__diesel_schema_migrations')";
            match diesel::sql_query(names).load::<Version>(c)?.as_slice() {
                [] => Vec::new(),
                _ => all.load(c)?,
            }
        }
    };
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// Takes every migration back and applies it again; loses all data, for tests.
///
/// # Errors
/// [`StoreError::Broken`] when one fails.
pub fn down_and_up_again(connection: &mut Connection) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(c) => c.revert_all_migrations(SQLITE).map(drop),
        Connection::Postgres(c) => c.revert_all_migrations(POSTGRES).map(drop),
    }
    .map_err(failed)?;
    migrate(connection).map(drop)
}
