//! `wxmember report`: what became of a job, for people, programs, spreadsheets and browsers.

use wxmember_import::{Report, RowState};

use super::jobs;
use crate::{
    args::jobs::{Report as Arguments, ReportFormat},
    exit,
    failure::Failure,
    language::{self, known, t},
    ledger,
    output::Output,
    print::{self, tell},
    table,
};

/// Writes the report.
pub(crate) async fn run(arguments: &Arguments) -> Result<exit::Code, Failure> {
    let (ledger, job) = jobs::find(&arguments.job, &arguments.ledger).await?;
    let mut report = Report::of(&ledger, &job.id)
        .await
        .map_err(|error| ledger::said(&error))?;
    let text = match arguments.format {
        ReportFormat::Json => report
            .to_json()
            .map_err(|error| Failure::because(t!("json-failed"), &error))?,
        ReportFormat::Csv => report.to_csv(),
        ReportFormat::Html => {
            for outcome in &mut report.outcomes {
                outcome.message = known(&outcome.message);
            }
            report.to_html(match language::current() {
                language::Language::English => wxmember_import::Language::English,
                language::Language::Chinese => wxmember_import::Language::Chinese,
            })
        }
        ReportFormat::Text => text(&report),
    };
    match &arguments.output {
        Some(path) => {
            Output::public(path, &ledger::files(&arguments.ledger)?)?.write(&text)?;
            tell!("{}", t!("report-written", path = path.display()));
        }
        None => print::bytes(text.as_bytes())?,
    }
    Ok(exit::DONE)
}

/// The job, then its rows by state and code.
fn text(report: &Report) -> String {
    let mut rows = vec![vec![
        t!("column-rows"),
        t!("column-state"),
        t!("column-code"),
        t!("column-message"),
    ]];
    rows.extend(
        report
            .outcomes
            .iter()
            .filter(|outcome| !outcome.code.is_empty())
            .map(|outcome| {
                vec![
                    outcome.rows.to_string(),
                    state(outcome.state),
                    outcome.code.clone(),
                    known(&outcome.message),
                ]
            }),
    );
    let mut lines = jobs::lines(&report.job);
    lines.push(String::new());
    match rows.len() {
        1 => lines.push(t!("no-codes")),
        _ => lines.extend(table::lines(&rows, &[true])),
    }
    lines.join("\n")
}

/// The name of a state for people.
fn state(state: RowState) -> String {
    match state {
        RowState::Imported => t!("label-imported"),
        RowState::Present => t!("label-present"),
        RowState::Refused => t!("label-refused"),
        RowState::Unknown => t!("label-unknown"),
        _ => t!("label-queued"),
    }
}
