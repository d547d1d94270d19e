//! What became of a job, to be shown to people and to programs. Holds no personal data.

use serde::Serialize;

use super::{csv, html};
use crate::{
    job::JobId,
    ledger::{CodeCount, JobReport, Ledger, LedgerError, RowState, Slot},
};

/// What became of a job: where its rows stand, why some were refused, and how fast it went.
///
/// It holds counts, codes and the platform's messages, no codes of members and no personal data, so that it can be
/// handed on. [`to_json`](Self::to_json), [`to_csv`](Self::to_csv) and [`to_html`](Self::to_html) render it.
///
/// ```
/// # async fn example(ledger: &wxmember_import::Ledger) -> Result<(), Box<dyn std::error::Error>> {
/// use wxmember_import::{Language, Report};
///
/// for job in ledger.jobs().await? {
///     let report = Report::of(ledger, &job.id).await?;
///     std::fs::write(format!("{}.html", job.id), report.to_html(Language::English))?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The job and the counts of its rows.
    pub job: JobReport,
    /// Rows by state and code.
    pub outcomes: Vec<CodeCount>,
    /// What came to an end when, in at most 200 stretches of the same length.
    pub timeline: Vec<Slot>,
}

/// The languages of reports for people.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Report {
    /// Asks the ledger for everything that is known of a job.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuchJob`] when the ledger has no such job, any other when the ledger fails.
    pub async fn of(ledger: &Ledger, id: &JobId) -> Result<Self, LedgerError> {
        let (outcomes, timeline) = (ledger.outcomes(id).await?, ledger.timeline(id).await?);
        // Read last, so that a running job's counts are not older than its outcomes.
        let job = ledger.job(id.as_str()).await?;
        Ok(Self {
            job,
            outcomes,
            timeline,
        })
    }

    /// One JSON object in one line: `format_version`, `job`, `outcomes` and `timeline`.
    ///
    /// # Errors
    ///
    /// None is known; the serialiser's are passed on.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Versioned<'a> {
            format_version: u32,
            #[serde(flatten)]
            report: &'a Report,
        }
        serde_json::to_string(&Versioned {
            format_version: FORMAT_VERSION,
            report: self,
        })
    }

    /// A table in CSV by state and code, in UTF-8 with its mark: `state`, `code`, `rows`, `message`.
    ///
    /// The rows add up to the rows of the job. Cells that a spreadsheet could take for a formula get an apostrophe in
    /// front.
    #[must_use]
    pub fn to_csv(&self) -> String {
        csv::render(self)
    }

    /// One HTML page that needs no network and no script: outcome, rate over time, refusals by code.
    #[must_use]
    pub fn to_html(&self, language: Language) -> String {
        html::render(self, language)
    }

    /// Rows by state; what is being sent counts as queued.
    pub(super) fn states(&self) -> [(RowState, u64); 5] {
        let counts = &self.job.counts;
        [
            (RowState::Imported, counts.imported),
            (RowState::Present, counts.present),
            (RowState::Refused, counts.refused),
            (RowState::Unknown, counts.unknown),
            (RowState::Queued, counts.queued + counts.leased),
        ]
    }

    /// Rows by state and code, and for each state what no code explains.
    pub(super) fn explained(&self) -> Vec<(RowState, &str, &str, u64)> {
        let mut lines = Vec::new();
        for (state, rows) in self.states() {
            let is_of = |outcome: &&CodeCount| {
                outcome.state == state || state == RowState::Queued && outcome.state == RowState::Leased
            };
            let with_code = self
                .outcomes
                .iter()
                .filter(is_of)
                .filter(|outcome| !outcome.code.is_empty());
            let mut without_code = rows;
            for CodeCount {
                code, message, rows, ..
            } in with_code
            {
                without_code = without_code.saturating_sub(*rows);
                lines.push((state, code.as_str(), message.as_str(), *rows));
            }
            if without_code > 0 {
                lines.push((state, "", "", without_code));
            }
        }
        lines
    }
}

/// The version of [`Report::to_json`]; it grows when a field changes its meaning or goes.
const FORMAT_VERSION: u32 = 1;
