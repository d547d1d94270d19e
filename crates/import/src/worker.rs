//! A worker: takes rows of every loaded job of a merchant id, by leases, beside any number of others.
//!
//! It needs no source: what it sends is in the ledger, sealed.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::{self, Engine, Target},
    gateway::{Gateway, Stop},
    job::JobId,
    ledger::{Ledger, LedgerError, OpenJob},
    outcome,
    progress::{Progress, ProgressSender, Summary, Waiting},
    run::RunError,
    settings::Settings,
};

/// Works on every loaded job of a merchant id at one address, until there is none or for good.
///
/// Of the [`Settings`], the merchant id and the address say which jobs; brand, card, route and defaults are each job's
/// own. Any number of workers and importers share a ledger and its quota.
pub struct Worker<G> {
    engine: Arc<Engine<G>>,
    progress: ProgressSender,
}

/// How long a worker works.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Until {
    /// Until no job has rows left to be sent.
    Done,
    /// Until it is cancelled, or its `max_duration` is over: it waits for new jobs.
    #[default]
    Stopped,
}

impl<G: Gateway> Worker<G> {
    /// Takes the platform, the ledger and the settings.
    #[must_use]
    pub fn new(gateway: G, ledger: Ledger, settings: Settings) -> Self {
        Self {
            engine: Arc::new(Engine::new(gateway, ledger, settings)),
            progress: ProgressSender::new(),
        }
    }

    /// Watches how far the jobs are, all together.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Works.
    ///
    /// Cancelling starts no new attempt and lets those under way finish. What stops one job (no permission, a wrong
    /// card) leaves the others at work; a wrong key stops the worker.
    ///
    /// # Errors
    ///
    /// [`RunError`] when the ledger fails for longer than a restart of its server takes.
    pub async fn run(&self, until: Until, cancel: &CancellationToken) -> Result<WorkerSummary, RunError> {
        let started = Instant::now();
        let deadline = self.engine.settings.max_duration.map(|time| started + time);
        let mut crew = Crew {
            worker: self,
            until,
            stop: cancel.child_token(),
            deadline,
            running: JoinSet::new(),
            jobs: HashMap::new(),
            failures: Failures::default(),
            is_cut_off: until == Until::Done,
            stopped: None,
        };
        let mut result = crew.work().await;
        // Those that are still at work stop for the same reason, or because this one failed.
        crew.stop.cancel();
        while let Some(ended) = crew.running.join_next().await {
            if let Ok((id, ended)) = ended
                && let Some(error) = crew.ended(id, ended)
            {
                result = result.and(Err(error));
            }
        }
        result?;
        crew.count().await?;
        self.progress.waiting(None);
        let mut jobs: Vec<Summary> = crew.jobs.into_values().filter_map(|job| job.summary).collect();
        jobs.sort_by(|one, other| one.job.cmp(&other.job));
        Ok(WorkerSummary {
            sent: jobs.iter().map(|job| job.sent).sum(),
            jobs,
            seconds: started.elapsed().as_secs_f64(),
            is_cut_off: crew.is_cut_off,
            stopped: crew.stopped,
        })
    }
}

/// The runs of a worker, one for each job at work.
struct Crew<'a, G> {
    worker: &'a Worker<G>,
    until: Until,
    stop: CancellationToken,
    deadline: Option<Instant>,
    running: JoinSet<(JobId, Result<Summary, RunError>)>,
    jobs: HashMap<JobId, Known>,
    failures: Failures,
    /// Whether there may be rows that no run knows of.
    is_cut_off: bool,
    stopped: Option<Stop>,
}

/// What a worker knows of a job that it has worked on.
struct Known {
    key: i64,
    progress: ProgressSender,
    summary: Option<Summary>,
    /// Whether its last run told how it ended; until then the summary is of an earlier one.
    is_told: bool,
    is_running: bool,
    rest: Rest,
    /// First rows, sent alone, that were refused.
    refused_probes: u32,
}

/// When a job is worked on again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rest {
    /// When it has queued rows, or at this time when it has unknown ones.
    Unknown(Instant),
    /// At this time, and a worker does not end before: it was the ledger that failed, or it goes on in any case.
    Soon(Instant),
    /// At this time, by a worker that waits for more: what stopped it may be over then.
    Until(Instant),
    /// Not by this worker: somebody has to put something right first.
    Forever,
}

