//! The ledger in one SQLite file: WAL, one writer.
//!
//! Calls run on the runtime's blocking threads. Marks and results of single rows are grouped: whoever gets the
//! connection writes all that wait in one transaction, so the cost of a commit is shared when it matters.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;
use wxmember_crypto::{KeyId, KeyedHash};

use super::{
    Change, ClaimedRow, Counts, Cursor, Entry, KeyColumns, LedgerError, NewContent, NewRow, OpenedJob,
    RowReport, RowState, Write, key,
};
use crate::{
    gateway::SealedRequest,
    job::Identity,
    validate::{Problem, ProblemKind},
};

mod schema;

/// The store: a connection behind a lock, and the writes that wait for it.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Mutex<Tables>,
    waiting: Mutex<Vec<Waiting>>,
    /// Holds the lock on the ledger.
    _lock: File,
}

struct Waiting {
    write: Write,
    done: oneshot::Sender<Result<(), LedgerError>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting(row {})", self.write.row)
    }
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<(Self, KeyedHash), LedgerError> {
        let io_error = |source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        // The file is made here, so that nobody else can read it for a moment.
        let file = key::private().truncate(false).open(path).map_err(io_error)?;
        let is_new = file.metadata().map_err(io_error)?.len() == 0;
        drop(file);
        let (hash, lock) = key::open(path, is_new)?;
        let foreign = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => LedgerError::Foreign {
                path: path.to_owned(),
            },
            _ => failed("open the file")(error),
        };
        let mut connection = Connection::open(path).map_err(foreign)?;
        let application: i64 = connection
            .pragma_query_value(None, "application_id", |row| row.get(0))
            .map_err(foreign)?;
        if application != schema::APPLICATION_ID && !is_new {
            return Err(LedgerError::Foreign {
                path: path.to_owned(),
            });
        }
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
                 PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;",
            )
            .map_err(failed("open the file"))?;
        connection.set_prepared_statement_cache_capacity(32);
        schema::migrate(&mut connection)?;
        let store = Self {
            connection: Mutex::new(Tables { connection }),
            waiting: Mutex::default(),
            _lock: lock,
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

    /// Writes one change, together with those that wait at the same time.
    pub(super) async fn write(self: &Arc<Self>, write: Write) -> Result<(), LedgerError> {
        let (done, written) = oneshot::channel();
        lock(&self.waiting).push(Waiting { write, done });
        let store = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || store.flush());
        task.await.map_err(|_| LedgerError::Closed)?;
        written.await.map_err(|_| LedgerError::Closed)?
    }

    fn flush(&self) {
        let mut tables = lock(&self.connection);
        // Taken under the connection's lock: whoever finds nothing here knows that it was written before.
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        if waiting.is_empty() {
            return;
        }
        let writes: Vec<&Write> = waiting.iter().map(|waiting| &waiting.write).collect();
        let result = tables.write_changes(&writes);
        let message = result.as_ref().err().map(ToString::to_string);
        let mut result = Some(result);
        for waiting in waiting {
            // The first hears the error itself, the others its text.
            let outcome = result.take().unwrap_or_else(|| match &message {
                None => Ok(()),
                Some(text) => Err(LedgerError::Database {
                    action: "write down results",
                    source: text.clone().into(),
                }),
            });
            // Nobody listens any more when a run was dropped; it is written all the same.
            let _ = waiting.done.send(outcome);
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

/// The transactions.
#[derive(Debug)]
pub(super) struct Tables {
    connection: Connection,
}

impl Tables {
    fn begin(&mut self) -> Result<Transaction<'_>, rusqlite::Error> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }

    pub(super) fn open_job(&mut self, identity: &Identity) -> Result<OpenedJob, LedgerError> {
        let failed = failed("open the job");
        let fingerprint = identity.fingerprint();
        let transaction = self.begin().map_err(failed)?;
        let found = transaction
            .query_row(
                "SELECT id, rows, is_loaded, defaults FROM jobs WHERE identity = ?1",
                [fingerprint.as_bytes()],
                |row| {
                    Ok(OpenedJob {
                        key: row.get(0)?,
                        rows: row.get(1)?,
                        is_loaded: row.get(2)?,
                        is_new: false,
                        are_defaults_changed: row.get::<_, Vec<u8>>(3)? != identity.defaults.as_bytes(),
                    })
                },
            )
            .optional()
            .map_err(failed)?;
        let job = match found {
            // Half of a job under other defaults is begun anew.
            Some(job) if job.are_defaults_changed && !job.is_loaded => {
                transaction
                    .execute("DELETE FROM jobs WHERE id = ?1", [job.key])
                    .map_err(failed)?;
                insert_job(&transaction, identity).map_err(failed)?
            }
            Some(job) => job,
            None => insert_job(&transaction, identity).map_err(failed)?,
        };
        transaction.commit().map_err(failed)?;
        Ok(job)
    }

    pub(super) fn store_rows(
        &mut self,
        job: i64,
        rows: &[NewRow],
        columns: &KeyColumns,
    ) -> Result<(), LedgerError> {
        let failed = failed("store rows");
        let transaction = self.begin().map_err(failed)?;
        for row in rows {
            insert_row(&transaction, job, row, columns).map_err(failed)?;
        }
        transaction
            .execute(
                "UPDATE jobs SET rows = rows + ?2 WHERE id = ?1",
                params![job, rows.len() as u64],
            )
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    pub(super) fn finish_loading(&mut self, job: i64) -> Result<(), LedgerError> {
        let changed = self
            .connection
            .execute("UPDATE jobs SET is_loaded = 1 WHERE id = ?1", [job]);
        changed.map(drop).map_err(failed("finish loading"))
    }

    pub(super) fn discard_job(&mut self, job: i64) -> Result<(), LedgerError> {
        let changed = self
            .connection
            .execute("DELETE FROM jobs WHERE id = ?1 AND is_loaded = 0", [job]);
        changed.map(drop).map_err(failed("discard the job"))
    }

    pub(super) fn recover_leases(&mut self, job: i64) -> Result<u64, LedgerError> {
        let changed = self.connection.execute(
            "UPDATE rows SET state = 'unknown', is_maybe_sent = 1, code = 'INTERRUPTED',
                 message = 'the process ended while the row was being sent'
             WHERE job = ?1 AND state = 'leased'",
            [job],
        );
        changed
            .map(|rows| rows as u64)
            .map_err(failed("recover leased rows"))
    }

    pub(super) fn claim_rows(
        &mut self,
        job: i64,
        mut cursor: Cursor,
        limit: u32,
    ) -> Result<(Vec<ClaimedRow>, Cursor), LedgerError> {
        let failed = failed("claim rows");
        let transaction = self.begin().map_err(failed)?;
        let rows = loop {
            let state = if cursor.is_past_unknown {
                RowState::Queued
            } else {
                RowState::Unknown
            };
            let rows = select_rows(&transaction, job, state, cursor.row, limit).map_err(failed)?;
            if !rows.is_empty() || cursor.is_past_unknown {
                break rows;
            }
            cursor = Cursor {
                is_past_unknown: true,
                row: 0,
            };
        };
        for row in &rows {
            lease(&transaction, job, row.row).map_err(failed)?;
            cursor.row = row.row;
        }
        transaction.commit().map_err(failed)?;
        Ok((rows, cursor))
    }

    fn write_changes(&mut self, writes: &[&Write]) -> Result<(), LedgerError> {
        let failed = failed("write down results");
        let transaction = self.begin().map_err(failed)?;
        for Write { job, row, change } in writes {
            match change {
                Change::Lease => lease(&transaction, *job, *row),
                Change::Record(entry) => record(&transaction, *job, *row, entry),
            }
            .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    pub(super) fn counts(&self, job: i64) -> Result<Counts, LedgerError> {
        let failed = failed("count rows");
        let mut counts = Counts::default();
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM rows WHERE job = ?1 AND state = ?2")
            .map_err(failed)?;
        for state in RowState::ALL {
            *counts.of(state) = statement
                .query_row(params![job, state.name()], |row| row.get(0))
                .map_err(failed)?;
        }
        Ok(counts)
    }

    pub(super) fn rows_in(
        &self,
        job: i64,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        let failed = failed("read rows");
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT row, line, coalesce(code, ''), coalesce(message, ''), request_id FROM rows
                 WHERE job = ?1 AND state = ?2 AND row > ?3 ORDER BY row LIMIT ?4",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map(params![job, state.name(), after, limit], |row| {
                Ok(RowReport {
                    row: row.get(0)?,
                    line: row.get(1)?,
                    code: row.get(2)?,
                    message: row.get(3)?,
                    request_id: row.get(4)?,
                })
            })
            .map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

fn insert_job(transaction: &Transaction<'_>, identity: &Identity) -> Result<OpenedJob, rusqlite::Error> {
    transaction.execute(
        "INSERT INTO jobs (identity, source_name, source_digest, mchid, brand_id, card_id, base_url, route, defaults)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            identity.fingerprint().as_bytes(),
            identity.source_name,
            identity.source_digest.as_bytes(),
            identity.profile.mchid,
            identity.profile.brand_id,
            identity.profile.card_id,
            identity.profile.base_url,
            identity.route.name(),
            identity.defaults.as_bytes(),
        ],
    )?;
    Ok(OpenedJob {
        key: transaction.last_insert_rowid(),
        rows: 0,
        is_loaded: false,
        is_new: true,
        are_defaults_changed: false,
    })
}

fn insert_row(
    transaction: &Transaction<'_>,
    job: i64,
    new: &NewRow,
    columns: &KeyColumns,
) -> Result<(), rusqlite::Error> {
    let NewContent::Queued {
        user_card_code,
        phone_hash,
        request,
    } = &new.content
    else {
        let NewContent::Refused { code, message } = &new.content else {
            return Ok(());
        };
        return insert_refused(transaction, job, new, code, message);
    };
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO rows (job, row, line, state, user_card_code, phone_hash)
             VALUES (?1, ?2, ?3, 'queued', ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![job, new.row, new.line, user_card_code, phone_hash])?;
    if inserted == 1 {
        transaction
            .prepare_cached("INSERT INTO requests (job, row, platform_key_id, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                job,
                new.row,
                request.platform_key_id().as_str(),
                request.body()
            ])?;
        return Ok(());
    }
    let first = |sql, key: &dyn rusqlite::ToSql| {
        transaction
            .prepare_cached(sql)?
            .query_row(params![job, key], |row| row.get::<_, u64>(0))
            .optional()
    };
    let code = first(
        "SELECT row FROM rows WHERE job = ?1 AND user_card_code = ?2",
        user_card_code,
    )?;
    let phone = first(
        "SELECT row FROM rows WHERE job = ?1 AND phone_hash = ?2",
        phone_hash,
    )?;
    let problem = |column: &Arc<str>, kind| Problem {
        row: new.row,
        line: new.line,
        column: Some(column.clone()),
        kind,
    };
    let problems: Vec<Problem> = [
        code.map(|first_row| problem(&columns.user_card_code, ProblemKind::DuplicateCode { first_row })),
        phone.map(|first_row| {
            problem(
                &columns.phone_number,
                ProblemKind::DuplicatePhoneNumber { first_row },
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (code, message) = crate::load::refusal(&problems);
    insert_refused(transaction, job, new, &code, &message)
}

fn insert_refused(
    transaction: &Transaction<'_>,
    job: i64,
    new: &NewRow,
    code: &str,
    message: &str,
) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "INSERT INTO rows (job, row, line, state, code, message) VALUES (?1, ?2, ?3, 'refused', ?4, ?5)",
        )?
        .execute(params![job, new.row, new.line, code, message])
        .map(drop)
}

fn select_rows(
    transaction: &Transaction<'_>,
    job: i64,
    state: RowState,
    after: u64,
    limit: u32,
) -> Result<Vec<ClaimedRow>, rusqlite::Error> {
    transaction
        .prepare_cached(
            "SELECT rows.row, body, platform_key_id, is_maybe_sent FROM rows
             JOIN requests ON requests.job = rows.job AND requests.row = rows.row
             WHERE rows.job = ?1 AND state = ?2 AND rows.row > ?3 ORDER BY rows.row LIMIT ?4",
        )?
        .query_map(params![job, state.name(), after, limit], |row| {
            Ok(ClaimedRow {
                row: row.get(0)?,
                request: SealedRequest::new(row.get(1)?, KeyId::new(&row.get::<_, String>(2)?)),
                is_maybe_sent: row.get(3)?,
            })
        })?
        .collect()
}

fn lease(transaction: &Transaction<'_>, job: i64, row: u64) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "UPDATE rows SET state = 'leased', attempts = attempts + 1 WHERE job = ?1 AND row = ?2",
        )?
        .execute(params![job, row])
        .map(drop)
}

fn record(transaction: &Transaction<'_>, job: i64, row: u64, entry: &Entry) -> Result<(), rusqlite::Error> {
    transaction
        .prepare_cached(
            "UPDATE rows SET state = ?3, code = ?4, message = ?5, request_id = ?6,
                 is_maybe_sent = is_maybe_sent OR ?3 = 'unknown'
             WHERE job = ?1 AND row = ?2",
        )?
        .execute(params![
            job,
            row,
            entry.state.name(),
            entry.code,
            entry.message,
            entry.request_id
        ])
        .map(drop)
}

#[cfg(test)]
mod tests;
