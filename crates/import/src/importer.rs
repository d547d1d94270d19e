//! The front of the engine: load a source, run the job, write what was refused.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    defaults::Defaults,
    gateway::Gateway,
    job::{Identity, Job, LoadError, Route},
    ledger::{Ledger, LedgerError, RowReport, RowState},
    load::Load,
    mapping::Mapping,
    pace::Pacer,
    progress::{Progress, ProgressSender, Summary},
    report::{RefusedFile, ReportError},
    run::{Run, RunError},
    settings::Settings,
    source::{Source, SourceError},
    validate::Validator,
};

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
        let (mapping, digest) = inspect(&source, self.settings.route, &self.settings.defaults).await?;
        let validator = Validator::new(
            self.settings.profile.clone(),
            self.settings.route,
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
        let opened = self.ledger.open_job(identity).await?;
        let mut rows = opened.rows;
        if !opened.is_loaded {
            self.gateway.prepare().await?;
            let load = Load {
                gateway: Arc::clone(&self.gateway),
                ledger: self.ledger.clone(),
                validator: Arc::new(validator),
                route: self.settings.route,
                job: id.clone(),
                threads: self.settings.load_threads.get(),
                progress: self.progress.clone(),
            };
            rows = match load.store(opened.key, &source, opened.rows, cancel).await {
                Ok((rows, read)) if read == Some(digest) => rows,
                Ok(_) => {
                    self.ledger.discard_job(opened.key).await?;
                    return Err(SourceError::Changed { source_name }.into());
                }
                Err(error @ LoadError::Source(_)) => {
                    self.ledger.discard_job(opened.key).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
            self.ledger.finish_loading(opened.key).await?;
        }
        self.progress.counted(self.ledger.counts(opened.key).await?, None);
        Ok(Job {
            key: opened.key,
            id,
            route: self.settings.route,
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
        self.ledger.recover_leases(job.key).await?;
        let pacer = Pacer::new(self.settings.quota);
        self.progress
            .counted(self.ledger.counts(job.key).await?, pacer.rate());
        let run = Arc::new(Run {
            gateway: Arc::clone(&self.gateway),
            ledger: self.ledger.clone(),
            job: job.key,
            route: job.route,
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
    route: Route,
    defaults: &Defaults,
) -> Result<(Mapping, wxmember_crypto::Fingerprint), LoadError> {
    let (source, defaults) = (Arc::clone(source), defaults.clone());
    let inspected = tokio::task::spawn_blocking(move || {
        let records = source.open()?;
        let mapping =
            Mapping::detect(records.columns(), route, &defaults).map_err(|error| LoadError::Mapping {
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

const PAGE: u32 = 1000;

#[cfg(test)]
mod tests;
