//! `bench kill`: the kill test of the end-to-end tests, with as many rounds as asked for and the release build.

use super::Bench;
use crate::{outcome::Outcome, process, workspace::Workspace};

/// Runs the test; its last line has the figures, and a round that fails tells its seed.
pub(super) fn run(bench: &Bench, workspace: &Workspace, rounds: u64, seed: u64) -> Outcome {
    let mut command = process::cargo(workspace.root());
    // Not by the runner of `cargo xtask test`, which would end it after some minutes.
    command
        .args(["test", "--locked", "--package", "wxmember-tests", "--test", "it"])
        .args(["--", "--nocapture", "kill::"])
        .env("WXMEMBER_TEST_BIN", &bench.program)
        .env("WXMEMBER_KILL_ROUNDS", rounds.to_string())
        .env("WXMEMBER_KILL_SEED", seed.to_string());
    process::run_tests(&mut command)
}
