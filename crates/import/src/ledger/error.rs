//! Why the ledger cannot be used. No message holds a value of a row, a key or a password.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::job::JobId;

/// Why the ledger cannot be used, or does not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// More than one job has a name that begins like that.
    #[error("{jobs} jobs have a name that begins with `{id}`")]
    AmbiguousJob {
        /// What was asked for.
        id: String,
        /// How many jobs it fits.
        jobs: usize,
    },
    /// A process of an earlier version has the ledger for itself.
    #[error("the ledger `{}` is in use by another process", path.display())]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// The runtime ended before the ledger was done.
    #[error("the ledger was closed before it was done")]
    Closed,
    /// The store failed: disk full, damaged file, no answer from the database.
    #[error("failed to {action} in the ledger")]
    Database {
        /// The transaction.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file or the database is another application's.
    #[error("`{name}` is not a ledger of wxmember")]
    Foreign {
        /// The file, or the database without its password.
        name: String,
    },
    /// The ledger or its key cannot be opened.
    #[error("failed to open `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The key of the hashes is missing or damaged, so duplicates could not be found.
    #[error("the ledger's key `{}` is missing or damaged; restore it, or start a new ledger", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
    },
    /// The database is another host's work, and its key is not on this one.
    #[error(
        "the ledger's key `{}` is not on this host; copy it from the host that made the ledger, and name it with \
         `--ledger-key`",
        path.display()
    )]
    KeyElsewhere {
        /// Where the key's file was looked for.
        path: PathBuf,
    },
    /// A load ended although not all of its rows are there: another process purged or discarded the job meanwhile.
    #[error(
        "the job was purged or begun anew by another process while it was loaded; the same command continues"
    )]
    LoadLost,
    /// A later version of this software wrote the ledger.
    #[error("the ledger has version {found}, this software knows up to {known}; update wxmember")]
    Newer {
        /// The ledger's version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The ledger was opened without its key, which only a load needs.
    #[error("the ledger was opened without its key, so no rows can be loaded into it")]
    NoKey,
    /// No job has this name.
    #[error("no job has a name that begins with `{id}`")]
    NoSuchJob {
        /// What was asked for.
        id: String,
    },
    /// A job that was purged has nothing that could be sent again.
    #[error("job {job} was purged; nothing of it can be sent again")]
    Purged {
        /// The job.
        job: JobId,
    },
    /// A job with unfinished rows is purged only by force.
    #[error("job {job} has {rows} rows that have not come to an end; a purge would lose them")]
    Unfinished {
        /// The job.
        job: JobId,
        /// How many rows.
        rows: u64,
    },
    /// The address of a database cannot be read.
    #[error("not the address of a PostgreSQL database; write it like `postgres://user@host/database`")]
    Url,
    /// The key is not the one that the ledger's hashes were made with.
    #[error("`{}` is not the key of this ledger; every host needs a copy of the one key file", path.display())]
    WrongKey {
        /// The key's file.
        path: PathBuf,
    },
}
