//! The run of one job: claims rows, sends them at the pace allowed, writes down what came of each.
//!
//! A row is marked in the ledger before each attempt and after each answer. Whatever ends the run early (a stop, a
//! cancellation, an error of the ledger) lets the attempts in flight finish and starts no new one. Other processes may
//! work on the same job: a row is only ever sent by who has it leased, also between two attempts whose outcome is unknown,
//! and a run ends when nothing is left that it has not dealt with and nobody else has a row leased that it might get.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use thiserror::Error;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::{Answer, Gateway, Hint, SealedRequest, Stop},
    job::Route,
    ledger::{Claim, ClaimedRow, Cursor, Entry, Ledger, LedgerError, RowState, Skip, Work},
    pace::Pacer,
    progress::{ProgressSender, Waiting},
    settings::{OnUnknown, Settings},
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
    pub(crate) settings: Settings,
    pub(crate) work: Work,
    pub(crate) route: Route,
    pub(crate) pacer: Arc<Pacer>,
    /// Places for rows under way, shared with the other runs of a worker.
    pub(crate) slots: Arc<Semaphore>,
    /// Whether the first row goes alone.
    pub(crate) is_probing: bool,
    pub(crate) progress: ProgressSender,
    /// No new attempts: the caller cancelled, or `reason` says why.
    pub(crate) stop: CancellationToken,
    pub(crate) state: Mutex<State>,
    /// Requests that left.
    pub(crate) sent: AtomicU64,
    /// Requests whose answer is waited for.
    pub(crate) under_way: AtomicU32,
    /// Rows in a row that ended unknown.
    pub(crate) unknown_streak: AtomicU32,
}

#[derive(Default)]
pub(crate) struct State {
    reason: Option<Stop>,
    /// Rows that this run has given up. Another process may try them in its turn, and give them back; without this,
    /// two processes would hand a row that never gets an answer to each other without end.
    given_up: Arc<HashSet<u64>>,
    /// The code of the last refusal, and how many had it without a success in between.
    refusals: (Option<String>, u32),
}

/// How a row left this run.
#[derive(Debug)]
struct End {
    row: u64,
    entry: Entry,
}

/// What the row that goes first says.
enum Probe {
    /// Others may follow.
    Good,
    /// Another process has the row: the next one goes first.
    TakenOver,
    Stopped,
}

type Ended = Result<Option<End>, LedgerError>;

impl<G: Gateway> Run<G> {
    /// Works until no row is left to be sent, or the run is stopped.
    pub(crate) async fn work(self: Arc<Self>) -> Result<(), LedgerError> {
        let mut rows = JoinSet::new();
        let mut result = self.dispatch(&mut rows).await;
        while let Some(row) = rows.join_next().await {
            // A row whose gateway panicked stays leased, and is found when the run is over.
            if let (Ok(Err(error)), true) = (row, result.is_ok()) {
                result = Err(error);
            }
        }
        result
    }

    /// Why the run stopped early.
    pub(crate) fn reason(&self) -> Option<Stop> {
        self.lock().reason.clone()
    }

    /// Starts no new attempt any more. The first reason counts.
    pub(crate) fn stop_for(&self, stop: Stop) {
        self.lock().reason.get_or_insert(stop);
        self.stop.cancel();
    }

    async fn dispatch(self: &Arc<Self>, rows: &mut JoinSet<Ended>) -> Result<(), LedgerError> {
        let mut cursor = Cursor::default();
        let mut claimed = VecDeque::new();
        let mut claimed_at = Instant::now();
        let mut is_probing = self.is_probing;
        let mut has_turn = false;
        while let Some(slot) = self.slot(has_turn).await? {
            has_turn = true;
            while let Some(row) = rows.try_join_next() {
                if let Ok(Err(error)) = row {
                    return Err(error);
                }
            }
            if let Some(row) = claimed.pop_front() {
                rows.spawn(Arc::clone(self).drive(row, claimed_at, slot));
                has_turn = false;
                if is_probing {
                    match self.probed(rows).await? {
                        Probe::Good => is_probing = false,
                        Probe::TakenOver => {}
                        Probe::Stopped => break,
                    }
                }
                continue;
            }
            let limit = if is_probing { 1 } else { self.batch() };
            claimed_at = Instant::now();
            let skip = self.skip();
            let (claim, behind) = self.ledger.claim_rows(self.work, cursor, limit, skip).await?;
            cursor = behind;
            match claim {
                Claim::Rows(batch) => claimed.extend(batch),
                Claim::Wait(time) => {
                    drop(slot);
                    self.wait_for_others(time).await;
                }
                Claim::Paused => self.stop_for(paused()),
                Claim::Nothing => break,
            }
        }
        // All at once, so that they share a transaction.
        let mut going_back = JoinSet::new();
        for row in claimed {
            let run = Arc::clone(self);
            going_back.spawn(async move { run.put_back(row.row, row.is_maybe_sent).await });
        }
        while let Some(result) = going_back.join_next().await {
            result.map_err(|_| LedgerError::Closed)??;
        }
        Ok(())
    }

