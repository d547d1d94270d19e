//! `wxmember export`: the rows of a job in one state, as CSV.

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
    sync::Arc,
};

use wxmember_import::{ReportError, Source, export};

use super::{import, jobs};
use crate::{
    args::jobs::Export,
    exit,
    failure::{Failure, chain},
    language::t,
    ledger, mapping,
    output::Output,
    print::tell,
};

/// Writes the rows.
pub(crate) async fn run(arguments: &Export) -> Result<exit::Code, Failure> {
    let (ledger, job) = jobs::find(&arguments.job, &arguments.ledger).await?;
    let source = match &arguments.source {
        Some(path) => {
            let source = import::open(path, mapping::options(&arguments.reading)).await?;
            Some(Arc::new(source) as Arc<dyn Source>)
        }
        None => None,
    };
    let mut kept = ledger::files(&arguments.ledger)?;
    kept.extend(arguments.source.clone());
    let output = match &arguments.output {
        Some(path) => Some(Output::private(path, &kept)?),
        None => None,
    };
    let (name, to): (PathBuf, Box<dyn Write + Send>) = match (&arguments.output, &output) {
        (Some(path), Some(output)) => (path.clone(), Box::new(output.writer()?)),
        _ => ("stdout".into(), Box::new(BufWriter::new(io::stdout()))),
    };
    match export(&ledger, &job, arguments.state.states(), source, name, to).await {
        Ok(rows) => {
            if let Some(output) = output {
                output.finish()?;
            }
            tell!("{}", t!("exported", rows = rows));
            Ok(exit::DONE)
        }
        // Nobody reads any more, which is no failure.
        Err(ReportError::Io { source, .. }) if output.is_none() && source.kind() == ErrorKind::BrokenPipe => {
            Ok(exit::DONE)
        }
        Err(ReportError::Ledger(error)) => Err(ledger::said(&error)),
        Err(error @ ReportError::OtherSource { .. }) => {
            Err(Failure::new(chain(&error)).hint(t!("hint-other-source")))
        }
        Err(error) => Err(Failure::new(chain(&error))),
    }
}
