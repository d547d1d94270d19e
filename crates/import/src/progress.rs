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
    gateway::Stop,
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

/// What became of a job. `imported`, `present`, `refused`, `unknown` and `queued` add up to `rows`.
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
    /// Not sent.
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
    pub(crate) fn new(job: JobId, counts: Counts, sent: u64, time: Duration, stopped: Option<Stop>) -> Self {
        let Counts {
            queued,
            leased,
            imported,
            present,
            refused,
            unknown,
        } = counts;
        Self {
            job,
            rows: queued + leased + imported + present + refused + unknown,
            imported,
            present,
            refused,
            unknown,
            queued: queued + leased,
            sent,
            refused_by_code: BTreeMap::new(),
            seconds: time.as_secs_f64(),
            stopped,
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
        hint: hint.as_deref(),
    });
    shape.serialize(serializer)
}

/// Counts rows as they move and tells whoever watches.
#[derive(Clone, Debug)]
pub(crate) struct ProgressSender {
    sender: watch::Sender<Progress>,
    window: Arc<Mutex<(Instant, u32)>>,
}

impl ProgressSender {
    pub(crate) fn new() -> Self {
        let window = Arc::new(Mutex::new((Instant::now(), 0)));
        Self {
            sender: watch::Sender::new(Progress::default()),
            window,
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.sender.subscribe()
    }

    pub(crate) fn loaded(&self, rows: u64, refused: u64) {
        self.sender.send_modify(|progress| {
            progress.is_loading = true;
            progress.rows = rows;
            progress.refused += refused;
            progress.queued = rows.saturating_sub(progress.refused);
        });
    }

    pub(crate) fn counted(&self, counts: Counts, rate_limit: Option<f64>) {
        let Counts {
            queued,
            leased,
            imported,
            present,
            refused,
            unknown,
        } = counts;
        self.sender.send_replace(Progress {
            is_loading: false,
            rows: queued + leased + imported + present + refused + unknown,
            imported,
            present,
            refused,
            unknown,
            queued: queued + leased,
            rate: 0.0,
            rate_limit,
            sent: 0,
            waiting: None,
        });
    }

    pub(crate) fn moved(&self, from: RowState, to: RowState, rate_limit: Option<f64>) {
        let rate = self.rate();
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
            progress.rate = rate.unwrap_or(progress.rate);
            progress.rate_limit = rate_limit;
        });
    }

    /// The rate, each time a window is full.
    fn rate(&self) -> Option<f64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.1 += 1;
        let time = window.0.elapsed();
        if time < WINDOW {
            return None;
        }
        let rate = f64::from(window.1) / time.as_secs_f64();
        *window = (Instant::now(), 0);
        Some(rate)
    }
}

const WINDOW: Duration = Duration::from_secs(2);