    /// How many rows to claim: what can leave at once or nearly so, so that a crash leaves little in doubt, and yet not
    /// a transaction for each row where many leave.
    fn batch(&self) -> u32 {
        let rows = match self.pacer.rate() {
            Some(rate) => rate * SOON.as_secs_f64(),
            None => {
                let ahead = self.settings.concurrency() / 2;
                self.slots.available_permits().max(ahead) as f64
            }
        };
        (rows as u32).saturating_add(1).min(MOST_CLAIMED)
    }

    /// Waits for a free place, and for the turn unless there is one already; `None` when the run is to end.
    async fn slot(&self, has_turn: bool) -> Result<Option<OwnedSemaphorePermit>, LedgerError> {
        let acquired = self.unless_stopped(Arc::clone(&self.slots).acquire_owned()).await;
        let Some(Ok(slot)) = acquired else { return Ok(None) };
        Ok((has_turn || self.turn().await?).then_some(slot))
    }

    /// Waits until a request may leave. Returns whether the run goes on.
    async fn turn(&self) -> Result<bool, LedgerError> {
        let turn = async {
            self.window().await;
            self.pacer.ready().await
        };
        match self.unless_stopped(turn).await {
            Some(turn) => turn.map(|()| true),
            None => Ok(false),
        }
    }

    /// Waits for the hours in which requests may leave. Looks at the clock every minute, since it may be set.
    async fn window(&self) {
        let Some(window) = self.settings.window else {
            return;
        };
        let clock = &self.settings.clock;
        loop {
            let now = clock.now().0;
            let Some(wait) = window.opens_in(now) else { return };
            let until = now.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
            self.progress.waiting(Some(Waiting::Window { until }));
            clock.sleep(wait.min(LOOK_AT_THE_CLOCK)).await;
        }
    }

