//! From a source into the ledger: one thread reads, some validate and seal, one task writes, in the order of the rows.
//!
//! Channels are bounded and so is what is between them, so memory does not grow with rows. What was stored is not
//! read again when a load that was cut off is continued.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wxmember_crypto::{Fingerprint, FormValue, KeyedHash};

use crate::{
    gateway::Gateway,
    job::{JobId, LoadError, Route},
    ledger::{KeyColumns, LOAD_LEASE, Ledger, MemberKind, NewContent, NewRow, Owner},
    mapping::Field,
    member::Member,
    progress::ProgressSender,
    source::{Record, Records, Source, SourceError},
    validate::{Problem, ProblemKind, Validator},
};

/// What a load works with.
pub(crate) struct Load<G> {
    pub(crate) gateway: Arc<G>,
    pub(crate) ledger: Ledger,
    pub(crate) owner: Owner,
    pub(crate) validator: Arc<Validator>,
    pub(crate) route: Route,
    pub(crate) job: JobId,
    pub(crate) threads: usize,
    pub(crate) progress: ProgressSender,
}

/// Rows on their way, numbered so that they are written in order.
struct Batch<T> {
    number: u64,
    rows: Vec<T>,
}

/// From the reader: how it ended.
struct ReadEnd {
    digest: Option<Fingerprint>,
}

impl<G: Gateway> Load<G> {
    /// Stores the rows behind the first `stored` ones; returns how many there are in all, and the digest of what was
    /// read.
    pub(crate) async fn store(
        self,
        job: i64,
        source: &Arc<dyn Source>,
        stored: u64,
        cancel: &CancellationToken,
    ) -> Result<(u64, Option<Fingerprint>), LoadError> {
        let (to_sealers, records) = mpsc::sync_channel::<Batch<Record>>(self.threads);
        let (to_writer, mut sealed) =
            tokio::sync::mpsc::channel::<Result<Batch<NewRow>, LoadError>>(self.threads);
        // Records go back with their memory: to allocate it in one thread and free it in another is costly.
        let (give_back, used) = mpsc::sync_channel::<Vec<Record>>(self.threads * 2);
        // A place in this channel is a batch somewhere between the reader and the ledger.
        let (enter, leave) = mpsc::sync_channel::<()>(self.threads * 4 + 2 * STORED_BATCHES);

        let reader = {
            let (source, cancel) = (Arc::clone(source), cancel.clone());
            spawn("wxmember-read", move || {
                read(source.as_ref(), stored, &used, &to_sealers, &enter, &cancel)
            })?
        };
        let records = Arc::new(Mutex::new(records));
        let mut sealers = Vec::new();
        for _ in 0..self.threads {
            let (records, to_writer, give_back) =
                (Arc::clone(&records), to_writer.clone(), give_back.clone());
            let sealer = Sealer {
                gateway: Arc::clone(&self.gateway),
                validator: Arc::clone(&self.validator),
                hash: self.ledger.hash()?.clone(),
                route: self.route,
                job: self.job.clone(),
            };
            sealers.push(spawn("wxmember-seal", move || {
                loop {
                    let batch = records.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(batch) = batch else { return };
                    let (batch, mut rows) = sealer.batch(batch);
                    // What one long cell took is not kept for all rows to come.
                    rows.retain(|record| {
                        record.cells.iter().map(String::capacity).sum::<usize>() <= KEPT_BYTES
                    });
                    // Full, or the reader is done: then they are dropped.
                    let _ = give_back.try_send(rows);
                    if to_writer.blocking_send(batch).is_err() {
                        return;
                    }
                }
            })?);
        }
        // The ends that only the threads need; with them gone, a thread that panicked is noticed.
        drop((records, to_writer));

        let mut writer = Writer {
            load: &self,
            job,
            columns: Arc::new(self.key_columns()),
            leave,
            waiting: Vec::new(),
            batches: 0,
            rows: stored,
            stored_at: Instant::now(),
        };
        let mut early = BTreeMap::new();
        let mut next = 0;
        loop {
            let batch = match tokio::time::timeout_at(writer.stored_at + RENEW, sealed.recv()).await {
                Ok(None) => break,
                Ok(Some(batch)) => batch?,
                Err(_) => {
                    // A source may be slow; the load stays ours, and what there is of it is stored.
                    writer.store().await?;
                    continue;
                }
            };
            early.insert(batch.number, batch.rows);
            while let Some(batch) = early.remove(&next) {
                next += 1;
                writer.take(batch).await?;
            }
        }
        if writer.batches > 0 {
            writer.store().await?;
        }
        let rows = writer.rows;
        let join = tokio::task::spawn_blocking(move || {
            let all_sealed = sealers.into_iter().all(|sealer| sealer.join().is_ok());
            (reader.join(), all_sealed)
        });
        match join.await {
            Ok((Ok(end), true)) => {
                let end = end?;
                if cancel.is_cancelled() && end.digest.is_none() {
                    return Err(LoadError::Cancelled { rows });
                }
                Ok((rows, end.digest))
            }
            _ => Err(LoadError::Thread),
        }
    }

