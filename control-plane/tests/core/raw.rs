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

/// Rows of a table, as text, of these columns only; in order.
pub(crate) fn rows(
    connection: &mut Connection,
    table: &str,
    columns: &BTreeSet<String>,
) -> Result<Vec<String>, StoreError> {
    let quote = |name: &String| match connection {
        Connection::Sqlite(_) => format!("quote(\"{name}\")"),
        Connection::Postgres(_) => format!("coalesce(CAST(\"{name}\" AS text), 'NULL')"),
    };
    let columns: Vec<String> = columns.iter().map(quote).collect();
    let columns = columns.join(" || '|' || ");
    let mut rows = lines(connection, &format!("SELECT {columns} AS line FROM \"{table}\""))?;
    rows.sort();
    Ok(rows)
}

/// What the database says of its tables: columns, keys, indices, triggers and functions, a line each.
/// The names of keys are left out: they depend on the way that led here.
pub(crate) fn schema(connection: &mut Connection) -> Result<BTreeSet<String>, StoreError> {
    let queries: &[&str] = match connection {
        Connection::Sqlite(_) => &[
            "SELECT m.name || ' column ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' ||
                coalesce(c.dflt_value, '-') || ' ' || c.pk AS line
             FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
            "SELECT m.name || ' key ' || k.\"from\" || ' ' || k.\"table\" || ' ' || k.\"to\" || ' ' || k.on_delete AS line
             FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'",
            "SELECT m.name || ' unique ' || i.\"unique\" || ' ' ||
                (SELECT group_concat(coalesce(x.name, '-')) FROM pragma_index_info(i.name) x) AS line
             FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table'",
            "SELECT m.name || ' rowid ' || t.wr AS line FROM sqlite_master m, pragma_table_list(m.name) t
             WHERE m.type = 'table'",
            "SELECT type || ' ' || sql AS line FROM sqlite_master WHERE type IN ('index', 'trigger', 'view')
             AND sql IS NOT NULL",
        ],
        Connection::Postgres(_) => &[
            "SELECT table_name || ' column ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||
                coalesce(column_default, '-') AS line
             FROM information_schema.columns WHERE table_schema = current_schema()",
            "SELECT conrelid::regclass::text || ' ' || contype::text || ' ' || pg_get_constraintdef(oid) AS line
             FROM pg_constraint WHERE connamespace = current_schema()::regnamespace",
            "SELECT pg_get_indexdef(i.indexrelid) AS line FROM pg_index i
             JOIN pg_class c ON c.oid = i.indexrelid
             WHERE c.relnamespace = current_schema()::regnamespace
             AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
            "SELECT pg_get_triggerdef(oid) AS line FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT pg_get_functiondef(oid) AS line FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
        ],
    };
    let mut all = BTreeSet::new();
    for query in queries {
        all.extend(lines(connection, query)?);
    }
    Ok(all)
}
