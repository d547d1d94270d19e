//! `wxmember doctor`: reads what a profile or a folder names, and says what is wrong with it.

use crate::{
    args::{Format, doctor::Doctor},
    doctor::{self, Check, Gathered},
    exit,
    failure::Failure,
    profile::Profile,
};

/// Examines everything and returns the exit code.
pub(crate) async fn run(arguments: &Doctor) -> Result<exit::Code, Failure> {
    let name = &arguments.chosen.profile;
    let Gathered {
        facts,
        mut report,
        config,
    } = match &arguments.dir {
        Some(dir) => doctor::folder(dir, name)?,
        None => doctor::profile(&arguments.chosen.config, name)?,
    };
    if let Some(facts) = &facts {
        doctor::examine(facts, &mut report);
    }
    if let Some(config) = &config {
        match Profile::read(config, name) {
            Ok(_) => report.passed(
                Check::Profile,
                format!("`{name}` of {} is usable", config.display()),
            ),
            // What was found above says the same in better words.
            Err(_) if report.findings().next().is_some() => {}
            Err(failure) => {
                let at = config.display().to_string();
                let what = failure.what();
                let what = what.strip_prefix(&format!("{at}: ")).unwrap_or(what);
                report.found(
                    Check::Profile,
                    at,
                    what,
                    failure.advice().unwrap_or("mend the setting"),
                );
            }
        }
    }
    match arguments.format {
        Format::Text => print!("{report}"),
        Format::Json => println!("{}", report.to_json()),
    }
    let findings = report.findings().count();
    if findings == 0 {
        return Ok(exit::DONE);
    }
    eprintln!(
        "{findings} {} found",
        if findings == 1 { "problem" } else { "problems" }
    );
    Ok(exit::FAILED)
}
