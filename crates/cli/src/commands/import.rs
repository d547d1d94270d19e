//! `wxmember import`: loads a member list into the ledger, runs the job, tells what became of it.

use std::{io::ErrorKind, path::Path, sync::Arc};

use wxmember_import::{Description, FileSource, Importer, LoadError, Source, SourceError, SourceOptions};

use self::{printed::Outcome, target::Target};
use crate::{
    args::{self, Format, source::SourceArguments},
    exit,
    failure::{Failure, chain},
    language::t,
    ledger,
    print::tell,
    progress::Shown,
    signals,
};

pub(super) mod printed;
mod refused;
pub(super) mod target;

/// Imports a file and returns the exit code.
pub(crate) async fn run(arguments: &args::import::Import) -> Result<exit::Code, Failure> {
    let Target {
        gateway,
        settings,
        ledger,
        embedded,
    } = Target::of(arguments).await?;
    let refused_path = refused::path(&arguments.file)?;
    let importer = Importer::new(gateway, ledger, settings);
    let cancel = signals::cancel_on_signal(t!("stopping"));
    let source = Arc::new(
        open(
            &arguments.file,
            crate::mapping::options(&arguments.source.reading),
        )
        .await?,
    );
    if arguments.format == Format::Text {
        tell!("{}", described(&source));
    }
    let shown = Shown::begin(importer.progress());
    let job = match importer.load(source.clone(), &cancel).await {
        Ok(job) => job,
        Err(error @ LoadError::Cancelled { .. }) => {
            drop(shown);
            tell!("{}", crate::language::known(&error.to_string()));
            return Ok(exit::RESUMABLE);
        }
        Err(error) => return Err(load_failure(&error, &arguments.file, &arguments.source)),
    };
    let summary = importer.run(&job, &cancel).await.map_err(|error| {
        let failure = Failure::new(chain(&error));
        match failure.advice() {
            Some(_) => failure,
            None => failure.hint(t!("hint-run-again")),
        }
    })?;
    drop(shown);
    // What became of the rows is told whatever becomes of the file.
    let (refused, failure) = match importer.write_refused(&job, source, &refused_path).await {
        Ok(refused) => (refused.file, None),
        Err(error) => (
            None,
            Some(Failure::because(t!("refused-file-failed"), &error).hint(t!("hint-refused-file"))),
        ),
    };
    let outcome = Outcome {
        summary: &summary,
        job: &job,
        kept_file: refused
            .as_ref()
            .filter(|file| **file != refused_path)
            .map(|_| refused_path.as_path()),
        refused_file: refused.as_deref(),
        is_sandbox: arguments.sandbox,
    };
    match arguments.format {
        Format::Json => outcome.print_json()?,
        Format::Text => outcome.print_text(&importer).await?,
    }
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(printed::code(&summary)),
    }
}

/// Finds out what a file is, which reads all of it.
pub(super) async fn open(file: &Path, options: SourceOptions) -> Result<FileSource, Failure> {
    let path = file.to_owned();
    let opened = tokio::task::spawn_blocking(move || FileSource::open(path, options)).await;
    match opened {
        Ok(Ok(source)) => Ok(source),
        Ok(Err(error)) => Err(source_failure(&error, file)),
        Err(_) => Err(Failure::new(chain(&LoadError::Thread))),
    }
}

/// What a file was found to be.
pub(super) fn described(source: &FileSource) -> String {
    let Description {
        format,
        encoding,
        delimiter,
        gzip,
        sheet,
        ..
    } = source.description();
    let mut parts = vec![format.to_string()];
    parts.extend(encoding.map(|encoding| encoding.to_string()));
    parts.extend(delimiter.map(|delimiter| match delimiter {
        '\t' => t!("source-tabs"),
        _ => t!("source-delimiter", delimiter = delimiter.to_string()),
    }));
    parts.extend(sheet.as_ref().map(|sheet| t!("source-sheet", sheet = sheet)));
    if *gzip {
        parts.push(t!("source-gzip"));
    }
    let found = t!(
        "source-found",
        name = source.name(),
        what = parts.join(&t!("progress-comma"))
    );
    let notes = source.description().notes();
    let notes = notes.iter().map(|note| crate::language::known(note));
    std::iter::once(found).chain(notes).collect::<Vec<_>>().join("\n")
}

fn source_failure(error: &SourceError, file: &Path) -> Failure {
    let failure = Failure::new(chain(error));
    match error {
        SourceError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            failure.hint(t!("hint-name-a-file"))
        }
        _ => failure.hint(t!("hint-correct-file", file = file.display())),
    }
}

pub(super) fn load_failure(error: &LoadError, file: &Path, arguments: &SourceArguments) -> Failure {
    let failure = Failure::new(chain(error));
    match error {
        LoadError::Ledger(error) => ledger::hinted(failure, error),
        LoadError::Source(error) => source_failure(error, file),
        LoadError::Mapping { error, .. } => failure.hint(
            crate::mapping::hint(error, file, arguments)
                .unwrap_or_else(|| t!("hint-correct-file", file = file.display())),
        ),
        LoadError::NotReady(stop) => failure.hint(printed::how_to_go_on(stop.hint.as_ref())),
        LoadError::Defaults(_) => failure.hint(t!("hint-defaults")),
        _ => failure,
    }
}
