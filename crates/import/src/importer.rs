//! The front of the engine: load a source, run the job, write what was refused.

use std::{
    fmt,
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    defaults::Defaults,
    gateway::Gateway,
    job::{Identity, Job, LoadError, Profile, Route},
    ledger::{Ledger, LedgerError, Owner, RowReport, RowState, Work},
    load::Load,
    mapping::Mapping,
    pace::{PaceKey, Pacer, Quota},
    report::{Progress, ProgressSender, RefusedFile, ReportError, Summary},
    run::{Run, RunError},
    source::{Source, SourceError},
    validate::Validator,
};

/// How an importer works. Everything but the profile has a default.
#[derive(Clone, Debug)]
pub struct Settings {
    profile: Profile,
    route: Route,
    defaults: Defaults,
    quota: Option<Quota>,
    concurrency: Option<NonZeroUsize>,
    attempts: NonZeroU32,
    attempt_timeout: Duration,
    unknown_limit: NonZeroU32,
    load_threads: NonZeroUsize,
}

impl Settings {
    /// For this profile, by the default route, without a quota.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            route: Route::default(),
            defaults: Defaults::default(),
            quota: None,
            concurrency: None,
            attempts: ATTEMPTS,
            attempt_timeout: Duration::from_secs(60),
            unknown_limit: UNKNOWN_LIMIT,
            load_threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }

    /// Sets what holds for rows that do not say otherwise.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// Limits the requests per time. Default: no limit but the platform's 429.
    #[must_use]
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Sets how many requests are under way at once. Default: 32, or with a quota what two seconds of it allow.
    #[must_use]
    pub fn with_concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// Sets how often one run tries a row at most. Default: 5.
    #[must_use]
    pub fn with_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets after how long an attempt counts as lost, whatever the gateway does. Default: 60 s.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets after how many rows in a row without a known outcome a run stops. Default: 50.
    #[must_use]
    pub fn with_unknown_limit(mut self, rows: NonZeroU32) -> Self {
        self.unknown_limit = rows;
        self
    }

    /// Sets how many threads validate and seal while a source is loaded. Default: as many as the host has cores.
    #[must_use]
    pub fn with_load_threads(mut self, threads: NonZeroUsize) -> Self {
        self.load_threads = threads;
        self
    }

    fn concurrency(&self) -> usize {
        match (self.concurrency, self.quota) {
            (Some(requests), _) => requests.get(),
            (None, Some(quota)) => ((quota.per_second() * 2.0).ceil() as usize).clamp(1, CONCURRENCY),
            (None, None) => CONCURRENCY,
        }
    }
}

/// Brings every row of a source to a known end.
///
/// [`load`](Self::load) and then [`run`](Self::run); the same two calls continue after whatever interrupted them.
/// Needs a tokio runtime with time enabled.
pub struct Importer<G> {
    gateway: Arc<G>,
    ledger: Ledger,
    settings: Settings,
    progress: ProgressSender,
}

impl<G: Gateway> Importer<G> {
    /// Takes the platform, the ledger and the settings.
    #[must_use]
    pub fn new(gateway: G, ledger: Ledger, settings: Settings) -> Self {
        Self {
            gateway: Arc::new(gateway),
            ledger,
            settings,
            progress: ProgressSender::new(),
        }
    }

    /// Watches how far the job is.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Validates and seals every row and stores it in the ledger; sends nothing.
    ///
    /// A job that is already in the ledger is found by the digest of its source, and goes on where it was.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when the source as a whole is unusable. Rows that are wrong are no error: they are refused, and
    /// [`rows`](Self::rows) lists them.
    pub async fn load(&self, source: Arc<dyn Source>, cancel: &CancellationToken) -> Result<Job, LoadError> {
        let source_name = source.name().to_owned();
        let (mapping, digest) = inspect(&source, &self.settings.defaults).await?;
        let validator = Validator::new(
            self.settings.profile.clone(),
            mapping.clone(),
            self.settings.defaults.clone(),
        )?;
        let identity = Identity {
            source_name: source_name.clone(),
            source_digest: digest,
            profile: self.settings.profile.clone(),
            route: self.settings.route,
            defaults: self.settings.defaults.fingerprint(),
        };
        let id = identity.id();
        let owner = Owner::random()?;
        let opened = loop {
            let opened = self.ledger.open_job(identity.clone(), owner).await?;
            if opened.is_loaded || opened.may_load {
                break opened;
            }
            // Another process is loading this job.
            tokio::select! {
                () = cancel.cancelled() => return Err(LoadError::Cancelled { rows: opened.rows }),
                () = tokio::time::sleep(LOAD_LOOK) => {}
            }
        };
        let mut rows = opened.rows;
        if !opened.is_loaded {
            self.gateway.prepare().await?;
            let load = Load {
                gateway: Arc::clone(&self.gateway),
                ledger: self.ledger.clone(),
                validator: Arc::new(validator),
                threads: self.settings.load_threads.get(),
                progress: self.progress.clone(),
            };
            rows = match load.store(opened.key, owner, &source, opened.rows, cancel).await {
                Ok((rows, read)) if read == Some(digest) => rows,
                Ok(_) => {
                    self.ledger.discard_job(opened.key).await?;
                    return Err(SourceError::Changed { source_name }.into());
                }
                Err(error @ LoadError::Source(_)) => {
                    self.ledger.discard_job(opened.key).await?;
                    return Err(error);
                }
                Err(error) => {
                    self.ledger.release_loading(opened.key, owner).await?;
                    return Err(error);
                }
            };
            self.ledger.finish_loading(opened.key, owner).await?;
        }
        self.progress.counted(self.ledger.counts(opened.key).await?, None);
        Ok(Job {
            key: opened.key,
            id,
            rows,
            source_digest: digest,
            ignored_columns: mapping.ignored().to_vec(),
            is_continued: !opened.is_new,
            are_defaults_changed: opened.is_loaded && opened.are_defaults_changed,
        })
    }

