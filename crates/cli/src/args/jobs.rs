//! Arguments of the commands for jobs that are in a ledger.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use wxmember_import::RowState;

use super::{Format, boolean, ledger::JobLedger, source::Reading};

/// Arguments of `jobs`.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 listed, 1 failed, 2 wrong usage.")]
pub(crate) struct Jobs {
    #[command(flatten)]
    pub(crate) ledger: JobLedger,

    /// How to print the list
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of commands that need a job and nothing else.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub(crate) struct OneJob {
    /// The job: its id or the beginning of it, or `last`
    pub(crate) job: String,

    #[command(flatten)]
    pub(crate) ledger: JobLedger,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Arguments of `retry`.
#[derive(Args)]
#[command(
    after_help = "Rows that were refused before anything was sent have nothing to send; put them right in the file of \
                  refused rows and import that.\n\nExit codes: 0 queued, 1 failed, 2 wrong usage."
)]
pub(crate) struct Retry {
    /// The job: its id or the beginning of it, or `last`
    pub(crate) job: String,

    #[command(flatten)]
    pub(crate) ledger: JobLedger,

    /// Only rows with this code, for example `PARAM_ERROR`
    #[arg(long, env = "WXMEMBER_RETRY_CODE")]
    pub(crate) code: Option<String>,

    /// Only rows in this state [default: refused and unknown ones]
    #[arg(long, env = "WXMEMBER_RETRY_STATE", value_enum)]
    pub(crate) state: Option<Retryable>,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// States that a row can be taken back from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Retryable {
    Refused,
    Unknown,
}

/// Arguments of `report`.
#[derive(Args)]
#[command(
    after_help = "A report holds no personal data.\n\nExit codes: 0 reported, 1 failed, 2 wrong usage. Example:\n\n  \
                  wxmember report last --format html --output report.html"
)]
pub(crate) struct Report {
    /// The job: its id or the beginning of it, or `last`
    pub(crate) job: String,

    #[command(flatten)]
    pub(crate) ledger: JobLedger,

    /// How to write the report; `html` is one page without scripts that needs no network
    #[arg(long, env = "WXMEMBER_REPORT_FORMAT", value_enum, default_value_t = ReportFormat::Text)]
    pub(crate) format: ReportFormat,

    /// Write it into this file [default: stdout]
    #[arg(short, long, env = "WXMEMBER_REPORT_OUTPUT", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ReportFormat {
    // For people.
    Text,
    // One JSON object.
    Json,
    // A table by state and code.
    Csv,
    // A page for a browser.
    Html,
}

/// Arguments of `export`.
#[derive(Args)]
#[command(
    after_help = "The columns are row, line, user_card_code, state, code, message, request_id and updated_at; with \
                  `--source` the columns of that file come first, which has to be the one that was imported, read in \
                  the same way. Such a file holds personal data and is readable by its owner only.\n\n\
                  Exit codes: 0 written, 1 failed, 2 wrong usage."
)]
pub(crate) struct Export {
    /// The job: its id or the beginning of it, or `last`
    pub(crate) job: String,

    #[command(flatten)]
    pub(crate) ledger: JobLedger,

    /// Rows in which state
    #[arg(long, env = "WXMEMBER_EXPORT_STATE", value_enum)]
    pub(crate) state: Exported,

    /// The file that was imported, to write its columns too
    #[arg(long, env = "WXMEMBER_EXPORT_SOURCE", value_name = "FILE")]
    pub(crate) source: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Write into this file [default: stdout]
    #[arg(short, long, env = "WXMEMBER_EXPORT_OUTPUT", value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// States that rows can be exported in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Exported {
    Imported,
    Present,
    Queued,
    Refused,
    Unknown,
}

impl Exported {
    /// The states of the ledger; a row that is being sent counts as queued.
    pub(crate) fn states(self) -> &'static [RowState] {
        match self {
            Self::Imported => &[RowState::Imported],
            Self::Present => &[RowState::Present],
            Self::Queued => &[RowState::Queued, RowState::Leased],
            Self::Refused => &[RowState::Refused],
            Self::Unknown => &[RowState::Unknown],
        }
    }
}

/// Arguments of `purge`.
#[derive(Args)]
#[command(
    after_help = "What stays: the state of every row, the codes of refusals, and the counts. A purged job cannot be \
                  sent or retried, and its members are no longer found as duplicates.\n\n\
                  Exit codes: 0 purged, 1 failed, 2 wrong usage."
)]
pub(crate) struct Purge {
    /// The job: its id or the beginning of it, or `last`
    pub(crate) job: String,

    #[command(flatten)]
    pub(crate) ledger: JobLedger,

    /// Also when some rows have no known end yet; they never will. Stop a run of it first: it may send what it holds
    #[arg(long, env = "WXMEMBER_PURGE_FORCE", value_parser = boolean)]
    pub(crate) force: bool,

    /// How to print the result
    #[arg(long, env = "WXMEMBER_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
