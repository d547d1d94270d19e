//! The file of the rows that were refused: the source's own columns and what was wrong, to be put right and imported.
//! Below it, reports on a job as a whole and the export of its rows.
//!
//! Never shows a cell anywhere else, and never writes over a file that somebody may have corrected.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use thiserror::Error;

mod csv;
mod html;
mod job;
mod rows;
mod settle;

pub use self::{
    job::{Language, Report},
    rows::export,
};
use crate::{
    job::JobId,
    ledger::RowReport,
    mapping::{ADDED_COLUMNS, own_columns},
    source::{Record, Records, SourceError},
};

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
    /// The source is not the one that the job was loaded from.
    #[error("`{source_name}` is not what job {job} was loaded from")]
    OtherSource {
        /// The source.
        source_name: String,
        /// The job.
        job: JobId,
    },
    /// The source cannot be read again, or is not what it was.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The writer ended without a result.
    #[error("the thread that writes the report panicked")]
    Thread,
}

/// What became of the file of refused rows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct RefusedRows {
    /// How many rows are refused.
    pub rows: u64,
    /// The file that holds them; nothing when there are none. It is not the one that was asked for when another text
    /// stands there.
    pub file: Option<PathBuf>,
}

/// Writes refused rows: the source's own columns, then [`ADDED_COLUMNS`].
///
/// The file holds personal data, as the source does, and is readable by its owner only. Until [`Self::keep`] it is a
/// temporary one, which goes with the value.
pub(crate) struct RefusedFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
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
        // The system makes it for its owner alone.
        let file = tempfile::Builder::new()
            .prefix(".wxmember-")
            .tempfile_in(settle::folder(path))
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
    pub(crate) fn read_to_end(&mut self) -> Result<Option<wxmember_crypto::Fingerprint>, ReportError> {
        while self.records.read(&mut self.record)? {}
        Ok(self.records.digest())
    }

    /// Puts the file in its place and returns where that is: beside a file with another text, under a further name.
    pub(crate) fn keep(self) -> Result<PathBuf, ReportError> {
        let Self { path, file, .. } = self;
        let kept = file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| settle::settle(file, &path));
        kept.map_err(|source| ReportError::Io { path, source })
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