    fn key_columns(&self) -> KeyColumns {
        let mapping = self.validator.mapping();
        let name = |field| {
            mapping
                .column_of(field)
                .map_or("", |index| mapping.column_name(index))
                .into()
        };
        let (field, member_kind) = match self.route {
            Route::ImportByOpenid => (Field::Openid, MemberKind::Openid),
            _ => (Field::PhoneNumber, MemberKind::PhoneNumber),
        };
        KeyColumns {
            user_card_code: name(Field::UserCardCode),
            member: name(field),
            member_kind,
        }
    }
}

/// Rows on their way into the ledger, some batches in a transaction: the hashes of rows change pages all over a table,
/// and a page is written once a transaction however many of them it has.
struct Writer<'a, G> {
    load: &'a Load<G>,
    job: i64,
    columns: Arc<KeyColumns>,
    leave: mpsc::Receiver<()>,
    waiting: Vec<NewRow>,
    batches: usize,
    /// Stored so far.
    rows: u64,
    /// When the load last said that it is alive.
    stored_at: Instant,
}

impl<G: Gateway> Writer<'_, G> {
    async fn take(&mut self, batch: Vec<NewRow>) -> Result<(), LoadError> {
        self.waiting.extend(batch);
        self.batches += 1;
        if self.batches >= STORED_BATCHES {
            self.store().await?;
        }
        Ok(())
    }

    /// Stores what waits; with nothing it says that the load is alive.
    async fn store(&mut self) -> Result<(), LoadError> {
        let rows = std::mem::take(&mut self.waiting);
        let refused = rows
            .iter()
            .filter(|row| matches!(row.content, NewContent::Refused { .. }));
        let (refused, stored) = (refused.count() as u64, rows.len() as u64);
        let Load { ledger, owner, .. } = self.load;
        ledger
            .store_rows(self.job, *owner, rows, Arc::clone(&self.columns))
            .await?;
        self.stored_at = Instant::now();
        self.rows += stored;
        if stored > 0 {
            self.load.progress.loaded(self.rows, refused);
        }
        for _ in 0..std::mem::take(&mut self.batches) {
            let _ = self.leave.try_recv();
        }
        Ok(())
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::JoinHandle<T>, LoadError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|_| LoadError::Thread)
}

/// Reads all records behind the first `stored` ones into batches. Ends early when nobody takes them.
fn read(
    source: &dyn Source,
    stored: u64,
    used: &mpsc::Receiver<Vec<Record>>,
    batches: &mpsc::SyncSender<Batch<Record>>,
    enter: &mpsc::SyncSender<()>,
    cancel: &CancellationToken,
) -> Result<ReadEnd, SourceError> {
    let mut records = source.open()?;
    let mut skipped = Record::default();
    while skipped.row < stored && records.read(&mut skipped)? {}
    for number in 0.. {
        let rows = read_batch(records.as_mut(), used.try_recv().unwrap_or_default())?;
        let is_end = rows.len() < BATCH_ROWS;
        let is_gone = cancel.is_cancelled()
            || !rows.is_empty() && (enter.send(()).is_err() || batches.send(Batch { number, rows }).is_err());
        if is_gone {
            return Ok(ReadEnd { digest: None });
        }
        if is_end {
            break;
        }
    }
    Ok(ReadEnd {
        digest: records.digest(),
    })
}

