//! What a measuring program says: one line of JSON on stdout, or what went wrong on stderr.

use std::{env, process::ExitCode};

use serde_json::Value;

/// Runs a program's work with the arguments of the process.
#[expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the figures are the program's output, and what went wrong is none"
)]
pub(crate) fn of(work: impl FnOnce(&[&str]) -> Result<Value, String>) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match work(&arguments) {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
