//! Runs queries: readers beside each other, one transaction that changes data at a time.
//!
//! One transaction changes data at a time, on both databases: SQLite works so by itself, and on PostgreSQL
//! every writing transaction begins with one advisory lock, which also orders the writers of several
//! servers. What is read inside a transaction is therefore still true when it commits, and the same code
//! is right on both. Readers never wait for it.
//!
//! Nobody waits longer than the store's patience. Whoever is told that the database is not available can
//! rely on nothing having been changed, unless the commit itself was not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::pool::Pool;
use super::target::{PATIENCE, Target};
use super::{Connection, StoreError, facts};

const READERS: usize = 8;
/// For work that nobody waits for at a screen.
const BACKGROUND: Duration = Duration::from_secs(30);
/// How long a commit that is under way is waited for beyond the patience.
const COMMIT: Duration = Duration::from_secs(5);
/// Taken by every writing transaction on PostgreSQL ("CLOUDCAM" in ASCII).
const WRITER_LOCK: i64 = 0x434c_4f55_4443_414d;

/// The database; clones share it.
#[derive(Clone)]
pub struct Store {
    writer: Arc<Pool>,
    readers: Arc<Pool>,
    patience: Duration,
    /// Counts transactions that told facts.
    told: Arc<watch::Sender<u64>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens a database, creating the file of SQLite, and migrates it. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Broken`] for a wrong address or a failed migration, [`StoreError::Unavailable`] when
    /// it cannot be reached.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        for version in super::migrate(&mut target.connect()?)? {
            tracing::info!(%version, "migrated the database");
        }
        Ok(Self {
            writer: Pool::new(target.clone(), 1),
            readers: Pool::new(target, READERS),
            patience: PATIENCE,
            told: Arc::default(),
        })
    }

    /// The same database for work that nobody waits for: it may take 30 s instead of 5 s.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self {
            patience: BACKGROUND,
            ..self.clone()
        }
    }

    /// Runs queries that change nothing.
    ///
    /// # Errors
    /// Those of `f`, and [`StoreError::Unavailable`] without an answer in time.
    pub async fn read<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.call(&self.readers, |c, _| f(c)).await
    }

    /// Runs `f` as one transaction: all of it or nothing.
    ///
    /// # Errors
    /// Those of `f`, and [`StoreError::Unavailable`] without an answer in time.
    pub async fn write<T, F>(&self, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let told = Arc::clone(&self.told);
        self.call(&self.writer, move |c, fate| telling(&told, || settle(c, f, fate)))
            .await
    }

    /// Runs a use case as one transaction: an error of any kind takes everything back.
    ///
    /// # Errors
    /// Those of `f`, and `Unavailable` without an answer in time.
    pub async fn transaction<T, F>(&self, f: F) -> Result<T, crate::Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, crate::Error> + Send + 'static,
    {
        let told = Arc::clone(&self.told);
        self.call(&self.writer, move |c, fate| telling(&told, || settle(c, f, fate)))
            .await
    }

    /// Changes with each commit of this process that told facts.
    #[must_use]
    pub fn told(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    /// Like [`Store::read`], for a use case that reads.
    ///
    /// # Errors
    /// Those of `f`, and `Unavailable` without an answer in time.
    pub async fn look<T, F>(&self, f: F) -> Result<T, crate::Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, crate::Error> + Send + 'static,
    {
        self.call(&self.readers, |c, _| f(c)).await
    }

    /// Waits for a connection, then for `f` on a blocking thread; for both together no longer than the
    /// store's patience. `f` may go on afterwards, but [`Fate`] keeps it from committing.
    async fn call<T, E, F>(&self, pool: &Arc<Pool>, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + std::fmt::Display + Send + 'static,
        F: FnOnce(&mut Connection, &Fate) -> Result<T, E> + Send + 'static,
    {
        let (patience, deadline) = (self.patience, Instant::now() + self.patience);
        let turn = pool.turn(deadline).await?;
        let fate = Arc::new(Fate::default());
        let shared = Arc::clone(&fate);
        // What is logged on the blocking thread is about the same request.
        let span = Span::current();
        let mut work =
            tokio::task::spawn_blocking(move || span.in_scope(|| turn.run(patience, |c| f(c, &shared))));
        let mut answer = timeout_at(deadline, &mut work).await;
        if answer.is_err() && !fate.abandon() {
            answer = timeout_at(deadline + COMMIT, &mut work).await;
        }
        match answer {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(StoreError::Broken(format!("a query panicked: {error}")).into()),
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {patience:?}")).into()),
        }
    }
}

/// Runs a transaction, and makes known that there are new facts when it told some.
fn telling<T, E>(told: &watch::Sender<u64>, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    facts::take_added();
    let outcome = run();
    if facts::take_added() && outcome.is_ok() {
        told.send_modify(|count| *count = count.wrapping_add(1));
    }
    outcome
}

/// Whether a transaction commits, or its caller has stopped waiting: one of the two, never both.
#[derive(Default)]
struct Fate(AtomicU8);

const COMMITTING: u8 = 1;
const ABANDONED: u8 = 2;

impl Fate {
    /// Whether the transaction may commit.
    fn commit(&self) -> bool {
        self.decide(COMMITTING)
    }

    /// Whether the caller may give up without anything being committed.
    fn abandon(&self) -> bool {
        self.decide(ABANDONED)
    }

    fn decide(&self, fate: u8) -> bool {
        self.0
            .compare_exchange(0, fate, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// Runs `f` between the begin and the commit of the one writer.
///
/// # Errors
/// Those of `f` and of the database; nothing is changed then.
pub fn transaction<T, E: From<StoreError>>(
    connection: &mut Connection,
    f: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    settle(connection, f, &Fate::default())
}

fn settle<T, E: From<StoreError>>(
    connection: &mut Connection,
    f: impl FnOnce(&mut Connection) -> Result<T, E>,
    fate: &Fate,
) -> Result<T, E> {
    type Manager = <Connection as diesel::Connection>::TransactionManager;
    begin(connection)?;
    let committed = f(connection).and_then(|value| {
        if !fate.commit() {
            return Err(StoreError::Unavailable("the transaction took too long".to_owned()).into());
        }
        match Manager::commit_transaction(connection) {
            Ok(()) => Ok(value),
            Err(error) => Err(StoreError::from(error).into()),
        }
    });
    if committed.is_err() {
        // Fails when the database has rolled back by itself; the pool drops a connection in doubt.
        let _ = Manager::rollback_transaction(connection);
    }
    committed
}

fn begin(connection: &mut Connection) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?,
        Connection::Postgres(c) => {
            AnsiTransactionManager::begin_transaction(c)?;
            if let Err(error) = c.batch_execute(&format!("SELECT pg_advisory_xact_lock({WRITER_LOCK})")) {
                let _ = AnsiTransactionManager::rollback_transaction(c);
                return Err(error.into());
            }
        }
    }
    Ok(())
}
