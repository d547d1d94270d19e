//! `vectors`: the test vectors, made and checked without our own code.
//!
//! Three parties agree or the verb fails: PyPI's `cryptography` (`gen.py`, which made them), the `openssl` command with
//! a reader of the protocol written here, and `check.py`, which has an AES-256-GCM of its own since the command has
//! none. A vector that our crates fail is therefore our mistake, not the vector's.

use std::{fs, path::Path, process::Command};

use clap::Args;
use serde_json::Value;

use crate::{
    outcome::{Failure, Outcome},
    process,
    test::python,
    workspace::Workspace,
};

mod openssl;
mod protected;
mod tally;

/// Arguments of `vectors`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Write nothing; exit with 4 if `vectors.json` does not follow from its keys and `gen.py`
    #[arg(long)]
    pub(crate) check: bool,
}

/// Writes the vectors unless told to check only, then checks them.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    let folder = workspace.root().join(FOLDER);
    if arguments.check {
        compare(&workspace, &folder)?;
    } else {
        let python = python::prepare(&workspace)?;
        process::run(
            Command::new(python).arg(folder.join("gen.py")),
            "restore the folder: `git restore tests/vectors`",
        )?;
    }
    check_with_openssl(&folder)?;
    let files = protected::check(&folder)?;
    eprintln!("openssl: {files} key files under a passphrase hold what they should");
    check_with_python(&folder)
}

/// Compares `vectors.json` with what its generator writes, where the generator's library is there.
fn compare(workspace: &Workspace, folder: &Path) -> Outcome {
    let Some(python) = python::prepared(workspace) else {
        eprintln!(
            "gen.py --check: left out, PyPI's `cryptography` is not set up; `cargo xtask test` does it"
        );
        return Ok(());
    };
    let made = process::output(
        Command::new(python)
            .arg("-B")
            .arg(folder.join("gen.py"))
            .arg("--check"),
        &[],
    )?;
    if made.status.success() {
        eprintln!("gen.py --check: vectors.json follows from its keys");
        return Ok(());
    }
    let said = String::from_utf8_lossy(&made.stderr);
    if said.contains("Traceback") {
        return Err(Failure::failed(
            format!("gen.py failed:\n{}", said.trim()),
            "run `cargo xtask test` to set Python up",
        ));
    }
    Err(Failure::Stale {
        what: format!("{FOLDER}/vectors.json does not follow from its keys and gen.py"),
        repair: "run `cargo xtask vectors` and review the difference".to_owned(),
    })
}

/// The `openssl` command and the reader of the protocol in [`tally`].
fn check_with_openssl(folder: &Path) -> Outcome {
    let path = folder.join("vectors.json");
    let broken = |error: String| {
        Failure::failed(
            format!("cannot read {FOLDER}/vectors.json: {error}"),
            "run `git restore tests/vectors`",
        )
    };
    let text = fs::read_to_string(&path).map_err(|error| broken(error.to_string()))?;
    let vectors: Value = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let tally = tally::count(&vectors, &openssl::Openssl::new(folder)?)?;
    for failure in &tally.failures {
        eprintln!("{FOLDER}/vectors.json: {failure}");
    }
    eprintln!(
        "openssl: {} of {} checks passed",
        tally.checks - tally.failures.len(),
        tally.checks
    );
    if tally.failures.is_empty() {
        Ok(())
    } else {
        Err(disagree("openssl"))
    }
}

/// The checker in pure Python, with the standard library only.
fn check_with_python(folder: &Path) -> Outcome {
    if !process::succeeds(Command::new("python3").arg("--version")) {
        eprintln!("check.py: left out, there is no `python3`; AES-256-GCM is not checked");
        return Ok(());
    }
    let checked = process::output(
        Command::new("python3").arg("-B").arg(folder.join("check.py")),
        &[],
    )?;
    for line in String::from_utf8_lossy(&checked.stdout).lines() {
        eprintln!("check.py: {line}");
    }
    if checked.status.success() {
        return Ok(());
    }
    eprintln!("{}", String::from_utf8_lossy(&checked.stderr).trim());
    Err(disagree("check.py"))
}

fn disagree(who: &str) -> Failure {
    Failure::failed(
        format!("{who} does not agree with {FOLDER}/vectors.json"),
        "run `cargo xtask vectors`, which writes it anew; if that does not help, `gen.py` is wrong",
    )
}

/// Where the vectors are.
const FOLDER: &str = "tests/vectors";
