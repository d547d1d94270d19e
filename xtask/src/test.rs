//! `test`: sets up what the tests need, then runs them all.
//!
//! What is missing is installed where that is safe to do (as root on Debian and its kin), or named with the exact
//! command. The runner comes last, so that its summary is the last thing on the terminal.

use std::{ffi::OsString, process::Command};

use clap::Args;

use crate::{outcome::Outcome, process, workspace::Workspace};

pub(crate) mod clients;
mod needs;
pub(crate) mod node;
pub(crate) mod python;

/// Arguments of `test`.
#[derive(Args, Default)]
pub(crate) struct Arguments {
    /// Passed to the test runner; the documentation tests are then left out
    #[arg(last = true, value_name = "RUNNER_ARGUMENTS")]
    runner: Vec<String>,
}

/// Sets everything up and runs all tests.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    let mut variables = prepare(&workspace)?;
    if workspace.member(CLI_PACKAGE).is_some() {
        let mut build = process::cargo(workspace.root());
        build.args([
            "build",
            "--locked",
            "--package",
            CLI_PACKAGE,
            "--bins",
            "--examples",
        ]);
        eprintln!("running `{}`", process::show(&build));
        process::run(
            &mut build,
            &format!("mend what the compiler names, then run `cargo build -p {CLI_PACKAGE}`"),
        )?;
        let program = format!("wxmember{}", std::env::consts::EXE_SUFFIX);
        variables.push((
            "WXMEMBER_TEST_BIN",
            workspace.target().join("debug").join(program).into_os_string(),
        ));
    }
    let tests = |words: &[&str]| {
        let mut command = process::cargo(workspace.root());
        command.args(words).args(["--workspace", "--locked"]);
        command
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .envs(SETTINGS.iter().copied());
        command
    };

    if arguments.runner.is_empty() {
        process::run_tests(&mut tests(&["test", "--doc"]))?;
    }
    let mut runner = if has_nextest(&workspace) {
        let mut command = tests(&["nextest", "run"]);
        command.args(&arguments.runner);
        command
    } else {
        eprintln!(
            "`cargo-nextest` is not installed, so `cargo test` runs: without time limits, one package at a time"
        );
        let mut command = tests(&["test", "--all-targets", "--no-fail-fast"]);
        command.args(&arguments.runner);
        command
    };
    process::run_tests(&mut runner)
}

/// Sets up what the tests need, and returns the environment variables that tell them where it is.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<Vec<(&'static str, OsString)>> {
    needs::meet()?;
    let python = python::prepare(workspace)?;
    let node = node::prepare(workspace)?;
    let driver = clients::prepare(workspace)?;
    Ok(vec![
        // An interpreter with its packages.
        ("WXMEMBER_TEST_PYTHON", python.into_os_string()),
        // The folder above `node_modules`.
        ("WXMEMBER_TEST_NODE", node.into_os_string()),
        // A program.
        ("WXMEMBER_TEST_WXPAY_RS", driver.into_os_string()),
    ])
}

fn has_nextest(workspace: &Workspace) -> bool {
    process::succeeds(process::cargo(workspace.root()).args(["nextest", "--version"]))
}

/// True if the command is there.
fn is_there(program: &str, arguments: &[&str]) -> bool {
    process::succeeds(Command::new(program).args(arguments))
}

/// The package of the program that end-to-end tests start.
const CLI_PACKAGE: &str = "wxmember-cli";

/// Snapshots are compared, never written or waved through; nothing asks for input.
const SETTINGS: &[(&str, &str)] = &[
    ("CI", "1"),
    ("INSTA_FORCE_PASS", "0"),
    ("INSTA_UPDATE", "no"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
];
