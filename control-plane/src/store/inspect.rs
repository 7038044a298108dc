//! What kind of database there is, for an operator who is about to use it. Changes nothing.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use wire::UnixMs;

use super::{Connection, StoreError, Target};

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspection {
    /// SQLite, which is part of this program.
    Sqlite {
        /// Such as `3.50.4`.
        version: String,
    },
    /// A server.
    Postgres(Server),
}

/// What a PostgreSQL server says of itself and of our account there.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Server {
    /// Such as `15.14`.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// 150014 for 15.14.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// Of the database; `UTF8` unless it was made otherwise.
    #[diesel(sql_type = Text)]
    pub encoding: String,
    /// The language of errors.
    #[diesel(sql_type = Text)]
    pub messages: String,
    /// Whether it takes no changes now: a standby, or set so.
    #[diesel(sql_type = Bool)]
    pub is_read_only: bool,
    /// Whether our account may make tables; nothing when there is no schema for them.
    #[diesel(sql_type = Nullable<Bool>)]
    pub may_create: Option<bool>,
    #[diesel(sql_type = BigInt)]
    clock_ms: i64,
}

impl Server {
    /// Its clock.
    #[must_use]
    pub const fn clock(&self) -> UnixMs {
        UnixMs(self.clock_ms)
    }
}

impl Target {
    /// Asks the database what it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached.
    pub fn inspect(&self) -> Result<Inspection, StoreError> {
        #[derive(QueryableByName)]
        struct Version {
            #[diesel(sql_type = Text)]
            version: String,
        }
        match self.connect()? {
            Connection::Sqlite(mut c) => {
                let Version { version } =
                    sql_query("SELECT sqlite_version() AS version").get_result(&mut c)?;
                Ok(Inspection::Sqlite { version })
            }
            Connection::Postgres(mut c) => Ok(Inspection::Postgres(
                sql_query(
                    "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, \
                     current_setting('server_version_num')::bigint AS number, \
                     current_setting('server_encoding') AS encoding, \
                     current_setting('lc_messages') AS messages, \
                     current_setting('transaction_read_only')::bool OR pg_is_in_recovery() AS is_read_only, \
                     has_schema_privilege(current_schema(), 'CREATE') AS may_create, \
                     (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS clock_ms",
                )
                .get_result(&mut c)?,
            )),
        }
    }
}
