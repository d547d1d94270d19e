//! Which jobs have rows that are not done: a question that is asked every second, so no row is counted for it.

use super::{Ledger, LedgerError, Store};
use crate::{
    job::{JobId, Profile, Route},
    settings::OnUnknown,
};

/// A job that is loaded, neither paused nor purged, and has rows that are not done.
#[derive(Clone, Debug)]
pub(crate) struct OpenJob {
    pub(crate) key: i64,
    pub(crate) id: JobId,
    pub(crate) profile: Profile,
    pub(crate) route: Route,
    pub(crate) has_queued: bool,
    pub(crate) has_leased: bool,
    pub(crate) has_unknown: bool,
}

impl OpenJob {
    /// Whether a run would find something to do, now or when a lease is over.
    pub(crate) fn is_left(&self, on_unknown: OnUnknown) -> bool {
        self.has_queued || self.has_leased || self.has_unknown && on_unknown == OnUnknown::Repeat
    }
}

impl Ledger {
    /// The jobs that have rows to send, the oldest first. Looks into the index once for each state of each job.
    pub(crate) async fn open_jobs(&self) -> Result<Vec<OpenJob>, LedgerError> {
        match &self.store {
            Store::Postgres(store) => store.open_jobs().await,
            Store::Sqlite(store) => store.run(|tables| tables.open_jobs()).await,
        }
    }
}
