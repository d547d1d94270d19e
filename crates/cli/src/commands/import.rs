//! `wxmember import`: loads a member list into the ledger, runs the job, tells what became of it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use wxmember::UserCards;
use wxmember_import::{
    CsvFile, Defaults, Importer, Job, Ledger, LoadError, Profile as JobProfile, Quota, RowState, Settings,
    SourceError, Summary, Validity, WechatGateway,
};

use crate::{
    args,
    commands::sandbox::Embedded,
    exit,
    failure::{Failure, chain},
    places,
    print::{say, tell},
    profile::{Profile, ValidityTable},
    progress::Bar,
    signals,
};

/// Where members go, and what holds for all of them.
struct Target {
    gateway: WechatGateway,
    settings: Settings,
    ledger: PathBuf,
    embedded: Option<Embedded>,
}

/// Imports a file and returns the exit code.
pub(crate) async fn run(arguments: &args::Import) -> Result<exit::Code, Failure> {
    let Target {
        gateway,
        settings,
        ledger,
        embedded,
    } = target(arguments).await?;
    let ledger = Ledger::open(&ledger)
        .map_err(|error| Failure::because(format!("ledger {}", ledger.display()), &error))?;
    let importer = Importer::new(gateway, ledger, settings);
    let cancel =
        signals::cancel_on_signal("stopping; requests in flight finish first, ctrl-c again stops at once");
    let source = Arc::new(CsvFile::new(&arguments.file));
    let bar = Bar::draw(importer.progress());
    let job = match importer.load(source.clone(), &cancel).await {
        Ok(job) => job,
        Err(error @ LoadError::Cancelled { .. }) => {
            tell!("{error}");
            return Ok(exit::RESUMABLE);
        }
        Err(error) => return Err(load_failure(&error, &arguments.file)),
    };
    let summary = importer
        .run(&job, &cancel)
        .await
        .map_err(|error| Failure::new(chain(&error)).hint("the same command continues the job"))?;
    drop(bar);
    let refused_path = refused_path(&arguments.file);
    let written = importer
        .write_refused(&job, source, &refused_path)
        .await
        .map_err(|error| Failure::because("failed to write the file of refused rows", &error))?;
    let refused_file = (written > 0).then_some(refused_path);
    match arguments.format {
        args::Format::Json => print_json(&summary, &job, refused_file.as_deref())?,
        args::Format::Text => print_text(&importer, &summary, &job, refused_file.as_deref()).await?,
    }
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    Ok(code(&summary))
}

async fn target(arguments: &args::Import) -> Result<Target, Failure> {
    let ledger = |name: &str| match &arguments.ledger {
        Some(ledger) => Ok(ledger.clone()),
        None => places::state_folder().map(|folder| folder.join(name)),
    };
    if arguments.sandbox {
        // Not said of the flag itself, since a variable that is `0` counts as given there.
        if arguments.config.is_some() || arguments.profile.is_some() {
            return Err(Failure::usage("a sandbox inside this process has no profile")
                .hint("leave out `--sandbox`, or `--config` and `--profile`"));
        }
        let ledger = ledger("sandbox.db")?;
        let folder = ledger.with_extension("sandbox");
        let embedded = Embedded::start(&folder).await?;
        // The port changes each time; the job must stay the same.
        let profile = job_profile(
            &embedded.client,
            embedded.brand_id(),
            embedded.card_id(),
            "sandbox",
        );
        let defaults = Defaults::default().with_validity(Validity::Permanent);
        let settings = settings(arguments, profile, defaults, None);
        let gateway = WechatGateway::new(embedded.client.clone());
        return Ok(Target {
            gateway,
            settings,
            ledger,
            embedded: Some(embedded),
        });
    }
    let config = arguments.config.as_deref().unwrap_or(Path::new("wxmember.toml"));
    let profile = Profile::read(config, arguments.profile.as_deref().unwrap_or("default"))?;
    let mut defaults = Defaults::default().with_custom_fields(&profile.custom_fields);
    if let Some(validity) = &profile.validity {
        defaults = defaults.with_validity(match validity {
            ValidityTable::Permanent => Validity::Permanent,
            ValidityTable::Days(days) => Validity::FixTerm { days: *days },
            ValidityTable::Between([begin, end]) => Validity::FixTimeRange {
                begin: begin.clone(),
                end: end.clone(),
            },
        });
    }
    if let Some(time) = &profile.pickup_time {
        defaults = defaults.with_pickup_time(time);
    }
    let quota = match &profile.quota {
        Some(text) => text
            .parse()
            .map_err(|error| Failure::because(format!("{}: `quota`", config.display()), &error))?,
        None => api_quota(),
    };
    let job = job_profile(
        &profile.client,
        &profile.brand_id,
        &profile.card_id,
        &profile.base_url,
    );
    let settings = settings(arguments, job, defaults, Some(quota));
    Ok(Target {
        gateway: WechatGateway::new(profile.client),
        settings,
        ledger: ledger("ledger.db")?,
        embedded: None,
    })
}

