//! Everything that is kept: the only module that knows SQL.
//!
//! The same code runs on SQLite and PostgreSQL. Callers hand over and get plain structs. Functions on a connection compose into one transaction;
//! [`Store::read`] and [`Store::write`] run them on blocking threads. Each tenant query takes the
//! organization first. Nothing here decides anything, and no transaction waits for a network.

pub mod access;
pub mod assigned;
pub mod assignments;
pub mod audit;
pub mod cameras;
pub mod completeness;
mod connection;
pub mod copy;
pub mod days;
pub mod doomed;
pub mod enrolment;
pub mod erase;
pub mod erased_nodes;
pub mod erasures;
pub mod events;
pub mod excess;
pub mod factors;
pub mod facts;
pub mod failures;
pub mod gaps;
pub mod grants;
pub mod groups;
pub mod holds;
pub mod idempotency;
pub mod inspect;
pub mod jobs;
pub mod lease;
pub mod licences;
mod like;
pub mod members;
mod migrate;
pub mod nodes;
pub mod objects;
pub mod one_time;
pub mod organizations;
pub mod overrides;
pub mod person;
mod pool;
pub mod recordings;
pub mod registry;
mod run;
mod schema;
pub mod sealed;
pub mod service_keys;
pub mod sessions;
mod target;
pub mod types;
pub mod users;
pub mod windows;

pub use cameras::CameraRow;
pub use days::CameraDay;
pub use migrate::{down_and_up_again, migrate};
pub use objects::ObjectRow;

pub use run::{Store, transaction};
pub use target::Target;

/// The connection type of every query.
pub type Connection = connection::AnyConnection;
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
    /// Another server does this task by now.
    #[error("the task {0} is another server's")]
    Fenced(&'static str),
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
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            )
            | Error::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            // The databases' own codes are lost on the way; their texts are stable.
            Error::DatabaseError(DatabaseErrorKind::Unknown, info) if is_passing(info.message()) => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Broken(error.to_string()),
        }
    }
}

fn is_passing(message: &str) -> bool {
    const SQLITE: [&str; 7] = [
        "locked",
        "busy",
        "disk I/O error",
        "full",
        "unable to open",
        "readonly",
        "no such table",
    ];
    const POSTGRES: [&str; 9] = [
        "server closed the connection",
        "connection",
        "terminating",
        "the database system is",
        "lock timeout",
        "statement timeout",
        "No space left",
        "could not extend file",
        "out of memory",
    ];
    SQLITE.iter().chain(&POSTGRES).any(|text| message.contains(text))
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
