//! The runner of gungraun: a program that must have the version of the library, and so is kept beside the builds.

use std::{fs, path::PathBuf};

use toml::{Table, Value};

use crate::{
    outcome::{Failure, Outcome},
    tools,
    workspace::Workspace,
};

/// Installs the runner where it is not there yet, and returns its folder.
pub(super) fn prepare(workspace: &Workspace) -> Outcome<PathBuf> {
    tools::install(workspace, RUNNER, &locked(workspace, "gungraun")?)
}

/// The version of a package in `Cargo.lock`.
pub(super) fn locked(workspace: &Workspace, name: &str) -> Outcome<String> {
    let text = fs::read_to_string(workspace.root().join("Cargo.lock")).unwrap_or_default();
    version(&text, name).ok_or_else(|| {
        Failure::failed(
            format!("`Cargo.lock` names no `{name}`"),
            "run `cargo metadata` and look at `Cargo.lock`",
        )
    })
}

fn version(lock: &str, name: &str) -> Option<String> {
    let lock: Table = lock.parse().ok()?;
    let packages = lock.get("package")?.as_array()?;
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    let package = packages
        .iter()
        .find(|package| text(package, "name").as_deref() == Some(name))?;
    text(package, "version")
}

const RUNNER: &str = "gungraun-runner";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_by_the_whole_name() {
        let lock = "version = 4\n[[package]]\nname = \"gungraun-macros\"\nversion = \"0.8.0\"\n\
                    [[package]]\nname = \"gungraun\"\nversion = \"0.19.3\"\n";
        assert_eq!(version(lock, "gungraun").as_deref(), Some("0.19.3"));
        assert_eq!(version(lock, "gung"), None);
    }
}
