//! A bounded number of connections, each used on a blocking thread.
//!
//! Whoever waits for a connection holds no thread, and nobody waits for a database that is gone: a
//! connection is made when one is needed, and its failure is told at once. A connection that broke, or
//! whose transaction did not end, is never lent again; after a failure the idle ones are not trusted
//! either. So the pool recovers with the database, without a restart.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::{SimpleConnection, TransactionManager};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::target::{PATIENCE, Target, limit};
use super::{Connection, StoreError};

/// An idle connection is asked whether it lives after this long.
const FRESH: Duration = Duration::from_secs(1);
/// Connections are renewed after this long: their server's memory for plans only grows.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// Connections to one database.
pub(super) struct Pool {
    target: Target,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Pooled>>,
}

struct Pooled {
    connection: Connection,
    made: Instant,
    used: Instant,
    patience: Duration,
}

/// The right to one connection.
pub(super) struct Turn {
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(target: Target, size: usize) -> Arc<Self> {
        Arc::new(Self {
            target,
            permits: Arc::new(Semaphore::new(size)),
            idle: Mutex::new(Vec::with_capacity(size)),
        })
    }

    /// Waits for a connection to be free until `deadline`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none became free.
    pub(super) async fn turn(self: &Arc<Self>, deadline: tokio::time::Instant) -> Result<Turn, StoreError> {
        let permit = tokio::time::timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Turn {
                pool: Arc::clone(self),
                _permit: permit,
            }),
            _ => Err(StoreError::Unavailable(
                "every connection is in use for too long".to_owned(),
            )),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Pooled>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self, patience: Duration) -> Result<Pooled, StoreError> {
        let mut pooled = match self.fresh() {
            Some(pooled) => pooled,
            None => Pooled {
                connection: self.target.connect()?,
                made: Instant::now(),
                used: Instant::now(),
                patience: PATIENCE,
            },
        };
        if pooled.patience != patience {
            limit(&mut pooled.connection, patience)?;
            pooled.patience = patience;
        }
        Ok(pooled)
    }

    fn fresh(&self) -> Option<Pooled> {
        let mut pooled = self.idle().pop()?;
        if pooled.used.elapsed() < FRESH || is_alive(&mut pooled.connection) {
            return Some(pooled);
        }
        self.idle().clear();
        None
    }

    fn take_back(&self, mut pooled: Pooled) {
        if pooled.made.elapsed() < LIFE {
            pooled.used = Instant::now();
            self.idle().push(pooled);
        }
    }
}

impl Turn {
    /// Runs `f` on a connection whose statements take at most `patience`. Blocks.
    ///
    /// A panic of `f` takes the connection with it, and so its transaction back.
    ///
    /// # Errors
    /// Those of `f`; [`StoreError::Unavailable`] when there is no connection, or it was lost meanwhile.
    pub(super) fn run<T, E: From<StoreError> + std::fmt::Display>(
        self,
        patience: Duration,
        f: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut pooled = self.pool.lend(patience)?;
        let outcome = f(&mut pooled.connection);
        let is_whole = !has_open_transaction(&mut pooled.connection);
        match outcome {
            Ok(value) => {
                if is_whole {
                    self.pool.take_back(pooled);
                }
                Ok(value)
            }
            Err(error) if !is_alive(&mut pooled.connection) => {
                self.pool.idle().clear();
                Err(StoreError::Unavailable(format!("the connection was lost: {error}")).into())
            }
            Err(error) => {
                if is_whole {
                    self.pool.take_back(pooled);
                }
                Err(error)
            }
        }
    }
}

fn is_alive(connection: &mut Connection) -> bool {
    match connection {
        // A file does not go away; whether it can be used shows when it is.
        Connection::Sqlite(_) => true,
        Connection::Postgres(c) => c.batch_execute("SELECT 1").is_ok(),
    }
}

fn has_open_transaction(connection: &mut Connection) -> bool {
    <Connection as diesel::Connection>::TransactionManager::is_broken_transaction_manager(connection)
}
