//! `wxmember import`: loads a member list into the ledger, runs the job, tells what became of it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use wxmember_import::{CsvFile, Importer, LoadError, SourceError};

use self::{printed::Outcome, target::Target};
use crate::{
    args::{self, Format},
    exit,
    failure::{Failure, chain},
    language::t,
    ledger,
    print::tell,
    progress::Shown,
    signals,
};

pub(super) mod printed;
pub(super) mod target;

/// Imports a file and returns the exit code.
pub(crate) async fn run(arguments: &args::import::Import) -> Result<exit::Code, Failure> {
    let Target {
        gateway,
        settings,
        ledger,
        embedded,
    } = Target::of(arguments).await?;
    let importer = Importer::new(gateway, ledger, settings);
    let cancel = signals::cancel_on_signal(t!("stopping"));
    let source = Arc::new(CsvFile::new(&arguments.file));
    let shown = Shown::begin(importer.progress());
    let job = match importer.load(source.clone(), &cancel).await {
        Ok(job) => job,
        Err(error @ LoadError::Cancelled { .. }) => {
            drop(shown);
            tell!("{}", crate::language::known(&error.to_string()));
            return Ok(exit::RESUMABLE);
        }
        Err(error) => return Err(load_failure(&error, &arguments.file)),
    };
    let summary = importer.run(&job, &cancel).await.map_err(|error| {
        let failure = Failure::new(chain(&error));
        match failure.advice() {
            Some(_) => failure,
            None => failure.hint(t!("hint-run-again")),
        }
    })?;
    drop(shown);
    let refused_path = refused_path(&arguments.file);
    let written = importer
        .write_refused(&job, source, &refused_path)
        .await
        .map_err(|error| Failure::because(t!("refused-file-failed"), &error))?;
    let outcome = Outcome {
        summary: &summary,
        job: &job,
        refused_file: (written > 0).then_some(refused_path.as_path()),
        is_sandbox: arguments.sandbox,
    };
    match arguments.format {
        Format::Json => outcome.print_json()?,
        Format::Text => outcome.print_text(&importer).await?,
    }
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    Ok(printed::code(&summary))
}

fn load_failure(error: &LoadError, file: &Path) -> Failure {
    let failure = Failure::new(chain(error));
    match error {
        LoadError::Ledger(error) => ledger::hinted(failure, error),
        LoadError::Source(SourceError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            failure.hint(t!("hint-name-a-file"))
        }
        LoadError::Source(_) | LoadError::Mapping { .. } => {
            failure.hint(t!("hint-correct-file", file = file.display()))
        }
        LoadError::NotReady(stop) => match &stop.hint {
            Some(hint) => failure.hint(hint.clone()),
            None => failure,
        },
        LoadError::Defaults(_) => failure.hint(t!("hint-defaults")),
        _ => failure,
    }
}

/// Beside the source, with everything of its name, so that `members.csv` and `members.xlsx` do not share it.
fn refused_path(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".refused.csv");
    file.with_file_name(name)
}
