//! Where every row and its state is kept, so that no crash loses or doubles one.
//!
//! A ledger holds sealed requests and keyed hashes, never a personal field in plain text. Who moves a row from which
//! state to which is told in `docs/data-model.md` of this crate. Each method is one transaction, and each may be
//! repeated when nobody knows whether it took effect. Two stores do the same: a file (SQLite), which the processes of
//! one host share, and a database (PostgreSQL), which those of several hosts share.

use std::{path::Path, sync::Arc, time::Duration};

use wxmember::{Clock, SystemClock};
use wxmember_crypto::KeyedHash;

use crate::{
    job::{Identity, JobId},
    pace::{PaceKey, Reservation},
};

mod duplicates;
mod error;
mod ids;
mod key;
mod open_jobs;
mod owner;
mod postgres;
mod report;
mod row;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;

pub use self::{
    error::LedgerError,
    report::{CodeCount, JobReport, Purged, Retry, Slot},
    row::{Counts, RowReport, RowState},
};
pub(crate) use self::{
    open_jobs::OpenJob,
    owner::{OpenedJob, Owner, Work},
    row::{Claim, ClaimedRow, Cursor, Entry, KeyColumns, MemberKind, NewContent, NewRow, Skip},
};
use self::{postgres::Postgres, sqlite::Sqlite};

/// A ledger, open for one process. Clones share it; other processes may have it open at the same time.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// let ledger = wxmember_import::Ledger::open(folder.path().join("ledger.db"))?;
/// assert!(runtime.block_on(ledger.jobs())?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Store,
    /// What nobody needs who loads nothing.
    hash: Option<KeyedHash>,
}

#[derive(Clone, Debug)]
enum Store {
    Postgres(Arc<Postgres>),
    Sqlite(Arc<Sqlite>),
}

