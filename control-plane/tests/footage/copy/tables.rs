//! What a database holds, told without the code that copies.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    required: i64,
    #[diesel(sql_type = Nullable<Text>)]
    parent: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    parent_column: Option<String>,
}

fn lines(url: &str, query: &str) -> Vec<String> {
    let query = sql_query(query);
    let lines: Vec<Line> = match url.strip_prefix("sqlite:") {
        Some(path) => query.load(&mut SqliteConnection::establish(path).unwrap()),
        None => query.load(&mut PgConnection::establish(url).unwrap()),
    }
    .unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

/// Every table but that of the migrations, by name.
pub(super) fn names(url: &str) -> Vec<String> {
    let query = if url.starts_with("sqlite:") {
        "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    } else {
        "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'"
    };
    let mut names = lines(url, query);
    names.retain(|name| name != "__diesel_schema_migrations");
    names.sort();
    names
}

/// The rows of a table as text, sorted.
pub(super) fn dump(url: &str, table: &str) -> Vec<String> {
    let is_sqlite = url.starts_with("sqlite:");
    let columns = if is_sqlite {
        format!("SELECT name || ' ' || type AS line FROM pragma_table_info('{table}') ORDER BY name")
    } else {
        format!(
            "SELECT column_name || ' ' || data_type AS line FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY column_name COLLATE \"C\""
        )
    };
    let shown = |column: String| {
        let (name, kind) = column.split_once(' ').unwrap();
        let text = match kind.to_lowercase().as_str() {
            "blob" => format!("lower(hex(\"{name}\"))"),
            "bytea" => format!("encode(\"{name}\", 'hex')"),
            "boolean" if !is_sqlite => format!("CAST(CAST(\"{name}\" AS INTEGER) AS TEXT)"),
            _ => format!("CAST(\"{name}\" AS TEXT)"),
        };
        format!("'{name}=' || CASE WHEN \"{name}\" IS NULL THEN 'null' ELSE {text} END")
    };
    let parts: Vec<String> = lines(url, &columns).into_iter().map(shown).collect();
    let mut rows = lines(
        url,
        &format!("SELECT {} AS line FROM \"{table}\"", parts.join(" || '; ' || ")),
    );
    rows.sort();
    rows
}

/// Puts two rows into every table of SQLite that has none: one with every column, one with the required.
pub(super) fn fill(url: &str) {
    let path = url.trim_start_matches("sqlite:");
    let mut connection = SqliteConnection::establish(path).unwrap();
    connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    let mut left = names(url);
    while !left.is_empty() {
        let before = left.len();
        left.retain(|table| {
            let is_filled = super::database::count(url, &format!("\"{table}\"")) > 0
                || (insert(&mut connection, table, false) && insert(&mut connection, table, true));
            !is_filled
        });
        assert!(left.len() < before, "nobody can fill {left:?}");
    }
}

fn insert(connection: &mut SqliteConnection, table: &str, is_sparse: bool) -> bool {
    let query = format!(
        "SELECT c.name, c.type AS kind, c.\"notnull\" AS required, f.\"table\" AS parent, f.\"to\" AS parent_column \
         FROM pragma_table_info('{table}') c LEFT JOIN pragma_foreign_key_list('{table}') f ON f.\"from\" = c.name"
    );
    let columns: Vec<Column> = sql_query(query).load(connection).unwrap();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in columns.iter().filter(|column| !is_sparse || column.required != 0) {
        names.push(format!("\"{}\"", column.name));
        values.push(match (&column.parent, column.kind.as_str()) {
            (Some(parent), _) => format!(
                "(SELECT \"{}\" FROM \"{parent}\" ORDER BY random() LIMIT 1)",
                column.parent_column.as_deref().unwrap_or("id")
            ),
            (None, "BLOB") => "randomblob(16)".to_owned(),
            (None, "TEXT") => "'Zoë ✓ \"\\'' , {} ' || hex(randomblob(4))".to_owned(),
            (None, "BOOLEAN") => "abs(random()) % 2".to_owned(),
            (None, "SMALLINT") => "-32768 + abs(random()) % 65536".to_owned(),
            (None, "INTEGER") => "abs(random()) % 2147483648".to_owned(),
            (None, "BIGINT") => "random()".to_owned(),
            (None, other) => panic!("{other}"),
        });
    }
    let query = format!(
        "INSERT INTO \"{table}\" ({}) VALUES ({})",
        names.join(", "),
        values.join(", ")
    );
    sql_query(query).execute(connection).is_ok()
}
