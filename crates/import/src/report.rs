//! What is told about a job: progress while it runs, a summary at its end, a file of the rows that were refused.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use thiserror::Error;
use tokio::{sync::watch, time::Instant};

use crate::{
    gateway::Stop,
    job::JobId,
    ledger::{Counts, RowReport, RowState},
    mapping::{ADDED_COLUMNS, own_columns},
    source::{Record, Records, SourceError},
};

/// How far a job is. The six counts of states add up to `rows`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// Whether the source is still being read; `rows` is then what was read so far.
    pub is_loading: bool,
    /// Rows of the job.
    pub rows: u64,
    /// Imported by us.
    pub imported: u64,
    /// Were there already.
    pub present: u64,
    /// Not importable.
    pub refused: u64,
    /// Without a known outcome so far.
    pub unknown: u64,
    /// Still to be sent, or being sent for the first time.
    pub queued: u64,
    /// Answers per second, over the last seconds.
    pub rate: f64,
    /// What the pace allows in requests per second; nothing when it is unlimited.
    pub rate_limit: Option<f64>,
}

/// What became of a job. `imported`, `present`, `refused`, `unknown` and `queued` add up to `rows`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The job's name.
    pub job: JobId,
    /// Rows of the source.
    pub rows: u64,
    /// Imported by us, in this run or an earlier one.
    pub imported: u64,
    /// The platform already had them.
    pub present: u64,
    /// Not importable as they are.
    pub refused: u64,
    /// May have taken effect; the same command finds out.
    pub unknown: u64,
    /// Not sent.
    pub queued: u64,
    /// Requests sent in this run, repeats included.
    pub sent: u64,
    /// Seconds that this run took.
    pub seconds: f64,
    /// Why the run stopped early; nothing when it did not, or when the caller cancelled it.
    #[serde(serialize_with = "serialize_stop")]
    pub stopped: Option<Stop>,
}

impl Summary {
    pub(crate) fn new(job: JobId, counts: Counts, sent: u64, time: Duration, stopped: Option<Stop>) -> Self {
        let Counts {
            queued,
            leased,
            imported,
            present,
            refused,
            unknown,
        } = counts;
        Self {
            job,
            rows: queued + leased + imported + present + refused + unknown,
            imported,
            present,
            refused,
            unknown,
            queued: queued + leased,
            sent,
            seconds: time.as_secs_f64(),
            stopped,
        }
    }

    /// Whether every row has come to a known end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unknown == 0 && self.queued == 0
    }
}

fn serialize_stop<S: serde::Serializer>(stop: &Option<Stop>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shape<'a> {
        code: &'a str,
        message: &'a str,
        hint: Option<&'a str>,
    }
    let shape = stop.as_ref().map(|Stop { code, message, hint }| Shape {
        code,
        message,
        hint: hint.as_deref(),
    });
    shape.serialize(serializer)
}

/// Counts rows as they move and tells whoever watches.
#[derive(Clone, Debug)]
pub(crate) struct ProgressSender {
    sender: watch::Sender<Progress>,
    window: Arc<Mutex<(Instant, u32)>>,
}

impl ProgressSender {
    pub(crate) fn new() -> Self {
        let window = Arc::new(Mutex::new((Instant::now(), 0)));
        Self {
            sender: watch::Sender::new(Progress::default()),
            window,
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.sender.subscribe()
    }

    pub(crate) fn loaded(&self, rows: u64, refused: u64) {
        self.sender.send_modify(|progress| {
            progress.is_loading = true;
            progress.rows = rows;
            progress.refused += refused;
            progress.queued = rows.saturating_sub(progress.refused);
        });
    }

    pub(crate) fn counted(&self, counts: Counts, rate_limit: Option<f64>) {
        let Counts {
            queued,
            leased,
            imported,
            present,
            refused,
            unknown,
        } = counts;
        self.sender.send_replace(Progress {
            is_loading: false,
            rows: queued + leased + imported + present + refused + unknown,
            imported,
            present,
            refused,
            unknown,
            queued: queued + leased,
            rate: 0.0,
            rate_limit,
        });
    }

    pub(crate) fn moved(&self, from: RowState, to: RowState, rate_limit: Option<f64>) {
        let rate = self.rate();
        self.sender.send_modify(|progress| {
            let of = |progress: &mut Progress, state, change: i64| {
                let count = match state {
                    RowState::Queued | RowState::Leased => &mut progress.queued,
                    RowState::Imported => &mut progress.imported,
                    RowState::Present => &mut progress.present,
                    RowState::Refused => &mut progress.refused,
                    RowState::Unknown => &mut progress.unknown,
                };
                *count = count.saturating_add_signed(change);
            };
            of(progress, from, -1);
            of(progress, to, 1);
            progress.rate = rate.unwrap_or(progress.rate);
            progress.rate_limit = rate_limit;
        });
    }

    /// The rate, each time a window is full.
    fn rate(&self) -> Option<f64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.1 += 1;
        let time = window.0.elapsed();
        if time < WINDOW {
            return None;
        }
        let rate = f64::from(window.1) / time.as_secs_f64();
        *window = (Instant::now(), 0);
        Some(rate)
    }
}