fn job_profile(client: &wxmember::Client, brand_id: &str, card_id: &str, base_url: &str) -> JobProfile {
    JobProfile::new(client.merchant().mchid(), brand_id, card_id, base_url)
}

/// What the API documents for the operation.
fn api_quota() -> Quota {
    let limit = std::num::NonZeroU32::new(UserCards::IMPORT_BY_PHONE.rate_limit());
    Quota::each_second(limit.unwrap_or(std::num::NonZeroU32::MIN))
}

fn settings(
    arguments: &args::Import,
    profile: JobProfile,
    defaults: Defaults,
    quota: Option<Quota>,
) -> Settings {
    let mut settings = Settings::new(profile).with_defaults(defaults);
    if let Some(quota) = arguments.quota.or(quota) {
        settings = settings.with_quota(quota);
    }
    if let Some(concurrency) = arguments.concurrency {
        settings = settings.with_concurrency(concurrency);
    }
    settings
}

fn load_failure(error: &LoadError, file: &Path) -> Failure {
    let failure = Failure::new(chain(error));
    match error {
        LoadError::Source(SourceError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            failure.hint("name a file that exists")
        }
        LoadError::Source(_) | LoadError::Mapping { .. } => failure.hint(format!(
            "correct {} and run the same command; nothing was sent",
            file.display()
        )),
        LoadError::NotReady(stop) => match &stop.hint {
            Some(hint) => failure.hint(hint.clone()),
            None => failure,
        },
        LoadError::Defaults(_) => {
            failure.hint("set `validity` and `pickup_time` in the profile, or add the columns")
        }
        _ => failure,
    }
}

/// Beside the source, with everything of its name, so that `members.csv` and `members.xlsx` do not share it.
fn refused_path(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".refused.csv");
    file.with_file_name(name)
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    continued: bool,
    ignored_columns: &'a [String],
    refused_file: Option<&'a Path>,
}

fn print_json(summary: &Summary, job: &Job, refused_file: Option<&Path>) -> Result<(), Failure> {
    let printed = Printed {
        summary,
        continued: job.is_continued(),
        ignored_columns: job.ignored_columns(),
        refused_file,
    };
    let text = serde_json::to_string(&printed)
        .map_err(|error| Failure::because("failed to write the summary as JSON", &error))?;
    say!("{text}")?;
    Ok(())
}

async fn print_text(
    importer: &Importer<WechatGateway>,
    summary: &Summary,
    job: &Job,
    refused_file: Option<&Path>,
) -> Result<(), Failure> {
    if !job.ignored_columns().is_empty() {
        tell!("ignored columns: {}", job.ignored_columns().join(", "));
    }
    let rows = importer.rows(job, RowState::Refused, 0, SHOWN).await;
    let rows = rows.map_err(|error| Failure::new(chain(&error)))?;
    for row in &rows {
        tell!(
            "row {} (line {}): {}: {}",
            row.row,
            row.line,
            row.code,
            row.message
        );
    }
    let more = summary.refused.saturating_sub(rows.len() as u64);
    if more > 0 {
        tell!("… and {more} more");
    }
    let Summary {
        rows,
        imported,
        present,
        refused,
        unknown,
        queued,
        sent,
        seconds,
        ..
    } = summary;
    say!(
        "job       {}{}",
        job.id(),
        if job.is_continued() { " (continued)" } else { "" }
    )?;
    say!("rows      {rows}")?;
    say!("imported  {imported}")?;
    say!("present   {present}")?;
    say!("refused   {refused}")?;
    say!("unknown   {unknown}")?;
    say!("queued    {queued}")?;
    say!("sent      {sent} requests in {seconds:.1} s")?;
    if let Some(file) = refused_file {
        tell!(
            "\nhint: put the rows in {} right and import that file",
            file.display()
        );
    }
    if let Some(stop) = &summary.stopped {
        tell!("\nerror: the run stopped: {}: {}", stop.code, stop.message);
        if let Some(hint) = &stop.hint {
            tell!("\nhint: {hint}; then run the same command again");
        }
    } else if *unknown + *queued > 0 {
        tell!("\nhint: run the same command again to continue");
    }
    Ok(())
}

fn code(summary: &Summary) -> exit::Code {
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
