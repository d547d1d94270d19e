//! `wxmember`: the command line. Reads arguments and profiles, draws progress, chooses the exit code; decides nothing.

use std::process::ExitCode;

use clap::Parser;

use crate::print::tell;

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
mod message;
mod places;
mod print;
mod profile;
mod progress;
mod serial;
mod signals;
mod verdict;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell!("error: failed to start the runtime: {error}");
            return exit::FAILED.into();
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            args::Command::Call(arguments) => commands::call::run(&arguments).await,
            args::Command::Doctor(arguments) => commands::doctor::run(&arguments).await,
            args::Command::Import(arguments) => commands::import::run(&arguments).await,
            args::Command::Init(arguments) => commands::init::run(&arguments),
            args::Command::Open(arguments) => commands::open::run(&arguments),
            args::Command::Seal(arguments) => commands::seal::run(&arguments).await,
            args::Command::Verify(arguments) => commands::verify::run(&arguments).await,
            args::Command::Sandbox(arguments) => commands::sandbox::run(&arguments).await,
        }
    });
    // What still runs in the background has nothing left to tell.
    runtime.shutdown_background();
    match done {
        Ok(code) => code.into(),
        Err(failure) => {
            tell!("{failure}");
            failure.code().into()
        }
    }
}
