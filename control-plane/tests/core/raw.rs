//! The database behind the server's back, on SQLite and PostgreSQL alike.

use std::collections::{BTreeMap, BTreeSet};

use control_plane::store::{Connection, Store, StoreError};
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// A column of a table.
pub(crate) struct Column {
    pub(crate) name: String,
    /// As the database calls it, in lower case.
    pub(crate) kind: String,
}

fn lines(connection: &mut Connection, query: &str) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Line> = match connection {
        Connection::Sqlite(c) => sql_query(query).load(c)?,
        Connection::Postgres(c) => sql_query(query).load(c)?,
    };
    Ok(rows.into_iter().map(|row| row.line).collect())
}

/// Runs statements as one transaction.
pub(crate) async fn execute(store: &Store, statements: String) -> Result<(), StoreError> {
    store.write(move |c| Ok(c.batch_execute(&statements)?)).await
}

/// Bytes as this database writes them.
pub(crate) fn bytes(connection: &Connection, bytes: &[u8]) -> String {
    match connection {
        Connection::Sqlite(_) => format!("x'{}'", hex::encode(bytes)),
        Connection::Postgres(_) => format!("'\\x{}'::bytea", hex::encode(bytes)),
    }
}

/// Every table that holds data.
pub(crate) fn tables(connection: &mut Connection) -> Result<BTreeSet<String>, StoreError> {
    let query = match connection {
        Connection::Sqlite(_) => {
            "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        }
        Connection::Postgres(_) => {
            "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = current_schema()"
        }
    };
    let names = lines(connection, query)?.into_iter();
    Ok(names.filter(|name| !name.starts_with("__diesel")).collect())
}

/// The columns of a table.
pub(crate) fn columns(connection: &mut Connection, table: &str) -> Result<Vec<Column>, StoreError> {
    let query = match connection {
        Connection::Sqlite(_) => {
            format!("SELECT name || ' ' || type AS line FROM pragma_table_info('{table}') ORDER BY cid")
        }
        Connection::Postgres(_) => format!(
            "SELECT column_name || ' ' || data_type AS line FROM information_schema.columns \
             WHERE table_name = '{table}' AND table_schema = current_schema() ORDER BY ordinal_position"
        ),
    };
    let columns = lines(connection, &query)?.into_iter().map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        Column {
            name: name.to_owned(),
            kind: kind.to_lowercase(),
        }
    });
    Ok(columns.collect())
}

/// Every row of every table, as text in lower case with bytes in hexadecimal.
pub(crate) fn dump(connection: &mut Connection) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let mut all = BTreeMap::new();
    for table in tables(connection)? {
        let query = if matches!(connection, Connection::Sqlite(_)) {
            let columns = columns(connection, &table)?.into_iter();
            let quoted: Vec<String> = columns
                .map(|column| format!("quote(\"{}\")", column.name))
                .collect();
            format!(
                "SELECT lower({}) AS line FROM \"{table}\"",
                quoted.join(" || '|' || ")
            )
        } else {
            format!("SELECT lower(CAST(ROW(t.*) AS text)) AS line FROM \"{table}\" t")
        };
        all.insert(table, lines(connection, &query)?.into_iter().collect());
    }
    Ok(all)
}
