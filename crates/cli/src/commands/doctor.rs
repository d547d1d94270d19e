//! `wxmember doctor`: reads what a profile or a folder names, and says what is wrong with it.

use std::path::Path;

use crate::{
    args::{Format, doctor::Doctor},
    doctor::{self, Check, Gathered, Report},
    exit,
    failure::Failure,
    language::t,
    print::{self, say, tell},
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
    let profile = match &config {
        Some(config) => open(config, name, &mut report),
        None => None,
    };
    if let Some(facts) = &facts {
        let is_near = doctor::is_on_this_machine(doctor::base_url(facts));
        if arguments.online || is_near {
            doctor::ask(facts, profile.as_ref(), arguments.online, &mut report).await;
        } else {
            report.skipped(Check::Clock, "not compared with the platform's; `--online` does");
        }
    }
    match arguments.format {
        Format::Text => print::bytes(report.to_string().as_bytes())?,
        Format::Json => say!("{}", report.to_json())?,
    }
    let findings = report.findings().count();
    if findings == 0 {
        return Ok(exit::DONE);
    }
    tell!("{}", t!("doctor-found", findings = findings));
    Ok(exit::FAILED)
}

/// Opens the profile as every other command does.
fn open(config: &Path, name: &str, report: &mut Report) -> Option<Profile> {
    match Profile::read(config, name) {
        Ok(profile) => {
            let note = format!("`{name}` of {} is usable", config.display());
            report.passed(Check::Profile, note);
            return Some(profile);
        }
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
                failure.advice().unwrap_or("correct the setting"),
            );
        }
    }
    None
}