const WINDOW: Duration = Duration::from_secs(2);

/// Why the file of refused rows was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file cannot be written.
    #[error("failed to write `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
    /// The source cannot be read again, or is not what it was.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The writer ended without a result.
    #[error("the thread that writes the report panicked")]
    Thread,
}

/// Writes refused rows: the source's own columns, then [`ADDED_COLUMNS`].
///
/// The file holds personal data, as the source does, and is readable by its owner only.
pub(crate) struct RefusedFile {
    path: PathBuf,
    file: BufWriter<File>,
    records: Box<dyn Records>,
    record: Record,
    own: usize,
    is_refused_file: bool,
}

impl RefusedFile {
    pub(crate) fn create(path: &Path, records: Box<dyn Records>) -> Result<Self, ReportError> {
        let io_error = |source| ReportError::Io {
            path: path.to_owned(),
            source,
        };
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(io_error)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(io_error)?;
        let own = own_columns(records.columns());
        let is_refused_file = own < records.columns().len();
        let mut refused = Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            records,
            record: Record::default(),
            own,
            is_refused_file,
        };
        let mut header: Vec<String> = refused.records.columns()[..own].to_vec();
        header.extend(ADDED_COLUMNS.map(str::to_owned));
        // Spreadsheets know UTF-8 by its mark.
        refused.file.write_all("\u{FEFF}".as_bytes()).map_err(io_error)?;
        refused.line(&header)?;
        Ok(refused)
    }

    /// Copies rows that are further down in the source than those before.
    pub(crate) fn copy(&mut self, rows: &[RowReport]) -> Result<(), ReportError> {
        for report in rows {
            while self.record.row < report.row {
                if !self.records.read(&mut self.record)? {
                    return Ok(());
                }
            }
            let mut cells: Vec<String> = self.record.cells.iter().take(self.own).cloned().collect();
            cells.resize(self.own, String::new());
            if self.is_refused_file {
                cells
                    .iter_mut()
                    .for_each(|cell| *cell = without_guard(cell).to_owned());
            }
            cells.extend([
                report.row.to_string(),
                report.code.clone(),
                report.message.clone(),
                report.request_id.clone().unwrap_or_default(),
            ]);
            let cells: Vec<String> = cells.iter().map(|cell| guarded(cell)).collect();
            self.line(&cells)?;
        }
        Ok(())
    }

    /// Reads the source to its end and returns the digest of what was read.
    pub(crate) fn finish(mut self) -> Result<Option<wxmember_crypto::Fingerprint>, ReportError> {
        while self.records.read(&mut self.record)? {}
        self.file.flush().map_err(|source| ReportError::Io {
            path: self.path.clone(),
            source,
        })?;
        Ok(self.records.digest())
    }

    fn line(&mut self, cells: &[String]) -> Result<(), ReportError> {
        let quoted: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        let line = quoted.join(",") + "\r\n";
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|source| ReportError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

/// A cell as RFC 4180 writes it.
fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

/// A cell that a spreadsheet takes for text and not for a formula.
fn guarded(cell: &str) -> String {
    if is_risky(cell) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// The cell as it was before [`guarded`].
pub(crate) fn without_guard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_risky(rest) => rest,
        _ => cell,
    }
}

/// Also behind apostrophes, so that a guard can be taken away without taking away what was there.
fn is_risky(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_guard_can_be_taken_away(cell in "['=+@\t\ra-c-]{0,6}") {
            let safe = guarded(&cell);
            prop_assert_eq!(without_guard(&safe), &cell);
            prop_assert!(!safe.starts_with(['=', '+', '-', '@', '\t', '\r']));
        }
    }
}
