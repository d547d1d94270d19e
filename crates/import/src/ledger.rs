//! Where every row and its state is kept, so that no crash loses or doubles one.
//!
//! A ledger holds sealed requests and keyed hashes, never a personal field in plain text. Who moves a row from which
//! state to which is told in `docs/data-model.md` of this crate. Each method is one transaction. SQLite is the one
//! store for now; another one becomes a variant of `Store`.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use thiserror::Error;
use wxmember_crypto::KeyedHash;

use crate::{gateway::SealedRequest, job::Identity};

mod key;
mod sqlite;

use self::sqlite::Sqlite;

/// A ledger, open for one process. Clones share it.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
    hash: KeyedHash,
}

#[derive(Clone, Debug)]
enum Store {
    Sqlite(Arc<Sqlite>),
}

impl Ledger {
    /// Opens or creates a ledger in a file, and beside it `<file>.key`, the key of its hashes. Both are readable by
    /// their owner only.
    ///
    /// A row is marked in the file before its request is sent. The file is in WAL mode with `synchronous=NORMAL`: a
    /// process that dies at any moment loses no mark; a host that loses power may lose the marks of its last moments,
    /// and sends those rows a second time under the same code.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Busy`] when another process has it open, [`LedgerError::Newer`] when a later version wrote it,
    /// [`LedgerError::Foreign`] when it is something else, [`LedgerError::Key`] when the key is missing or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let (store, hash) = Sqlite::open(path.as_ref())?;
        Ok(Self {
            store: Store::Sqlite(Arc::new(store)),
            hash,
        })
    }

    pub(crate) fn hash(&self) -> &KeyedHash {
        &self.hash
    }

    /// Finds the job or begins it.
    pub(crate) async fn open_job(&self, identity: Identity) -> Result<OpenedJob, LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store.run(move |store| store.open_job(&identity)).await
    }

    /// Adds the next rows of a job that is being loaded; duplicates of earlier rows are stored as refused.
    pub(crate) async fn store_rows(
        &self,
        job: i64,
        rows: Vec<NewRow>,
        columns: Arc<KeyColumns>,
    ) -> Result<(), LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store
            .run(move |store| store.store_rows(job, &rows, &columns))
            .await
    }

    /// Says that all rows are there.
    pub(crate) async fn finish_loading(&self, job: i64) -> Result<(), LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store.run(move |store| store.finish_loading(job)).await
    }

    /// Forgets a job whose source turned out to be unreadable; none of its rows was ever sent.
    pub(crate) async fn discard_job(&self, job: i64) -> Result<(), LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store.run(move |store| store.discard_job(job)).await
    }

    /// Rows that a dead process had leased become unknown.
    pub(crate) async fn recover_leases(&self, job: i64) -> Result<u64, LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store.run(move |store| store.recover_leases(job)).await
    }

    /// Leases up to `limit` rows behind `cursor` and moves it.
    pub(crate) async fn claim_rows(
        &self,
        job: i64,
        cursor: Cursor,
        limit: u32,
    ) -> Result<(Vec<ClaimedRow>, Cursor), LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store.run(move |store| store.claim_rows(job, cursor, limit)).await
    }

    /// Leases one row again, before the next attempt.
    pub(crate) async fn lease_again(&self, job: i64, row: u64) -> Result<(), LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store
            .write(Write {
                job,
                row,
                change: Change::Lease,
            })
            .await
    }

    /// Writes down what an attempt came to.
    pub(crate) async fn record(&self, job: i64, row: u64, record: Entry) -> Result<(), LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store
            .write(Write {
                job,
                row,
                change: Change::Record(record),
            })
            .await
    }

    /// How many rows are in which state.
    pub(crate) async fn counts(&self, job: i64) -> Result<Counts, LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store.run(move |store| store.counts(job)).await
    }

    /// Rows in a state with what was said about them, in the order of the source.
    pub(crate) async fn rows_in(
        &self,
        job: i64,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        let Store::Sqlite(store) = &self.store;
        store
            .run(move |store| store.rows_in(job, state, after, limit))
            .await
    }
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RowState {
    /// To be sent.
    Queued,
    /// Marked before it is sent; after a crash nobody knows whether it was.
    Leased,
    /// The platform has it, from us.
    Imported,
    /// The platform already had it.
    Present,
    /// Not importable as it is.
    Refused,
    /// It may have taken effect; the same again finds out.
    Unknown,
}

