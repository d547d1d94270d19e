//! The runner of gungraun: a program that must have the version of the library, and so is kept beside the builds.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use crate::{
    outcome::{Failure, Outcome},
    process,
    workspace::Workspace,
};

/// Installs the runner from crates.io where it is not there yet, and returns its folder.
pub(super) fn prepare(workspace: &Workspace) -> Outcome<PathBuf> {
    let version = locked(workspace, "gungraun")?;
    let root = workspace
        .target()
        .join("tools")
        .join(format!("{RUNNER}-{version}"));
    let folder = root.join("bin");
    if folder
        .join(format!("{RUNNER}{}", env::consts::EXE_SUFFIX))
        .is_file()
    {
        return Ok(folder);
    }
    eprintln!(
        "installing {RUNNER} {version} into {}, a minute or two",
        root.display()
    );
    let mut install = process::cargo(workspace.root());
    install.args(["install", "--quiet", "--locked", "--version", &version, "--root"]);
    install.arg(&root).arg(RUNNER);
    // Its builds are of no use to anybody else.
    install.env_remove("CARGO_TARGET_DIR");
    process::run(
        &mut install,
        &format!(
            "it comes from crates.io, once: connect to the network and run this again, or put a {RUNNER} {version} that \
             was built elsewhere into {}",
            folder.display()
        ),
    )?;
    Ok(folder)
}

/// The search path with the folder in front.
pub(super) fn path_with(folder: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = [folder.to_owned()].into_iter().chain(env::split_paths(&path));
    // A folder with a colon in its name cannot stand in a path at all.
    env::join_paths(all).unwrap_or(path)
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