impl<G: Gateway> Crew<'_, G> {
    async fn work(&mut self) -> Result<(), RunError> {
        let mut idle = LOOK_LEAST;
        loop {
            let is_idle = match self.worker.engine.ledger.open_jobs().await {
                Ok(jobs) => {
                    let is_left = self.start(jobs);
                    self.is_cut_off = is_left || self.until == Until::Done;
                    if self.running.is_empty() && !is_left && self.until == Until::Done {
                        self.is_cut_off = false;
                        return Ok(());
                    }
                    self.running.is_empty()
                }
                Err(error) => {
                    self.failed(error.into()).await?;
                    continue;
                }
            };
            if is_idle {
                self.worker.progress.set(self.total(Some(Waiting::Work)));
            }
            let look_again = tokio::time::sleep(idle);
            idle = if is_idle {
                (idle * 2).min(LOOK_MOST)
            } else {
                LOOK_LEAST
            };
            tokio::pin!(look_again);
            loop {
                tokio::select! {
                    biased;
                    () = self.stop.cancelled() => return Ok(()),
                    () = over(self.deadline) => {
                        self.stopped = Some(engine::over());
                        return Ok(());
                    }
                    Some(ended) = self.running.join_next() => {
                        // A run that panicked left its rows leased; they come back when the leases end.
                        if let Ok((id, ended)) = ended
                            && let Some(error) = self.ended(id, ended)
                        {
                            self.failed(error).await?;
                        }
                        break;
                    }
                    () = tokio::time::sleep(TELL), if !is_idle => {
                        self.worker.progress.set(self.total(None));
                    }
                    () = &mut look_again => break,
                }
            }
        }
    }

    /// Starts what can be started, the oldest first. Returns whether anything is left that may be started later.
    fn start(&mut self, jobs: Vec<OpenJob>) -> bool {
        let engine = &self.worker.engine;
        let now = Instant::now();
        let mut is_left = false;
        let fitting: Vec<OpenJob> = jobs.into_iter().filter(|job| self.fits(job)).collect();
        for job in fitting {
            let known = self.jobs.get(&job.id);
            let may_start = match known {
                None => true,
                Some(known) if known.is_running => false,
                Some(known) => match known.rest {
                    Rest::Unknown(at) => job.has_queued || self.until == Until::Stopped && now >= at,
                    Rest::Soon(at) => {
                        is_left |= now < at;
                        now >= at
                    }
                    Rest::Until(at) => self.until == Until::Stopped && now >= at,
                    Rest::Forever => false,
                },
            };
            if !may_start {
                continue;
            }
            if self.running.len() >= MOST_JOBS {
                is_left = true;
                break;
            }
            let known = self.jobs.entry(job.id.clone()).or_insert_with(|| Known {
                key: job.key,
                progress: ProgressSender::new(),
                summary: None,
                is_told: false,
                is_running: true,
                rest: Rest::Forever,
                refused_probes: 0,
            });
            (known.is_running, known.is_told) = (true, false);
            let target = Target {
                key: job.key,
                id: job.id,
                profile: job.profile,
                route: job.route,
            };
            let (engine, progress) = (Arc::clone(engine), known.progress.clone());
            let (stop, deadline) = (self.stop.clone(), self.deadline);
            self.running.spawn(async move {
                let summary = engine.run(&target, &progress, &stop, deadline).await;
                (target.id, summary)
            });
        }
        is_left
    }

    fn fits(&self, job: &OpenJob) -> bool {
        let Settings {
            profile, on_unknown, ..
        } = &self.worker.engine.settings;
        let address = |url: &str| url.trim_end_matches('/').to_owned();
        job.is_left(*on_unknown)
            && job.profile.mchid == profile.mchid
            && address(&job.profile.base_url) == address(&profile.base_url)
    }

    /// Notes how a run ended, and returns why the ledger failed if it did.
    fn ended(&mut self, id: JobId, ended: Result<Summary, RunError>) -> Option<RunError> {
        let now = Instant::now();
        let known = self.jobs.get_mut(&id)?;
        known.is_running = false;
        let mut summary = match ended {
            Ok(summary) => summary,
            Err(error) => {
                known.rest = Rest::Soon(now);
                return Some(error);
            }
        };
        self.failures = Failures::default();
        known.rest = match &summary.stopped {
            None => Rest::Unknown(now + AGAIN_UNKNOWN),
            // It is not looked at as long as it is paused.
            Some(stop) if stop.code == "PAUSED" => Rest::Soon(now),
            // One row in bad luck may not hold a job; several say that it is the card or the settings.
            Some(stop) if stop.code == "PROBE_REFUSED" => {
                known.refused_probes += 1;
                match known.refused_probes < MOST_PROBES {
                    true => Rest::Soon(now + AGAIN_PROBE),
                    false => Rest::Forever,
                }
            }
            Some(stop) if outcome::is_passing(stop) => Rest::Until(now + AGAIN_STOPPED),
            Some(_) => Rest::Forever,
        };
        if let Some(stop) = &summary.stopped
            && outcome::is_of_all_jobs(stop)
        {
            self.stopped.get_or_insert(stop.clone());
            self.stop.cancel();
        }
        if let Some(before) = &known.summary {
            summary.sent += before.sent;
            summary.seconds += before.seconds;
        }
        known.summary = Some(summary);
        known.is_told = true;
        None
    }

    /// Asks the ledger for what the last runs did not tell, so that no job passes for done that is not.
    async fn count(&mut self) -> Result<(), LedgerError> {
        for (id, known) in &mut self.jobs {
            if known.is_told {
                continue;
            }
            let counts = self.worker.engine.ledger.counts(known.key).await?;
            let mut summary = Summary::new(id.clone(), counts);
            if let Some(before) = known.summary.take() {
                summary.sent = before.sent;
                summary.seconds = before.seconds;
                summary.refused_by_code = before.refused_by_code;
            }
            known.summary = Some(summary);
        }
        Ok(())
    }

    /// Waits until a ledger that failed may be asked again; gives it up when it fails for too long.
    async fn failed(&mut self, error: RunError) -> Result<(), RunError> {
        let Some(wait) = self.failures.wait(Instant::now()) else {
            return Err(error);
        };
        self.worker.progress.set(self.total(Some(Waiting::Ledger)));
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        Ok(())
    }

    /// All jobs together.
    fn total(&self, waiting: Option<Waiting>) -> Progress {
        let mut total = Progress::default();
        let mut reasons = Vec::new();
        for known in self.jobs.values() {
            let job = known.progress.now();
            total.rows += job.rows;
            total.imported += job.imported;
            total.present += job.present;
            total.refused += job.refused;
            total.unknown += job.unknown;
            total.queued += job.queued;
            total.sent += job.sent;
            if known.is_running {
                total.rate += job.rate;
                total.rate_limit = match (total.rate_limit, job.rate_limit) {
                    (Some(one), Some(other)) => Some(f64::max(one, other)),
                    (one, other) => one.or(other),
                };
                reasons.push(job.waiting);
            }
        }
        // Something leaves as long as one job does not wait.
        total.waiting = match reasons.iter().any(Option::is_none) {
            true => waiting,
            false => waiting.or(reasons.into_iter().flatten().next()),
        };
        total
    }
}

