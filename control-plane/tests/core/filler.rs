//! Random rows in every table.

use std::collections::HashMap;

use control_plane::store::{Connection, StoreError};
use diesel::connection::SimpleConnection;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::raw;

/// Every table, in an order in which rows can be added. A new table needs its place here and in
/// `store::erase`.
pub(crate) const TABLES: [&str; 35] = [
    "organization",
    "user",
    "session",
    "refresh_token",
    "recovery_code",
    "one_time_token",
    "login_failure",
    "service_key",
    "camera_group",
    "node",
    "camera",
    "assignment",
    "plan",
    "object",
    "gap",
    "camera_day",
    "recording_window",
    "refused",
    "access_grant",
    "licence",
    "licence_excess",
    "recording_job",
    "recording_hold",
    "erasure",
    "erasure_node",
    "audit",
    "idempotency",
    "enrolment_token",
    "recording_override",
    "recording",
    "completeness",
    "event",
    "lease",
    "doomed_object",
    "erased_node",
];

/// Those whose rows are nobody's.
pub(crate) const SHARED: [&str; 3] = ["doomed_object", "erased_node", "lease"];

/// Adds random rows of one organization to every table.
pub(crate) struct Filler {
    random: StdRng,
    pub(crate) organization: [u8; 16],
    /// By table.
    pub(crate) ids: HashMap<String, Vec<[u8; 16]>>,
    logins: Vec<String>,
}

impl Filler {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        Self {
            organization: random.random(),
            random,
            ids: HashMap::new(),
            logins: Vec::new(),
        }
    }

    /// Rows that are the organization's.
    pub(crate) fn fill(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        self.add(connection, |table| !SHARED.contains(&table))
    }

    /// Rows that are nobody's.
    pub(crate) fn fill_shared(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        self.add(connection, |table| SHARED.contains(&table))
    }

    fn add(&mut self, connection: &mut Connection, wanted: fn(&str) -> bool) -> Result<(), StoreError> {
        for table in TABLES.into_iter().filter(|table| wanted(table)) {
            let columns = raw::columns(connection, table)?;
            let rows = match table {
                "organization" => 1,
                "login_failure" => self.logins.len(),
                "plan" => self.ids["node"].len(),
                "erasure_node" => self.ids["erasure"].len(),
                _ => self.random.random_range(1..4),
            };
            for row in 0..rows {
                let names: Vec<String> = columns
                    .iter()
                    .map(|column| format!("\"{}\"", column.name))
                    .collect();
                let values: Vec<String> = columns
                    .iter()
                    .map(|column| self.value(connection, table, column, row))
                    .collect();
                let (names, values) = (names.join(", "), values.join(", "));
                connection.batch_execute(&format!("INSERT INTO \"{table}\" ({names}) VALUES ({values})"))?;
            }
        }
        Ok(())
    }

    fn value(&mut self, connection: &Connection, table: &str, column: &raw::Column, row: usize) -> String {
        let name = column.name.as_str();
        let of = match (table, name) {
            ("organization", "id") | (_, "organization") => {
                return raw::bytes(connection, &self.organization);
            }
            ("plan", "node") | ("licence", "camera") | ("erasure_node", "erasure") => {
                return self.nth(connection, name, row);
            }
            (_, "created_by") => "user",
            ("idempotency", "actor") => "user",
            ("refresh_token", "family") => "session",
            (_, "id") => {
                let id: [u8; 16] = self.random.random();
                self.ids.entry(table.to_owned()).or_default().push(id);
                return raw::bytes(connection, &id);
            }
            ("login_failure", "login") => return format!("'{}'", self.logins[row]),
            (_, other) => other,
        };
        if let Some(ids) = self.ids.get(of) {
            let id = ids[self.random.random_range(0..ids.len())];
            return raw::bytes(connection, &id);
        }
        self.plain(connection, table, column)
    }

    fn nth(&self, connection: &Connection, table: &str, row: usize) -> String {
        match self.ids[table].get(row) {
            Some(id) => raw::bytes(connection, id),
            None => "NULL".to_owned(),
        }
    }

    fn plain(&mut self, connection: &Connection, table: &str, column: &raw::Column) -> String {
        let number = self.random.random_range(0..1_000_000_000_000_i64);
        match column.kind.as_str() {
            "blob" | "bytea" => raw::bytes(connection, &self.random.random::<[u8; 16]>()),
            "text" => {
                let text = format!("text {number} of {}", hex::encode(self.organization));
                if (table, column.name.as_str()) == ("user", "login") {
                    self.logins.push(text.clone());
                }
                format!("'{text}'")
            }
            "bigint" => number.to_string(),
            "integer" => (number % 1_000).to_string(),
            "smallint" => "0".to_owned(),
            "boolean" => "FALSE".to_owned(),
            other => panic!("{table}.{}: a column of {other}", column.name),
        }
    }
}
