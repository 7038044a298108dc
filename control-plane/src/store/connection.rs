//! One connection type for both databases.

use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// A connection to whichever database there is.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// `postgres://…`
    Postgres(PgConnection),
    /// `sqlite:<path>`
    Sqlite(SqliteConnection),
}
