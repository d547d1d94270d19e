//! The packages that tests run with Node: in the target directory, pinned by version and hash.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

/// The folder that holds `node_modules`, set up anew when the pins or Node changed.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.target().join("node");
    let stamp = stamp(workspace)?;
    if fs::read_to_string(folder.join(STAMP)).is_ok_and(|written| written == stamp) {
        return Ok(folder);
    }
    eprintln!("setting up Node packages from {PINS}/{LOCK}");
    let unwritable = |error: std::io::Error| {
        Failure::failed(
            format!("cannot write {}: {error}", folder.display()),
            "make room, or set `CARGO_TARGET_DIR`",
        )
    };
    fs::create_dir_all(&folder).map_err(unwritable)?;
    for name in [MANIFEST, LOCK] {
        fs::write(folder.join(name), pins(workspace, name)?).map_err(unwritable)?;
    }
    // No package may run a program of its own while it is installed, and none of ours needs to.
    let mut install = Command::new(npm());
    install.current_dir(&folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    ]);
    process::run(
        &mut install,
        "check the network, or name a mirror with `npm config set registry URL`, then run `cargo xtask test`",
    )?;
    fs::write(folder.join(STAMP), stamp).map_err(unwritable)?;
    Ok(folder)
}

/// True if the Node in the path is new enough for every package.
pub(super) fn is_node_there() -> bool {
    process::version("node").is_some_and(|version| major(&version).is_some_and(|major| major >= OLDEST))
}

/// True if npm is there.
pub(super) fn is_npm_there() -> bool {
    super::is_there(npm(), &["--version"])
}

/// What the folder was made from: Node's version, then the pins.
fn stamp(workspace: &Workspace) -> Outcome<String> {
    let version = process::version("node").unwrap_or_default();
    let pins = pins(workspace, LOCK)?;
    Ok(format!("{version}\n{pins}"))
}

/// The first number of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn pins(workspace: &Workspace, name: &str) -> Outcome<String> {
    let path = Path::new(PINS).join(name);
    fs::read_to_string(workspace.root().join(&path)).map_err(|error| {
        let path = path.display();
        Failure::failed(
            format!("cannot read {path}: {error}"),
            format!("run `git restore {path}`"),
        )
    })
}

/// On Windows npm is a batch file, which only its full name starts.
fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// Where the pins are.
const PINS: &str = "tests/node";

/// The packages that are asked for.
const MANIFEST: &str = "package.json";

/// The packages that are installed, with a hash for each.
const LOCK: &str = "package-lock.json";

/// Says what the folder was made from; written last.
const STAMP: &str = "package.stamp";

/// The oldest Node that every pinned package runs on; `engines` in the manifest says the same.
const OLDEST: u32 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v9.0.0-rc.1"), Some(9));
        assert_eq!(major("20.20.2"), None);
        assert_eq!(major(""), None);
    }
}
