//! `wxmember`: the command line. Reads arguments and profiles, draws progress, chooses the exit code; decides nothing.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::{
    args::{Arguments, Command, sandbox::Verb},
    failure::Failure,
    language::t,
    print::tell,
};

mod advice;
mod args;
mod call;
mod commands;
mod doctor;
mod exit;
mod failure;
mod headers;
mod init;
mod input;
mod language;
mod ledger;
mod log;
mod mapping;
mod message;
mod misread;
mod output;
mod places;
mod print;
mod profile;
mod progress;
mod serial;
mod signals;
mod table;
mod verdict;

fn main() -> ExitCode {
    let language = language::begin();
    let given: Vec<_> = std::env::args_os().collect();
    let command = args::variables::fitted(Arguments::command(), &given, |name| std::env::var_os(name));
    let command = language::help::in_language(command, language);
    let read = command.try_get_matches_from(given).and_then(|matches| {
        let arguments = Arguments::from_arg_matches(&matches)?;
        Ok((arguments, args::ledger::has_password_in_arguments(&matches)))
    });
    let (arguments, has_password) = match read {
        Ok(read) => read,
        Err(error) => return misread(&error),
    };
    log::begin(&arguments.global);
    if has_password {
        let failure = Failure::usage(t!("password-in-arguments")).hint(t!("password-in-arguments-hint"));
        print::failure(&failure);
        return failure.code().into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::failure(&Failure::because(t!("no-runtime"), &error));
            return exit::FAILED.into();
        }
    };
    gather_randomness(&arguments.command);
    let done = runtime.block_on(run(arguments.command));
    // What still runs in the background has nothing left to tell.
    runtime.shutdown_background();
    match done {
        Ok(code) => code.into(),
        Err(failure) => {
            print::failure(&failure);
            failure.code().into()
        }
    }
}

/// Begins what the first sealing or signing would wait for, beside what is read and opened before it.
fn gather_randomness(command: &Command) {
    if seals_or_signs(command) {
        let gather = || wxmember_crypto::Backend::default().gather_randomness();
        // Nobody waits for it: without a thread, whoever needs it first does it.
        drop(
            std::thread::Builder::new()
                .name("wxmember-random".to_owned())
                .spawn(gather),
        );
    }
}

/// Whether a command seals, signs or makes keys.
fn seals_or_signs(command: &Command) -> bool {
    match command {
        Command::Call(_)
        | Command::Doctor(_)
        | Command::Import(_)
        | Command::Seal(_)
        | Command::Worker(_) => true,
        Command::Sandbox(arguments) => match arguments.verb {
            None | Some(Verb::Replay(_)) => true,
            Some(Verb::Rules(_) | Verb::Scrub(_)) => false,
        },
        _ => false,
    }
}

async fn run(command: Command) -> Result<exit::Code, Failure> {
    match command {
        Command::Call(arguments) => commands::call::run(&arguments).await,
        Command::Check(arguments) => commands::check::run(&arguments).await,
        Command::Completions(arguments) => commands::pages::completions(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments).await,
        Command::Export(arguments) => commands::export::run(&arguments).await,
        Command::Import(arguments) => commands::import::run(&arguments).await,
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Jobs(arguments) => commands::jobs::list(&arguments).await,
        Command::Man(arguments) => commands::pages::man(&arguments),
        Command::Open(arguments) => commands::open::run(&arguments),
        Command::Pause(arguments) => commands::jobs::pause(&arguments).await,
        Command::Purge(arguments) => commands::jobs::purge(&arguments).await,
        Command::Report(arguments) => commands::report::run(&arguments).await,
        Command::Resume(arguments) => commands::jobs::resume(&arguments).await,
        Command::Retry(arguments) => commands::jobs::retry(&arguments).await,
        Command::Sandbox(arguments) => commands::sandbox::run(&arguments).await,
        Command::Seal(arguments) => commands::seal::run(&arguments).await,
        Command::Status(arguments) => commands::jobs::status(&arguments).await,
        Command::Verify(arguments) => commands::verify::run(&arguments).await,
        Command::Worker(arguments) => commands::worker::run(&arguments).await,
    }
}

/// Says what is wrong with the arguments, or the help that was asked for.
fn misread(error: &clap::Error) -> ExitCode {
    match language::usage_error(error) {
        Some(text) => tell!("{text}"),
        // Nobody is left to be told when this fails.
        None => drop(error.print()),
    }
    match u8::try_from(error.exit_code()) {
        Ok(code) => code.into(),
        Err(_) => exit::USAGE.into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[track_caller]
    fn check(line: &str, expected: bool) {
        let words = std::iter::once("wxmember").chain(line.split(' '));
        let arguments = Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(seals_or_signs(&arguments.command), expected, "{line}");
    }

    #[test]
    fn randomness_is_gathered_for_those_who_need_it() {
        for line in [
            "import m.csv",
            "seal",
            "doctor",
            "sandbox",
            "sandbox --dir d",
            "sandbox replay f.json",
        ] {
            check(line, true);
        }
        for line in ["sandbox rules", "sandbox scrub f.har", "check m.csv", "jobs"] {
            check(line, false);
        }
    }
}
