//! What is told about a job: progress while it runs, a summary at its end.
//!
//! Numbers and codes only; nothing of a row's content.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::{sync::watch, time::Instant};

use crate::{
    gateway::{Hint, Stop},
    job::JobId,
    ledger::{Counts, RowState},
};

/// How far a job is. The six counts of states add up to `rows`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// Whether the source is still being read; `rows` is then what was read so far.
    pub is_loading: bool,
    /// Rows of the job.
    pub rows: u64,
    /// Imported by us.
    pub imported: u64,
    /// Were there already.
    pub present: u64,
    /// Not importable.
    pub refused: u64,
    /// Without a known outcome so far.
    pub unknown: u64,
    /// Still to be sent, or being sent for the first time.
    pub queued: u64,
    /// Rows that came to an end per second, over the last seconds, by all processes that work on the job.
    pub rate: f64,
    /// What the pace allows in requests per second; nothing when it is unlimited.
    pub rate_limit: Option<f64>,
    /// Requests that left in this run, repeats included.
    pub sent: u64,
    /// Why nothing leaves at the moment; nothing while something does.
    pub waiting: Option<Waiting>,
}

impl Progress {
    /// Rows that have come to an end, also an unknown one.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.rows.saturating_sub(self.queued)
    }

    /// How long the queued rows take at the rate of the last seconds, or, before there is one, at what the pace
    /// allows; nothing when neither is known. A wait is not counted.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let rate = if self.rate > 0.0 {
            self.rate
        } else {
            self.rate_limit?
        };
        Duration::try_from_secs_f64(self.queued as f64 / rate).ok()
    }
}

/// Why nothing leaves at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
#[non_exhaustive]
pub enum Waiting {
    /// All rows under way had no answer, or a bad one, and wait before they are repeated.
    BackOff,
    /// Nothing is left to be sent but what another process has taken; its rows come back if it is gone.
    Leases,
    /// The ledger does not answer.
    Ledger,
    /// Another process loads the same source.
    Load,
    /// The platform answered 429.
    RateLimit,
    /// A worker waits for jobs.
    Work,
    /// Outside the hours in which requests may leave.
    Window {
        /// When the next request may leave, in seconds since 1970.
        until: i64,
    },
}

/// What became of a job, by all processes that worked on it. `imported`, `present`, `refused`, `unknown` and `queued` add up to `rows`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The job's name.
    pub job: JobId,
    /// Rows of the source.
    pub rows: u64,
    /// Imported by us, in this run or an earlier one.
    pub imported: u64,
    /// The platform already had them.
    pub present: u64,
    /// Not importable as they are.
    pub refused: u64,
    /// May have taken effect; the same command finds out.
    pub unknown: u64,
    /// Not sent, or being sent by another process.
    pub queued: u64,
    /// Requests that left in this run, repeats included.
    pub sent: u64,
    /// How many rows were refused with which code.
    pub refused_by_code: BTreeMap<String, u64>,
    /// Seconds that this run took.
    pub seconds: f64,
    /// Why the run stopped early; nothing when it did not, or when the caller cancelled it.
    #[serde(serialize_with = "serialize_stop")]
    pub stopped: Option<Stop>,
}

impl Summary {
    pub(crate) fn new(job: JobId, counts: Counts) -> Self {
        Self {
            job,
            rows: counts.rows(),
            imported: counts.imported,
            present: counts.present,
            refused: counts.refused,
            unknown: counts.unknown,
            queued: counts.queued + counts.leased,
            sent: 0,
            refused_by_code: BTreeMap::new(),
            seconds: 0.0,
            stopped: None,
        }
    }

    /// Whether every row has come to a known end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unknown == 0 && self.queued == 0
    }
}

pub(crate) fn serialize_stop<S: serde::Serializer>(
    stop: &Option<Stop>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shape<'a> {
        code: &'a str,
        message: &'a str,
        hint: Option<&'a str>,
    }
    let shape = stop.as_ref().map(|Stop { code, message, hint }| Shape {
        code,
        message,
        hint: hint.as_ref().map(Hint::text),
    });
    shape.serialize(serializer)
}

/// Counts rows as they move and tells whoever watches. Clones tell the same watchers.
#[derive(Clone, Debug)]
pub(crate) struct ProgressSender {
    sender: watch::Sender<Progress>,
    /// When the rate was last told, and how many rows had come to an end then.
    mark: Arc<Mutex<Option<(Instant, u64)>>>,
}

impl ProgressSender {
    pub(crate) fn new() -> Self {
        Self {
            sender: watch::Sender::new(Progress::default()),
            mark: Arc::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.sender.subscribe()
    }

    pub(crate) fn now(&self) -> Progress {
        *self.sender.borrow()
    }

    /// Tells something else altogether.
    pub(crate) fn set(&self, progress: Progress) {
        self.sender.send_replace(progress);
    }

    pub(crate) fn loaded(&self, rows: u64, refused: u64) {
        self.sender.send_modify(|progress| {
            if !progress.is_loading {
                // What was told before is another job's.
                *progress = Progress::default();
            }
            progress.is_loading = true;
            progress.waiting = None;
            progress.rows = rows;
            progress.refused += refused;
            progress.queued = rows.saturating_sub(progress.refused);
        });
    }

    /// A run begins.
    pub(crate) fn began(&self) {
        *self.mark() = None;
        self.sender.send_modify(|progress| {
            (progress.rate, progress.sent, progress.waiting) = (0.0, 0, None);
        });
    }

    /// The counts as the ledger has them, with what other processes did.
    pub(crate) fn counted(&self, counts: Counts, rate_limit: Option<f64>) {
        self.sender.send_modify(|progress| {
            *progress = Progress {
                is_loading: false,
                rows: counts.rows(),
                imported: counts.imported,
                present: counts.present,
                refused: counts.refused,
                unknown: counts.unknown,
                queued: counts.queued + counts.leased,
                rate_limit,
                ..*progress
            };
            self.tell_rate(progress);
        });
    }

    pub(crate) fn moved(&self, from: RowState, to: RowState, rate_limit: Option<f64>) {
        self.sender.send_modify(|progress| {
            let of = |progress: &mut Progress, state, change: i64| {
                let count = match state {
                    RowState::Queued | RowState::Leased => &mut progress.queued,
                    RowState::Imported => &mut progress.imported,
                    RowState::Present => &mut progress.present,
                    RowState::Refused => &mut progress.refused,
                    RowState::Unknown => &mut progress.unknown,
                };
                *count = count.saturating_add_signed(change);
            };
            of(progress, from, -1);
            of(progress, to, 1);
            progress.rate_limit = rate_limit;
            self.tell_rate(progress);
        });
    }

    pub(crate) fn sent(&self, sent: u64) {
        self.sender
            .send_modify(|progress| progress.sent = progress.sent.max(sent));
    }

    pub(crate) fn waiting(&self, waiting: Option<Waiting>) {
        self.sender.send_if_modified(|progress| {
            let is_new = progress.waiting != waiting;
            progress.waiting = waiting;
            is_new
        });
    }

    /// Each time some seconds are over.
    fn tell_rate(&self, progress: &mut Progress) {
        let mut mark = self.mark();
        let now = Instant::now();
        let (since, done) = *mark.get_or_insert((now, progress.done()));
        let time = now - since;
        if time >= RATE_OVER {
            progress.rate = progress.done().saturating_sub(done) as f64 / time.as_secs_f64();
            *mark = Some((now, progress.done()));
        }
    }

    fn mark(&self) -> std::sync::MutexGuard<'_, Option<(Instant, u64)>> {
        self.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const RATE_OVER: Duration = Duration::from_secs(2);