    /// Nothing is left but what others have leased: it comes to an end, or comes back.
    async fn wait_for_others(&self, lease: Duration) {
        if self.under_way.load(Ordering::Relaxed) == 0 {
            self.progress.waiting(Some(Waiting::Leases));
        }
        let time = lease.clamp(LOOK_FOR_ROWS_LEAST, LOOK_FOR_ROWS_MOST);
        let _ = self.unless_stopped(tokio::time::sleep(time)).await;
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            done = work => Some(done),
        }
    }

    /// What this run leaves to others, or to the next one.
    fn skip(&self) -> Skip {
        Skip {
            rows: Arc::clone(&self.lock().given_up),
            is_unknown: self.settings.on_unknown == OnUnknown::Hold,
        }
    }

    fn give_up(&self, row: u64) {
        Arc::make_mut(&mut self.lock().given_up).insert(row);
    }

    /// Nothing was sent, so the row goes back to where it was.
    async fn put_back(&self, row: u64, is_maybe_sent: bool) -> Result<(), LedgerError> {
        let told = |text: &str| is_maybe_sent.then(|| text.to_owned());
        let entry = Entry {
            state: waiting_state(is_maybe_sent),
            code: told("UNKNOWN_OUTCOME"),
            message: told("an earlier attempt may have taken effect"),
            request_id: None,
        };
        self.ledger.record(self.work, row, entry).await.map(drop)
    }

    /// Waits for the one row that goes first.
    async fn probed(&self, rows: &mut JoinSet<Ended>) -> Result<Probe, LedgerError> {
        let end = match rows.join_next().await {
            Some(Ok(end)) => match end? {
                None => return Ok(Probe::TakenOver),
                end => end,
            },
            // The gateway panicked, so nothing is known of the row.
            _ => None,
        };
        let stop = match end.map(|End { row, entry }| (entry.state, row, entry)) {
            Some((RowState::Imported | RowState::Present, ..)) => return Ok(Probe::Good),
            Some((RowState::Refused, row, entry)) => Stop {
                code: "PROBE_REFUSED".to_owned(),
                message: format!(
                    "row {row}, sent alone because nothing was imported into this card yet, was refused: {}: {}",
                    entry.code.unwrap_or_default(),
                    entry.message.unwrap_or_default()
                ),
                hint: Some(Hint::Whole(
                    "if it is only this row, the same command goes on with the next one; `--yes` sends all rows without \
                     a probe"
                        .to_owned(),
                )),
            },
            // Whoever stopped the run did not wait for the answer.
            Some(_) if self.stop.is_cancelled() => return Ok(Probe::Stopped),
            end => Stop {
                code: "PROBE_UNKNOWN".to_owned(),
                message: format!(
                    "the first row, sent alone because nothing was imported into this card yet, got no clear answer: {}",
                    end.and_then(|(.., entry)| entry.message)
                        .unwrap_or_else(|| "sending it failed inside this program".to_owned())
                ),
                hint: Some(Hint::Whole(LOOK_FOR_THE_CAUSE.to_owned())),
            },
        };
        self.stop_for(stop);
        Ok(Probe::Stopped)
    }

    /// Brings one row to its end in this run. The slot is held meanwhile, also between attempts: a platform that
    /// fails gets fewer rows, not more.
    async fn drive(
        self: Arc<Self>,
        row: ClaimedRow,
        claimed_at: Instant,
        slot: OwnedSemaphorePermit,
    ) -> Ended {
        let result = self.attempts(row, claimed_at).await;
        if result.is_err() {
            // Without a ledger nothing more may be sent.
            self.stop.cancel();
        }
        drop(slot);
        result
    }

    async fn attempts(&self, row: ClaimedRow, claimed_at: Instant) -> Ended {
        let ClaimedRow {
            row,
            request,
            is_maybe_sent,
        } = row;
        let mut attempt = Attempt {
            number: 1,
            throttled: 0,
            limit: self.settings.attempts.get(),
            is_maybe_sent,
            is_repeated: self.settings.on_unknown == OnUnknown::Repeat,
        };
        let mut state = waiting_state(is_maybe_sent);
        // The lease began when the row was claimed, and must last for the whole attempt.
        if claimed_at.elapsed() > FRESH && !self.ledger.lease_again(self.work, row).await? {
            return Ok(None);
        }
        loop {
            let answer = self.send(&request).await;
            let is_throttled = matches!(answer, Answer::RateLimited { .. });
            if let Answer::RateLimited { retry_after } = &answer {
                self.pacer.slow_down(*retry_after).await?;
                self.progress.waiting(Some(Waiting::RateLimit));
            }
            let step = transition(self.route, attempt, answer);
            // Before it is written down: until then other rows would still leave.
            if let Next::Stop(stop) = &step.next {
                self.stop_for(stop.clone());
            }
            let goes_on = matches!(step.next, Next::Again | Next::Slower { .. });
            // Nobody else is to send it while its outcome is unknown and this run has attempts left.
            let is_kept = goes_on && step.entry.state == RowState::Unknown;
            let rest = if is_throttled {
                Duration::ZERO
            } else {
                backoff(row, attempt)
            };
            let entry = step.entry.clone();
            let is_written = match is_kept {
                true => self.ledger.keep(self.work, row, entry, rest).await,
                false => self.ledger.record(self.work, row, entry).await,
            }?;
            let end = End {
                row,
                entry: step.entry,
            };
            if is_written {
                self.progress.moved(state, end.entry.state, self.pacer.rate());
            }
            state = end.entry.state;
            attempt.is_maybe_sent |= state == RowState::Unknown;
            match step.next {
                Next::Done => {
                    self.done(&end);
                    return Ok(Some(end));
                }
                Next::Stop(_) => return Ok(Some(end)),
                // Another process has the row, or brought it to an end.
                Next::Again | Next::Slower { .. } if !is_written => return Ok(self.taken_over(row, attempt)),
                Next::Again | Next::Slower { .. } => {}
            }
            if is_throttled {
                attempt.throttled += 1;
            } else {
                if self.under_way.load(Ordering::Relaxed) == 0 {
                    self.progress.waiting(Some(Waiting::BackOff));
                }
                if self.unless_stopped(tokio::time::sleep(rest)).await.is_none() {
                    return self.let_go(end, is_kept).await;
                }
                attempt.number += 1;
            }
            if !self.turn().await? {
                return self.let_go(end, is_kept).await;
            }
            if !self.ledger.lease_again(self.work, row).await? {
                return Ok(self.taken_over(row, attempt));
            }
        }
    }

    /// The run was stopped before the row's next attempt.
    async fn let_go(&self, end: End, is_kept: bool) -> Ended {
        if is_kept {
            self.ledger.record(self.work, end.row, end.entry.clone()).await?;
        }
        Ok(Some(end))
    }

    /// Another process has the row. If this one does not know what its own attempts came to, it has had its turn:
    /// otherwise the row would go to and fro, and each time have all attempts anew.
    fn taken_over(&self, row: u64, attempt: Attempt) -> Option<End> {
        if attempt.is_maybe_sent {
            self.give_up(row);
        }
        None
    }

    async fn send(&self, request: &SealedRequest) -> Answer {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.progress.waiting(None);
        let timeout = self.settings.attempt_timeout;
        let sent = tokio::time::timeout(timeout, self.gateway.send(self.route, request)).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let answer = sent.unwrap_or_else(|_| Answer::Unknown {
            reason: format!("no answer within {} s", timeout.as_secs()),
            request_id: None,
        });
        if !matches!(answer, Answer::NotSent { .. }) {
            self.progress
                .sent(self.sent.fetch_add(1, Ordering::Relaxed).saturating_add(1));
        }
        answer
    }

    /// Too many rows in a row without a known outcome: the platform is ill, and a million rows should not find out.
    fn done(&self, end: &End) {
        self.count_refusals(&end.entry);
        if end.entry.state != RowState::Unknown {
            self.unknown_streak.store(0, Ordering::Relaxed);
            return;
        }
        self.give_up(end.row);
        let limit = self.settings.unknown_limit.get();
        if self.unknown_streak.fetch_add(1, Ordering::Relaxed) + 1 >= limit {
            self.stop_for(Stop {
                code: "UNKNOWN_OUTCOMES".to_owned(),
                message: format!(
                    "{limit} rows one after the other ended without a known outcome, the last one so: {}",
                    end.entry.message.as_deref().unwrap_or_default()
                ),
                hint: Some(Hint::Whole(LOOK_FOR_THE_CAUSE.to_owned())),
            });
        }
    }

    /// Many equal refusals in a row are hardly the rows' fault: a proxy, a frozen account, a wrong card.
    fn count_refusals(&self, entry: &Entry) {
        let same = {
            let refusals = &mut self.lock().refusals;
            match entry.state {
                RowState::Refused if refusals.0 == entry.code => refusals.1 += 1,
                RowState::Refused => *refusals = (entry.code.clone(), 1),
                RowState::Imported | RowState::Present => *refusals = (None, 0),
                _ => {}
            }
            refusals.1
        };
        if let Some(limit) = self.settings.refusal_limit
            && same >= limit.get()
        {
            self.stop_for(Stop {
                code: "SAME_REFUSAL".to_owned(),
                message: format!(
                    "{limit} rows one after the other were refused alike: {}: {}",
                    entry.code.as_deref().unwrap_or_default(),
                    entry.message.as_deref().unwrap_or_default()
                ),
                hint: Some(Hint::Whole(
                    "look at the message; if it is the rows' fault, the same command with `--yes` goes on"
                        .to_owned(),
                )),
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn waiting_state(is_maybe_sent: bool) -> RowState {
    if is_maybe_sent {
        RowState::Unknown
    } else {
        RowState::Queued
    }
}

fn paused() -> Stop {
    Stop {
        code: "PAUSED".to_owned(),
        message: "somebody paused the job".to_owned(),
        hint: Some(Hint::Whole("`wxmember resume JOB` lets it go on".to_owned())),
    }
}

/// A disturbance passes, and then the same request finds out; a platform key that is not configured does not.
const LOOK_FOR_THE_CAUSE: &str = "`wxmember doctor --online` looks for a cause on this side; the same command finds out what became of the rows";
/// A row that was claimed longer ago is leased again before it is sent. A lease is longer than an attempt by more.
const FRESH: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_millis(50);
const MOST_CLAIMED: u32 = 100;
const LOOK_AT_THE_CLOCK: Duration = Duration::from_secs(60);
const LOOK_FOR_ROWS_LEAST: Duration = Duration::from_millis(20);
const LOOK_FOR_ROWS_MOST: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
