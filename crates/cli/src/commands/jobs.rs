//! `wxmember jobs`, `status`, `pause`, `resume`, `retry` and `purge`: what is in a ledger, and what can be done with it.

use serde::Serialize;
use serde_json::json;
use wxmember_import::{JobReport, Ledger, Retry};

use crate::{
    args::{Format, jobs},
    exit,
    failure::Failure,
    language::t,
    ledger,
    print::{say, tell},
    table,
};

/// Lists the jobs, the last one first.
pub(crate) async fn list(arguments: &jobs::Jobs) -> Result<exit::Code, Failure> {
    let ledger = ledger::of_jobs(&arguments.ledger).await?;
    let mut jobs = ledger.jobs().await.map_err(|error| ledger::said(&error))?;
    jobs.sort_by_key(|job| std::cmp::Reverse((job.updated_at, job.created_at)));
    match arguments.format {
        Format::Json => {
            let jobs: Vec<_> = jobs.iter().map(Printed::of).collect();
            say!("{}", json!({"format_version": FORMAT_VERSION, "jobs": jobs}))?;
        }
        Format::Text if jobs.is_empty() => tell!("{}", t!("no-jobs")),
        Format::Text => {
            let mut rows = vec![vec![
                t!("column-job"),
                t!("column-state"),
                t!("column-rows"),
                t!("column-imported"),
                t!("column-present"),
                t!("column-refused"),
                t!("column-unknown"),
                t!("column-queued"),
                t!("column-updated"),
                t!("column-source"),
            ]];
            rows.extend(jobs.iter().map(|job| {
                let counts = &job.counts;
                vec![
                    job.id.to_string(),
                    Standing::of(job).name(),
                    job.rows.to_string(),
                    counts.imported.to_string(),
                    counts.present.to_string(),
                    counts.refused.to_string(),
                    counts.unknown.to_string(),
                    (counts.queued + counts.leased).to_string(),
                    time(job.updated_at),
                    job.source_name.clone(),
                ]
            }));
            let is_number = [false, false, true, true, true, true, true, true];
            for line in table::lines(&rows, &is_number) {
                say!("{line}")?;
            }
        }
    }
    Ok(exit::DONE)
}

/// Tells where one job stands.
pub(crate) async fn status(arguments: &jobs::OneJob) -> Result<exit::Code, Failure> {
    let (_, job) = find(&arguments.job, &arguments.ledger).await?;
    match arguments.format {
        Format::Json => print_json(&job)?,
        Format::Text => {
            for line in lines(&job) {
                say!("{line}")?;
            }
        }
    }
    Ok(exit::DONE)
}

/// Stops every process that works on a job.
pub(crate) async fn pause(arguments: &jobs::OneJob) -> Result<exit::Code, Failure> {
    let (ledger, job) = find(&arguments.job, &arguments.ledger).await?;
    ledger
        .pause(&job.id)
        .await
        .map_err(|error| ledger::said(&error))?;
    changed(&ledger, &job, arguments.format).await?;
    tell_unless_json(
        arguments.format,
        &t!("paused", job = job.id.as_str()),
        Some(&t!(
            "paused-hint",
            command = command("resume", &job, &arguments.ledger)
        )),
    );
    Ok(exit::DONE)
}

/// Lets a paused job go on.
pub(crate) async fn resume(arguments: &jobs::OneJob) -> Result<exit::Code, Failure> {
    let (ledger, job) = find(&arguments.job, &arguments.ledger).await?;
    ledger
        .resume(&job.id)
        .await
        .map_err(|error| ledger::said(&error))?;
    changed(&ledger, &job, arguments.format).await?;
    tell_unless_json(
        arguments.format,
        &t!("resumed", job = job.id.as_str()),
        Some(&t!("send-hint")),
    );
    Ok(exit::DONE)
}

/// Queues rows once more.
pub(crate) async fn retry(arguments: &jobs::Retry) -> Result<exit::Code, Failure> {
    let (ledger, job) = find(&arguments.job, &arguments.ledger).await?;
    let mut retry = match arguments.state {
        Some(jobs::Retryable::Refused) => Retry::refused(),
        Some(jobs::Retryable::Unknown) => Retry::unknown(),
        None => Retry::refused_and_unknown(),
    };
    if let Some(code) = &arguments.code {
        retry = retry.with_code(code);
    }
    let rows = ledger
        .retry(&job.id, &retry)
        .await
        .map_err(|error| ledger::said(&error))?;
    match arguments.format {
        Format::Json => say!(
            "{}",
            json!({"format_version": FORMAT_VERSION, "job": job.id, "rows": rows})
        )?,
        Format::Text => {
            say!("{}", t!("retried", rows = rows))?;
            match rows {
                0 => tell!("\n{}{}", t!("hint-prefix"), t!("retried-none-hint")),
                _ => tell!("\n{}{}", t!("hint-prefix"), t!("send-hint")),
            }
        }
    }
    Ok(exit::DONE)
}

