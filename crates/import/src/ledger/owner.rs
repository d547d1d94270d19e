//! Who works on rows: an owner is one run of one process, for as long as the run lasts.

use std::{io, path::PathBuf, time::Duration};

use super::LedgerError;

/// A random name of a run or of a load, so that what it leased is known to be its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Owner(i64);

impl Owner {
    pub(crate) fn random() -> Result<Self, LedgerError> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| LedgerError::Io {
            path: PathBuf::from("the system's random source"),
            source: io::Error::from(error),
        })?;
        // 0 is nobody.
        Ok(Self(i64::from_le_bytes(bytes) | 1))
    }

    pub(super) fn number(self) -> i64 {
        self.0
    }
}

/// A job, who works on it, and how long a row is leased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) job: i64,
    pub(crate) owner: Owner,
    /// Longer than an attempt may take: a lease that ends makes a row unknown.
    pub(crate) lease: Duration,
}

/// A job that was found or begun.
#[derive(Debug)]
pub(crate) struct OpenedJob {
    pub(crate) key: i64,
    /// Rows already stored; a load goes on behind them.
    pub(crate) rows: u64,
    pub(crate) is_loaded: bool,
    pub(crate) is_new: bool,
    pub(crate) are_defaults_changed: bool,
    /// Whether the load is this owner's. If not, and `is_loaded` is not set either, another process is loading.
    pub(crate) may_load: bool,
}
