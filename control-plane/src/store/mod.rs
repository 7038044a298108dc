//! Everything that is kept: the only module that knows SQL.
//!
//! Callers hand over and get plain structs. Functions on a connection compose into one transaction;
//! [`Store::read`] and [`Store::write`] run them on blocking threads. Each tenant query takes the
//! organization first. Nothing here decides anything, and no transaction waits for a network.

pub mod cameras;
pub mod days;
pub mod events;
pub mod gaps;
mod migrate;
pub mod nodes;
pub mod objects;
pub mod organizations;
mod pool;
mod schema;
pub mod sessions;
pub mod types;
pub mod users;
pub mod windows;

pub use cameras::CameraRow;
pub use days::CameraDay;
pub use migrate::{down_and_up_again, migrate};
pub use objects::ObjectRow;
pub(crate) use pool::sqlite_path;
pub use pool::{Connection, Store};
pub use types::ObjectState;

/// The store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, locked for too long, disk full: the same call may work later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A row that must be unique is there already.
    #[error("already there: {0}")]
    Conflict(String),
    /// A stored value cannot be read, or a query is wrong: needs an operator.
    #[error("the database answered wrongly: {0}")]
    Broken(String),
}

impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind, Error};
        match &error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Conflict(info.message().to_owned())
            }
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => {
                Self::Unavailable(error.to_string())
            }
            // SQLite's own codes are lost on the way; its texts are stable (sqlite3ErrStr).
            Error::DatabaseError(DatabaseErrorKind::Unknown, info) if is_passing(info.message()) => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Broken(error.to_string()),
        }
    }
}

fn is_passing(message: &str) -> bool {
    [
        "locked",
        "busy",
        "disk I/O error",
        "full",
        "unable to open",
        "readonly",
        "no such table",
    ]
    .iter()
    .any(|text| message.contains(text))
}

impl From<wire::segment::DamagedTable> for StoreError {
    fn from(error: wire::segment::DamagedTable) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}