/// Deletes what was sealed.
pub(crate) async fn purge(arguments: &jobs::Purge) -> Result<exit::Code, Failure> {
    let (ledger, job) = find(&arguments.job, &arguments.ledger).await?;
    let purged = ledger
        .purge(&job.id, arguments.force)
        .await
        .map_err(|error| ledger::said(&error))?;
    match arguments.format {
        Format::Json => say!(
            "{}",
            json!({"format_version": FORMAT_VERSION, "job": job.id, "purged": purged})
        )?,
        Format::Text => say!(
            "{}",
            t!(
                "purged",
                job = job.id.as_str(),
                requests = purged.requests,
                rows = purged.rows
            )
        )?,
    }
    Ok(exit::DONE)
}

/// Opens the ledger and finds the job.
pub(super) async fn find(
    name: &str,
    arguments: &crate::args::ledger::JobLedger,
) -> Result<(Ledger, JobReport), Failure> {
    let ledger = ledger::of_jobs(arguments).await?;
    let job = ledger::job(&ledger, name, arguments).await?;
    Ok((ledger, job))
}

async fn changed(ledger: &Ledger, job: &JobReport, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let job = ledger.job(job.id.as_str()).await;
        print_json(&job.map_err(|error| ledger::said(&error))?)?;
    }
    Ok(())
}

fn tell_unless_json(format: Format, what: &str, hint: Option<&str>) {
    if format == Format::Json {
        return;
    }
    tell!("{what}");
    if let Some(hint) = hint {
        tell!("\n{}{hint}", t!("hint-prefix"));
    }
}

/// A command for the same job, as it can be pasted.
pub(super) fn command(verb: &str, job: &JobReport, arguments: &crate::args::ledger::JobLedger) -> String {
    let sandbox = if arguments.sandbox { " --sandbox" } else { "" };
    format!("wxmember {verb} {}{sandbox}", job.id)
}

/// Where a job stands, in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// Its rows are not all in the ledger yet.
    Loading,
    /// Some rows have no known end yet.
    Open,
    /// Somebody paused it.
    Paused,
    /// Every row has a known end.
    Done,
    /// Nothing of it can be sent any more.
    Purged,
}

impl Standing {
    pub(super) fn of(job: &JobReport) -> Self {
        if job.is_purged {
            Self::Purged
        } else if !job.is_loaded {
            Self::Loading
        } else if job.counts.unfinished() == 0 {
            Self::Done
        } else if job.is_paused {
            Self::Paused
        } else {
            Self::Open
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Loading => t!("standing-loading"),
            Self::Open => t!("standing-open"),
            Self::Paused => t!("standing-paused"),
            Self::Done => t!("standing-done"),
            Self::Purged => t!("standing-purged"),
        }
    }
}

/// A job in JSON: what the ledger says, and where it stands.
#[derive(Serialize)]
struct Printed<'a> {
    standing: Standing,
    #[serde(flatten)]
    job: &'a JobReport,
}

impl<'a> Printed<'a> {
    fn of(job: &'a JobReport) -> Self {
        Self {
            standing: Standing::of(job),
            job,
        }
    }
}

fn print_json(job: &JobReport) -> Result<(), Failure> {
    say!(
        "{}",
        json!({"format_version": FORMAT_VERSION, "job": Printed::of(job)})
    )
}

/// One job in full.
pub(super) fn lines(job: &JobReport) -> Vec<String> {
    let counts = &job.counts;
    let pairs = [
        (t!("label-job"), job.id.to_string()),
        (t!("label-source"), job.source_name.clone()),
        (t!("label-card"), format!("{} ({})", job.card_id, job.brand_id)),
        (t!("label-mchid"), job.mchid.clone()),
        (t!("label-platform"), job.base_url.clone()),
        (t!("label-route"), job.route.name().to_owned()),
        (t!("label-standing"), Standing::of(job).name()),
        (t!("label-rows"), job.rows.to_string()),
        (t!("label-imported"), counts.imported.to_string()),
        (t!("label-present"), counts.present.to_string()),
        (t!("label-refused"), counts.refused.to_string()),
        (t!("label-unknown"), counts.unknown.to_string()),
        (t!("label-queued"), (counts.queued + counts.leased).to_string()),
        (t!("label-created"), time(job.created_at)),
        (t!("label-updated"), time(job.updated_at)),
    ];
    table::pairs(&pairs)
}

/// A moment in China's time, as RFC 3339 writes it; nothing is shown of one that is not known.
fn time(seconds: i64) -> String {
    let offset = jiff::tz::Offset::constant(8);
    match (seconds, jiff::Timestamp::from_second(seconds)) {
        (1.., Ok(time)) => time.display_with_offset(offset).to_string(),
        _ => "-".to_owned(),
    }
}

/// The version of what the commands for jobs print as JSON; it grows when a field changes its meaning or goes.
pub(super) const FORMAT_VERSION: u32 = 1;
