//! What an importer and a worker share: one gateway, one ledger, one pace a route, and how a job is run with them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::{Gateway, Hint, Stop},
    job::{JobId, Profile, Route},
    ledger::{Counts, Ledger, LedgerError, Owner, RowState, Work},
    pace::{PaceKey, Pacer},
    progress::{ProgressSender, Summary},
    run::{Run, RunError},
    settings::Settings,
};

/// Runs jobs.
pub(crate) struct Engine<G> {
    pub(crate) gateway: Arc<G>,
    pub(crate) ledger: Ledger,
    pub(crate) settings: Settings,
    slots: Arc<Semaphore>,
    pacers: Mutex<HashMap<Route, Arc<Pacer>>>,
}

/// A job to run.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) key: i64,
    pub(crate) id: JobId,
    pub(crate) profile: Profile,
    pub(crate) route: Route,
}

impl<G: Gateway> Engine<G> {
    pub(crate) fn new(gateway: G, ledger: Ledger, settings: Settings) -> Self {
        let slots = Arc::new(Semaphore::new(settings.concurrency()));
        Self {
            gateway: Arc::new(gateway),
            ledger,
            settings,
            slots,
            pacers: Mutex::default(),
        }
    }

    /// Works on a job until nothing of it is left to do, it is stopped, or `deadline` has come.
    pub(crate) async fn run(
        &self,
        target: &Target,
        progress: &ProgressSender,
        cancel: &CancellationToken,
        deadline: Option<Instant>,
    ) -> Result<Summary, RunError> {
        let started = Instant::now();
        let pacer = self.pacer(target);
        let counts = self.ledger.counts(target.key).await?;
        progress.began();
        progress.counted(counts, pacer.rate());
        let work = Work {
            job: target.key,
            owner: Owner::random()?,
            lease: self.settings.attempt_timeout + LEASE_SPARE,
        };
        let run = Arc::new(Run {
            gateway: Arc::clone(&self.gateway),
            ledger: self.ledger.clone(),
            settings: self.settings.clone(),
            work,
            route: target.route,
            pacer: Arc::clone(&pacer),
            slots: Arc::clone(&self.slots),
            is_probing: self.is_probing(target, counts).await?,
            progress: progress.clone(),
            stop: cancel.child_token(),
            state: Mutex::default(),
            sent: 0.into(),
            under_way: 0.into(),
            unknown_streak: 0.into(),
        });
        let worked = self.watched(&run, target.key, deadline).await;
        // A row whose gateway panicked is still leased.
        let abandoned = self.ledger.abandon(work).await;
        worked.and(abandoned.map(drop))?;
        let counts = self.ledger.counts(target.key).await?;
        progress.counted(counts, pacer.rate());
        progress.waiting(None);
        let mut summary = Summary::new(target.id.clone(), counts);
        if counts.refused > 0 {
            for outcome in self.ledger.outcomes(&target.id).await? {
                if outcome.state == RowState::Refused {
                    *summary.refused_by_code.entry(outcome.code).or_default() += outcome.rows;
                }
            }
        }
        summary.sent = run.sent.load(Ordering::Relaxed);
        summary.seconds = started.elapsed().as_secs_f64();
        summary.stopped = run.reason();
        Ok(summary)
    }

    /// Lets a run work, looks at the clock, and tells now and then what other processes did.
    async fn watched(
        &self,
        run: &Arc<Run<G>>,
        job: i64,
        deadline: Option<Instant>,
    ) -> Result<(), LedgerError> {
        let deadline = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let mut work = std::pin::pin!(Arc::clone(run).work());
        let mut count = std::pin::pin!(self.count(run, job));
        let mut deadline = std::pin::pin!(deadline);
        let mut is_over = false;
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result,
                () = &mut deadline, if !is_over => {
                    is_over = true;
                    run.stop_for(over());
                }
                never = &mut count => match never {},
            }
        }
    }

    async fn count(&self, run: &Run<G>, job: i64) -> std::convert::Infallible {
        let mut rest = COUNT_LEAST;
        loop {
            tokio::time::sleep(rest).await;
            let started = Instant::now();
            // A ledger that fails is noticed by the run itself.
            if let Ok(counts) = self.ledger.counts(job).await {
                run.progress.counted(counts, run.pacer.rate());
            }
            // Counting a million rows takes a while; it may not become what a run is busy with.
            rest = (started.elapsed() * COUNT_SHARE).max(COUNT_LEAST);
        }
    }

    /// Whether the first row goes alone: nothing says so far that this card takes members by this route.
    async fn is_probing(&self, target: &Target, counts: Counts) -> Result<bool, LedgerError> {
        let has_success = |counts: Counts| counts.imported + counts.present > 0;
        if !self.settings.probe || counts.unfinished() == 0 || has_success(counts) {
            return Ok(false);
        }
        let address = |url: &str| url.trim_end_matches('/').to_owned();
        let Profile {
            mchid,
            brand_id,
            card_id,
            base_url,
        } = &target.profile;
        let jobs = self.ledger.jobs().await?;
        let is_known = jobs.iter().any(|job| {
            has_success(job.counts)
                && job.route == target.route
                && (&job.mchid, &job.brand_id, &job.card_id) == (mchid, brand_id, card_id)
                && address(&job.base_url) == address(base_url)
        });
        Ok(!is_known)
    }

    /// The pace of an operation; the ledger shares it with other processes.
    fn pacer(&self, target: &Target) -> Arc<Pacer> {
        let mut pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        let pacer = pacers.entry(target.route).or_insert_with(|| {
            let key = PaceKey::new(&target.profile, target.route);
            Arc::new(Pacer::new(
                self.ledger.clone(),
                key,
                self.settings.quota_of(target.route),
            ))
        });
        Arc::clone(pacer)
    }
}

pub(crate) fn over() -> Stop {
    Stop {
        code: "MAX_DURATION".to_owned(),
        message: "the time that the run was given is over".to_owned(),
        hint: Some(Hint::Whole("the same command continues".to_owned())),
    }
}

/// How much longer than an attempt a lease is: time to write down what came of it.
const LEASE_SPARE: Duration = Duration::from_secs(30);
const COUNT_LEAST: Duration = Duration::from_secs(2);
/// Of the time that counting takes, how much is between two counts.
const COUNT_SHARE: u32 = 50;