fn read_batch(records: &mut dyn Records, mut rows: Vec<Record>) -> Result<Vec<Record>, SourceError> {
    let mut filled = 0;
    while filled < BATCH_ROWS {
        if filled == rows.len() {
            rows.push(Record::default());
        }
        let record = &mut rows[filled];
        // What a source may not think of.
        record.flaws.clear();
        record.numbers.clear();
        if !records.read(record)? {
            break;
        }
        filled += 1;
    }
    rows.truncate(filled);
    Ok(rows)
}

/// From a record to a row: checked, sealed, hashed. Each thread has its own.
struct Sealer<G> {
    gateway: Arc<G>,
    validator: Arc<Validator>,
    hash: KeyedHash,
    route: Route,
    job: JobId,
}

impl<G: Gateway> Sealer<G> {
    /// The rows, and the records that they were.
    fn batch(&self, batch: Batch<Record>) -> (Result<Batch<NewRow>, LoadError>, Vec<Record>) {
        let Batch {
            number,
            rows: records,
        } = batch;
        let rows: Result<_, _> = records.iter().map(|record| self.row(record)).collect();
        (rows.map(|rows| Batch { number, rows }), records)
    }

    fn row(&self, record: &Record) -> Result<NewRow, LoadError> {
        let refused = |problems: &[Problem]| {
            let (code, message) = refusal(problems);
            NewContent::Refused { code, message }
        };
        let content = match self.validator.member(record) {
            Err(problems) => refused(&problems),
            Ok(mut member) => {
                if self.route == Route::PhoneMembercard && member.request_no.is_none() {
                    member.request_no = Some(request_no(&self.job, record.row));
                }
                match self.gateway.seal(self.route, &member) {
                    Ok(request) => NewContent::Queued {
                        member_hash: *hash_of(&self.hash, &member).as_bytes(),
                        user_card_code: member.user_card_code.or(member.request_no).unwrap_or_default(),
                        request,
                    },
                    Err(error) if error.is_row => {
                        let kind = ProblemKind::NotSealable { field: error.field };
                        refused(&[self.validator.problem(record.row, record.line, None, kind)])
                    }
                    Err(error) => {
                        return Err(LoadError::Seal {
                            row: record.row,
                            error,
                        });
                    }
                }
            }
        };
        Ok(NewRow {
            row: record.row,
            line: record.line,
            content,
        })
    }
}

/// The number of a request for a row that brings none: the same row of the same job always has the same, so that a
/// repeat is known as one. Twelve characters, a dash, and the row: at most 32, since a ledger counts rows to 2^63.
fn request_no(job: &JobId, row: u64) -> String {
    format!("{job}-{row}")
}

/// What the member is told apart by: the phone number, or the openid where the route knows members by it.
pub(crate) fn hash_of(hash: &KeyedHash, member: &Member) -> Fingerprint {
    match (&member.openid, &member.phone_number) {
        (Some(openid), _) => hash.of("openid", &FormValue::new(openid)),
        (None, Some(phone_number)) => hash.of("phone_number", phone_number),
        (None, None) => hash.of("nobody", &FormValue::new("")),
    }
}

/// The code of the first problem and the text of all, without the row, which the ledger has in a column of its own.
pub(crate) fn refusal(problems: &[Problem]) -> (String, String) {
    let code = problems
        .first()
        .map_or("ROW_REFUSED", |problem| problem.kind.code());
    let texts: Vec<String> = problems
        .iter()
        .map(|problem| match &problem.column {
            Some(column) => format!("column `{column}`: {}", problem.kind),
            None => problem.kind.to_string(),
        })
        .collect();
    (code.to_owned(), texts.join("; "))
}

/// Rows that go from thread to thread.
const BATCH_ROWS: usize = 500;
/// Memory of a record that is used again.
const KEPT_BYTES: usize = 16 << 10;
/// Batches of one transaction.
const STORED_BATCHES: usize = 4;
/// How often a load says that it is alive when there are no rows to store.
const RENEW: Duration = Duration::from_secs(10);
const _: () = assert!(RENEW.as_secs() < LOAD_LEASE.as_secs());