impl Ledger {
    /// Opens or creates a ledger in a file, and beside it `<file>.key`, the key of its hashes. Both are readable by
    /// their owner only.
    ///
    /// Several processes of one host may have it open. A process that finds itself alone knows that those who held
    /// leases are gone: their rows become unknown at once.
    ///
    /// A row is marked in the file before its request is sent. The file is in WAL mode with `synchronous=NORMAL`: a
    /// process that dies at any moment loses no mark; a host that loses power may lose the marks of its last moments,
    /// and sends those rows a second time under the same code.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Newer`] when a later version wrote it, [`LedgerError::Foreign`] when it is something else,
    /// [`LedgerError::Key`] when the key is missing or damaged, [`LedgerError::WrongKey`] when it is another one,
    /// [`LedgerError::Busy`] when a process of an earlier version has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Self::open_with_clock(path.as_ref(), Arc::new(SystemClock::new()))
    }

    pub(crate) fn open_with_clock(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        let (store, hash) = Sqlite::open(path, clock)?;
        Ok(Self {
            store: Store::Sqlite(Arc::new(store)),
            hash: Some(hash),
        })
    }

    /// Opens the ledger in a PostgreSQL database (`postgres://user:password@host/database?sslmode=require`), or creates
    /// it there. The key of its hashes is in the file `key`, which every host needs a copy of; it is made when the
    /// ledger is new. Leases and the pace go by the clock of the database.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Url`] when the address cannot be read, [`LedgerError::KeyElsewhere`] when the ledger is there and
    /// the key's file is not, [`LedgerError::WrongKey`] when the key is another one, and as [`open`](Self::open).
    pub async fn connect(url: &str, key: &Path) -> Result<Self, LedgerError> {
        Self::connect_with_clock(url, Some(key), None).await
    }

    /// As [`connect`](Self::connect), for a process that loads no rows: a worker, or somebody who looks at jobs. It
    /// neither needs the key nor makes one; a load fails with [`LedgerError::NoKey`].
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), but for those of the key.
    pub async fn connect_without_key(url: &str) -> Result<Self, LedgerError> {
        Self::connect_with_clock(url, None, None).await
    }

    async fn connect_with_clock(
        url: &str,
        key: Option<&Path>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, LedgerError> {
        let (store, hash) = Postgres::connect(url, key, clock).await?;
        Ok(Self {
            store: Store::Postgres(Arc::new(store)),
            hash,
        })
    }

    /// Every job, the one that changed last first.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Database`] when the store fails, as all methods.
    pub async fn jobs(&self) -> Result<Vec<JobReport>, LedgerError> {
        self.reports(None).await
    }

    /// The job whose name begins with `id`.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`], [`LedgerError::AmbiguousJob`].
    pub async fn job(&self, id: &str) -> Result<JobReport, LedgerError> {
        let no_such_job = || LedgerError::NoSuchJob { id: id.to_owned() };
        match self.keys_of(id).await?.as_slice() {
            // The rows of other jobs are not counted: they may be many.
            [key] => self.reports(Some(*key)).await?.pop().ok_or_else(no_such_job),
            [] => Err(no_such_job()),
            jobs => Err(LedgerError::AmbiguousJob {
                id: id.to_owned(),
                jobs: jobs.len(),
            }),
        }
    }

    /// Lets no process claim rows of a job any more; what is under way finishes.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`].
    pub async fn pause(&self, job: &JobId) -> Result<(), LedgerError> {
        self.set_paused(job, true).await
    }

    /// Undoes [`pause`](Self::pause).
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`].
    pub async fn resume(&self, job: &JobId) -> Result<(), LedgerError> {
        self.set_paused(job, false).await
    }

    /// Deletes the sealed requests, the codes and the hashes of a job and keeps its states, codes of refusal and
    /// counts. Its members are no duplicates of anything any more. `force` also purges a job that has unfinished rows,
    /// which are then not sent. A run that is under way may still send, once, what it claimed in the last ten seconds: stop it
    /// first. Importing the same source again begins a new job under its name; what is left of the
    /// purged one then goes by another name.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`], [`LedgerError::Unfinished`].
    pub async fn purge(&self, job: &JobId, force: bool) -> Result<Purged, LedgerError> {
        let job = self.job(job.as_str()).await?;
        let unfinished = job.counts.unfinished();
        if !force && (unfinished > 0 || !job.is_loaded) {
            return Err(LedgerError::Unfinished {
                job: job.id,
                rows: unfinished,
            });
        }
        let mut purged = Purged::default();
        let mut after = 0;
        // In parts, so that other processes get their turn.
        loop {
            let (part, last) = match &self.store {
                Store::Postgres(store) => store.purge(job.key, after, PART_ROWS).await,
                Store::Sqlite(store) => {
                    store
                        .run(move |tables| tables.purge(job.key, after, PART_ROWS))
                        .await
                }
            }?;
            purged.requests += part.requests;
            purged.rows += part.rows;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        match &self.store {
            Store::Postgres(store) => store.forget_log().await,
            Store::Sqlite(store) => store.run(|tables| tables.forget_log()).await,
        }?;
        Ok(purged)
    }

    /// Puts rows back into the queue and returns how many. Those that broke a rule of ours were never sealed and stay,
    /// and so do those whose code or member another row has taken meanwhile. An unknown row stays unknown, and may be
    /// tried again also by a run that has given it up.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`], [`LedgerError::Purged`].
    pub async fn retry(&self, job: &JobId, retry: &Retry) -> Result<u64, LedgerError> {
        let job = self.job(job.as_str()).await?;
        if job.is_purged {
            return Err(LedgerError::Purged { job: job.id });
        }
        let mut changed = 0;
        let mut after = 0;
        loop {
            let (part, last) = match &self.store {
                Store::Postgres(store) => store.retry(job.key, retry, after, PART_ROWS).await,
                Store::Sqlite(store) => {
                    let retry = retry.clone();
                    store
                        .run(move |tables| tables.retry(job.key, &retry, after, PART_ROWS))
                        .await
                }
            }?;
            changed += part;
            match last {
                Some(last) => after = last,
                None => return Ok(changed),
            }
        }
    }

    /// Up to `limit` rows in a state behind row `after`, in the order of the source.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`].
    pub async fn rows(
        &self,
        job: &JobId,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        let key = self.key_of(job).await?;
        self.rows_in(key, state, after, limit).await
    }

    /// How many rows ended with which code, by state and code. The list is short: messages are not told apart.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`].
    pub async fn outcomes(&self, job: &JobId) -> Result<Vec<CodeCount>, LedgerError> {
        let key = self.key_of(job).await?;
        match &self.store {
            Store::Postgres(store) => store.outcomes(key).await,
            Store::Sqlite(store) => store.run(move |tables| tables.outcomes(key)).await,
        }
    }

    /// When rows came to where they stand, in at most 201 slots of equal length without gaps.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`].
    pub async fn timeline(&self, job: &JobId) -> Result<Vec<Slot>, LedgerError> {
        let key = self.key_of(job).await?;
        match &self.store {
            Store::Postgres(store) => store.timeline(key).await,
            Store::Sqlite(store) => store.run(move |tables| tables.timeline(key)).await,
        }
    }

    async fn set_paused(&self, job: &JobId, is_paused: bool) -> Result<(), LedgerError> {
        let key = self.key_of(job).await?;
        match &self.store {
            Store::Postgres(store) => store.set_paused(key, is_paused).await,
            Store::Sqlite(store) => store.run(move |tables| tables.set_paused(key, is_paused)).await,
        }
    }

    async fn key_of(&self, job: &JobId) -> Result<i64, LedgerError> {
        let keys = self.keys_of(job.as_str()).await?;
        keys.first().copied().ok_or_else(|| LedgerError::NoSuchJob {
            id: job.as_str().to_owned(),
        })
    }

    /// The jobs whose names begin like that; none for nothing.
    async fn keys_of(&self, id: &str) -> Result<Vec<i64>, LedgerError> {
        if id.is_empty() {
            return Ok(Vec::new());
        }
        match &self.store {
            Store::Postgres(store) => store.keys_of(id).await,
            Store::Sqlite(store) => {
                let id = id.to_owned();
                store.run(move |tables| tables.keys_of(&id)).await
            }
        }
    }

    async fn reports(&self, only: Option<i64>) -> Result<Vec<JobReport>, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.jobs(only).await,
            Store::Sqlite(store) => store.run(move |tables| tables.jobs(only)).await,
        }
    }
}

