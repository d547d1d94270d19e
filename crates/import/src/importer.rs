//! The front of the engine: load a source, run the job, write what was refused.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    defaults::Defaults,
    engine::{Engine, Target},
    gateway::Gateway,
    job::{Identity, Job, LoadError, Route},
    ledger::{Ledger, LedgerError, OpenedJob, Owner, RowReport, RowState},
    load::Load,
    mapping::Mapping,
    progress::{Progress, ProgressSender, Summary, Waiting},
    report::{RefusedFile, RefusedRows, ReportError},
    run::RunError,
    settings::Settings,
    source::{Source, SourceError},
    validate::Validator,
};

/// Brings every row of a source to a known end.
///
/// [`load`](Self::load) and then [`run`](Self::run); the same two calls continue after whatever interrupted them.
/// Needs a tokio runtime with time enabled.
pub struct Importer<G> {
    engine: Engine<G>,
    progress: ProgressSender,
}

impl<G: Gateway> Importer<G> {
    /// Takes the platform, the ledger and the settings.
    #[must_use]
    pub fn new(gateway: G, ledger: Ledger, settings: Settings) -> Self {
        Self {
            engine: Engine::new(gateway, ledger, settings),
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
        let Engine {
            gateway,
            ledger,
            settings,
            ..
        } = &self.engine;
        let source_name = source.name().to_owned();
        let (mapping, digest) = inspect(&source, settings.route, &settings.defaults).await?;
        let validator = Validator::new(
            settings.profile.clone(),
            settings.route,
            mapping.clone(),
            settings.defaults.clone(),
        )?;
        let identity = Identity {
            source_name: source_name.clone(),
            source_digest: digest,
            profile: settings.profile.clone(),
            route: settings.route,
            defaults: settings.defaults.fingerprint(),
        };
        let id = identity.id();
        let owner = Owner::random()?;
        // A ledger without its key finds out before there is a job.
        ledger.hash()?;
        let mut opened = self.opened(&identity, owner, cancel).await?;
        let mut rows = opened.rows;
        if !opened.is_loaded {
            let load = Load {
                gateway: Arc::clone(gateway),
                ledger: ledger.clone(),
                owner,
                validator: Arc::new(validator),
                route: settings.route,
                job: id.clone(),
                threads: settings.load_threads.get(),
                progress: self.progress.clone(),
            };
            let loaded = async {
                gateway.prepare().await?;
                match load.store(opened.key, &source, opened.rows, cancel).await? {
                    (rows, read) if read == Some(digest) => Ok(rows),
                    _ => Err(SourceError::Changed { source_name }.into()),
                }
            };
            rows = match loaded.await {
                Ok(rows) => rows,
                Err(LoadError::Source(error)) => {
                    ledger.discard_job(opened.key, owner).await?;
                    return Err(error.into());
                }
                Err(error) => {
                    ledger.release_loading(opened.key, owner).await?;
                    // This process was so slow that another one took the load over, and has done it.
                    opened = match error {
                        LoadError::Ledger(_) => ledger.open_job(identity, owner).await?,
                        _ => return Err(error),
                    };
                    if !opened.is_loaded {
                        // To look was to take the load, and nobody is to wait for it.
                        ledger.release_loading(opened.key, owner).await?;
                        return Err(error);
                    }
                    opened.rows
                }
            };
            ledger.finish_loading(opened.key, rows).await?;
        }
        self.progress.counted(ledger.counts(opened.key).await?, None);
        Ok(Job {
            key: opened.key,
            id,
            route: settings.route,
            rows,
            source_digest: digest,
            ignored_columns: mapping.ignored().to_vec(),
            is_continued: !opened.is_new,
            are_defaults_changed: opened.is_loaded && opened.are_defaults_changed,
        })
    }

    /// Opens the job, once nobody else loads it.
    async fn opened(
        &self,
        identity: &Identity,
        owner: Owner,
        cancel: &CancellationToken,
    ) -> Result<OpenedJob, LoadError> {
        loop {
            let opened = self.engine.ledger.open_job(identity.clone(), owner).await?;
            if opened.is_loaded || opened.may_load {
                return Ok(opened);
            }
            self.progress.set(Progress {
                is_loading: true,
                rows: opened.rows,
                waiting: Some(Waiting::Load),
                ..Progress::default()
            });
            tokio::select! {
                () = cancel.cancelled() => return Err(LoadError::Cancelled { rows: opened.rows }),
                () = tokio::time::sleep(LOOK_FOR_LOAD) => {}
            }
        }
    }

    /// Sends what is to be sent.
    ///
    /// Cancelling starts no new attempt and lets those under way finish; what was not sent stays queued. Rows that
    /// another process has taken are waited for.
    ///
    /// # Errors
    ///
    /// [`RunError`] when the ledger fails. Refused rows and a stop by the platform are no errors: the summary has them.
    pub async fn run(&self, job: &Job, cancel: &CancellationToken) -> Result<Summary, RunError> {
        let target = Target {
            key: job.key,
            id: job.id.clone(),
            profile: self.engine.settings.profile.clone(),
            route: job.route,
        };
        let deadline = self
            .engine
            .settings
            .max_duration
            .map(|time| Instant::now() + time);
        self.engine.run(&target, &self.progress, cancel, deadline).await
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
        self.engine.ledger.rows_in(job.key, state, after, limit).await
    }

    /// Writes the refused rows with the source's own columns plus `row`, `code`, `message` and `request_id`, to be put
    /// right and imported again as it is. With none, no file is written.
    ///
    /// A file that is there with another text is kept, since it may have been corrected; the rows then go into
    /// `….2.csv` beside it, or the next number that is free. A file with the same text is left as it is.
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
    ) -> Result<RefusedRows, ReportError> {
        let source_name = source.name().to_owned();
        let path = path.as_ref().to_owned();
        let mut page = self.rows(job, RowState::Refused, 0, PAGE).await?;
        if page.is_empty() {
            return Ok(RefusedRows::default());
        }
        let mut file = blocking(move || RefusedFile::create(&path, source.open()?)).await?;
        let mut rows = 0;
        while let Some(last) = page.last().map(|report| report.row) {
            rows += page.len() as u64;
            file = blocking(move || file.copy(&page).map(|()| file)).await?;
            page = self.rows(job, RowState::Refused, last, PAGE).await?;
        }
        let digest = job.source_digest;
        let file = blocking(move || {
            if file.read_to_end()? != Some(digest) {
                // Rows of another file would be shown for those that were refused.
                return Err(SourceError::Changed { source_name }.into());
            }
            file.keep()
        })
        .await?;
        Ok(RefusedRows {
            rows,
            file: Some(file),
        })
    }
}

impl<G> fmt::Debug for Importer<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer")
            .field("settings", &self.engine.settings)
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
        let mut records = source.open()?;
        let mapping =
            Mapping::of_records(records.as_mut(), route, &defaults).map_err(|error| LoadError::Mapping {
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
const LOOK_FOR_LOAD: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
