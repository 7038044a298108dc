//! Migrations, embedded in the binary.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Connection, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::Broken`] when a migration fails; the ones before it stay applied.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let applied = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| StoreError::Broken(format!("migration failed: {error}")))?;
    for version in applied {
        tracing::info!(%version, "migrated the database");
    }
    Ok(())
}

/// Takes every migration back and applies it again; loses all data, for tests.
///
/// # Errors
/// [`StoreError::Broken`] when one fails.
pub fn down_and_up_again(connection: &mut Connection) -> Result<(), StoreError> {
    connection
        .revert_all_migrations(MIGRATIONS)
        .map_err(|error| StoreError::Broken(format!("reverting failed: {error}")))?;
    migrate(connection)
}
