//! `wxmember worker`: takes rows of every job of a merchant id, beside any number of other processes.

use serde::Serialize;
use wxmember_import::{Until, WechatGateway, Worker, WorkerSummary};

use crate::{
    args::{Format, running},
    commands::import::{
        printed::{code, tell_stop},
        target::settings,
    },
    exit,
    failure::{Failure, chain},
    language::t,
    ledger,
    print::{say, tell},
    profile::Profile,
    progress::Shown,
    signals, table,
};

/// Works until it is done or stopped, and returns the exit code.
pub(crate) async fn run(arguments: &running::Worker) -> Result<exit::Code, Failure> {
    let chosen = &arguments.chosen;
    let profile = Profile::read(&chosen.config, &chosen.profile)?;
    let settings = settings(
        &profile,
        &arguments.running,
        profile.via.unwrap_or_default(),
        &chosen.config,
    )?;
    let ledger = ledger::open_without_key(&arguments.ledger, ledger::OWN).await?;
    let worker = Worker::new(WechatGateway::new(profile.client), ledger, settings);
    let cancel = signals::cancel_on_signal(t!("stopping"));
    let shown = Shown::begin(worker.progress());
    let until = match arguments.until_done {
        true => Until::Done,
        false => Until::Stopped,
    };
    let summary = worker
        .run(until, &cancel)
        .await
        .map_err(|error| Failure::new(chain(&error)).hint(t!("hint-run-again")))?;
    drop(shown);
    match arguments.format {
        Format::Json => print_json(&summary)?,
        Format::Text => print_text(&summary)?,
    }
    Ok(exit_code(&summary))
}

#[derive(Serialize)]
struct Printed<'a> {
    format_version: u32,
    #[serde(flatten)]
    summary: &'a WorkerSummary,
}

fn print_json(summary: &WorkerSummary) -> Result<(), Failure> {
    let printed = Printed {
        format_version: FORMAT_VERSION,
        summary,
    };
    let text =
        serde_json::to_string(&printed).map_err(|error| Failure::because(t!("json-failed"), &error))?;
    say!("{text}")
}

fn print_text(summary: &WorkerSummary) -> Result<(), Failure> {
    if summary.jobs.is_empty() {
        tell!("{}", t!("worker-nothing"));
    } else {
        let mut rows = vec![vec![
            t!("column-job"),
            t!("column-rows"),
            t!("column-imported"),
            t!("column-present"),
            t!("column-refused"),
            t!("column-unknown"),
            t!("column-queued"),
            t!("column-sent"),
        ]];
        rows.extend(summary.jobs.iter().map(|job| {
            let numbers = [
                job.rows,
                job.imported,
                job.present,
                job.refused,
                job.unknown,
                job.queued,
                job.sent,
            ];
            let mut row = vec![job.job.to_string()];
            row.extend(numbers.map(|number| number.to_string()));
            row
        }));
        let is_number = [false, true, true, true, true, true, true, true];
        for line in table::lines(&rows, &is_number) {
            say!("{line}")?;
        }
    }
    say!(
        "{}",
        t!(
            "worker-sent",
            requests = summary.sent,
            seconds = format!("{:.1}", summary.seconds)
        )
    )?;
    for job in &summary.jobs {
        if let Some(stop) = &job.stopped {
            tell!("\n{}", t!("worker-job-stopped", job = job.job.as_str()));
            tell_stop(stop, job.job.as_str(), false);
        }
    }
    if let Some(stop) = &summary.stopped {
        tell_stop(stop, "last", false);
    }
    Ok(())
}

/// The worst of its jobs.
fn exit_code(summary: &WorkerSummary) -> exit::Code {
    if !summary.is_complete() {
        return exit::RESUMABLE;
    }
    summary.jobs.iter().map(code).max().unwrap_or(exit::DONE)
}

/// The version of what is printed as JSON; it grows when a field changes its meaning or goes.
const FORMAT_VERSION: u32 = 1;
