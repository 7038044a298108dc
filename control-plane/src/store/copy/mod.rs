//! Copies a whole database from SQLite to PostgreSQL.
//!
//! What is copied is read from the databases themselves, so that no table and no column can be forgotten.
//! Nobody else uses the source meanwhile, the target changes in one transaction that is compared with the
//! source before it commits, and memory holds one batch of rows. Identifiers in the SQL are those of our
//! own tables.

mod cells;
mod source;
mod tables;
mod target;

use std::time::{Duration, Instant};

use super::target::Target;
use super::{StoreError, migrate};
use cells::Batch;
use source::Source;
use tables::Table;

/// Rows that are not there yet are told of this often.
const PROGRESS: Duration = Duration::from_secs(2);

/// Why nothing was copied. The target is as it was, but for its schema.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It may not be done; says why, and what to do.
    #[error("{0}")]
    Refused(String),
    /// A value that the target cannot hold.
    #[error("table {table}, the row with {row}: {problem}")]
    Value {
        /// The table.
        table: String,
        /// The row's primary key, binary as hexadecimal digits.
        row: String,
        /// Which column, and what is wrong with it.
        problem: String,
    },
    /// The copy was compared with the source, and is not the same.
    #[error("table {0} is not the same in the copy: nothing was kept")]
    Different(String),
    /// A fault of one of the databases.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for CopyError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

/// Copies everything, or nothing. Blocks, for as long as it takes.
///
/// # Errors
/// As [`CopyError`] says; the target has no rows then.
pub fn copy(from: &Target, to: &Target) -> Result<Vec<Copied>, CopyError> {
    let mut source = Source::open(from)?;
    let tables = source.tables().to_vec();
    target::look(to, &tables)?;
    let mut copied = Vec::new();
    target::within(to, migrated(to)?, &tables, |target| {
        for table in &tables {
            copied.push(one(&mut source, table, |batch| target.insert(table, batch))?);
        }
        for (table, there) in tables.iter().zip(&copied) {
            tracing::info!(table = table.name, rows = there.rows, "comparing");
            if target.digest(table)? != source.digest(table) {
                return Err(CopyError::Different(table.name.clone()));
            }
        }
        Ok(())
    })?;
    Ok(copied)
}

/// Reads everything that would be copied, and asks the target whether it could take it; changes nothing.
///
/// # Errors
/// As [`CopyError`] says.
pub fn rehearse(from: &Target, to: &Target) -> Result<Vec<Copied>, CopyError> {
    let mut source = Source::open(from)?;
    let tables = source.tables().to_vec();
    target::look(to, &tables)?;
    tables
        .iter()
        .map(|table| one(&mut source, table, |_| Ok(())))
        .collect()
}

fn migrated(to: &Target) -> Result<super::Connection, CopyError> {
    let mut connection = to.connect()?;
    for version in migrate(&mut connection)? {
        tracing::info!(%version, "migrated the target");
    }
    Ok(connection)
}

fn one(
    source: &mut Source,
    table: &Table,
    mut take: impl FnMut(Batch) -> Result<(), CopyError>,
) -> Result<Copied, CopyError> {
    let (mut rows, mut told) = (0, Instant::now());
    source.batches(table, |batch| {
        rows += batch.rows() as u64;
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            tracing::info!(table = table.name, rows, "reading");
        }
        take(batch)
    })?;
    tracing::info!(table = table.name, rows, "read");
    Ok(Copied {
        table: table.name.clone(),
        rows,
    })
}
