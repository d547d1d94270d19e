//! What an import tells at its end.

use std::path::Path;

use serde::Serialize;
use wxmember_import::{Hint, Importer, Job, RowState, Stop, Summary, WechatGateway};

use crate::{
    exit,
    failure::Failure,
    language::{known, list, t},
    ledger,
    print::{say, tell},
    table,
};

/// Everything there is to tell.
pub(super) struct Outcome<'a> {
    pub(super) summary: &'a Summary,
    pub(super) job: &'a Job,
    pub(super) refused_file: Option<&'a Path>,
    /// The file that was not written over.
    pub(super) kept_file: Option<&'a Path>,
    pub(super) is_sandbox: bool,
}

#[derive(Serialize)]
struct Printed<'a> {
    format_version: u32,
    #[serde(flatten)]
    summary: &'a Summary,
    continued: bool,
    ignored_columns: &'a [String],
    refused_file: Option<&'a Path>,
}

impl Outcome<'_> {
    /// One object on stdout.
    pub(super) fn print_json(&self) -> Result<(), Failure> {
        let printed = Printed {
            format_version: FORMAT_VERSION,
            summary: self.summary,
            continued: self.job.is_continued(),
            ignored_columns: self.job.ignored_columns(),
            refused_file: self.refused_file,
        };
        let text =
            serde_json::to_string(&printed).map_err(|error| Failure::because(t!("json-failed"), &error))?;
        say!("{text}")
    }

    /// The counts on stdout; rows, reasons and hints on stderr.
    pub(super) async fn print_text(&self, importer: &Importer<WechatGateway>) -> Result<(), Failure> {
        let (summary, job) = (self.summary, self.job);
        if !job.ignored_columns().is_empty() {
            tell!("{}", t!("ignored-columns", columns = list(job.ignored_columns())));
        }
        if job.are_defaults_changed() {
            tell!("{}", t!("defaults-changed"));
        }
        let rows = importer.rows(job, RowState::Refused, 0, SHOWN).await;
        let rows = rows.map_err(|error| ledger::said(&error))?;
        for row in &rows {
            tell!(
                "{}",
                t!(
                    "refused-row",
                    row = row.row.to_string(),
                    line = row.line.to_string(),
                    code = &row.code,
                    message = known(&row.message)
                )
            );
        }
        let more = summary.refused.saturating_sub(rows.len() as u64);
        if more > 0 {
            tell!("{}", t!("more-rows", rows = more));
        }
        let mut job_line = job.id().to_string();
        if job.is_continued() {
            job_line.push_str(&t!("continued"));
        }
        let pairs = [
            (t!("label-job"), job_line),
            (t!("label-rows"), summary.rows.to_string()),
            (t!("label-imported"), summary.imported.to_string()),
            (t!("label-present"), summary.present.to_string()),
            (t!("label-refused"), summary.refused.to_string()),
            (t!("label-unknown"), summary.unknown.to_string()),
            (t!("label-queued"), summary.queued.to_string()),
            (
                t!("label-sent"),
                t!(
                    "sent-in",
                    requests = summary.sent,
                    seconds = format!("{:.1}", summary.seconds)
                ),
            ),
        ];
        for line in table::pairs(&pairs) {
            say!("{line}")?;
        }
        self.tell_what_next();
        Ok(())
    }

    fn tell_what_next(&self) {
        let summary = self.summary;
        let hint = |text: String| tell!("\n{}{text}", t!("hint-prefix"));
        if let Some(file) = self.kept_file {
            tell!("\n{}", t!("refused-file-kept", file = file.display()));
        }
        if let Some(file) = self.refused_file {
            hint(t!("refused-file-hint", file = file.display()));
        }
        if let Some(stop) = &summary.stopped {
            tell_stop(stop, summary.job.as_str(), self.is_sandbox);
        } else if summary.unknown > 0 {
            let sandbox = if self.is_sandbox { " --sandbox" } else { "" };
            let command = format!("wxmember report {}{sandbox}", summary.job);
            hint(t!("unknown-hint", rows = summary.unknown, command = command));
        } else if !summary.is_complete() {
            hint(t!("continue-hint"));
        }
    }
}

/// Why a run stopped, and what to do.
pub(in crate::commands) fn tell_stop(stop: &Stop, job: &str, is_sandbox: bool) {
    tell!(
        "\n{}{}",
        t!("error-prefix"),
        t!("run-stopped", code = &stop.code, message = known(&stop.message))
    );
    tell!("\n{}{}", t!("hint-prefix"), stop_hint(stop, job, is_sandbox));
}

/// What to do after a stop, up to how the job goes on.
fn stop_hint(stop: &Stop, job: &str, is_sandbox: bool) -> String {
    match stop.code.as_str() {
        "PAUSED" => {
            let sandbox = if is_sandbox { " --sandbox" } else { "" };
            t!("paused-hint", command = format!("wxmember resume {job}{sandbox}"))
        }
        _ => how_to_go_on(stop.hint.as_ref()),
    }
}

/// What to do, with the same command at the end of it.
pub(in crate::commands) fn how_to_go_on(hint: Option<&Hint>) -> String {
    match hint {
        Some(Hint::Whole(hint)) => known(hint),
        Some(Hint::First(hint)) => t!("stop-hint", hint = known(hint)),
        None => t!("continue-hint"),
    }
}

/// How it ended, for scripts.
pub(in crate::commands) fn code(summary: &Summary) -> exit::Code {
    if summary.stopped.is_some() || summary.unknown + summary.queued > 0 {
        exit::RESUMABLE
    } else if summary.refused > 0 {
        exit::REFUSED_ROWS
    } else {
        exit::DONE
    }
}

/// Refused rows that are named on the terminal; the file has them all.
const SHOWN: u32 = 50;

/// The version of what is printed as JSON; it grows when a field changes its meaning or goes.
const FORMAT_VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, hint: Option<Hint>, expected: &str) {
        let stop = Stop {
            code: code.to_owned(),
            message: String::new(),
            hint,
        };
        assert_eq!(stop_hint(&stop, "j1", true), expected);
    }

    #[test]
    fn how_a_job_goes_on_is_said_once() {
        let first = |text: &str| Some(Hint::First(text.to_owned()));
        check(
            "NO_AUTH",
            first("check `card_id`"),
            "check `card_id`; then run the same command again",
        );
        check(
            "NO_AUTH",
            first("end what the same command began"),
            "end what the same command began; then run the same command again",
        );
        check(
            "MAX_DURATION",
            Some(Hint::Whole("start it anew".to_owned())),
            "start it anew",
        );
        check("NO_AUTH", None, "run the same command again to continue");
        check(
            "PAUSED",
            first("anything"),
            "let it go on with `wxmember resume j1 --sandbox`",
        );
    }
}