async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// How often the ledger failed one time after the other.
#[derive(Debug, Default)]
struct Failures {
    number: u32,
    last_at: Option<Instant>,
}

impl Failures {
    /// How long to wait before the next try; nothing when it was tried often enough.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        if self.last_at.is_some_and(|last| now - last > FAILURES_FORGOTTEN) {
            self.number = 0;
        }
        self.last_at = Some(now);
        self.number += 1;
        let wait = FAILURE_FIRST * 2_u32.pow(self.number.min(6) - 1);
        (self.number <= FAILURES_MOST).then_some(wait.min(FAILURE_LONGEST))
    }
}

impl<G> fmt::Debug for Worker<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.engine.settings)
            .finish_non_exhaustive()
    }
}

/// What a worker did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WorkerSummary {
    /// The jobs that it worked on, each as it was when the worker left it; `sent` is the worker's own.
    pub jobs: Vec<Summary>,
    /// Requests that left from here, repeats included.
    pub sent: u64,
    /// Seconds that it worked or waited.
    pub seconds: f64,
    /// Whether it was cancelled, or its time was over, before it had begun all that it would have worked on.
    pub is_cut_off: bool,
    /// Why it stopped early; nothing when it did not, or when the caller cancelled it.
    #[serde(serialize_with = "crate::progress::serialize_stop")]
    pub stopped: Option<Stop>,
}

impl WorkerSummary {
    /// Whether every row of every job it was there for has come to a known end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none() && !self.is_cut_off && self.jobs.iter().all(Summary::is_complete)
    }
}

/// Jobs that are worked on at once.
const MOST_JOBS: usize = 8;
/// How often the ledger is asked for jobs while there are some, and after a while without any.
const LOOK_LEAST: Duration = Duration::from_secs(1);
const LOOK_MOST: Duration = Duration::from_secs(15);
const TELL: Duration = Duration::from_millis(500);
/// When a job is tried again that the platform or the way to it stopped.
const AGAIN_STOPPED: Duration = Duration::from_secs(60);
/// When the next row goes alone after the first one was refused, and how many are tried so.
const AGAIN_PROBE: Duration = Duration::from_secs(5);
const MOST_PROBES: u32 = 5;
/// When rows are tried again that a whole run left without a known outcome.
const AGAIN_UNKNOWN: Duration = Duration::from_secs(600);
const FAILURE_FIRST: Duration = Duration::from_secs(1);
const FAILURE_LONGEST: Duration = Duration::from_secs(30);
const FAILURES_MOST: u32 = 10;
const FAILURES_FORGOTTEN: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
