//! The project's own tools; `cargo xtask --help` is the list.
//!
//! One file a verb; this one only dispatches. A verb that writes has `--check`, which never writes. A failure ends
//! with the command that repairs it, and the exit codes are those of [`outcome`]. Nothing here depends on the crates
//! of the project, so that the tools run while those do not compile.

#![expect(
    clippy::print_stderr,
    reason = "a command line tool talks to its user on stderr"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api;
mod bench;
mod ci;
mod codegen;
mod fuzz;
mod outcome;
mod process;
mod spec;
mod test;
mod tidy;
mod tools;
mod vectors;
mod workspace;

/// The project's own tools.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Checks that the interface of the SDK holds no type that users should not meet
    Api(api::Arguments),
    /// Measures speed, memory and size, and holds the figures against the targets; `--check` counts instructions
    Bench(bench::Arguments),
    /// Runs everything that continuous integration runs, in its order
    Ci(ci::Arguments),
    /// Writes everything that is derived from the API document; `--check` compares and never writes
    Codegen(codegen::Arguments),
    /// Runs the fuzz targets for a while; needs a nightly compiler
    Fuzz(fuzz::Arguments),
    /// Checks the API document, or compares it with an earlier one
    Spec(spec::Arguments),
    /// Sets up what the tests need, then runs them all
    Test(test::Arguments),
    /// Checks the rules of the repository that no compiler checks
    Tidy(tidy::Arguments),
    /// Writes the test vectors anew and checks them without our own code
    Vectors(vectors::Arguments),
}

fn main() -> ExitCode {
    if let Some(code) = api::stand_in() {
        return code;
    }
    let done = match Arguments::parse().verb {
        Verb::Api(arguments) => api::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Ci(arguments) => ci::run(&arguments),
        Verb::Codegen(arguments) => codegen::run(&arguments),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Spec(arguments) => spec::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Tidy(arguments) => tidy::run(&arguments),
        Verb::Vectors(arguments) => vectors::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(outcome::Failure::Told) => outcome::Failure::Told.exit_code(),
        Err(failure) => {
            eprintln!("\n{failure}");
            failure.exit_code()
        }
    }
}
