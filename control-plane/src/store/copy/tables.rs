//! Which tables there are, their columns, and in which order they can be filled.

use std::collections::BTreeSet;

use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::CopyError;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether it is part of the primary key.
    pub(super) is_key: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Bytes,
    Text,
    Number,
    Truth,
}

impl Table {
    /// `"a", "b"`: the columns in their order.
    pub(super) fn list(&self) -> String {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        names.join(", ")
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    part_of_key: i64,
}

#[derive(QueryableByName)]
struct Edge {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// The tables of SQLite, every one after those that it refers to.
///
/// # Errors
/// [`CopyError::Refused`] for a type that is not known here, or tables that refer to each other.
pub(super) fn of_sqlite(connection: &mut SqliteConnection) -> Result<Vec<Table>, CopyError> {
    let columns = sql_query(
        "SELECT t.name AS of, c.name AS name, c.type AS kind, c.pk AS part_of_key \
         FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' \
         AND t.name <> '__diesel_schema_migrations' ORDER BY t.name, c.cid",
    )
    .load(connection)?;
    let edges = sql_query(
        "SELECT t.name AS of, f.\"table\" AS name FROM sqlite_master t \
         JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
    )
    .load(connection)?;
    ordered(grouped(columns)?, &edges)
}

/// The tables of PostgreSQL, in no order.
///
/// # Errors
/// [`CopyError::Refused`] for a type that is not known here.
pub(super) fn of_postgres(connection: &mut PgConnection) -> Result<Vec<Table>, CopyError> {
    let columns = sql_query(
        "SELECT t.relname::text AS of, c.attname::text AS name, \
         format_type(c.atttypid, NULL) AS kind, \
         COALESCE(c.attnum = ANY (k.conkey), false)::int::bigint AS part_of_key \
         FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped \
         LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p' \
         WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace \
         AND t.relname <> '__diesel_schema_migrations' ORDER BY t.relname, c.attnum",
    )
    .load(connection)?;
    grouped(columns)
}

/// Whether both have the same tables with the same columns.
///
/// # Errors
/// [`CopyError::Refused`] naming a table that differs.
pub(super) fn compare(ours: &[Table], theirs: &[Table]) -> Result<(), CopyError> {
    let sorted = |tables: &[Table]| -> BTreeSet<(String, Vec<Column>)> {
        let one = |table: &Table| {
            let mut columns = table.columns.clone();
            columns.sort();
            (table.name.clone(), columns)
        };
        tables.iter().map(one).collect()
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    match ours.symmetric_difference(&theirs).next() {
        None => Ok(()),
        Some((name, _)) => Err(CopyError::Refused(format!(
            "table {name} is not the same in both databases: use a database that nothing else uses"
        ))),
    }
}

fn grouped(rows: Vec<ColumnRow>) -> Result<Vec<Table>, CopyError> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let kind = match row.kind.to_ascii_lowercase().as_str() {
            "blob" | "bytea" => Kind::Bytes,
            "text" => Kind::Text,
            "bigint" | "integer" | "smallint" => Kind::Number,
            "boolean" => Kind::Truth,
            other => {
                return Err(CopyError::Refused(format!(
                    "column {} of table {} has the type {other}, which this program does not use",
                    row.name, row.of
                )));
            }
        };
        let column = Column {
            name: row.name,
            kind,
            is_key: row.part_of_key > 0,
        };
        match tables.last_mut().filter(|table| table.name == row.of) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table {
                name: row.of,
                columns: vec![column],
            }),
        }
    }
    Ok(tables)
}

fn ordered(mut tables: Vec<Table>, edges: &[Edge]) -> Result<Vec<Table>, CopyError> {
    let mut done: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &Table, left: &[Table]| {
            edges
                .iter()
                .filter(|edge| edge.of == table.name && edge.name != table.name)
                .any(|edge| left.iter().any(|other| other.name == edge.name))
        };
        let (waiting, free): (Vec<Table>, Vec<Table>) =
            tables.iter().cloned().partition(|table| waits(table, &tables));
        if free.is_empty() {
            return Err(CopyError::Refused(format!(
                "table {} and others refer to each other",
                waiting[0].name
            )));
        }
        done.extend(free);
        tables = waiting;
    }
    Ok(done)
}
