//! The rows of a job as CSV: what the ledger says of each, and on demand the source's own columns.

use std::{
    collections::VecDeque,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use super::{ReportError, guarded, quoted, without_guard};
use crate::{
    job::{Identity, JobId, Profile},
    ledger::{JobReport, Ledger, LedgerError, RowReport, RowState},
    mapping::own_columns,
    source::{Record, Records, Source},
};

/// Writes the rows of a job that are in one of some states, in the order of the source, as CSV in UTF-8 with its mark.
/// Returns how many.
///
/// The columns are `row`, `line`, `user_card_code`, `state`, `code`, `message`, `request_id` and `updated_at` (seconds
/// since 1970). With a source, its own columns come first; what is written is then personal data, as the source is.
/// Cells that a spreadsheet could take for a formula get an apostrophe in front. `name` stands for `to` in errors.
///
/// # Errors
///
/// [`ReportError::OtherSource`] when the source is not the one that the job was loaded from; nothing is written then.
pub async fn export(
    ledger: &Ledger,
    job: &JobReport,
    states: &[RowState],
    source: Option<Arc<dyn Source>>,
    name: impl Into<PathBuf>,
    to: Box<dyn Write + Send>,
) -> Result<u64, ReportError> {
    let (job_id, job) = (job.id.clone(), job.clone());
    let name = name.into();
    let mut file = blocking(move || Export::begin(&job, source, name, to)).await?;
    let mut pages = Pages::of(ledger, &job_id, states).await?;
    let mut written = 0;
    loop {
        let rows = pages.next(ledger, &job_id).await?;
        if rows.is_empty() {
            break;
        }
        written += rows.len() as u64;
        file = blocking(move || file.rows(&rows).map(|()| file)).await?;
    }
    blocking(move || file.finish()).await?;
    Ok(written)
}

/// Rows of several states in the order of the source.
struct Pages(Vec<Page>);

struct Page {
    state: RowState,
    rows: VecDeque<RowReport>,
    is_last: bool,
}

impl Pages {
    async fn of(ledger: &Ledger, job: &JobId, states: &[RowState]) -> Result<Self, LedgerError> {
        let mut pages = Vec::new();
        for &state in states {
            let mut page = Page {
                state,
                rows: VecDeque::new(),
                is_last: false,
            };
            page.read(ledger, job, 0).await?;
            pages.push(page);
        }
        Ok(Self(pages))
    }

    /// The next rows; none at the end.
    async fn next(&mut self, ledger: &Ledger, job: &JobId) -> Result<Vec<RowReport>, LedgerError> {
        let mut rows = Vec::new();
        while rows.len() < PAGE as usize {
            let first = self
                .0
                .iter_mut()
                .filter(|page| !page.rows.is_empty())
                .min_by_key(|page| page.rows.front().map(|row| row.row));
            let Some(page) = first else { break };
            let Some(row) = page.rows.pop_front() else { break };
            if page.rows.is_empty() && !page.is_last {
                page.read(ledger, job, row.row).await?;
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

impl Page {
    async fn read(&mut self, ledger: &Ledger, job: &JobId, after: u64) -> Result<(), LedgerError> {
        let rows = ledger.rows(job, self.state, after, PAGE).await?;
        self.is_last = rows.len() < PAGE as usize;
        self.rows = rows.into();
        Ok(())
    }
}

/// The file as it is written.
struct Export {
    name: PathBuf,
    to: Box<dyn Write + Send>,
    source: Option<Own>,
}

/// The source's own columns.
struct Own {
    records: Box<dyn Records>,
    record: Record,
    columns: usize,
    is_refused_file: bool,
}

impl Export {
    fn begin(
        job: &JobReport,
        source: Option<Arc<dyn Source>>,
        name: PathBuf,
        to: Box<dyn Write + Send>,
    ) -> Result<Self, ReportError> {
        let source = match source {
            Some(source) => Some(Own::open(job, &*source)?),
            None => None,
        };
        let mut header: Vec<String> = match &source {
            Some(own) => own.records.columns()[..own.columns].to_vec(),
            None => Vec::new(),
        };
        header.extend(COLUMNS.map(str::to_owned));
        let mut export = Self { name, to, source };
        // Spreadsheets know UTF-8 by its mark.
        export.write("\u{FEFF}")?;
        export.line(&header)?;
        Ok(export)
    }

    fn rows(&mut self, rows: &[RowReport]) -> Result<(), ReportError> {
        for row in rows {
            let mut cells = match &mut self.source {
                Some(own) => own.cells(row.row)?,
                None => Vec::new(),
            };
            cells.extend([
                row.row.to_string(),
                row.line.to_string(),
                row.user_card_code.clone().unwrap_or_default(),
                row.state.name().to_owned(),
                row.code.clone(),
                row.message.clone(),
                row.request_id.clone().unwrap_or_default(),
                row.updated_at.to_string(),
            ]);
            self.line(&cells)?;
        }
        Ok(())
    }

    fn line(&mut self, cells: &[String]) -> Result<(), ReportError> {
        let cells: Vec<_> = cells.iter().map(|cell| quoted(&guarded(cell))).collect();
        self.write(&(cells.join(",") + "\r\n"))
    }

    fn write(&mut self, text: &str) -> Result<(), ReportError> {
        let written = self.to.write_all(text.as_bytes());
        written.map_err(|source| self.failed(source))
    }

    fn finish(mut self) -> Result<(), ReportError> {
        let flushed = self.to.flush();
        flushed.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ReportError {
        ReportError::Io {
            path: self.name.clone(),
            source,
        }
    }
}

impl Own {
    fn open(job: &JobReport, source: &dyn Source) -> Result<Self, ReportError> {
        let digest = source.digest()?;
        let identity = Identity {
            source_name: String::new(),
            source_digest: digest,
            profile: Profile::new(&job.mchid, &job.brand_id, &job.card_id, &job.base_url),
            route: job.route,
            // Not part of what makes a job the same.
            defaults: digest,
        };
        if identity.id() != job.id {
            return Err(ReportError::OtherSource {
                source_name: source.name().to_owned(),
                job: job.id.clone(),
            });
        }
        let records = source.open()?;
        let columns = own_columns(records.columns());
        Ok(Self {
            is_refused_file: columns < records.columns().len(),
            records,
            record: Record::default(),
            columns,
        })
    }

    /// The cells of a row that is further down than the one before.
    fn cells(&mut self, row: u64) -> Result<Vec<String>, ReportError> {
        while self.record.row < row && self.records.read(&mut self.record)? {}
        let mut cells: Vec<String> = self.record.cells.iter().take(self.columns).cloned().collect();
        cells.resize(self.columns, String::new());
        if self.is_refused_file {
            for cell in &mut cells {
                *cell = without_guard(cell).to_owned();
            }
        }
        Ok(cells)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReportError> + Send + 'static,
) -> Result<T, ReportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ReportError::Thread)?
}

const COLUMNS: [&str; 8] = [
    "row",
    "line",
    "user_card_code",
    "state",
    "code",
    "message",
    "request_id",
    "updated_at",
];

/// Rows that are read at once.
const PAGE: u32 = 1000;
