//! The ledger in one SQLite file: WAL, one writer at a time, several processes of one host.
//!
//! Calls run on the runtime's blocking threads. Marks and results of single rows are grouped: they are written at once
//! when there was none for a moment, else together with the others of that moment, so the cost of a commit is shared
//! when it matters. Every transaction that writes is `IMMEDIATE`: it waits for other processes at its begin, and never in
//! the middle.

use std::{
    fs::File,
    io::ErrorKind,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::{sync::oneshot, time::Instant};
use wxmember::Clock;
use wxmember_crypto::KeyedHash;

use self::{checkpoint::Checkpoints, seen::Seen};
use super::ids::{ids_of, job_and_row, row_id};
use super::{LedgerError, Write, key};

mod checkpoint;
mod jobs;
mod load;
mod open_jobs;
mod pace;
mod reports;
mod schema;
mod seen;
mod work;

/// The store: a connection behind a lock, and the writes that wait for it.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Mutex<Tables>,
    waiting: Mutex<Group>,
    /// Says that this process has the ledger open.
    _presence: File,
}

/// Writes what waits when it is dropped: also by a runtime that ends before its time has come.
struct Flush(Arc<Sqlite>);

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Writes that go into the next transaction.
#[derive(Debug, Default)]
struct Group {
    waiting: Vec<Waiting>,
    /// When the last one was written.
    written_at: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    write: Write,
    done: oneshot::Sender<Result<bool, LedgerError>>,
}

impl Sqlite {
    pub(super) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<(Self, KeyedHash), LedgerError> {
        let io_error = |source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        // The file is made here, so that nobody else can read it for a moment. One that is there is not opened here: to
        // close it would take away the locks that another connection of this process has on it.
        let is_new = match key::private().create_new(true).open(path) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let there = std::fs::metadata(path).map_err(io_error)?;
                if there.is_dir() {
                    return Err(io_error(ErrorKind::IsADirectory.into()));
                }
                there.len() == 0
            }
            Err(error) => return Err(io_error(error)),
        };
        let mut presence = key::Presence::enter(path)?;
        let foreign = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => LedgerError::Foreign {
                name: path.display().to_string(),
            },
            Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly) => {
                io_error(ErrorKind::PermissionDenied.into())
            }
            _ => failed("open the file")(error),
        };
        let connection = Connection::open(path).map_err(foreign)?;
        // SQLite opens what it may not write for reading, and fails much later.
        if connection.is_readonly("main").map_err(foreign)? {
            return Err(io_error(ErrorKind::PermissionDenied.into()));
        }
        connection.busy_timeout(BUSY).map_err(foreign)?;
        let application: i64 = connection
            .pragma_query_value(None, "application_id", |row| row.get(0))
            .map_err(foreign)?;
        if application != schema::APPLICATION_ID && !is_new {
            // A process that died while it made the ledger leaves tables of nobody; another application's file has some.
            let tables: i64 = connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .map_err(foreign)?;
            if application != 0 || tables != 0 {
                return Err(LedgerError::Foreign {
                    name: path.display().to_string(),
                });
            }
        }
        // Only now is it known to be ours. The log is what a process that was killed has left; SQLite names it after the
        // file that a link leads to, and makes new ones as the file itself is.
        let there = std::fs::canonicalize(path).map_err(io_error)?;
        for end in ["", "-wal", "-shm"] {
            let mut name = there.as_os_str().to_owned();
            name.push(end);
            key::close_to_others(Path::new(&name));
        }
        let may_create = application != schema::APPLICATION_ID;
        let hash = presence.key(may_create)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
                 PRAGMA secure_delete = FAST; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -6144;
                 PRAGMA journal_size_limit = 67108864;",
            )
            .map_err(failed("open the file"))?;
        connection.set_prepared_statement_cache_capacity(64);
        let mut tables = Tables {
            connection,
            clock,
            checkpoints: None,
            seen: Seen::default(),
        };
        schema::migrate(&mut tables.connection)?;
        tables.check_key(&hash, &presence)?;
        if presence.is_alone() {
            tables.recover_all()?;
        }
        let checkpoints = Checkpoints::of(&mut tables.connection, path, checkpoint::LONG);
        let checkpoints = checkpoints.map_err(failed("open the file"))?;
        tables.checkpoints = Some(checkpoints);
        let store = Self {
            connection: Mutex::new(tables),
            waiting: Mutex::default(),
            _presence: presence.stay()?,
        };
        Ok((store, hash))
    }

    /// Runs one transaction on a blocking thread.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        transaction: impl FnOnce(&mut Tables) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let store = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || transaction(&mut lock(&store.connection)));
        task.await.map_err(|_| LedgerError::Closed)?
    }

    /// Writes one change, together with those of the same moment. Whether it changed anything.
    pub(super) async fn write(self: &Arc<Self>, write: Write) -> Result<bool, LedgerError> {
        let (done, written) = oneshot::channel();
        let first = {
            let mut group = lock(&self.waiting);
            group.waiting.push(Waiting { write, done });
            (group.waiting.len() == 1).then_some(group.written_at)
        };
        // The first of a group sees to it that all are written, whoever of them still listens by then.
        if let Some(written_at) = first {
            let flush = Flush(Arc::clone(self));
            tokio::spawn(async move {
                if let Some(written_at) = written_at {
                    tokio::time::sleep_until(written_at + GROUP).await;
                }
                let _ = tokio::task::spawn_blocking(move || drop(flush)).await;
            });
        }
        written.await.map_err(|_| LedgerError::Closed)?
    }

    fn flush(&self) {
        let mut tables = lock(&self.connection);
        let waiting = {
            let mut group = lock(&self.waiting);
            group.written_at = Some(Instant::now());
            std::mem::take(&mut group.waiting)
        };
        let writes: Vec<&Write> = waiting.iter().map(|waiting| &waiting.write).collect();
        let mut results = match tables.write_changes(&writes) {
            Ok(changed) => changed.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => {
                // The first hears the error itself, the others its text.
                let text = error.to_string();
                let others = waiting.iter().skip(1).map(|_| {
                    Err(LedgerError::Database {
                        action: "write down results",
                        source: text.clone().into(),
                    })
                });
                let others: Vec<_> = others.collect();
                std::iter::once(Err(error)).chain(others).collect()
            }
        }
        .into_iter();
        for waiting in waiting {
            let result = results.next().unwrap_or(Err(LedgerError::Closed));
            // Nobody listens any more when a run was dropped; it is written all the same.
            let _ = waiting.done.send(result);
        }
    }
}

/// A lock that a panic elsewhere does not take away: a transaction that panicked was rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(action: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError + Copy {
    move |source| LedgerError::Database {
        action,
        source: source.into(),
    }
}

/// The transactions. Each method is one, and begins where it is named in `docs/data-model.md`.
#[derive(Debug)]
pub(super) struct Tables {
    connection: Connection,
    clock: Arc<dyn Clock>,
    checkpoints: Option<Checkpoints>,
    seen: Seen,
}

impl Tables {
    fn begin(&mut self) -> Result<Transaction<'_>, rusqlite::Error> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }

    /// Microseconds since 1970. Asked inside of a transaction, so that times of several processes are in order.
    fn now(&self) -> i64 {
        micros(self.clock.since_1970())
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.end(&mut self.connection);
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

const SECOND: i64 = 1_000_000;
/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(60);
/// Between two groups of writes. A process that is killed leaves the answers of this time in doubt, besides those that it
/// waits for.
const GROUP: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests;
