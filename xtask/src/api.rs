//! `api`: the public interface of the SDK holds nothing of the HTTP library, the code generator or the raw client.
//!
//! rustdoc describes the interface as JSON, with every feature on; [`walk`] follows it from the root of the crate through every
//! public signature, and into the types of our own crates that stand in one; [`allowed`] is the reviewed list of what may
//! stand there. What is marked `#[doc(hidden)]` counts as private: `Seal::Raw` and its kin can be named by who insists,
//! but no user is told of them, and no promise is made about them.
//!
//! The JSON is an unstable output of a stable toolchain: `RUSTC_BOOTSTRAP=1` opens it. Only rustdoc may see that variable,
//! since build scripts watch it and everything would be built again, so this program stands in for rustdoc
//! ([`stand_in`]) and hands the variable on. No build of the interface needs a nightly toolchain.

use std::{
    env, fs,
    process::{Command, ExitCode},
};

use clap::Args;
use serde_json::Value;

use self::walk::{Crates, Finding};
use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

mod allowed;
mod walk;

/// Arguments of `api`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Prints every type of another crate, with the reason why it may be there
    #[arg(long)]
    list: bool,
}

impl Arguments {
    /// Only the check.
    pub(crate) const fn check() -> Self {
        Self { list: false }
    }
}

/// Describes the interface, and holds it against the list.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let workspace = Workspace::load()?;
    let used = walk::walk(&describe(&workspace)?, SDK);
    if arguments.list {
        for found in &used {
            let reason = allowed::row(&found.of).map_or("on no row", |row| row.reason);
            eprintln!("{} ({reason})", found.of);
        }
    }
    let mut findings = check(&used);
    findings.extend(allowed::idle(used.iter().map(|found| found.of.as_str())));
    if findings.is_empty() {
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    Err(Failure::failed(
        format!("the public interface of `{SDK}` has {} findings", findings.len()),
        "give back a type of our own, or list the type with its reason in `xtask/src/api/allowed.rs`; \
         then run `cargo xtask api`",
    ))
}

/// What is used and may not be, as lines for people.
fn check(used: &[Finding]) -> Vec<String> {
    let complaints = used.iter().filter_map(|found| {
        let complaint = if allowed::is_never(&found.of) {
            "which no user may meet; give back a type of our own"
        } else if allowed::row(&found.of).is_none() {
            "which is not on the list of `xtask/src/api/allowed.rs`"
        } else if found.is_unnamed {
            "which users cannot name; re-export it in `crates/sdk/src/lib.rs`"
        } else {
            return None;
        };
        Some(format!("{}: `{}`, {complaint}", found.item, found.of))
    });
    complaints.collect()
}

/// Has rustdoc write the JSON of the SDK and of our crates below it, and reads it.
fn describe(workspace: &Workspace) -> Outcome<Crates> {
    let repair = "mend what is named above, then run `cargo xtask api`";
    let here = env::current_exe().map_err(|error| {
        Failure::failed(format!("this program does not know where it is: {error}"), repair)
    })?;
    let mut command = process::cargo(workspace.root());
    command.args([
        "doc",
        "--lib",
        "--no-deps",
        "--all-features",
        "--locked",
        "--quiet",
    ]);
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    command
        .env("RUSTDOC", here)
        .env(
            STAND_IN,
            env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()),
        )
        // Links are the business of the step `doc`.
        .env(
            "RUSTDOCFLAGS",
            "-Z unstable-options --output-format json --cap-lints allow",
        );
    eprintln!("running `{}`", process::show(&command));
    process::run(&mut command, repair)?;
    let mut crates = Crates::default();
    for package in PACKAGES {
        let name = package.replace('-', "_");
        let path = workspace.target().join("doc").join(format!("{name}.json"));
        let shown = workspace.relative(&path);
        let text = fs::read(&path).map_err(|error| {
            Failure::failed(
                format!("cannot read {shown}: {error}"),
                format!("remove `{shown}` and run `cargo clean --doc`"),
            )
        })?;
        let json: Value = serde_json::from_slice(&text).map_err(|error| {
            Failure::failed(format!("{shown} is no JSON: {error}"), "run `cargo clean --doc`")
        })?;
        crates.insert(&name, json);
    }
    Ok(crates)
}

/// When cargo calls this program in the place of rustdoc: runs rustdoc with its unstable output open.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let rustdoc = env::var_os(STAND_IN)?;
    let status = Command::new(rustdoc)
        .args(env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove(STAND_IN)
        .status();
    let code = status.ok().and_then(|status| status.code());
    Some(ExitCode::from(
        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
    ))
}

/// The crate whose interface is checked.
const SDK: &str = "wxmember";

/// It, and our crates whose types stand in its interface.
const PACKAGES: &[&str] = &[SDK, "wxmember-client", "wxmember-crypto", "wxmember-signing"];

/// Set to the real rustdoc when this program stands in for it.
const STAND_IN: &str = "WXMEMBER_XTASK_RUSTDOC";

#[cfg(test)]
mod tests;