impl RowState {
    /// The name in the ledger and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Leased => "leased",
            Self::Imported => "imported",
            Self::Present => "present",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) const ALL: [Self; 6] = [
        Self::Queued,
        Self::Leased,
        Self::Imported,
        Self::Present,
        Self::Refused,
        Self::Unknown,
    ];
}

/// What the ledger says about one row.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RowReport {
    /// The row, from 1.
    pub row: u64,
    /// The line of the source, from 1.
    pub line: u64,
    /// The platform's code, or our own in capitals (`ROW_…`).
    pub code: String,
    /// The platform's message, or the problems of the row.
    pub message: String,
    /// The platform's name for the last request.
    pub request_id: Option<String>,
}

pub(crate) struct OpenedJob {
    pub(crate) key: i64,
    /// Rows already stored; a load goes on behind them.
    pub(crate) rows: u64,
    pub(crate) is_loaded: bool,
    pub(crate) is_new: bool,
    pub(crate) are_defaults_changed: bool,
}

pub(crate) struct NewRow {
    pub(crate) row: u64,
    pub(crate) line: u64,
    pub(crate) content: NewContent,
}

pub(crate) enum NewContent {
    Queued {
        user_card_code: String,
        phone_hash: [u8; 32],
        request: SealedRequest,
    },
    Refused {
        code: String,
        message: String,
    },
}

/// The names of the columns that must be unique, for messages.
#[derive(Debug)]
pub(crate) struct KeyColumns {
    pub(crate) user_card_code: Arc<str>,
    pub(crate) phone_number: Arc<str>,
}

/// How far claiming has come: first the rows that were unknown, then the queued ones, each in order. A row that falls
/// back is behind the cursor, so one run claims no row twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    pub(crate) is_past_unknown: bool,
    pub(crate) row: u64,
}

#[derive(Debug)]
pub(crate) struct ClaimedRow {
    pub(crate) row: u64,
    pub(crate) request: SealedRequest,
    /// An earlier attempt may have taken effect.
    pub(crate) is_maybe_sent: bool,
}

/// What is written after an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) state: RowState,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

struct Write {
    job: i64,
    row: u64,
    change: Change,
}

enum Change {
    Lease,
    Record(Entry),
}

/// Rows by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) queued: u64,
    pub(crate) leased: u64,
    pub(crate) imported: u64,
    pub(crate) present: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
}

impl Counts {
    pub(crate) fn of(&mut self, state: RowState) -> &mut u64 {
        match state {
            RowState::Queued => &mut self.queued,
            RowState::Leased => &mut self.leased,
            RowState::Imported => &mut self.imported,
            RowState::Present => &mut self.present,
            RowState::Refused => &mut self.refused,
            RowState::Unknown => &mut self.unknown,
        }
    }
}

/// Why the ledger cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another process has the ledger open.
    #[error("the ledger `{}` is in use by another process", path.display())]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// The runtime ended before the ledger was done.
    #[error("the ledger was closed before it was done")]
    Closed,
    /// The store failed: disk full, damaged file.
    #[error("failed to {action} in the ledger")]
    Database {
        /// The transaction.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is another application's.
    #[error("`{}` is not a ledger of wxmember", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The ledger or its key cannot be opened.
    #[error("failed to open `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The key of the hashes is missing or damaged, so duplicates could not be found.
    #[error("the ledger's key `{}` is missing or damaged; restore it, or start a new ledger", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
    },
    /// A later version of this software wrote the ledger.
    #[error("the ledger has version {found}, this software knows up to {known}; update wxmember")]
    Newer {
        /// The ledger's version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
}
