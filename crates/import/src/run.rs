//! The run: claims rows, sends them at the pace allowed, writes down what came of each.
//!
//! A row is marked in the ledger before each attempt and after each answer. Whatever ends the run early (a stop, a
//! cancellation, an error of the ledger) lets the attempts in flight finish and starts no new one.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::{Answer, Gateway, SealedRequest, Stop},
    job::Route,
    ledger::{ClaimedRow, Cursor, Entry, Ledger, LedgerError, RowState},
    pace::Pacer,
    progress::ProgressSender,
    transition::{Attempt, Next, backoff, transition},
};

/// Why a run could not be done or reported. What was answered is in the ledger.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// One run of one job.
pub(crate) struct Run<G> {
    pub(crate) gateway: Arc<G>,
    pub(crate) ledger: Ledger,
    pub(crate) job: i64,
    pub(crate) route: Route,
    pub(crate) pacer: Pacer,
    pub(crate) concurrency: usize,
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Duration,
    pub(crate) unknown_limit: u32,
    pub(crate) progress: ProgressSender,
    /// No new attempts: the caller cancelled, or `reason` says why.
    pub(crate) stop: CancellationToken,
    pub(crate) reason: Mutex<Option<Stop>>,
    pub(crate) sent: AtomicU64,
    /// Rows in a row that ended unknown.
    pub(crate) unknown_streak: AtomicU32,
}

impl<G: Gateway> Run<G> {
    /// Works until no row is left to be sent, or the run is stopped.
    pub(crate) async fn work(self: Arc<Self>) -> Result<(), LedgerError> {
        let mut rows = JoinSet::new();
        let dispatched = self.dispatch(&mut rows).await;
        let mut result = dispatched;
        while let Some(row) = rows.join_next().await {
            // A row whose gateway panicked stays leased, and is found below.
            if let (Ok(Err(error)), true) = (row, result.is_ok()) {
                result = Err(error);
            }
        }
        result?;
        self.ledger.recover_leases(self.job).await.map(drop)
    }

    async fn dispatch(
        self: &Arc<Self>,
        rows: &mut JoinSet<Result<(), LedgerError>>,
    ) -> Result<(), LedgerError> {
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let mut cursor = Cursor::default();
        let mut claimed = VecDeque::new();
        while let Some(slot) = self.slot(&slots).await {
            while let Some(row) = rows.try_join_next() {
                if let Ok(Err(error)) = row {
                    return Err(error);
                }
            }
            if claimed.is_empty() {
                // Only what can leave at once is marked, so that a crash leaves little in doubt.
                let free = if self.pacer.rate().is_some() {
                    0
                } else {
                    slots.available_permits()
                };
                let limit = u32::try_from(free).unwrap_or(u32::MAX).saturating_add(1);
                let (batch, behind) = self.ledger.claim_rows(self.job, cursor, limit).await?;
                cursor = behind;
                claimed.extend(batch);
            }
            let Some(row) = claimed.pop_front() else {
                return Ok(());
            };
            rows.spawn(Arc::clone(self).drive(row, slot));
        }
        for row in claimed {
            let state = waiting_state(row.is_maybe_sent);
            self.ledger
                .record(
                    self.job,
                    row.row,
                    Entry {
                        state,
                        code: None,
                        message: None,
                        request_id: None,
                    },
                )
                .await?;
        }
        Ok(())
    }

    /// Waits for a free place and for the pace; `None` when the run is to end.
    async fn slot(&self, slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        let slot = self
            .unless_stopped(Arc::clone(slots).acquire_owned())
            .await?
            .ok()?;
        self.unless_stopped(self.pacer.ready()).await?;
        Some(slot)
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            done = work => Some(done),
        }
    }

    /// Brings one row to its end in this run. The slot is held meanwhile, also between attempts: a platform that
    /// fails gets fewer rows, not more.
    async fn drive(self: Arc<Self>, row: ClaimedRow, slot: OwnedSemaphorePermit) -> Result<(), LedgerError> {
        let result = self.attempts(row).await;
        if result.is_err() {
            // Without a ledger nothing more may be sent.
            self.stop.cancel();
        }
        drop(slot);
        result
    }

    async fn attempts(&self, row: ClaimedRow) -> Result<(), LedgerError> {
        let ClaimedRow {
            row,
            request,
            is_maybe_sent,
        } = row;
        let mut attempt = Attempt {
            number: 1,
            throttled: 0,
            limit: self.attempts,
            is_maybe_sent,
        };
        let mut state = waiting_state(is_maybe_sent);
        loop {
            let answer = self.send(&request).await;
            match &answer {
                Answer::RateLimited { retry_after } => self.pacer.slow_down(*retry_after),
                Answer::NotSent { .. } => {}
                _ => self.pacer.speed_up(),
            }
            let is_throttled = matches!(answer, Answer::RateLimited { .. });
            let step = transition(self.route, attempt, answer);
            let new_state = step.entry.state;
            self.ledger.record(self.job, row, step.entry).await?;
            self.progress.moved(state, new_state, self.pacer.rate());
            state = new_state;
            attempt.is_maybe_sent |= state == RowState::Unknown;
            match step.next {
                Next::Done => {
                    self.done(state);
                    return Ok(());
                }
                Next::Stop(stop) => {
                    self.stop_for(stop);
                    return Ok(());
                }
                Next::Again | Next::Slower { .. } => {}
            }
            let wait = async {
                if !is_throttled {
                    tokio::time::sleep(backoff(row, attempt)).await;
                }
                self.pacer.ready().await;
            };
            if self.unless_stopped(wait).await.is_none() {
                return Ok(());
            }
            if is_throttled {
                attempt.throttled += 1;
            } else {
                attempt.number += 1;
            }
            self.ledger.lease_again(self.job, row).await?;
        }
    }

    async fn send(&self, request: &SealedRequest) -> Answer {
        self.sent.fetch_add(1, Ordering::Relaxed);
        match tokio::time::timeout(self.attempt_timeout, self.gateway.send(self.route, request)).await {
            Ok(answer) => answer,
            Err(_) => Answer::Unknown {
                reason: format!("no answer within {} s", self.attempt_timeout.as_secs()),
                request_id: None,
            },
        }
    }

    /// Too many rows in a row without a known outcome: the platform is ill, and a million rows should not find out.
    fn done(&self, state: RowState) {
        if state != RowState::Unknown {
            self.unknown_streak.store(0, Ordering::Relaxed);
        } else if self.unknown_streak.fetch_add(1, Ordering::Relaxed) + 1 >= self.unknown_limit {
            self.stop_for(Stop {
                code: "UNKNOWN_OUTCOMES".to_owned(),
                message: format!(
                    "{} rows one after the other ended without a known outcome",
                    self.unknown_limit
                ),
                hint: Some(
                    "the platform or the way to it is disturbed; the same command continues later".to_owned(),
                ),
            });
        }
    }

    fn stop_for(&self, stop: Stop) {
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(stop);
        self.stop.cancel();
    }
}

fn waiting_state(is_maybe_sent: bool) -> RowState {
    if is_maybe_sent {
        RowState::Unknown
    } else {
        RowState::Queued
    }
}
