//! Migrations, embedded in the binary: one folder for each database, the same versions in both.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Connection, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("migration failed: {error}"))
}

/// Brings the schema up to date; the versions that were applied.
///
/// # Errors
/// [`StoreError::Broken`] when a migration fails; the ones before it stay applied.
pub fn migrate(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let applied = match connection {
        Connection::Sqlite(c) => c.run_pending_migrations(SQLITE),
        Connection::Postgres(c) => c.run_pending_migrations(POSTGRES),
    }
    .map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// The versions that [`migrate`] would apply.
///
/// # Errors
/// [`StoreError::Broken`] when that cannot be told.
pub fn pending(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let names = match connection {
        Connection::Sqlite(c) => c
            .pending_migrations(SQLITE)
            .map(|all| all.iter().map(|one| one.name().to_string()).collect()),
        Connection::Postgres(c) => c
            .pending_migrations(POSTGRES)
            .map(|all| all.iter().map(|one| one.name().to_string()).collect()),
    };
    names.map_err(failed)
}

/// Takes every migration back and applies it again; loses all data, for tests.
///
/// # Errors
/// [`StoreError::Broken`] when one fails.
pub fn down_and_up_again(connection: &mut Connection) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(c) => c.revert_all_migrations(SQLITE),
        Connection::Postgres(c) => c.revert_all_migrations(POSTGRES),
    }
    .map_err(failed)?;
    migrate(connection).map(drop)
}
