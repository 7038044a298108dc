//! Migrations of a database that is full: each goes down and up again by itself, and keeps what it can.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use control_plane::store::{Connection, Store, StoreError};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::filler::Filler;
use crate::raw;
use crate::support::database;

/// What a database holds: tables with their columns, and the rows of each.
struct Picture {
    schema: BTreeSet<String>,
    columns: BTreeMap<String, BTreeSet<String>>,
}

impl Picture {
    fn of(connection: &mut Connection) -> Result<Self, StoreError> {
        let mut columns = BTreeMap::new();
        for table in raw::tables(connection)? {
            let names = raw::columns(connection, &table)?
                .into_iter()
                .map(|column| column.name);
            columns.insert(table, names.collect());
        }
        Ok(Self {
            schema: raw::schema(connection)?,
            columns,
        })
    }

    /// The columns of each table that `other` has, too.
    fn common(&self, other: &Self) -> BTreeMap<String, BTreeSet<String>> {
        let both = self.columns.iter().filter_map(|(table, columns)| {
            let shared: BTreeSet<String> = columns.intersection(other.columns.get(table)?).cloned().collect();
            (!shared.is_empty()).then(|| (table.clone(), shared))
        });
        both.collect()
    }
}

type Rows = BTreeMap<String, Vec<String>>;

fn rows(
    connection: &mut Connection,
    columns: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Rows, StoreError> {
    let mut all = Rows::new();
    for (table, columns) in columns {
        all.insert(table.clone(), raw::rows(connection, table, columns)?);
    }
    Ok(all)
}

/// Applies the next migration or takes the last one back; its name.
fn step(connection: &mut Connection, up: bool) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let source = |name| FileBasedMigrations::from_path(folder.join(name)).unwrap();
    let version = match (connection, up) {
        (Connection::Sqlite(c), true) => c.run_next_migration(source("sqlite")),
        (Connection::Sqlite(c), false) => c.revert_last_migration(source("sqlite")),
        (Connection::Postgres(c), true) => c.run_next_migration(source("postgres")),
        (Connection::Postgres(c), false) => c.revert_last_migration(source("postgres")),
    };
    version.unwrap().to_string()
}

/// Takes the last migration back, applies it and takes it back once more.
fn down_up_down(connection: &mut Connection) -> Result<String, StoreError> {
    let before = Picture::of(connection)?;
    for (table, rows) in rows(connection, &before.columns)? {
        assert!(!rows.is_empty(), "{table} is in the test");
    }
    let name = down_once(connection, &before)?;
    let below = Picture::of(connection)?;
    let common = before.common(&below);
    let kept = rows(connection, &common)?;

    step(connection, true);
    let again = Picture::of(connection)?;
    assert_eq!(
        again.schema, before.schema,
        "{name}: the schema after down and up"
    );
    assert_eq!(rows(connection, &common)?, kept, "{name}: rows on the way up");

    step(connection, false);
    let once_more = Picture::of(connection)?;
    assert_eq!(
        once_more.schema, below.schema,
        "{name}: the schema after down, up and down"
    );
    assert_eq!(
        rows(connection, &common)?,
        kept,
        "{name}: rows on the second way down"
    );
    Ok(name)
}

/// Takes the last migration back: what remains of tables and columns keeps its rows.
fn down_once(connection: &mut Connection, before: &Picture) -> Result<String, StoreError> {
    // Which columns will be left is known only afterwards, so each is read by itself.
    let each = |connection: &mut Connection, columns: &BTreeMap<String, BTreeSet<String>>| {
        let mut all = BTreeMap::new();
        for (table, columns) in columns {
            for column in columns {
                let one = BTreeSet::from([column.clone()]);
                let rows = raw::rows(connection, table, &one)?;
                all.insert((table.clone(), column.clone()), rows);
            }
        }
        Ok::<_, StoreError>(all)
    };
    let mut full = each(connection, &before.columns)?;
    let name = step(connection, false);
    let after = Picture::of(connection)?;
    let left = each(connection, &before.common(&after))?;
    full.retain(|column, _| left.contains_key(column));
    assert_eq!(left, full, "{name}: rows on the way down");
    Ok(name)
}

#[tokio::test]
async fn each_goes_down_and_up_on_a_full_database() {
    let dir = tempfile::tempdir().unwrap();
    for url in [
        format!("sqlite:{}", dir.path().join("x.sqlite").display()),
        database::postgres(),
    ] {
        let store = Store::open(&url).unwrap();
        // On a busy machine it takes longer than anybody at a screen would wait.
        let names = store
            .patient()
            .read(|c| {
                Filler::new(1).fill(c)?;
                Filler::new(2).fill(c)?;
                Filler::new(3).fill_shared(c)?;
                let top = Picture::of(c)?;
                let mut names = Vec::new();
                while !Picture::of(c)?.columns.is_empty() {
                    names.push(down_up_down(c)?);
                }
                for name in names.iter().rev() {
                    assert_eq!(&step(c, true), name);
                }
                assert_eq!(Picture::of(c)?.schema, top.schema, "the schema after all of them");
                Filler::new(4).fill(c)?;
                Ok(names)
            })
            .await
            .unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        assert_eq!(
            names.len(),
            std::fs::read_dir(folder).unwrap().count(),
            "{names:?}"
        );
        drop(store);
        Store::open(&url).unwrap();
    }
}
