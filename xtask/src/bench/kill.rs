//! `bench kill`: the kill tests of the end-to-end tests, with as many rounds as asked for and the release build.

use super::{Arguments, Bench};
use crate::{outcome::Outcome, process, workspace::Workspace};

/// Runs the two tests; each prints a line of figures, and a round that fails tells its seed.
pub(super) fn run(bench: &Bench, workspace: &Workspace, arguments: &Arguments) -> Outcome {
    let mut command = process::cargo(workspace.root());
    // Not by the runner of `cargo xtask test`, which would end it after some minutes.
    command
        .args(["test", "--locked", "--package", "wxmember-tests", "--test", "it"])
        .args(["--", "--nocapture", "kill::"])
        .env("WXMEMBER_TEST_BIN", &bench.program)
        .env("WXMEMBER_KILL_ROUNDS", arguments.rounds.to_string())
        .env("WXMEMBER_KILL_WORKER_ROUNDS", arguments.worker_rounds.to_string())
        .env("WXMEMBER_KILL_SEED", arguments.seed.to_string());
    process::run_tests(&mut command)
}