/// What the engine needs.
impl Ledger {
    /// The key of the hashes.
    pub(crate) fn hash(&self) -> Result<&KeyedHash, LedgerError> {
        self.hash.as_ref().ok_or(LedgerError::NoKey)
    }

    /// Finds the job or begins it. Whoever gets [`OpenedJob::may_load`] has the load to itself for [`LOAD_LEASE`] after
    /// each [`store_rows`](Self::store_rows); anybody else asks again later.
    pub(crate) async fn open_job(&self, identity: Identity, owner: Owner) -> Result<OpenedJob, LedgerError> {
        loop {
            let opened = match &self.store {
                Store::Postgres(store) => store.open_job(&identity, owner).await,
                Store::Sqlite(store) => {
                    let identity = identity.clone();
                    store.run(move |tables| tables.open_job(&identity, owner)).await
                }
            }?;
            if let Some(opened) = opened {
                return Ok(opened);
            }
        }
    }

    /// Adds the next rows of a job that is being loaded. A row that repeats an earlier one is stored as refused, or as
    /// present if it is the same member and an earlier job has brought it to a good end. Rows that are there already
    /// are left as they are.
    pub(crate) async fn store_rows(
        &self,
        job: i64,
        owner: Owner,
        rows: Vec<NewRow>,
        columns: Arc<KeyColumns>,
    ) -> Result<(), LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.store_rows(job, owner, &rows, &columns).await,
            Store::Sqlite(store) => {
                store
                    .run(move |tables| tables.store_rows(job, owner, &rows, &columns))
                    .await
            }
        }
    }

    /// Says that all `rows` are there, whoever stored them.
    pub(crate) async fn finish_loading(&self, job: i64, rows: u64) -> Result<(), LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.finish_loading(job, rows).await,
            Store::Sqlite(store) => store.run(move |tables| tables.finish_loading(job, rows)).await,
        }
    }

    /// Lets another process go on with a load that was cut off.
    pub(crate) async fn release_loading(&self, job: i64, owner: Owner) -> Result<(), LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.release_loading(job, owner).await,
            Store::Sqlite(store) => store.run(move |tables| tables.release_loading(job, owner)).await,
        }
    }

    /// Forgets a job whose source turned out to be unreadable, if the load is this owner's. A job that is loaded, and a
    /// row that was ever attempted, stay.
    pub(crate) async fn discard_job(&self, job: i64, owner: Owner) -> Result<(), LedgerError> {
        loop {
            let is_more = match &self.store {
                Store::Postgres(store) => store.discard_job(job, owner).await,
                Store::Sqlite(store) => store.run(move |tables| tables.discard_job(job, owner)).await,
            }?;
            if !is_more {
                return Ok(());
            }
        }
    }

    /// Leases up to `limit` rows that this owner has not dealt with and does not skip, and moves the cursor. Leases that
    /// are over become unknown before.
    pub(crate) async fn claim_rows(
        &self,
        work: Work,
        cursor: Cursor,
        limit: u32,
        skip: Skip,
    ) -> Result<(Claim, Cursor), LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.claim_rows(work, cursor, limit, &skip).await,
            Store::Sqlite(store) => {
                store
                    .run(move |tables| tables.claim_rows(work, cursor, limit, &skip))
                    .await
            }
        }
    }

    /// Leases one row again, before the next attempt. `false` when it is no longer this owner's: leave it alone.
    pub(crate) async fn lease_again(&self, work: Work, row: u64) -> Result<bool, LedgerError> {
        self.write(Write {
            work,
            row,
            change: Change::Lease,
        })
        .await
    }

    /// Writes down what an attempt came to. `false` when nothing was changed: another owner has the row, or it has come
    /// to an end. A success is written whoever has the row, unless it has come to an end.
    pub(crate) async fn record(&self, work: Work, row: u64, entry: Entry) -> Result<bool, LedgerError> {
        self.write(Write {
            work,
            row,
            change: Change::Record(entry),
        })
        .await
    }

    /// Writes down that the outcome of an attempt is unknown, and keeps the row leased for `rest` longer than a lease,
    /// so that nobody sends it before this owner's next attempt. `false` as in [`record`](Self::record).
    pub(crate) async fn keep(
        &self,
        work: Work,
        row: u64,
        entry: Entry,
        rest: Duration,
    ) -> Result<bool, LedgerError> {
        self.write(Write {
            work,
            row,
            change: Change::Keep(entry, rest),
        })
        .await
    }

    async fn write(&self, write: Write) -> Result<bool, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.write(write).await,
            Store::Sqlite(store) => store.write(write).await,
        }
    }

    /// At the end of a run: rows that this owner still has leased become unknown. Returns how many.
    pub(crate) async fn abandon(&self, work: Work) -> Result<u64, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.abandon(work).await,
            Store::Sqlite(store) => store.run(move |tables| tables.abandon(work)).await,
        }
    }

    /// How many rows are in which state.
    pub(crate) async fn counts(&self, job: i64) -> Result<Counts, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.counts(job).await,
            Store::Sqlite(store) => store.run(move |tables| tables.counts(job)).await,
        }
    }

    /// As [`rows`](Self::rows), by key.
    pub(crate) async fn rows_in(
        &self,
        job: i64,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.rows_in(job, state, after, limit).await,
            Store::Sqlite(store) => {
                store
                    .run(move |tables| tables.rows_in(job, state, after, limit))
                    .await
            }
        }
    }

    /// When the next `requests` may leave, at `ceiling` requests per second or less. Nothing is written, and nothing is
    /// waited for, as long as there is neither a ceiling nor a 429.
    pub(crate) async fn reserve(
        &self,
        key: &PaceKey,
        requests: u32,
        ceiling: Option<f64>,
    ) -> Result<Reservation, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.reserve(key, requests, ceiling).await,
            Store::Sqlite(store) => {
                let key = key.clone();
                store
                    .run(move |tables| tables.reserve(&key, requests, ceiling))
                    .await
            }
        }
    }

    /// After a 429: everybody who works under this key goes slower. Returns the rate in requests per second. `observed`
    /// is how many requests left in the last second, which counts when there is no ceiling.
    pub(crate) async fn slow_down(
        &self,
        key: &PaceKey,
        ceiling: Option<f64>,
        retry_after: Option<Duration>,
        observed: f64,
    ) -> Result<f64, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.slow_down(key, ceiling, retry_after, observed).await,
            Store::Sqlite(store) => {
                let key = key.clone();
                store
                    .run(move |tables| tables.slow_down(&key, ceiling, retry_after, observed))
                    .await
            }
        }
    }
}

#[derive(Debug)]
struct Write {
    work: Work,
    row: u64,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Keep(Entry, Duration),
    Lease,
    Record(Entry),
}

/// Rows of one part of what is done to many rows: other processes get their turn in between.
const PART_ROWS: u32 = 5000;

/// How long a load is left to a process that stores no rows.
pub(crate) const LOAD_LEASE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
