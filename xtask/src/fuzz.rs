//! `fuzz`: runs the fuzz targets for a while. No part of `ci`: it needs a nightly compiler, and time.
//!
//! What libFuzzer finds interesting goes into the target directory; only what is worth keeping is committed by hand.

use std::{ffi::OsString, fs, path::Path, process::Command};

use clap::Args;

use crate::{
    outcome::{Failure, Outcome},
    process, tools,
    workspace::Workspace,
};

/// Arguments of `fuzz`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Only this target; all of them, one after the other, when left out
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 600, value_name = "N")]
    seconds: u32,
}

/// Runs one target or all.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    let path = search_path(&workspace)?;
    let known = targets(&workspace)?;
    let chosen: Vec<&String> = match &arguments.target {
        Some(name) => known.iter().filter(|known| *known == name).collect(),
        None => known.iter().collect(),
    };
    if chosen.is_empty() {
        return Err(Failure::failed(
            "there is no such target",
            format!("run `cargo xtask fuzz` with one of {}", known.join(", ")),
        ));
    }
    for target in chosen {
        let found = workspace.root().join(FOLDER).join("target/corpus").join(target);
        fs::create_dir_all(&found).map_err(|error| {
            Failure::failed(
                format!("cannot write {}: {error}", found.display()),
                "make room on the disk",
            )
        })?;
        let mut command = cargo_fuzz(workspace.root(), &path);
        command.args(["run", "--fuzz-dir", FOLDER, target]);
        command.arg(&found).arg(format!("{FOLDER}/corpus/{target}"));
        command.args(["--", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        command.arg(format!("-max_total_time={}", arguments.seconds));
        command.arg(format!("-dict={FOLDER}/dictionaries/{target}.dict"));
        eprintln!("running `{}`", process::show(&command));
        let again = "mend what the input named above shows, add a test, and put the input into the corpus";
        process::run(&mut command, again)?;
    }
    Ok(())
}

/// The targets, by their files.
fn targets(workspace: &Workspace) -> Outcome<Vec<String>> {
    let prefix = format!("{FOLDER}/fuzz_targets/");
    let mut names: Vec<String> = workspace
        .files()?
        .iter()
        .filter_map(|path| path.strip_prefix(&prefix)?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

/// The search path with `cargo-fuzz` in front.
fn search_path(workspace: &Workspace) -> Outcome<OsString> {
    if !process::succeeds(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])) {
        return Err(Failure::failed(
            "there is no nightly compiler",
            "run `rustup toolchain install nightly --profile minimal`, then `cargo xtask fuzz`",
        ));
    }
    tools::path_with(&tools::install(workspace, "cargo-fuzz", VERSION)?)
}

/// `cargo fuzz` under the nightly compiler, whatever compiler runs us.
fn cargo_fuzz(root: &Path, path: &OsString) -> Command {
    let mut command = Command::new("rustup");
    command.current_dir(root).env("PATH", path).env_remove("CARGO");
    command.args(["run", "nightly", "cargo", "fuzz"]);
    command
}

/// Not in the workspace; it has one of its own.
const FOLDER: &str = "fuzz";

/// Of `cargo-fuzz`.
const VERSION: &str = "0.13.2";
