//! The PostgreSQL database that is filled, in one transaction.

use diesel::connection::SimpleConnection;
use diesel::pg::{Pg, PgRowByRowLoadingMode};
use diesel::sql_types::{Array, Binary, Bool, Nullable, Text};
use diesel::{Connection as _, PgConnection, RunQueryDsl, sql_query, sql_types};

use super::cells::{Batch, Digest, Row, Values};
use super::tables::{self, Kind, Table};
use super::{CopyError, Target};
use crate::store::Connection;

/// Nobody waits at a screen for a copy.
const NO_HURRY: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/// The target within its transaction.
pub(super) struct Filling<'a> {
    connection: &'a mut PgConnection,
}

/// Runs `fill` in a transaction that keeps everybody else from writing.
///
/// # Errors
/// [`CopyError::Refused`] when it has rows or other tables, and those of `fill`; nothing is changed then.
pub(super) fn within(
    target: &Target,
    connection: Connection,
    tables: &[Table],
    fill: impl FnOnce(&mut Filling<'_>) -> Result<(), CopyError>,
) -> Result<(), CopyError> {
    let mut connection = postgres(target, connection)?;
    connection.batch_execute(NO_HURRY)?;
    connection.transaction(|connection| {
        tables::compare(tables, &tables::of_postgres(connection)?)?;
        for table in tables {
            // Against a server that starts on it meanwhile.
            connection.batch_execute(&format!("LOCK TABLE \"{}\" IN EXCLUSIVE MODE", table.name))?;
            must_be_empty(connection, table)?;
        }
        fill(&mut Filling { connection })
    })
}

/// Whether [`within`] would be possible, as far as can be told without a change.
///
/// # Errors
/// [`CopyError::Refused`] when it would not.
pub(super) fn look(target: &Target, tables: &[Table]) -> Result<(), CopyError> {
    if matches!(target, Target::Sqlite(_)) {
        return Err(no_postgres(target));
    }
    let pending = target.pending()?;
    let mut connection = postgres(target, target.connect()?)?;
    let there = tables::of_postgres(&mut connection)?;
    if pending.is_empty() {
        tables::compare(tables, &there)?;
    }
    for table in &there {
        if tables.iter().all(|ours| ours.name != table.name) {
            return Err(CopyError::Refused(format!(
                "the target has a table {} that is not ours: copy into a database that nothing else uses",
                table.name
            )));
        }
        must_be_empty(&mut connection, table)?;
    }
    Ok(())
}

fn no_postgres(target: &Target) -> CopyError {
    CopyError::Refused(format!(
        "copying is to PostgreSQL only, not to {}: --to postgres://user:password@host:port/database",
        target.shown()
    ))
}

fn postgres(target: &Target, connection: Connection) -> Result<PgConnection, CopyError> {
    match connection {
        Connection::Postgres(connection) => Ok(connection),
        Connection::Sqlite(_) => Err(no_postgres(target)),
    }
}

fn must_be_empty(connection: &mut PgConnection, table: &Table) -> Result<(), CopyError> {
    let found = sql_query(format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name)).execute(connection)?;
    if found > 0 {
        return Err(CopyError::Refused(format!(
            "table {} of the target has rows already: copy into an empty database",
            table.name
        )));
    }
    Ok(())
}

impl Filling<'_> {
    /// Adds rows.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn insert(&mut self, table: &Table, batch: Batch) -> Result<(), CopyError> {
        let parameters: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let kind = match column.kind {
                    Kind::Bytes => "bytea",
                    Kind::Text => "text",
                    // Smaller numbers are checked on their way into the column.
                    Kind::Number => "bigint",
                    Kind::Truth => "boolean",
                };
                format!("${}::{kind}[]", index + 1)
            })
            .collect();
        let query = format!(
            "INSERT INTO \"{}\" ({}) SELECT * FROM unnest({})",
            table.name,
            table.list(),
            parameters.join(", ")
        );
        let query = sql_query(query).into_boxed::<Pg>();
        let bound = batch
            .columns
            .into_iter()
            .fold(query, |query, values| match values {
                Values::Bytes(all) => query.bind::<Array<Nullable<Binary>>, _>(all),
                Values::Text(all) => query.bind::<Array<Nullable<Text>>, _>(all),
                Values::Number(all) => query.bind::<Array<Nullable<sql_types::BigInt>>, _>(all),
                Values::Truth(all) => query.bind::<Array<Nullable<Bool>>, _>(all),
            });
        bound.execute(self.connection)?;
        Ok(())
    }

    /// What a table holds.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn digest(&mut self, table: &Table) -> Result<Digest, CopyError> {
        let query = sql_query(format!("SELECT {} FROM \"{}\"", table.list(), table.name));
        let mut digest = Digest::default();
        for row in query.load_iter::<Row, PgRowByRowLoadingMode>(self.connection)? {
            digest.add(&row?);
        }
        Ok(digest)
    }
}