    /// Sends what is to be sent.
    ///
    /// Cancelling starts no new attempt and lets those under way finish; what was not sent stays queued.
    ///
    /// # Errors
    ///
    /// [`RunError`] when the ledger fails. Refused rows and a stop by the platform are no errors: the summary has them.
    pub async fn run(&self, job: &Job, cancel: &CancellationToken) -> Result<Summary, RunError> {
        let started = Instant::now();
        let key = PaceKey::new(&self.settings.profile, self.settings.route);
        let pacer = Pacer::new(self.ledger.clone(), key, self.settings.quota);
        self.progress
            .counted(self.ledger.counts(job.key).await?, pacer.rate());
        let run = Arc::new(Run {
            gateway: Arc::clone(&self.gateway),
            ledger: self.ledger.clone(),
            work: Work {
                job: job.key,
                owner: Owner::random()?,
                lease: self.settings.attempt_timeout + LEASE_MARGIN,
            },
            pacer,
            concurrency: self.settings.concurrency(),
            attempts: self.settings.attempts.get(),
            attempt_timeout: self.settings.attempt_timeout,
            unknown_limit: self.settings.unknown_limit.get(),
            progress: self.progress.clone(),
            stop: cancel.child_token(),
            reason: Mutex::default(),
            sent: AtomicU64::new(0),
            unknown_streak: AtomicU32::new(0),
        });
        Arc::clone(&run).work().await?;
        let counts = self.ledger.counts(job.key).await?;
        self.progress.counted(counts, run.pacer.rate());
        let stopped = run.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Summary::new(
            job.id.clone(),
            counts,
            run.sent.load(Ordering::Relaxed),
            started.elapsed(),
            stopped,
        ))
    }

    /// Up to `limit` rows in a state behind row `after`, in the order of the source.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when the ledger fails.
    pub async fn rows(
        &self,
        job: &Job,
        state: RowState,
        after: u64,
        limit: u32,
    ) -> Result<Vec<RowReport>, LedgerError> {
        self.ledger.rows_in(job.key, state, after, limit).await
    }

    /// Writes the refused rows with the source's own columns plus `row`, `code`, `message` and `request_id`, to be put
    /// right and imported again as it is. Returns how many; with none, no file is written.
    ///
    /// The file holds personal data and is readable by its owner only. Cells that a spreadsheet could take for a
    /// formula get an apostrophe in front, which an import of the file takes away.
    ///
    /// # Errors
    ///
    /// [`ReportError`] when the source changed since it was loaded, or the file cannot be written.
    pub async fn write_refused(
        &self,
        job: &Job,
        source: Arc<dyn Source>,
        path: impl AsRef<Path>,
    ) -> Result<u64, ReportError> {
        let source_name = source.name().to_owned();
        let path = path.as_ref().to_owned();
        let mut page = self.rows(job, RowState::Refused, 0, PAGE).await?;
        if page.is_empty() {
            return Ok(0);
        }
        let target = path.clone();
        let mut file = blocking(move || RefusedFile::create(&target, source.open()?)).await?;
        let mut written = 0;
        while let Some(last) = page.last().map(|report| report.row) {
            written += page.len() as u64;
            file = blocking(move || file.copy(&page).map(|()| file)).await?;
            page = self.rows(job, RowState::Refused, last, PAGE).await?;
        }
        if blocking(move || file.finish()).await? != Some(job.source_digest) {
            // Rows of another file would be shown for those that were refused.
            let _ = std::fs::remove_file(&path);
            return Err(SourceError::Changed { source_name }.into());
        }
        Ok(written)
    }
}

impl<G> fmt::Debug for Importer<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Reads the header and digests the whole source.
async fn inspect(
    source: &Arc<dyn Source>,
    defaults: &Defaults,
) -> Result<(Mapping, wxmember_crypto::Fingerprint), LoadError> {
    let (source, defaults) = (Arc::clone(source), defaults.clone());
    let inspected = tokio::task::spawn_blocking(move || {
        let records = source.open()?;
        let mapping = Mapping::detect(records.columns(), &defaults).map_err(|error| LoadError::Mapping {
            source_name: source.name().to_owned(),
            error,
        })?;
        Ok((mapping, source.digest()?))
    });
    inspected.await.map_err(|_| LoadError::Thread)?
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReportError> + Send + 'static,
) -> Result<T, ReportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ReportError::Thread)?
}

const ATTEMPTS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const UNKNOWN_LIMIT: NonZeroU32 = NonZeroU32::new(50).unwrap();
const CONCURRENCY: usize = 32;
const PAGE: u32 = 1000;
const LOAD_LOOK: Duration = Duration::from_millis(500);
/// What a lease has beside the time of an attempt.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
