//! Values between the databases: rows as they are read, columns as they are written, and their sum.

use diesel::deserialize::{self, QueryableByName};
use diesel::pg::{Pg, PgValue};
use diesel::row::{Field, NamedRow};
use diesel::sqlite::{Sqlite, SqliteType};
use sha2::{Digest as _, Sha256};

use super::tables::{Column, Kind, Table};

/// One value. Truths are 0 and 1, as SQLite keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
}

/// One row, in the order of its table's columns.
#[derive(Debug)]
pub(super) struct Row(pub(super) Vec<Cell>);

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let cell = |index| {
            let field = diesel::row::Row::get(row, index).ok_or("a column is missing")?;
            let Some(mut value) = field.value() else {
                return Ok(Cell::Null);
            };
            match value.value_type() {
                None => Ok(Cell::Null),
                Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
                    Ok(Cell::Number(value.read_long()))
                }
                Some(SqliteType::Binary) => Ok(Cell::Bytes(value.read_blob().to_vec())),
                Some(SqliteType::Text) => Ok(Cell::Text(value.read_text().to_owned())),
                Some(_) => Err("a number with a fraction".into()),
            }
        };
        (0..row.field_count())
            .map(cell)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl QueryableByName<Pg> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let cell = |index| {
            let field = diesel::row::Row::get(row, index).ok_or("a column is missing")?;
            field.value().map_or(Ok(Cell::Null), |value| of_postgres(&value))
        };
        (0..row.field_count())
            .map(cell)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// The binary format of PostgreSQL's protocol; the numbers are those of its types in `pg_type.dat`.
fn of_postgres(value: &PgValue<'_>) -> deserialize::Result<Cell> {
    let bytes = value.as_bytes();
    Ok(match value.get_oid().get() {
        16 => Cell::Number(i64::from(bytes.first().is_some_and(|byte| *byte != 0))),
        17 => Cell::Bytes(bytes.to_vec()),
        20 => Cell::Number(i64::from_be_bytes(bytes.try_into()?)),
        21 => Cell::Number(i64::from(i16::from_be_bytes(bytes.try_into()?))),
        23 => Cell::Number(i64::from(i32::from_be_bytes(bytes.try_into()?))),
        25 => Cell::Text(String::from_utf8(bytes.to_vec())?),
        other => return Err(format!("a value of type {other}").into()),
    })
}

impl Row {
    /// What would go wrong with this row in PostgreSQL, and the column.
    pub(super) fn fault(&self, table: &Table) -> Option<String> {
        let wrong = |(column, cell): (&Column, &Cell)| {
            let problem = match (column.kind, cell) {
                (_, Cell::Null) | (Kind::Bytes, Cell::Bytes(_)) | (Kind::Number, Cell::Number(_)) => {
                    return None;
                }
                (Kind::Truth, Cell::Number(0 | 1)) => return None,
                (Kind::Text, Cell::Text(text)) if text.contains('\0') => {
                    "holds the character NUL, which PostgreSQL refuses: change it first"
                }
                (Kind::Text, Cell::Text(_)) => return None,
                _ => "holds a value of another type",
            };
            Some(format!("column {} {problem}", column.name))
        };
        table.columns.iter().zip(&self.0).find_map(wrong)
    }

    /// The primary key, for people.
    pub(super) fn key(&self, table: &Table) -> String {
        let parts: Vec<String> = table
            .columns
            .iter()
            .zip(&self.0)
            .filter(|(column, _)| column.is_key)
            .map(|(column, cell)| {
                let value = match cell {
                    Cell::Null => "null".to_owned(),
                    Cell::Number(number) => number.to_string(),
                    Cell::Bytes(bytes) => hex::encode(bytes),
                    Cell::Text(text) => format!("{text:?}"),
                };
                format!("{} {value}", column.name)
            })
            .collect();
        parts.join(", ")
    }
}

/// How many rows, and the sum of their digests: the same in whatever order they come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digest {
    rows: u64,
    sum: u128,
}

impl Digest {
    pub(super) fn add(&mut self, row: &Row) {
        let mut hash = Sha256::new();
        for cell in &row.0 {
            match cell {
                Cell::Null => hash.update([0]),
                Cell::Number(number) => {
                    hash.update([1]);
                    hash.update(number.to_be_bytes());
                }
                Cell::Bytes(bytes) => {
                    hash.update([2]);
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
                Cell::Text(text) => {
                    hash.update([3]);
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text);
                }
            }
        }
        let hash: [u8; 32] = hash.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }
}

/// The values of one column.
#[derive(Debug)]
pub(super) enum Values {
    Bytes(Vec<Option<Vec<u8>>>),
    Text(Vec<Option<String>>),
    Number(Vec<Option<i64>>),
    Truth(Vec<Option<bool>>),
}

/// Rows that are written at once, column by column.
#[derive(Debug)]
pub(super) struct Batch {
    rows: usize,
    bytes: usize,
    pub(super) columns: Vec<Values>,
}

impl Batch {
    const ROWS: usize = 1_000;
    const BYTES: usize = 4 << 20;

    pub(super) fn new(table: &Table) -> Self {
        let empty = |column: &Column| match column.kind {
            Kind::Bytes => Values::Bytes(Vec::new()),
            Kind::Text => Values::Text(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Truth => Values::Truth(Vec::new()),
        };
        Self {
            rows: 0,
            bytes: 0,
            columns: table.columns.iter().map(empty).collect(),
        }
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) const fn is_full(&self) -> bool {
        self.rows >= Self::ROWS || self.bytes >= Self::BYTES
    }

    /// Adds a row without a [`Row::fault`].
    pub(super) fn push(&mut self, row: Row) {
        self.rows += 1;
        for (values, cell) in self.columns.iter_mut().zip(row.0) {
            self.bytes += match &cell {
                Cell::Bytes(bytes) => bytes.len(),
                Cell::Text(text) => text.len(),
                Cell::Null | Cell::Number(_) => 8,
            };
            match (values, cell) {
                (Values::Bytes(all), Cell::Bytes(bytes)) => all.push(Some(bytes)),
                (Values::Text(all), Cell::Text(text)) => all.push(Some(text)),
                (Values::Number(all), Cell::Number(number)) => all.push(Some(number)),
                (Values::Truth(all), Cell::Number(number)) => all.push(Some(number != 0)),
                (Values::Bytes(all), _) => all.push(None),
                (Values::Text(all), _) => all.push(None),
                (Values::Number(all), _) => all.push(None),
                (Values::Truth(all), _) => all.push(None),
            }
        }
    }
}
