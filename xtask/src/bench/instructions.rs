//! Instructions of a call and of its RSA, counted by valgrind: the same on a busy machine as on an idle one.
//!
//! Two runs of different length give the cost of one call; what a process does once falls out. The kernel is not in it.

use std::{ffi::OsStr, path::Path, process::Command};

use serde_json::json;

use super::{Bench, print};
use crate::{
    outcome::{Failure, Outcome},
    process,
};

/// Whether it can be counted here.
pub(super) fn is_possible() -> bool {
    process::succeeds(Command::new("valgrind").arg("--version"))
}

/// Instructions of one more piece of work; `words` makes the arguments of `wxmember-bench-sdk` for so many pieces.
pub(super) fn of_one(bench: &Bench, what: &str, words: impl Fn(&str) -> Vec<String>) -> Outcome<f64> {
    let count = |pieces: u32| of_process(&bench.calling, &words(&pieces.to_string()), &[0]);
    let each = (count(MORE)? - count(FEW)?) / f64::from(MORE - FEW);
    print(&format!(
        "{}\n",
        json!({"measurement": "instructions", "of": what, "each": each})
    ));
    Ok(each)
}

/// Instructions of a whole process, which must end with one of these exit codes.
pub(super) fn of_process(program: &Path, words: &[impl AsRef<OsStr>], codes: &[i32]) -> Outcome<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(program).args(words);
    let output = process::output(&mut command, &[])?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.code().is_some_and(|code| codes.contains(&code)) => Ok(count),
        _ => {
            let shown = process::show(&command);
            let what = format!("`{shown}` failed: {}", said.trim_end());
            Err(Failure::failed(what, format!("run `{shown}` by itself")))
        }
    }
}

const FEW: u32 = 40;
const MORE: u32 = 140;
