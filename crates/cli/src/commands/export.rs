//! `wxmember export`: the rows of a job in one state, as CSV.

use std::{
    fs::File,
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use wxmember_import::{ReportError, Source, SourceOptions, export};

use super::{import, jobs};
use crate::{
    args::jobs::Export,
    exit,
    failure::{Failure, chain},
    language::t,
    ledger,
    print::tell,
};

/// Writes the rows.
pub(crate) async fn run(arguments: &Export) -> Result<exit::Code, Failure> {
    let (ledger, job) = jobs::find(&arguments.job, &arguments.ledger).await?;
    let source = match &arguments.source {
        Some(path) => {
            let source = import::open(path, SourceOptions::default()).await?;
            Some(Arc::new(source) as Arc<dyn Source>)
        }
        None => None,
    };
    let (name, to): (PathBuf, Box<dyn Write + Send>) = match &arguments.output {
        Some(path) => (path.clone(), Box::new(BufWriter::new(create(path)?))),
        None => ("stdout".into(), Box::new(BufWriter::new(io::stdout()))),
    };
    match export(&ledger, &job, arguments.state.states(), source, name, to).await {
        Ok(rows) => {
            tell!("{}", t!("exported", rows = rows));
            Ok(exit::DONE)
        }
        // Nobody reads any more, which is no failure.
        Err(ReportError::Io { source, .. })
            if arguments.output.is_none() && source.kind() == ErrorKind::BrokenPipe =>
        {
            Ok(exit::DONE)
        }
        Err(ReportError::Ledger(error)) => Err(ledger::said(&error)),
        Err(error @ ReportError::OtherSource { .. }) => {
            // An empty file would look like a result.
            if let Some(path) = &arguments.output {
                let _ = std::fs::remove_file(path);
            }
            Err(Failure::new(chain(&error)).hint(t!("hint-other-source")))
        }
        Err(error) => Err(Failure::new(chain(&error))),
    }
}

/// For its owner alone, since codes of members stand in it.
fn create(path: &Path) -> Result<File, Failure> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).and_then(|file| {
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        Ok(file)
    });
    file.map_err(|error| Failure::because(t!("unwritable", path = path.display()), &error))
}
