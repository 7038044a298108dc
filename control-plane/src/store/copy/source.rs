//! The SQLite database that is read; nobody else may have it open.

use std::collections::HashMap;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::{Connection as _, RunQueryDsl, SqliteConnection, sql_query};

use super::cells::{Batch, Digest, Row};
use super::tables::{self, Table};
use super::{CopyError, Target};
use crate::store::migrate::pending_on;
use crate::store::{Connection, StoreError};

/// The source, locked and in one transaction.
pub(super) struct Source {
    connection: SqliteConnection,
    tables: Vec<Table>,
    digests: HashMap<String, Digest>,
}

impl Source {
    /// # Errors
    /// [`CopyError::Refused`] when it is no SQLite database, not up to date, or open elsewhere.
    pub(super) fn open(target: &Target) -> Result<Self, CopyError> {
        let Target::Sqlite(path) = target else {
            return Err(CopyError::Refused(
                "copying is from SQLite only: --from sqlite:<path>".to_owned(),
            ));
        };
        if !path.is_file() {
            return Err(CopyError::Refused(format!(
                "there is no database {}",
                path.display()
            )));
        }
        let connection = SqliteConnection::establish(&path.to_string_lossy())
            .map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        let mut connection = Connection::Sqlite(connection);
        // An exclusive lock in this mode excludes readers, too: no server can have it open, nor start.
        connection
            .batch_execute("PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
            .map_err(|error| in_use(&error, path))?;
        let pending = pending_on(&mut connection)?;
        if let Some(first) = pending.first() {
            return Err(CopyError::Refused(format!(
                "{} lacks the migration {first}: run control-plane migrate on it first",
                path.display()
            )));
        }
        let Connection::Sqlite(mut connection) = connection else {
            return Err(CopyError::Refused("copying is from SQLite only".to_owned()));
        };
        let tables = tables::of_sqlite(&mut connection)?;
        Ok(Self {
            connection,
            tables,
            digests: HashMap::new(),
        })
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// What was read of a table.
    pub(super) fn digest(&self, table: &Table) -> Digest {
        self.digests.get(&table.name).copied().unwrap_or_default()
    }

    /// Reads a table batch by batch.
    ///
    /// # Errors
    /// [`CopyError::Value`] for a row that PostgreSQL would refuse, and those of `take`.
    pub(super) fn batches(
        &mut self,
        table: &Table,
        mut take: impl FnMut(Batch) -> Result<(), CopyError>,
    ) -> Result<(), CopyError> {
        let query = format!("SELECT {} FROM \"{}\"", table.list(), table.name);
        let mut digest = Digest::default();
        let mut batch = Batch::new(table);
        for row in sql_query(query).load_iter::<Row, DefaultLoadingMode>(&mut self.connection)? {
            let row = row?;
            if let Some(problem) = row.fault(table) {
                return Err(CopyError::Value {
                    table: table.name.clone(),
                    row: row.key(table),
                    problem,
                });
            }
            digest.add(&row);
            batch.push(row);
            if batch.is_full() {
                take(std::mem::replace(&mut batch, Batch::new(table)))?;
            }
        }
        if batch.rows() > 0 {
            take(batch)?;
        }
        self.digests.insert(table.name.clone(), digest);
        Ok(())
    }
}

fn in_use(error: &diesel::result::Error, path: &std::path::Path) -> CopyError {
    if error.to_string().contains("locked") {
        CopyError::Refused(format!(
            "{} is in use: stop the server first, and leave it stopped",
            path.display()
        ))
    } else {
        StoreError::Unavailable(format!("{}: {error}", path.display())).into()
    }
}
